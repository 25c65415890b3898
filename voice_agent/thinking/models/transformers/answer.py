"""From tokens to text: whole characters only, and nothing beyond the end of an answer."""

from collections.abc import Sequence
from typing import Any

from voice_agent.events import ToolCall
from voice_agent.thinking.models.transformers.tool_calls import (
    THOUGHT_BEGINS,
    THOUGHT_ENDS,
    ToolCallParser,
    unfinished,
)

_REPLACEMENT = "\ufffd"
_LONGEST_CHARACTER = 4
"""Tokens that may make up one character: each at least one byte of UTF-8."""


class Detokenizer:
    """Turns tokens into text as they come; bytes that make up no character are left out."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._before: list[int] = []
        self._tokens: list[int] = []

    def feed(self, token: int) -> str:
        """Takes the next token; returns the characters that are complete by now."""
        self._tokens.append(token)
        text = self._decoded()
        if text.endswith(_REPLACEMENT) and len(self._tokens) < _LONGEST_CHARACTER:
            return ""
        # How a token reads may depend on the one before it: some decoders take off the space that
        # a text begins with.
        self._before, self._tokens = self._tokens, []
        return text.replace(_REPLACEMENT, "")

    def _decoded(self) -> str:
        before = self._decode(self._before)
        return self._decode(self._before + self._tokens)[len(before) :]

    def _decode(self, tokens: Sequence[int]) -> str:
        text: str = self._tokenizer.decode(
            tokens, skip_special_tokens=False, clean_up_tokenization_spaces=False
        )
        return text


class Ending:
    """Cuts an answer where it ends: after the thought, or where the person's next turn begins.

    Args:
        thought_alone: Only the thought is wanted.
        next_turn: Texts with which a turn of the person begins. Within a thought they are part of
            it.
    """

    def __init__(self, thought_alone: bool, next_turn: Sequence[str]) -> None:
        self._thought_alone = thought_alone
        self._next_turn = [text for text in next_turn if text]
        self._pending = ""
        self._in_thought = False
        self.over = False

    def feed(self, text: str) -> str:
        """Takes more of the answer; returns what is sure to belong to it."""
        if self.over:
            return ""
        self._pending += text
        taken = ""
        while not self.over:
            marks = [THOUGHT_ENDS] if self._in_thought else [THOUGHT_BEGINS, *self._next_turn]
            found = [(at, mark) for mark in marks if (at := self._pending.find(mark)) >= 0]
            if not found:
                size = len(self._pending) - unfinished(self._pending, marks)
                taken += self._pending[:size]
                self._pending = self._pending[size:]
                break
            at, mark = min(found)
            taken += self._pending[:at]
            self._pending = self._pending[at + len(mark) :]
            if mark in self._next_turn:
                self.over = True
                break
            taken += mark
            self._in_thought = mark == THOUGHT_BEGINS
            self.over = mark == THOUGHT_ENDS and self._thought_alone
        return taken

    def finish(self) -> str:
        """The answer is over: returns what was held back."""
        rest = "" if self.over else self._pending
        self.over, self._pending = True, ""
        return rest


class Answer:
    """One answer: tokens in; text and calls of tools, as they are fit to be passed on, out.

    Args:
        tokenizer: The model's tokenizer.
        thought_alone: It ends with the thought, unless told to go on.
        next_turn: Texts with which a turn of the person begins.
        tools: Names of the tools that may be called.
    """

    def __init__(
        self,
        tokenizer: Any,
        *,
        thought_alone: bool = False,
        next_turn: Sequence[str] = (),
        tools: Sequence[str] = (),
    ) -> None:
        self._text = Detokenizer(tokenizer)
        self._next_turn = next_turn
        self._ending = Ending(thought_alone, next_turn)
        self._calls = ToolCallParser(tools)

    @property
    def over(self) -> bool:
        """Whether all that follows does not belong to it."""
        return self._ending.over

    def feed(self, token: int) -> list[str | ToolCall]:
        """Takes the next token."""
        return self.say(self._text.feed(token))

    def say(self, text: str) -> list[str | ToolCall]:
        """Takes text that stands where the next token would."""
        return self._calls.feed(self._ending.feed(text))

    def go_on(self) -> None:
        """The thought is over, but not the answer."""
        self._ending = Ending(False, self._next_turn)

    def finish(self) -> list[str | ToolCall]:
        """The model has ended it: returns what was held back."""
        return [*self._calls.feed(self._ending.finish()), *self._calls.finish()]
