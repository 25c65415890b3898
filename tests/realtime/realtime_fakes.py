"""An agent that does what a test tells it to, and a check against OpenAI's own types."""

import asyncio
import re
import typing
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from openai.types.realtime.realtime_server_event import RealtimeServerEvent
from openai.types.realtime.realtime_session_create_response import RealtimeSessionCreateResponse
from pydantic import BaseModel

from voice_agent.audio.pcm import SPEAKING_RATE
from voice_agent.dialogue.events import (
    Caption,
    HeardHow,
    ReplyAudio,
    ReplyEnded,
    ReplySpoken,
    ReplyStarted,
    ReplyText,
    SpeechStarted,
    SpeechStopped,
    Thinking,
    TurnEnded,
    UserItem,
)
from voice_agent.dialogue.turn import TurnTaking
from voice_agent.errors import Overloaded
from voice_agent.events import (
    Hypothesis,
    Latency,
    Paralinguistics,
    ReplyStatus,
    Speech,
    SpokenWord,
    Thought,
    Tool,
    ToolCall,
    TurnRecord,
    UserTurn,
)
from voice_agent.memories import in_memory
from voice_agent.person import Person
from voice_agent.server.app import listen, run
from voice_agent.settings import Config, Endpointing, Vad

ENGINES = {"recognizer": "ears", "language_model": "mind", "synthesizer": "mouth"}


def speech(seconds: float, text: str = "") -> Speech:
    samples = 0.3 * np.sin(np.arange(round(seconds * SPEAKING_RATE)) / 10)
    words = tuple(SpokenWord(word, 0, 0) for word in re.findall(r"\S+\s*", text))
    return Speech(samples.astype(np.float32), SPEAKING_RATE, words)


def turn_events(item: str, text: str, start: float = 1.0, end: float = 2.5) -> list[Any]:
    """What a session tells of a spoken turn."""
    half = text.split()[0]
    return [
        SpeechStarted(item, start),
        Caption(item, Hypothesis(text, stable=half)),
        HeardHow(item, Paralinguistics(), final=False),
        SpeechStopped(item, end),
        UserItem(item, UserTurn(text, Paralinguistics())),
        HeardHow(item, Paralinguistics(), final=True),
    ]


def reply_events(
    reply: str, item: str, to: str | None, text: str, seconds: float = 0.5, aloud: bool = True
) -> list[Any]:
    """What a session tells of a reply until all of it was sent."""
    return [
        ReplyStarted(reply, item, to),
        Thinking(reply, Thought("words", "tone", "Question", "comfort")),
        *(ReplyText(reply, item, word + " ") for word in text.split()),
        *([ReplyAudio(reply, item, speech(seconds, text))] if aloud else []),
        ReplySpoken(reply, item, text),
    ]


def ending(reply: str, item: str, text: str, status: ReplyStatus, heard_ms: int = 500) -> list[Any]:
    heard = text if status is ReplyStatus.COMPLETED else text.split()[0]
    record = TurnRecord(
        1, UserTurn("hi"), Thought(), text, heard, status, Latency(endpoint=300.0), ENGINES
    )
    return [ReplyEnded(reply, item, status, text, heard, heard_ms), TurnEnded(record)]


class FakeSession:
    """Keeps what it is fed; tells what it is told to tell."""

    def __init__(self, id: str, emit: Any, close: Any) -> None:
        self.id = id
        self.emit = emit
        self.turn_taking = TurnTaking()
        self.instructions = ""
        self.hearing: tuple[Vad, Endpointing] | None = None
        self.fed: list[np.ndarray] = []
        self.closed = False
        self.asked: list[str | None] = []
        self.tools: tuple[tuple[Tool, ...], str] = ((), "auto")
        self.offered: list[tuple[tuple[Tool, ...] | None, str | None]] = []
        self.calls: dict[str, str | None] = {}
        self.busy = False
        self.aloud: list[bool] = []
        self.replies = 0
        self.items = 0
        self.running: tuple[str, str] | None = None
        self.before_feed = lambda: None
        self.waits = 0
        self.rest = lambda: asyncio.sleep(0)
        self._close = close

    @property
    def clock(self) -> float:
        return sum(piece.size for piece in self.fed) / 16_000

    def tell(self, events: list[Any]) -> None:
        for event in events:
            self.emit(event)

    def set_hearing(self, vad: Vad, endpointing: Endpointing) -> None:
        self.hearing = vad, endpointing

    def set_tools(self, tools: tuple[Tool, ...], choice: str = "auto") -> None:
        self.tools = tools, choice

    async def feed(self, samples: np.ndarray) -> None:
        self.before_feed()
        self.fed.append(samples)

    async def quiet(self) -> None:
        self.waits += 1
        await self.rest()

    async def commit(self) -> str | None:
        if not any(np.abs(piece).max(initial=0) > 0.01 for piece in self.fed):
            return None
        self.items += 1
        item = f"item_said{self.items}"
        self.tell(turn_events(item, "something said"))
        return item

    async def clear(self) -> None:
        self.fed.clear()

    async def say(self, text: str) -> str:
        self.items += 1
        item = f"item_typed{self.items}"
        self.emit(UserItem(item, UserTurn(text)))
        return item

    async def add_tool_call(self, call: ToolCall) -> tuple[str, ToolCall]:
        call = replace(call, id=call.id or "call_new")
        self.calls[call.id] = None
        return f"item_{call.id}", call

    async def add_tool_output(self, call: str, output: str) -> str:
        if self.calls[call] is not None:
            raise ValueError(f"the call {call!r} has its output already")
        self.calls[call] = output
        return f"item_{call}_output"

    async def respond(
        self,
        instructions: str | None = None,
        tools: tuple[Tool, ...] | None = None,
        tool_choice: str | None = None,
    ) -> str | None:
        self.offered.append((tools, tool_choice))
        if self.busy:
            return None
        self.asked.append(instructions)
        self.aloud.append(self.turn_taking.aloud)
        self.replies += 1
        self.running = f"resp_{self.replies}", f"item_reply{self.replies}"
        events = reply_events(
            *self.running, to=None, text="I hear you", aloud=self.turn_taking.aloud
        )
        self.tell(events[:-1])
        return self.running[0]

    def finish(self) -> None:
        """The running reply comes to its end."""
        reply, item = self.running
        self.running = None
        self.emit(ReplySpoken(reply, item, "I hear you"))
        self.tell(ending(reply, item, "I hear you", ReplyStatus.COMPLETED))

    async def cancel(self) -> None:
        if self.running is not None:
            reply, item = self.running
            self.running = None
            self.tell(ending(reply, item, "I hear you", ReplyStatus.CANCELLED))

    async def truncate(self, item: str, heard_ms: int) -> None:
        if heard_ms > 500:
            raise ValueError("the audio has 500 ms")

    async def delete(self, item: str) -> None:
        if not item.startswith("item_"):
            raise KeyError(item)

    async def close(self) -> None:
        if not self.closed:
            self.closed = True
            self._close(self)


class FakeStore:
    def __init__(self) -> None:
        self.folder = TemporaryDirectory()
        self.path = Path(self.folder.name) / "conversations.db"
        self.deleted: list[str] = []
        self.memories = in_memory()

    async def delete(self, session: str) -> None:
        self.deleted.append(session)


class FakeAgent:
    """Opens fake sessions, up to its limit."""

    def __init__(self, **sections: Any) -> None:
        self.config = Config.model_validate(sections)
        self.engines = ENGINES
        self.resting: dict[str, Any] = {}
        self.store = FakeStore()
        self.opened: list[FakeSession] = []
        self.users: list[Person | None] = []
        self._open: set[FakeSession] = set()

    @property
    def sessions(self) -> int:
        return len(self._open)

    async def open(
        self, emit: Any, *, clock: Any = None, user: Person | None = None
    ) -> FakeSession:
        limit = self.config.limits.sessions
        if len(self._open) >= limit:
            raise Overloaded(f"all {limit} conversations are in use; try again later")
        self.users.append(user)
        session = FakeSession(f"sess_{len(self.opened)}", emit, self._open.discard)
        self.opened.append(session)
        self._open.add(session)
        return session


@asynccontextmanager
async def served(agent: Any):
    """A real server around an agent; gives host and port."""
    listener = listen("127.0.0.1", 0)
    started = asyncio.Event()
    server = asyncio.create_task(run(agent, listener, started.set))
    try:
        await asyncio.wait(
            {asyncio.create_task(started.wait()), server}, return_when="FIRST_COMPLETED"
        )
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.cancel()
        await asyncio.gather(server, return_exceptions=True)


# --- OpenAI's types -------------------------------------------------------------------------


def _server_types() -> dict[str, type[BaseModel]]:
    union = typing.get_args(RealtimeServerEvent)[0]
    return {
        typing.get_args(model.model_fields["type"].annotation)[0]: model
        for model in typing.get_args(union)
    }


SERVER_TYPES = _server_types()


def check(event: dict[str, Any]) -> None:
    """Fails unless the event is exactly what OpenAI's package says such an event is."""
    kind = event["type"]
    assert isinstance(event["event_id"], str)
    if kind.startswith("voice_agent."):
        return
    if kind in ("session.created", "session.updated"):
        _exact(RealtimeSessionCreateResponse.model_validate(event["session"], strict=True))
        assert set(event) == {"type", "event_id", "session"}
        return
    _exact(SERVER_TYPES[kind].model_validate(event, strict=True))
    if kind == "response.done":
        assert event["response"]["usage"] is not None


def _exact(value: Any, path: str = "") -> None:
    if isinstance(value, BaseModel):
        assert not value.model_extra, f"{path}: {value.model_extra}"
        for name in type(value).model_fields:
            _exact(getattr(value, name), f"{path}.{name}")
    elif isinstance(value, list):
        for part in value:
            _exact(part, path)
