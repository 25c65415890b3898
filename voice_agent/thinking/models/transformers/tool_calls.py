"""Calls of tools in what a model writes.

Two forms are known: Hermes' and Qwen's ``<tool_call>{"name": …, "arguments": {…}}</tool_call>``
anywhere, and Llama's bare ``{"name": …, "parameters": {…}}`` where the answer begins, or after
``<|python_tag|>``. What is read does not depend on how the stream is cut into chunks.
"""

import json
import logging
import re
from collections.abc import Collection, Iterator
from typing import Any
from uuid import uuid4

from voice_agent.events import ToolCall

log = logging.getLogger(__name__)

OPENING = "<tool_call>"
CLOSING = "</tool_call>"
PYTHON_TAG = "<|python_tag|>"
THOUGHT_ENDS = "</think>"
THOUGHT_BEGINS = "<think>"

_LONGEST_CALL = 20_000
_BETWEEN_CALLS = " \t\r\n;,"


def unfinished(text: str, marks: Collection[str]) -> int:
    """Length of the longest end of a text that may be the beginning of one of some marks."""
    longest = max(map(len, marks), default=0)
    for size in range(min(longest - 1, len(text)), 0, -1):
        if any(len(mark) > size and mark.startswith(text[-size:]) for mark in marks):
            return size
    return 0


class ToolCallParser:
    """Splits one answer into text and calls.

    Args:
        names: Tools that may be called; calls of others are left out. Without any, bare JSON is
            text.
    """

    def __init__(self, names: Collection[str]) -> None:
        self._names = frozenset(names)
        self._pending = ""
        self._in_call = False
        self._in_thought = False
        self._at_start = True
        self._marks = [OPENING, PYTHON_TAG, THOUGHT_BEGINS, THOUGHT_ENDS]

    def feed(self, text: str) -> list[str | ToolCall]:
        """Takes more of the answer; returns what is known now."""
        self._pending += text
        return _joined(self._read(last=False))

    def finish(self) -> list[str | ToolCall]:
        """The answer is over: returns what was held back."""
        return _joined(self._read(last=True))

    def _read(self, last: bool) -> Iterator[str | ToolCall]:
        while self._pending:
            if self._in_call:
                body, closing, rest = self._pending.partition(CLOSING)
                if not closing and not last and len(self._pending) < _LONGEST_CALL:
                    return
                self._pending, self._in_call = rest, False
                yield from self._calls(body)
            elif self._at_start and not self._in_thought and self._bare_begins():
                taken = self._bare(last)
                if taken is None:
                    return
                yield from taken
            else:
                piece = self._text(last)
                if piece is None:
                    return
                yield piece

    def _text(self, last: bool) -> str | None:
        """Text up to the next mark, which is taken too; None where it may still become one."""
        found = [(at, mark) for mark in self._marks if (at := self._pending.find(mark)) >= 0]
        if not found:
            keep = 0 if last else unfinished(self._pending, self._marks)
            text = self._pending[: len(self._pending) - keep]
            # Nothing to speak of may still be followed by a call, which begins the answer.
            if (
                not last
                and self._at_start
                and not self._in_thought
                and not text.strip(_BETWEEN_CALLS)
            ):
                return None
            self._pending = self._pending[len(text) :]
            if text.strip(_BETWEEN_CALLS):
                self._at_start = False
            return text or None
        at, mark = min(found)
        text, self._pending = self._pending[:at], self._pending[at + len(mark) :]
        if text.strip(_BETWEEN_CALLS):
            self._at_start = False
        if mark == OPENING:
            self._in_call = True
        elif mark == PYTHON_TAG:
            self._at_start = True
        else:
            self._in_thought = mark == THOUGHT_BEGINS
            self._at_start = not self._in_thought
            return text + mark
        return text

    def _bare_begins(self) -> bool:
        return bool(self._names) and self._pending.lstrip(_BETWEEN_CALLS).startswith("{")

    def _bare(self, last: bool) -> list[str | ToolCall] | None:
        """A call without marks; None while it is not complete."""
        body = self._pending.lstrip(_BETWEEN_CALLS)
        try:
            value, end = json.JSONDecoder().raw_decode(body)
        except ValueError:
            if not last and len(body) < _LONGEST_CALL and self._may_be_call(body):
                return None
            value, end = None, 0
        call = self._call(value)
        if call is None:
            # It is an answer that happens to begin with a brace.
            self._at_start = False
            return []
        self._pending = body[end:].lstrip(_BETWEEN_CALLS)
        return [call]

    @staticmethod
    def _may_be_call(body: str) -> bool:
        return re.match(r"\{\s*(?:\"|\Z)", body) is not None

    def _calls(self, body: str) -> Iterator[ToolCall]:
        body = body.strip()
        try:
            value, _ = json.JSONDecoder().raw_decode(body)
        except ValueError:
            log.warning("a tool call was no JSON", extra={"characters": len(body)})
            return
        for entry in value if isinstance(value, list) else [value]:
            call = self._call(entry)
            if call is not None:
                yield call
            else:
                log.warning("a tool call named no tool that there is")

    def _call(self, value: Any) -> ToolCall | None:
        if not isinstance(value, dict) or value.get("name") not in self._names:
            return None
        arguments = value.get("arguments", value.get("parameters", {}))
        if not isinstance(arguments, str):
            arguments = json.dumps(arguments, ensure_ascii=False)
        return ToolCall(f"call_{uuid4().hex[:20]}", value["name"], arguments)


def _joined(pieces: Iterator[str | ToolCall]) -> list[str | ToolCall]:
    """Pieces with text that follows text put together, and empty text left out."""
    joined: list[str | ToolCall] = []
    for piece in pieces:
        if isinstance(piece, str) and joined and isinstance(joined[-1], str):
            joined[-1] += piece
        elif piece:
            joined.append(piece)
    return joined
