"""Thinks about a turn while it is still being said, so that the thought costs no time later."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace
from difflib import SequenceMatcher
from typing import cast

from voice_agent.engines import LanguageModel
from voice_agent.events import Draft, Exchange, Prompt, Thought, ToolCall
from voice_agent.thinking.plain_words import words
from voice_agent.thinking.stream_parser import StreamParser

log = logging.getLogger(__name__)

_FIRST_WORDS = 3
"""Words from which on there is something to think about."""

_MORE_WORDS = 4
"""New words for which it is thought again; what is missing then is thought with the answer."""

_KNOWN_AT_ONCE = ("appraisal", "need", "paralinguistic", "conflict", "reply_emotion")

_LEAST_KEPT = 0.6
"""Share of a draft's words that must still stand in the turn, for the draft to be of use."""


class Drafting:
    """The thought about the turn that is under way; one for each session.

    A model thinks about what was said so far; when it is done and more has been said, it is asked
    what that changes. At the end of the turn nothing is waited for: what has been thought by then
    is the draft.
    """

    def __init__(self) -> None:
        self._history: tuple[Exchange, ...] = ()
        self._draft: Draft | None = None
        self._base = Thought()
        self._task: asyncio.Task[None] | None = None
        self._stopping: set[asyncio.Task[None]] = set()

    @property
    def working(self) -> bool:
        """Whether a model is at work on it."""
        return bool(self._stopping) or self._thinking

    @property
    def _thinking(self) -> bool:
        return self._task is not None and not self._task.done()

    def consider(
        self, model: LanguageModel, prompt: Prompt, base: Thought, tell: Callable[[Thought], None]
    ) -> None:
        """More was said: thinks about it, unless it is thinking already or there is little new.

        Args:
            model: Thinks.
            prompt: The turn so far, in its conversation.
            base: What is known of the thought without the model.
            tell: Told the thought each time a part of it is complete.
        """
        if prompt.history != self._history:
            self.drop()
            self._history = prompt.history
        if self._thinking or not self._worthwhile(prompt.turn.text):
            return
        prompt = replace(prompt, aim="thought", draft=self._usable(prompt.turn.text))
        self._task = asyncio.create_task(self._think(model, prompt, base, tell))

    def known(self, prompt: Prompt) -> Draft | None:
        """What has been thought of a turn by now, None if nothing of use."""
        return self._usable(prompt.turn.text) if prompt.history == self._history else None

    def so_far(self, prompt: Prompt, base: Thought) -> Draft | None:
        """Stops thinking; returns what was thought of the turn, None if nothing of use.

        What can be known without the model is brought up to date: the draft then stands for the
        whole turn, unless the last words tell of another feeling.

        Args:
            prompt: The turn as it is known now, in its conversation.
            base: What is known of the thought without the model.
        """
        self._stop()
        draft = self.known(prompt)
        if draft is None:
            return None
        changed = {
            name: getattr(base, name)
            for name in _KNOWN_AT_ONCE
            if getattr(base, name) not in ("", getattr(self._base, name))
        }
        same_feeling = base.words_emotion == self._base.words_emotion
        words = prompt.turn.text if same_feeling else draft.words
        return Draft(replace(draft.thought, **changed), words)

    def drop(self) -> None:
        """The turn is answered or given up."""
        self._stop()
        self._draft = None

    async def close(self) -> None:
        """Stops and waits until the model is free."""
        self.drop()
        await asyncio.gather(*self._stopping, return_exceptions=True)

    def _stop(self) -> None:
        if self._task is not None and not self._task.done():
            self._task.cancel()
            self._stopping.add(self._task)
            self._task.add_done_callback(self._stopping.discard)
        self._task = None

    def _worthwhile(self, text: str) -> bool:
        said = len(words(text))
        draft = self._usable(text)
        return said >= (len(words(draft.words)) + _MORE_WORDS if draft else _FIRST_WORDS)

    def _usable(self, text: str) -> Draft | None:
        """The draft, if the words it was made for still stand."""
        draft = self._draft
        if draft is None:
            return None
        made_for, said = words(draft.words), words(text)
        matched = SequenceMatcher(None, made_for, said, autojunk=False).get_matching_blocks()
        kept = sum(block.size for block in matched)
        return draft if kept >= _LEAST_KEPT * len(made_for) else None

    def _keep(self, thought: Thought, prompt: Prompt, base: Thought) -> None:
        self._draft, self._base = Draft(thought, prompt.turn.text), base

    async def _think(
        self, model: LanguageModel, prompt: Prompt, base: Thought, tell: Callable[[Thought], None]
    ) -> None:
        parser = StreamParser(prompt.draft.thought if prompt.draft else base)
        settled = parser.settled
        stream = cast("AsyncGenerator[str | ToolCall, None]", model.generate(prompt))
        try:
            async with aclosing(stream):
                async for chunk in stream:
                    if not isinstance(chunk, str):
                        continue
                    parser.feed(chunk)
                    if parser.settled != settled:
                        settled = parser.settled
                        self._keep(settled, prompt, base)
                        tell(settled)
            parser.finish()
            # Also where nothing changed: it was thought about up to here.
            self._keep(parser.thought, prompt, base)
        except Exception as error:  # an engine of anybody's may raise anything
            # The answer will be asked of the same model, and tells of its failure then.
            log.debug("drafting failed", extra={"engine": model.name}, exc_info=error)
