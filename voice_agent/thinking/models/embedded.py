"""The embedded language model: a responder of rules and lines, for English.

It needs no model file but that of emotion in words, and no time to speak of; the same seed and
conversation give the same words.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import datetime
from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict

from voice_agent.events import Prompt, Strategy, Thought, UserTurn
from voice_agent.thinking.dual_thinking import render_thought
from voice_agent.thinking.plain_words import sentences
from voice_agent.thinking.responder.phrasebook import Phrasebook
from voice_agent.thinking.responder.planning import Plan, Planner
from voice_agent.thinking.responder.service import Service
from voice_agent.thinking.responder.situation import Situation, see
from voice_agent.thinking.responder.thought import thought_of
from voice_agent.thinking.responder.understanding import Reader
from voice_agent.thinking.responder.wording import Worded, Wording
from voice_agent.thinking.strategy import allowed
from voice_agent.thinking.text_emotion import TextEmotion, carried

_LONGEST_TURN = 4000


class EmbeddedOptions(BaseModel):
    """This engine has no options."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class EmbeddedModel:
    """Answers to content and feeling out of a phrasebook.

    Args:
        book: What can be said.
        emotions: Reads emotions in words.
        now: Tells the local time.
    """

    Options: ClassVar[type[BaseModel]] = EmbeddedOptions
    name: ClassVar[str] = "embedded"
    thinks_long: ClassVar[bool] = False

    def __init__(
        self,
        book: Phrasebook,
        emotions: TextEmotion,
        now: Callable[[], datetime] = datetime.now,
    ) -> None:
        self._book = book
        self._reader = Reader(book, emotions)
        self._planner = Planner(book, now)
        self._service = Service(book)

    @classmethod
    async def create(cls, options: EmbeddedOptions) -> Self:
        """Loads the phrasebook and the models, and answers once, so that all rules are compiled.

        Raises:
            EngineUnavailable: A model is missing or damaged.
        """
        return await asyncio.to_thread(cls._load)

    @classmethod
    def _load(cls) -> Self:
        model = cls(Phrasebook(), carried())
        model.think(Prompt(UserTurn("I lost my job.")))
        return model

    async def generate(self, prompt: Prompt) -> AsyncIterator[str]:
        """Streams the thought, then the reply sentence by sentence, in the tag format."""
        thought, text = self._answer(prompt)
        yield render_thought(thought)
        if prompt.aim == "thought":
            return
        for position, sentence in enumerate(sentences(text)):
            yield sentence if position == 0 else f" {sentence}"

    def think(self, prompt: Prompt) -> Thought:
        """The thought alone, at once: cheap enough for every word that is said."""
        return self._answer(prompt)[0]

    async def prepare(self, prompt: Prompt) -> None:
        """Keeps nothing between prompts."""

    async def forget(self, session: str) -> None:
        """Keeps nothing of a conversation."""

    async def close(self) -> None:
        """Holds nothing that needs closing."""

    def _answer(self, prompt: Prompt) -> tuple[Thought, str]:
        turn = prompt.turn
        if len(turn.text) > _LONGEST_TURN:
            # The end of a long story is what the person waits for an answer to.
            turn = replace(turn, text=turn.text[-_LONGEST_TURN:])
            prompt = replace(prompt, turn=turn)
        situation = see(
            turn,
            prompt.history,
            self._reader,
            self._book,
            reflects=prompt.conduct.reflect_emotions,
        )
        if prompt.conduct.mode == "customer_support":
            served = self._service.answer(prompt, situation)
            decided = thought_of(
                situation,
                strategy=served.strategy,
                reply_emotion=served.reply_emotion,
                style=served.style,
                stage=served.stage,
                reason=served.reason,
            )
            return decided, served.text
        plan = self._planner.plan(situation, prompt)
        wording = Wording(prompt.history, plan.slots, prompt.seed, plan.bounds)
        worded = (
            _repeated(situation)
            or wording.compose(plan.options, plan.may)
            or wording.compose(plan.options, allowed(prompt.history))
            or wording.compose(plan.options, frozenset(Strategy))
            or wording.compose((option[-1:] for option in plan.options), frozenset(Strategy))
            or _last_words(wording, plan)
        )
        thought = thought_of(
            plan.situation,
            strategy=worded.strategy,
            reply_emotion=plan.reply_emotion,
            style=plan.style,
            stage=plan.stage,
            reason=plan.reason(worded.strategy),
        )
        return thought, worded.text


_AGAIN = "I said: "


def _repeated(situation: Situation) -> Worded | None:
    """The last answer once more, where that was asked for."""
    act = situation.now.act
    if act is None or act.name != "repeat" or not situation.last_reply:
        return None
    return Worded(_AGAIN + situation.last_reply.removeprefix(_AGAIN), Strategy.INFORMATION)


def _last_words(wording: Wording, plan: Plan) -> Worded:
    line = wording.any_of(plan.last_resort)
    strategy = Strategy.QUESTION if line.asks else Strategy.OTHERS
    return Worded(wording.fill(line), strategy if strategy in plan.may else min(plan.may))
