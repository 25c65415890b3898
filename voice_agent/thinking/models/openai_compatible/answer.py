"""Makes text and whole calls of tools out of the pieces in which a server sends them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from uuid import uuid4

from voice_agent.errors import EngineError
from voice_agent.events import ToolCall
from voice_agent.thinking.models.openai_compatible.request import END_OF_THOUGHT

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletionChunk
    from openai.types.chat.chat_completion_chunk import ChoiceDelta, ChoiceDeltaToolCall


class Answer:
    """One answer of a server.

    What a model reasons on its own, outside of the answer, is dropped: the agent's thoughts are in
    the answer itself.

    Args:
        aim: Whether a reply is wanted, or the thought alone, which then ends at its closing tag.

    Attributes:
        over: Nothing more is to come.
        ended: The server has ended it; else the thought was whole before.
    """

    def __init__(self, aim: Literal["reply", "thought"]) -> None:
        self._aim = aim
        self._text = ""
        self._half = ""
        self._held = ""
        self._calls: list[_Call] = []
        self._called = False
        self._reasoned = False
        self.over = False
        self.ended = False

    def take(self, chunk: "ChatCompletionChunk") -> Iterator[str | ToolCall]:
        """Takes the next piece; yields what is whole by now.

        Raises:
            EngineError: The answer came to an end that is none.
        """
        if not chunk.choices or self.over:
            return
        choice = chunk.choices[0]
        if delta := choice.delta:
            self._reasoned |= _reasons(delta)
            yield from self._say(delta.content or delta.refusal or "")
            for call in delta.tool_calls or ():
                self._call(call)
        if choice.finish_reason:
            yield from self._finish(choice.finish_reason)

    def _say(self, text: str) -> Iterator[str | ToolCall]:
        text, self._half = _whole_characters(self._half + text)
        if not text:
            return
        yield from self._call_out()
        self._text += text
        if self._aim == "reply":
            yield text
            return
        before, closing, _ = (self._held + text).partition(END_OF_THOUGHT)
        if closing:
            self.over = True
            yield before + closing
            return
        kept = _beginning_of(END_OF_THOUGHT, before)
        self._held = before[len(before) - kept :]
        if said := before[: len(before) - kept]:
            yield said

    def _call(self, piece: "ChoiceDeltaToolCall") -> None:
        call = next((call for call in reversed(self._calls) if _continues(piece, call)), None)
        if call is None:
            call = _Call(piece.index, piece.id or f"call_{uuid4().hex[:24]}")
            self._calls.append(call)
        if (function := piece.function) is not None:
            call.name = call.name or function.name or ""
            arguments = function.arguments or ""
            # A few servers send the arguments as the object itself.
            call.arguments += arguments if isinstance(arguments, str) else json.dumps(arguments)

    def _call_out(self) -> Iterator[ToolCall]:
        for call in self._calls:
            if not call.name:
                raise EngineError("the model called a tool without naming it; ask again")
            self._called = True
            yield ToolCall(call.id, call.name, call.arguments or "{}")
        self._calls = []

    def _finish(self, reason: str) -> Iterator[str | ToolCall]:
        self.over = self.ended = True
        if reason == "content_filter":
            raise EngineError(
                "the server's content filter stopped the answer; another model or server may allow "
                "what this one does not"
            )
        if self._aim == "thought":
            # A server leaves out the tag at which it was told to stop.
            if self._text:
                yield END_OF_THOUGHT
            return
        cut_off = reason == "length"
        if cut_off and self._calls and not _is_json(self._calls[-1].arguments):
            raise EngineError("max_tokens ended the call of a tool; allow more of them")
        yield from self._call_out()
        if self._called or (self._text and not cut_off):
            return
        if cut_off and (said := _reply_in(self._text)):
            if not said.endswith((".", "!", "?", "…")):
                yield "…"
        elif self._reasoned:
            raise EngineError(
                "the model reasoned on its own and gave no answer; switch that off by "
                "`extra_body`, as {chat_template_kwargs: {enable_thinking: false}} or "
                "{reasoning_effort: none}, or choose a model that does not"
            )
        elif cut_off:
            raise EngineError("max_tokens ended the thought before the reply; allow more of them")


@dataclass(slots=True)
class _Call:
    """A call of which more may come."""

    index: int | None
    id: str
    name: str = ""
    arguments: str = ""


def _continues(piece: "ChoiceDeltaToolCall", call: _Call) -> bool:
    """Whether a piece belongs to a call; some servers leave out its index, some its id."""
    begins = bool(piece.function is not None and piece.function.name)
    if piece.id and (begins or piece.id == call.id):
        return piece.id == call.id
    return not begins if piece.index is None else piece.index == call.index


def _reasons(delta: "ChoiceDelta") -> bool:
    """Whether the model thinks outside of the answer; the field has two names."""
    return bool(getattr(delta, "reasoning_content", None) or getattr(delta, "reasoning", None))


def carries(chunk: "ChatCompletionChunk") -> bool:
    """Whether a chunk is more than a sign that the answer was begun."""
    if not chunk.choices:
        return False
    delta, reason = chunk.choices[0].delta, chunk.choices[0].finish_reason
    if reason or not delta:
        return bool(reason)
    return bool(delta.content or delta.refusal or delta.tool_calls or _reasons(delta))


def _whole_characters(text: str) -> tuple[str, str]:
    """A text without broken characters, and half a character whose rest may come."""
    half = text[-1:] if "\ud800" <= text[-1:] <= "\udbff" else ""
    whole = text[: len(text) - len(half)]
    if not any("\ud800" <= character <= "\udfff" for character in whole):
        return whole, half
    return whole.encode("utf-16", "surrogatepass").decode("utf-16", "replace"), half


def _beginning_of(tag: str, text: str) -> int:
    """How many characters at the end of a text may be the beginning of a tag."""
    return next((n for n in range(len(tag) - 1, 0, -1) if text.endswith(tag[:n])), 0)


def _reply_in(text: str) -> str:
    _, closed, reply = text.rpartition(END_OF_THOUGHT)
    return "" if not closed and "<think" in reply else reply.strip()


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
