"""The items of a conversation as the client knows them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from voice_agent.events import ToolCall
from voice_agent.transports.realtime.settings import Modality

KEPT_ITEMS = 200
"""Newest items that a client can refer to."""

Wire = dict[str, object]
"""An event or a part of one, ready to become JSON."""

Status = Literal["in_progress", "completed", "incomplete"]


@dataclass(slots=True)
class Message:
    """What one side said.

    Attributes:
        id: Its id on the wire; the client's own where it gave one.
        key: Its id in the session.
        role: Whose message it is.
        modality: Whether it was spoken or written.
        text: Its words; None while they are not known.
        status: Where it stands.
    """

    id: str
    key: str
    role: Literal["user", "assistant"]
    modality: Modality
    text: str | None = None
    status: Status = "in_progress"

    @property
    def words(self) -> int:
        """How many words it has."""
        return len((self.text or "").split())

    def wire(self) -> Wire:
        """The item of the protocol."""
        return _wire(self) | {
            "type": "message",
            "role": self.role,
            "content": self._content(),
        }

    def _content(self) -> list[Wire]:
        if self.role == "assistant":
            if self.text is None:
                return []
            if self.modality == "audio":
                return [{"type": "output_audio", "transcript": self.text}]
            return [{"type": "output_text", "text": self.text}]
        if self.modality == "audio":
            return [{"type": "input_audio", "transcript": self.text}]
        return [{"type": "input_text", "text": self.text}]

    def part(self) -> Wire:
        """The content part of a reply."""
        words = self.text or ""
        if self.modality == "audio":
            return {"type": "audio", "transcript": words}
        return {"type": "text", "text": words}


@dataclass(slots=True)
class FunctionCall:
    """The agent calls a tool of the client's.

    Attributes:
        id, key: As in ``Message``.
        call: The call.
        status: Where its item stands; the arguments are told once it is completed.
    """

    id: str
    key: str
    call: ToolCall
    status: Status = "in_progress"

    @property
    def words(self) -> int:
        """How many words its arguments have."""
        return len(self.call.arguments.split())

    def wire(self) -> Wire:
        """The item of the protocol."""
        return _wire(self) | {
            "type": "function_call",
            "call_id": self.call.id,
            "name": self.call.name,
            "arguments": self.call.arguments if self.status == "completed" else "",
        }


@dataclass(slots=True)
class FunctionCallOutput:
    """What a tool brought.

    Attributes:
        id, key: As in ``Message``.
        call_id: Which call it belongs to.
        output: The result, as the client wrote it.
    """

    id: str
    key: str
    call_id: str
    output: str
    status: Status = "completed"

    @property
    def words(self) -> int:
        """How many words it has."""
        return len(self.output.split())

    def wire(self) -> Wire:
        """The item of the protocol."""
        return _wire(self) | {
            "type": "function_call_output",
            "call_id": self.call_id,
            "output": self.output,
        }


Item = Message | FunctionCall | FunctionCallOutput


def _wire(item: Item) -> Wire:
    return {"id": item.id, "object": "realtime.item", "status": item.status}


class Items:
    """The newest items of a conversation, in order.

    Attributes:
        newest: Id of the last one; None where there is none.
    """

    def __init__(self) -> None:
        self.newest: str | None = None
        self._items: dict[str, Item] = {}
        self._ids: dict[str, str] = {}

    def get(self, id: str | None) -> Item | None:
        """The item that the client knows by this id."""
        return self._items.get(id) if id is not None else None

    def id(self, key: str) -> str:
        """The id by which the client knows an item of the session."""
        return self._ids.get(key, key)

    def name(self, key: str, id: str | None) -> None:
        """The session's item will have this id of the client's; None: it will not be, after all."""
        if id is None:
            self._ids.pop(key, None)
        else:
            self._ids[key] = id

    def begin(self, item: Item) -> Wire:
        """Adds an item at the end; it is told of as added."""
        event = self._told("added", self.newest, item)
        self.newest = item.id
        self._items[item.id] = item
        self._ids[item.key] = item.id
        if len(self._items) > KEPT_ITEMS:
            self.forget(next(iter(self._items.values())))
        return event

    def end(self, item: Item) -> Wire:
        """The item is whole; it is told of as done."""
        return self._told("done", self._before(item), item)

    def add(self, item: Item) -> Iterator[Wire]:
        """Adds an item that is whole."""
        yield self.begin(item)
        yield self.end(item)

    def forget(self, item: Item) -> None:
        """Takes an item out."""
        del self._items[item.id], self._ids[item.key]
        if item.id == self.newest:
            self.newest = next(reversed(self._items), None)

    def __len__(self) -> int:
        return len(self._items)

    def _before(self, item: Item) -> str | None:
        before = None
        for id in self._items:
            if id == item.id:
                return before
            before = id
        return None

    @staticmethod
    def _told(what: str, before: str | None, item: Item) -> Wire:
        return {
            "type": f"conversation.item.{what}",
            "previous_item_id": before,
            "item": item.wire(),
        }
