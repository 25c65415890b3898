"""A server that answers, byte by byte, as a script says: also in ways in which no server should."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

MODELS = {"object": "list", "data": [{"id": "small", "object": "model"}]}

_REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 429: "Too Many Requests"}


@dataclass
class Request:
    """A request as it came."""

    path: str
    headers: Mapping[str, str]
    body: Any


class Exchange:
    """One request and what goes back, as bytes.

    Attributes:
        request: What was asked.
        gone: Set when the client has closed its connection.
    """

    def __init__(
        self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.request = request
        self.gone = asyncio.Event()
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def begin(self, status: int = 200) -> None:
        """A streamed answer that ends where the connection ends."""
        await self.send(
            f"HTTP/1.1 {status} {_REASONS.get(status, 'Odd')}\r\n"
            "Content-Type: text/event-stream\r\nConnection: close\r\n\r\n".encode()
        )

    async def event(self, data: Any) -> None:
        await self.send(f"data: {json.dumps(data)}\n\n".encode())

    async def say(self, *texts: str) -> None:
        for text in texts:
            await self.event(chunk(content=text))

    async def end(self, reason: str = "stop") -> None:
        await self.event(chunk(finish=reason))
        await self.send(b"data: [DONE]\n\n")

    async def reply(self, status: int, body: Any, **headers: str) -> None:
        """A whole answer."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        lines = [f"HTTP/1.1 {status} {_REASONS.get(status, 'Odd')}", "Connection: close"]
        kind = "text/html" if isinstance(body, bytes) else "application/json"
        lines += [f"Content-Type: {kind}", f"Content-Length: {len(data)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        await self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + data)

    async def until_gone(self) -> None:
        """Says nothing until the client has gone."""
        with contextlib.suppress(ConnectionError):
            while await self._reader.read(1024):
                pass
        self.gone.set()


Step = Callable[[Exchange], Awaitable[None]]


@dataclass
class ScriptedServer:
    """A script of one step a request for a completion; the last one is done again and again."""

    steps: list[Step] = field(default_factory=list)
    models: Any = field(default_factory=lambda: MODELS)
    models_status: int = 200
    exchanges: list[Exchange] = field(default_factory=list)
    url: str = ""

    @property
    def bodies(self) -> list[Any]:
        return [exchange.request.body for exchange in self.exchanges]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {
                name.lower(): value for name, _, value in (line.partition(": ") for line in head)
            }
            data = await reader.readexactly(int(headers.get("content-length", 0)))
            request = Request(head[0].split()[1], headers, json.loads(data or "null"))
            exchange = Exchange(request, reader, writer)
            if request.path.endswith("/models"):
                await exchange.reply(self.models_status, self.models)
            else:
                self.exchanges.append(exchange)
                await self.steps[min(len(self.exchanges), len(self.steps)) - 1](exchange)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@contextlib.asynccontextmanager
async def scripted(*steps: Step, **settings: Any) -> AsyncIterator[ScriptedServer]:
    """Runs a scripted server on a free port."""
    scripted_server = ScriptedServer(list(steps), **settings)
    server = await asyncio.start_server(scripted_server._serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        scripted_server.url = f"http://127.0.0.1:{port}/v1"
        yield scripted_server


def chunk(finish: str | None = None, **delta: Any) -> dict[str, Any]:
    """A chunk of a streamed completion."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion.chunk", "choices": [choice]}


def saying(*texts: str, reason: str = "stop") -> Step:
    """A step that says texts and ends."""

    async def step(exchange: Exchange) -> None:
        await exchange.begin()
        await exchange.say(*texts)
        await exchange.end(reason)

    return step


def sending(*events: Any) -> Step:
    """A step that sends events as they are; bytes stand for themselves."""

    async def step(exchange: Exchange) -> None:
        await exchange.begin()
        for event in events:
            await (exchange.send if isinstance(event, bytes) else exchange.event)(event)

    return step


def refusing(status: int, body: Any, **headers: str) -> Step:
    """A step that refuses."""

    async def step(exchange: Exchange) -> None:
        await exchange.reply(status, body, **headers)

    return step


def error(message: str, **more: Any) -> dict[str, Any]:
    """An error in OpenAI's form."""
    return {"error": {"message": message, **more}}
