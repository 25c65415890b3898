"""The face of thinking: takes what was said and how, gives the thought and then the reply."""

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import cast

from voice_agent.engines import LanguageModel
from voice_agent.errors import EngineError
from voice_agent.events import Exchange, Prompt, Thought, UserTurn
from voice_agent.thinking.plain_words import sentences
from voice_agent.thinking.safety import Reviewed, SafetyGate
from voice_agent.thinking.stream_parser import StreamParser
from voice_agent.thinking.words_and_voice import disagreement, emotion_in_voice, feeling_in_words

log = logging.getLogger(__name__)

_LOST_THREAD = "sorry, I lost my thread there."


class Thinker:
    """Answers turns with a language model between two safety checks.

    It keeps nothing of a conversation, so that an answer can be prepared for a turn that may not
    be over, and be dropped or asked again with more words.

    Args:
        model: The language model; shared with other sessions.
        gate: Sees danger in a turn, and what must not be said in a reply.
        instructions: Who the agent is and how it should answer.
        seed: Makes a model that chooses among answers repeatable.
    """

    def __init__(
        self, model: LanguageModel, gate: SafetyGate, instructions: str = "", seed: int = 0
    ) -> None:
        self._model = model
        self._gate = gate
        self._instructions = instructions
        self._seed = seed

    async def reply(
        self, turn: UserTurn, history: tuple[Exchange, ...], instructions: str | None = None
    ) -> AsyncGenerator[Thought | str, None]:
        """Streams the thought, exactly once and first, then the text of the reply in pieces.

        Closing the iterator cancels the model.

        Args:
            turn: What the person said.
            history: The conversation so far, oldest first, as it was heard.
            instructions: For this reply instead of the agent's own.

        Raises:
            EngineError: The model failed or said nothing. Where text has come already, the
                sentence is brought to an end first.
        """
        reviewed = self._gate.answer(turn, history, self._seed)
        pieces = (
            _spell_out(reviewed)
            if reviewed
            else self._ask_model(
                turn, history, self._instructions if instructions is None else instructions
            )
        )
        async with aclosing(pieces):
            async for piece in pieces:
                yield _with_emotions(piece, turn) if isinstance(piece, Thought) else piece

    async def _ask_model(
        self, turn: UserTurn, history: tuple[Exchange, ...], instructions: str
    ) -> AsyncGenerator[Thought | str, None]:
        prompt = Prompt(turn, history, instructions, self._seed)
        parser, review = StreamParser(), self._gate.review(self._seed)
        said = ""
        failure: Exception | None = None
        stream = cast("AsyncGenerator[str, None]", self._model.generate(prompt))
        async with aclosing(stream):
            while True:
                try:
                    items = parser.feed(await anext(stream))
                except StopAsyncIteration:
                    break
                except Exception as error:  # an engine of anybody's may raise anything
                    log.warning("language model failed", exc_info=True)
                    failure = error
                    break
                for item in items:
                    piece = item if isinstance(item, Thought) else review.feed(item)
                    if piece:
                        yield piece
                        said += piece if isinstance(piece, str) else ""
        rest = parser.finish()
        closing = "".join(review.feed(item) for item in rest if isinstance(item, str))
        closing += review.finish()
        if not (said + closing).strip():
            raise EngineError(f"the language model failed: {failure}" if failure else _SILENT)
        for item in rest:
            if isinstance(item, Thought):
                yield item
        if failure:
            closing += _graceful_end(said + closing)
        elif reminder := self._gate.reminder(history, self._seed):
            closing += f" {reminder}"
        if closing:
            yield closing
        if failure:
            raise EngineError(f"the language model failed in mid-sentence: {failure}") from failure


def _with_emotions(thought: Thought, turn: UserTurn) -> Thought:
    """The thought with what words and voice tell apart; measured, whatever the model thought."""
    told = feeling_in_words(turn.text)
    differing = disagreement(told, turn.how)
    return replace(
        thought,
        words_emotion=told.label,
        voice_emotion=emotion_in_voice(turn.how),
        disagreement=None if differing is None else round(differing.degree, 3),
    )


_SILENT = "the language model gave no reply; try again or choose another model"


async def _spell_out(reviewed: Reviewed) -> AsyncGenerator[Thought | str, None]:
    yield reviewed.thought
    first, *others = sentences(reviewed.text)
    yield first
    for sentence in others:
        yield f" {sentence}"


def _graceful_end(said: str) -> str:
    if said.rstrip().endswith((".", "!", "?", "…")):
        return ""
    return f" {_LOST_THREAD}" if said.rstrip().endswith((",", ";", "—")) else f"… {_LOST_THREAD}"
