"""A server that plays the agent's side of the wire exactly as a test tells it to."""

import asyncio
import base64
import itertools
import socket
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from voice_agent import memories
from voice_agent.events import Memory
from voice_agent.memory_tables import Noticed
from voice_agent.person import Person
from voice_agent.server import memory
from voice_agent.server.access import SECURITY_HEADERS
from voice_agent.transports.realtime.guest import admit
from voice_agent.transports.realtime.protocol import RequestError

WEB = Path(__file__).parents[2] / "web"
RATE = 24000

MANNER = {
    "speech_s": 2.1,
    "pitch_hz": 182.0,
    "pitch_range_st": 6.2,
    "pitch_shift_st": -2.1,
    "level_db": -31.0,
    "level_shift_db": -4.2,
    "syllable_rate": 3.4,
    "rate_shift": 0.86,
    "pause_share": 0.22,
    "voiced_share": 0.6,
}


def paralinguistics(uncertain: bool = False, **fields: Any) -> dict[str, Any]:
    """A reading; ``fields`` replace or add to what is in it."""
    return {
        "manner": MANNER,
        "emotion": {"sad": 0.62, "neutral": 0.27, "fear": 0.06, "other": 0.05},
        "valence": {"value": -0.45, "confidence": 0.6},
        "arousal": {"value": -0.35, "confidence": 0.7},
        "dominance": None,
        "gender": {},
        "age": {},
        "events": [sound("sigh", 0.1, 0.6)],
        "uncertain": uncertain,
        **fields,
    }


def mood(valence: float, arousal: float, confidence: float = 0.8) -> dict[str, Any]:
    """The fields of a reading that place it in the plane."""
    return {
        "valence": {"value": valence, "confidence": confidence},
        "arousal": {"value": arousal, "confidence": confidence},
    }


def sound(label: str, start: float, end: float, confidence: float = 0.8) -> dict[str, Any]:
    """A vocal event of a reading."""
    return {"label": label, "start": start, "end": end, "confidence": confidence}


THOUGHT = {
    "linguistic": "They waited for weeks and the answer was no; it mattered to them.",
    "paralinguistic": "A sigh, then a low and slow voice: this weighs on them.",
    "strategy": "Reflection of feelings",
    "reply_emotion": "comfort",
    "style": "soft and slow",
    "words_emotion": "happy",
    "voice_emotion": "fear",
    "disagreement": 0.7,
    "stimulus": "they said no",
    "appraisal": "They see it as a verdict on themselves.",
    "need": "They seem to need to be met in it before anything is solved.",
    "conflict": "",
    "stage": "exploration",
    "reason": "the feeling was shown and has not been named yet",
}

LATENCY = {
    "endpoint": 212.0,
    "asr_final": 265.0,
    "first_token": 291.0,
    "first_audio": 338.0,
    "voice_to_voice": 341.0,
}


def tone(seconds: float, hz: float = 220.0, level: float = 0.3) -> bytes:
    t = np.arange(round(seconds * RATE)) / RATE
    return (level * np.sin(2 * np.pi * hz * t) * 32767).astype("<i2").tobytes()


class ScriptedServer:
    """Serves the page and one conversation at a time; a test pushes events and reads what came.

    Attributes:
        full: Whether there is no room for another conversation.
        token: What clients must show, if set.
        received: All that the client of the running conversation sent.
        deleted: Conversations that were erased by request, with the bearer shown.
        remembers: Whether the configuration lets it remember people.
        memories: What is remembered; the page reads and erases it by the real server's routes.
    """

    def __init__(self) -> None:
        self.full = False
        self.token: str | None = None
        self.received: list[dict[str, Any]] = []
        self.deleted: list[tuple[str, str]] = []
        self.connections = 0
        self.remembers = True
        self.memories = memories.in_memory()
        self._news = asyncio.Condition()
        self._socket: WebSocket | None = None
        self._ids = itertools.count(1)
        self._port = 0
        self._server: uvicorn.Server | None = None
        self._task: asyncio.Task[None] | None = None

    # --- life -----------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/"

    async def start(self) -> None:
        app = Starlette(
            routes=[
                WebSocketRoute("/v1/realtime", self._talk),
                Route("/v1/conversations/{id}", self._delete, methods=["DELETE"]),
                Route("/v1/access", self._access),
                *memory.routes(self.memories),
                Mount("/", StaticFiles(directory=WEB, html=True)),
            ]
        )
        listener = socket.create_server(("127.0.0.1", self._port))
        self._port = listener.getsockname()[1]
        config = uvicorn.Config(
            _with_security_headers(app), log_level="critical", lifespan="off", log_config=None
        )
        self._server = uvicorn.Server(config)
        self._task = asyncio.create_task(self._server.serve(sockets=[listener]))

    async def stop(self) -> None:
        assert self._server
        assert self._task
        self._server.should_exit = True
        self._server.force_exit = True
        await self._task
        self._socket = None

    # --- the wire -------------------------------------------------------------------------------

    async def _talk(self, websocket: WebSocket) -> None:
        offered = websocket.scope["subprotocols"]
        if self.token and f"openai-insecure-api-key.{self.token}" not in offered:
            await websocket.close()  # before it is accepted: the handshake fails
            return
        if self.full:
            await websocket.accept("realtime")
            error = {"type": "server_error", "code": "overloaded", "message": "no room"}
            await websocket.send_json({"type": "error", "error": error})
            await websocket.close(1013)
            return
        await websocket.accept("realtime")
        try:
            guest = await admit(websocket, self._agent())  # type: ignore[arg-type]
        except RequestError as refusal:
            error = {"code": refusal.code, "message": refusal.message}
            await websocket.send_json({"type": "error", "error": error})
            await websocket.close(1008)
            return
        self.connections += 1
        self.received.clear()
        session = f"sess_{next(self._ids)}"
        await websocket.send_json({"type": "session.created", "session": {"id": session}})
        await websocket.send_json(self.session(session) | guest.wire())
        self._socket = websocket
        await self._notify()
        try:
            while True:
                self.received.append(await websocket.receive_json())
                await self._notify()
        except WebSocketDisconnect:
            if self._socket is websocket:
                self._socket = None

    def _agent(self) -> SimpleNamespace:
        settings = SimpleNamespace(memory=SimpleNamespace(enabled=self.remembers))
        return SimpleNamespace(store=SimpleNamespace(memories=self.memories), config=settings)

    async def remember(self, name: str, key: str | None, *known: Memory) -> str:
        """Something is known of a person already; returns the key that opens it."""
        person = Person.from_afar(name, key)
        noticed = [Noticed(each, each.about) for each in known]
        assert await self.memories.keep(person, "sess_0", noticed)
        assert person.key
        return person.key

    async def _access(self, request: Request) -> Response:
        shown = request.headers.get("Authorization")
        if self.token and shown != f"Bearer {self.token}":
            return JSONResponse({"error": {"message": "the token is needed"}}, 401)
        return Response(status_code=204)

    @staticmethod
    def session(session: str) -> dict[str, Any]:
        return {
            "type": "voice_agent.session",
            "session_id": session,
            "secret": f"secret of {session}",
            "engines": {"recognizer": "pocketsphinx", "synthesizer": "espeak"},
            "disclosure": "You are talking to a machine, and it analyses your voice for emotion.",
            "profile": "embedded",
        }

    async def _delete(self, request: Request) -> Response:
        self.deleted.append((request.path_params["id"], request.headers["Authorization"]))
        return JSONResponse({})

    async def _notify(self) -> None:
        async with self._news:
            self._news.notify_all()

    async def connected(self) -> None:
        """Waits until a client is there."""
        async with asyncio.timeout(10), self._news:
            await self._news.wait_for(lambda: self._socket is not None)

    async def hang_up(self) -> None:
        """Breaks the connection, as a network does."""
        assert self._socket
        socket, self._socket = self._socket, None
        await socket.close(1011)

    async def send(self, type: str, **fields: Any) -> None:
        await self.connected()
        assert self._socket
        await self._socket.send_json({"type": type, **fields})

    async def expect(self, type: str) -> dict[str, Any]:
        """The first message of this type, which is taken out."""

        def found() -> dict[str, Any] | None:
            return next((each for each in self.received if each["type"] == type), None)

        async with asyncio.timeout(10), self._news:
            await self._news.wait_for(lambda: found() is not None)
        message = found()
        assert message
        self.received.remove(message)
        return message

    # --- scenes ---------------------------------------------------------------------------------

    async def begin_turn(self, item: str, ms: int = 0) -> None:
        """The person begins to speak."""
        await self.send("input_audio_buffer.speech_started", item_id=item, audio_start_ms=ms)

    async def hear(self, item: str, text: str, stable: str = "") -> None:
        """The person speaks; the caption is not finished."""
        await self.begin_turn(item)
        await self.send("voice_agent.caption", item_id=item, text=text, stable=stable)
        await self.read(item, uncertain=True)

    async def read(self, item: str, final: bool = False, **fields: Any) -> None:
        """A reading of how something was said."""
        await self.send(
            "voice_agent.paralinguistics",
            item_id=item,
            final=final,
            paralinguistics=paralinguistics(**fields),
        )

    async def heard(self, item: str, text: str, **fields: Any) -> None:
        """The person's turn is over; ``fields`` are of its reading."""
        await self.send("input_audio_buffer.speech_stopped", item_id=item, audio_end_ms=2000)
        await self.send("input_audio_buffer.committed", item_id=item, previous_item_id=None)
        await self.send(
            "conversation.item.input_audio_transcription.completed", item_id=item, transcript=text
        )
        await self.read(item, final=True, **fields)

    async def begin_reply(self, reply: str, item: str) -> None:
        await self.send("response.created", response={"id": reply, "status": "in_progress"})
        added = {"id": item, "type": "message", "role": "assistant", "content": []}
        await self.send("response.output_item.added", response_id=reply, item=added)
        await self.send("voice_agent.thought", response_id=reply, thought=THOUGHT)

    async def words(self, reply: str, item: str, text: str) -> None:
        await self.send(
            "response.output_audio_transcript.delta", response_id=reply, item_id=item, delta=text
        )

    async def sound(self, reply: str, item: str, pcm: bytes) -> None:
        audio = base64.b64encode(pcm).decode()
        await self.send("response.output_audio.delta", response_id=reply, item_id=item, delta=audio)

    async def reply(self, seconds: float = 2.0, item: str = "a1") -> None:
        """A reply is on its way: text, and all of its audio so far."""
        await self.begin_reply(f"of {item}", item)
        await self.words(f"of {item}", item, "That sounds like a heavy disappointment, ")
        await self.sound(f"of {item}", item, tone(seconds / 2))
        await self.words(f"of {item}", item, "after waiting for so long.")
        await self.sound(f"of {item}", item, tone(seconds / 2))

    async def end_reply(self, reply: str, item: str, status: str = "completed") -> None:
        await self.send("response.output_audio.done", response_id=reply, item_id=item)
        await self.send("response.done", response={"id": reply, "status": status})
        await self.send("voice_agent.latency", turn=1, response_id=reply, latency_ms=LATENCY)


def _with_security_headers(app: ASGIApp) -> ASGIApp:
    """The page must work under the content policy of the real server."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [(k.lower().encode(), v.encode()) for k, v in SECURITY_HEADERS.items()]
                message["headers"] = [*message["headers"], *headers]
            await send(message)

        await app(scope, receive, add)

    return guarded
