"""The face of thinking: takes what was said and how, gives the thought and then the reply."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from voice_agent.errors import EngineError
from voice_agent.events import (
    Draft,
    EngineSwitched,
    Exchange,
    Prompt,
    Thought,
    Tool,
    ToolCall,
    UserTurn,
)
from voice_agent.thinking.attempt import Attempt
from voice_agent.thinking.character import Character, Recollecting
from voice_agent.thinking.drafting import Drafting
from voice_agent.thinking.model_chain import ModelChain
from voice_agent.thinking.plain_words import sentences
from voice_agent.thinking.safety import Level, Reviewed, SafetyGate
from voice_agent.thinking.words_and_voice import disagreement, emotion_in_voice, feeling_in_words

log = logging.getLogger(__name__)

Piece = Thought | str | ToolCall


def _no_reflex(prompt: Prompt) -> Thought:
    return Thought()


class Thinker:
    """Answers the turns of one conversation with a language model between two safety checks.

    An answer can be prepared for a turn that may not be over, and be dropped or asked again with
    more words: only ``note`` and ``take_in`` leave anything behind.

    Args:
        models: The language models; shared with other sessions.
        gate: Sees danger in a turn, and what must not be said in a reply.
        character: How it thinks.
        reflex: Thinks about a prompt at once: what a slow model has not thought of yet, it fills.
        recollection: What is remembered of the person.
        tell: Told of each model that failed where another one answers instead.
    """

    def __init__(
        self,
        models: ModelChain,
        gate: SafetyGate,
        character: Character | None = None,
        reflex: Callable[[Prompt], Thought] = _no_reflex,
        recollection: Recollecting | None = None,
        tell: Callable[[EngineSwitched], None] = lambda switched: None,
    ) -> None:
        self._models = models
        self._gate = gate
        self._character = character or Character()
        self._reflex = reflex
        self._recollection = recollection
        self._tell = tell
        self._drafting = Drafting()
        self._tasks: set[asyncio.Task[None]] = set()

    # --- while the person speaks ----------------------------------------------------------------

    def warm(self, history: tuple[Exchange, ...], instructions: str | None = None) -> None:
        """The person begins to speak: lets the model read what went before."""
        model = self._models.first
        if model.thinks_long:
            self._start(self._prepare(self._prompt(UserTurn(""), history, instructions)))

    def consider(
        self,
        turn: UserTurn,
        history: tuple[Exchange, ...],
        tell: Callable[[Thought], None],
        instructions: str | None = None,
    ) -> None:
        """Thinks about a turn that may go on.

        Args:
            turn: What was said so far.
            history: What went before.
            tell: Told the thought as it grows, at once or later.
            instructions: Instead of the agent's own.
        """
        character = self._character
        if not character.while_listening or character.conduct.think == "none":
            return
        if self._gate.answer(self._seen(turn), history, character.seed) is not None:
            self._drafting.drop()
            return
        prompt = self._prompt(turn, history, instructions)
        base = self._measured(self._reflex(prompt), turn)
        model = self._models.first
        draft = self._drafting.known(prompt) if model.thinks_long else None
        tell(self._measured(draft.thought, turn) if draft else base)
        if model.thinks_long:
            self._drafting.consider(
                model, prompt, base, lambda thought: tell(self._measured(thought, turn))
            )

    @property
    def working(self) -> bool:
        """Whether a model is at work on what is not a reply."""
        return self._drafting.working or bool(self._tasks)

    # --- when it is over ------------------------------------------------------------------------

    async def reply(
        self,
        turn: UserTurn,
        history: tuple[Exchange, ...],
        instructions: str | None = None,
        tools: tuple[Tool, ...] = (),
        tool_choice: str = "auto",
    ) -> AsyncGenerator[Piece, None]:
        """Streams the thought, exactly once and first, then the text of the reply in pieces.

        Calls of tools come in their place among the text. Closing the iterator cancels the model.

        Args:
            turn: What the person said.
            history: The conversation so far, oldest first, as it was heard.
            instructions: For this reply instead of the agent's own.
            tools: What the model may call.
            tool_choice: As in ``Prompt``.

        Raises:
            EngineError: No model gave an answer; or the model failed in the midst of one, and its
                sentence has been brought to an end.
        """
        reviewed = self._gate.answer(self._seen(turn), history, self._character.seed)
        if reviewed:
            self._drafting.drop()
            pieces = _spell_out(reviewed)
        else:
            prompt = self._prompt(turn, history, instructions)
            prompt = replace(prompt, tools=tools, tool_choice=tool_choice)
            pieces = self._ask_models(prompt)
        async with aclosing(pieces):
            async for piece in pieces:
                yield self._measured(piece, turn) if isinstance(piece, Thought) else piece

    def note(self, turn: UserTurn) -> None:
        """A turn of the person is really over."""
        self._gate.take_in(self._seen(turn))

    async def take_in(self, exchange: Exchange) -> None:
        """A turn and its answer are over: what is worth it is remembered."""
        if self._recollection is None or exchange.user is None:
            return
        if self._gate.assess(self._seen(exchange.user)).level is Level.NONE:
            # What was said in distress is not brought up again by itself.
            await self._recollection.take_in(exchange)

    async def close(self) -> None:
        """The conversation is over."""
        await self._drafting.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._models.forget(self._character.session)
        if self._recollection is not None:
            await self._recollection.close()

    # --- asking models --------------------------------------------------------------------------

    def _seen(self, turn: UserTurn) -> UserTurn:
        """A turn as the safety gate may see it: without the voice where that must tell nothing."""
        return turn if self._character.conduct.reflect_emotions else replace(turn, how=None)

    def _prompt(
        self, turn: UserTurn, history: tuple[Exchange, ...], instructions: str | None
    ) -> Prompt:
        character = self._character
        told = [
            character.instructions if instructions is None else instructions,
            self._gate.caution(history),
        ]
        return Prompt(
            turn,
            history,
            "\n\n".join(part for part in told if part),
            character.seed,
            character.conduct,
            session=character.session,
        )

    async def _ask_models(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        if self._recollection is not None:
            memories = await self._recollection.recall(prompt.turn, prompt.history)
            prompt = replace(prompt, memories=memories)
        failure: Exception | None = None
        draft: Draft | None = None
        for model in self._models.fit():
            base = Thought()
            if model.thinks_long:
                base = self._measured(self._reflex(prompt), prompt.turn)
                if self._character.while_listening:
                    known = Draft(base, prompt.turn.text)
                    draft = draft or self._drafting.so_far(prompt, base) or known
                    prompt = replace(prompt, draft=draft)
                    base = draft.thought
            attempt = Attempt(model, prompt, base, self._gate.review(prompt.seed))
            async with aclosing(attempt.pieces()) as pieces:
                async for piece in pieces:
                    yield piece
            if attempt.failure is None:
                self._models.answered(model)
                reminder = self._gate.reminder(prompt.history, prompt.seed)
                if reminder and attempt.said:
                    yield f" {reminder}"
                return
            failure = attempt.failure
            if switched := self._models.failed(model, failure):
                self._tell(switched)
            if attempt.begun:
                raise EngineError(
                    f"the language model failed in mid-sentence: {failure}"
                ) from failure
        raise EngineError(f"the language model failed: {failure}") from failure

    def _measured(self, thought: Thought, turn: UserTurn) -> Thought:
        """The thought with what words and voice tell apart, whatever the model thought of it."""
        conduct = self._character.conduct
        if conduct.think == "none":
            return Thought(reply_emotion=thought.reply_emotion, style=thought.style)
        if not conduct.reflect_emotions:
            return replace(thought, paralinguistic="", conflict="")
        told = feeling_in_words(turn.text)
        differing = disagreement(told, turn.how)
        return replace(
            thought,
            words_emotion=told.label,
            voice_emotion=emotion_in_voice(turn.how),
            disagreement=None if differing is None else round(differing.degree, 3),
            conflict=thought.conflict or ("" if differing is None else differing.clause),
        )

    async def _prepare(self, prompt: Prompt) -> None:
        try:
            await self._models.first.prepare(prompt)
        except Exception as error:  # an engine of anybody's may raise anything
            log.debug("model not prepared", exc_info=error)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _spell_out(reviewed: Reviewed) -> AsyncGenerator[Piece, None]:
    yield reviewed.thought
    first, *others = sentences(reviewed.text)
    yield first
    for sentence in others:
        yield f" {sentence}"
