"""The server: the page, the realtime websocket, health, metrics, and what is kept of people."""

import asyncio
import logging
import mimetypes
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from voice_agent.agent import Agent
from voice_agent.errors import CannotListen, UnknownConversation
from voice_agent.server import memory
from voice_agent.server.access import Access, Guard, Refusal, Secrets, bearer, check_address
from voice_agent.server.metrics import Metrics
from voice_agent.settings import Config
from voice_agent.shipped import shipped
from voice_agent.transports.realtime.connection import Connection
from voice_agent.transports.realtime.guest import KEY_HEADER

log = logging.getLogger(__name__)

PING_INTERVAL_S = 15.0
PING_TIMEOUT_S = 20.0

PARTING_S = 2.0
"""Time that a conversation may take to end before it counts as under way."""

GOODBYE_S = 5
"""Time for conversations to end when the server stops."""

# Some systems know other types, and browsers run modules of the right type alone.
for _type, _ending in (
    ("text/javascript", ".js"),
    ("text/javascript", ".mjs"),
    ("application/manifest+json", ".webmanifest"),
    ("application/wasm", ".wasm"),
    ("image/svg+xml", ".svg"),
):
    mimetypes.add_type(_type, _ending)


def create_app(agent: Agent) -> Starlette:
    """The application around an agent; the agent stays the caller's to close."""
    metrics = Metrics(lambda: agent.sessions)
    secrets = Secrets.beside(agent.store.path)

    async def realtime(websocket: WebSocket) -> None:
        await Connection(websocket, agent, metrics, secrets.of).run()

    async def healthz(_: Request) -> Response:
        return JSONResponse(
            {
                "status": "degraded" if agent.resting else "ok",
                "profile": agent.config.profile,
                "engines": dict(agent.engines),
                "started": {
                    kind: {"engine": line.label, "why": line.why}
                    for kind, line in agent.started.items()
                },
                "resting": {kind: list(names) for kind, names in agent.resting.items()},
                "sessions": agent.sessions,
            }
        )

    async def access(_: Request) -> Response:
        """Tells a page why its websocket was refused, which browsers hide from it."""
        if agent.sessions >= agent.config.limits.sessions:
            return Refusal(503, "overloaded", "all conversations are in use; try later").response()
        return Response(status_code=204)

    async def expose(_: Request) -> Response:
        return Response(metrics.exposition(), media_type=CONTENT_TYPE_LATEST)

    async def conversation(request: Request) -> Response:
        session = request.path_params["session"]
        if not secrets.opens(session, bearer(request.headers)):
            message = "show the secret that voice_agent.session told, as Bearer token"
            return Refusal(401, "invalid_secret", message).response()
        try:
            if request.method == "DELETE":
                if not await _over(agent, session):
                    message = "it is under way; send voice_agent.conversation.delete there"
                    return Refusal(409, "conversation_open", message).response()
                await agent.store.delete(session)
                return Response(status_code=204)
            return JSONResponse(await agent.store.export(session))
        except UnknownConversation as error:
            return Refusal(404, error.code, str(error)).response()

    async def nowhere(websocket: WebSocket) -> None:
        message = "the websocket is at /v1/realtime"
        await websocket.send_denial_response(Refusal(404, "not_found", message).response())

    origins = agent.config.server.origins
    return Starlette(
        routes=[
            WebSocketRoute("/v1/realtime", realtime),
            WebSocketRoute("/{path:path}", nowhere),
            Route("/v1/access", access),
            Route("/v1/conversations/{session}", conversation, methods=["GET", "DELETE"]),
            *memory.routes(agent.store.memories),
            Route("/healthz", healthz),
            Route("/metrics", expose),
            Mount("/", StaticFiles(directory=shipped("web"), html=True, check_dir=False)),
        ],
        middleware=[
            Middleware(Guard, access=Access(agent.config.server), on_refused=metrics.on_refused),
            Middleware(
                CORSMiddleware,
                allow_origins=origins,
                allow_methods=["GET", "DELETE"],
                allow_headers=["Authorization", KEY_HEADER],
            ),
        ],
    )


async def _over(agent: Agent, session: str) -> bool:
    """Whether a conversation is over, now or in a moment: its client may just have left."""
    deadline = time.monotonic() + PARTING_S
    # Polled: nobody tells the end of a conversation.
    while agent.is_open(session) and time.monotonic() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    return not agent.is_open(session)


async def serve(config: Config, ready: Callable[[str, Agent], None]) -> None:
    """Runs the agent as a server until it is cancelled, interrupted or terminated.

    Args:
        config: The configuration; ``server.port`` 0 takes any free port.
        ready: Called with the address and the agent as soon as clients can come.

    Raises:
        ConfigError: The address needs a token, or an engine does not exist.
        CannotListen: The address is in use or not this machine's.
        EngineUnavailable: An engine cannot run here.
    """
    check_address(config.server)
    with listen(config.server.host, config.server.port) as listener:
        agent = await Agent.create(config)
        try:
            await run(agent, listener, lambda: ready(_address(listener), agent))
        finally:
            await agent.close()


async def run(agent: Agent, listener: socket.socket, started: Callable[[], None]) -> None:
    """Serves an agent on a socket that listens, until it is cancelled or told to stop."""
    server = _Server(
        uvicorn.Config(
            create_app(agent),
            ws=_WebSocket,
            ws_max_size=agent.config.limits.message_bytes,
            ws_ping_interval=PING_INTERVAL_S,
            ws_ping_timeout=PING_TIMEOUT_S,
            # Audio in base64 gains little, and packing it costs time in every conversation.
            ws_per_message_deflate=False,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GOODBYE_S,
        ),
        started,
    )
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        server.should_exit = True
        await task
        raise


class _Server(uvicorn.Server):
    """Tells when it is ready, and leaves the process alone when it is asked to stop."""

    def __init__(self, config: uvicorn.Config, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_started = on_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_started()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # The signals are not raised again afterwards: the engines are still to be closed.
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        stops = (signal.SIGINT, signal.SIGTERM)
        before = {stop: signal.signal(stop, self.handle_exit) for stop in stops}
        try:
            yield
        finally:
            for stop, handler in before.items():
                signal.signal(stop, handler)


class _WebSocket(WebSocketsSansIOProtocol):
    """Lets go of a peer that does not read, rather than wait until it does."""

    def keepalive_timeout(self) -> None:
        if self.read_paused:
            # The peer sends faster than it is heard: its pong may lie among what is not read yet.
            self.pong_timer = self.pending_ping_payload = None
            self.schedule_ping()
            return
        super().keepalive_timeout()
        self.transport.abort()

    async def run_asgi(self) -> None:
        await super().run_asgi()
        if not self.writable.is_set():
            self.transport.abort()


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Raises:
        CannotListen: The address is in use or not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        raise CannotListen(
            f"cannot listen on {host} port {port}: {error.strerror or error}; "
            "choose another with server.host and server.port (port 0 takes any free one)"
        ) from error


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
