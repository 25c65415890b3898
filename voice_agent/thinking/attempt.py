"""One model's attempt at an answer: its stream, parsed and reviewed."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from typing import cast

from voice_agent.engines import LanguageModel
from voice_agent.errors import EngineError
from voice_agent.events import Prompt, Thought, ToolCall
from voice_agent.thinking.safety import ReplyReview
from voice_agent.thinking.stream_parser import StreamParser

_LOST_THREAD = "sorry, I lost my thread there."
_SILENT = "it gave no reply; try again or choose another model"


class Attempt:
    """An answer in the making.

    Args:
        model: The model.
        prompt: What it answers.
        base: What is known of the thought without it.
        review: Lets its words pass.

    Attributes:
        failure: Why the model gave no whole answer; None if it did.
        said: Whether any words came.
        begun: Whether words or calls came: after that nobody else can answer instead.
    """

    def __init__(
        self, model: LanguageModel, prompt: Prompt, base: Thought, review: ReplyReview
    ) -> None:
        self.failure: Exception | None = None
        self._model = model
        self._prompt = prompt
        self._parser = StreamParser(base)
        self._review = review
        self._thought: Thought | None = None
        self._said = ""
        self._called = False

    @property
    def said(self) -> bool:
        """Whether any words came."""
        return bool(self._said.strip())

    @property
    def begun(self) -> bool:
        """Whether words or calls came."""
        return self.said or self._called

    async def pieces(self) -> AsyncGenerator[Thought | str | ToolCall, None]:
        """Streams the thought with the first words or call, then all that follows.

        Does not raise: see ``failure``.
        """
        stream = cast("AsyncGenerator[str | ToolCall, None]", self._model.generate(self._prompt))
        async with aclosing(stream):
            while True:
                try:
                    chunk = await anext(stream)
                except StopAsyncIteration:
                    break
                except Exception as error:  # an engine of anybody's may raise anything
                    self.failure = error
                    break
                for piece in self._take(chunk):
                    yield piece
        for piece in self._finish():
            yield piece
        if self.failure is None and not self.begun:
            self.failure = EngineError(_SILENT)

    def _take(self, chunk: str | ToolCall) -> Iterable[Thought | str | ToolCall]:
        if isinstance(chunk, ToolCall):
            # What was said before the call is heard before it.
            yield from self._tell(self._review.finish())
            yield from self._first()
            self._called = True
            yield chunk
            return
        for item in self._parser.feed(chunk):
            if isinstance(item, Thought):
                self._thought = item
            else:
                yield from self._tell(self._review.feed(item))

    def _finish(self) -> Iterable[Thought | str | ToolCall]:
        closing = ""
        for item in self._parser.finish():
            if isinstance(item, Thought):
                self._thought = item
            else:
                closing += self._review.feed(item)
        closing += self._review.finish()
        if self.failure is not None and (self._said + closing).strip():
            closing += _graceful_end(self._said + closing)
        yield from self._tell(closing)

    def _tell(self, words: str) -> Iterable[Thought | str]:
        if words.strip() or (words and self._said):
            yield from self._first()
            self._said += words
            yield words

    def _first(self) -> Iterable[Thought]:
        """The thought, if nothing was told yet."""
        if not self._said and not self._called:
            yield self._thought or self._parser.thought


def _graceful_end(said: str) -> str:
    if said.rstrip().endswith((".", "!", "?", "…")):
        return ""
    return f" {_LOST_THREAD}" if said.rstrip().endswith((",", ";", "—")) else f"… {_LOST_THREAD}"
