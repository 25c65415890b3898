"""A language model server whose speed is known: for measuring all that is around a model.

Speaks ``/v1/chat/completions`` and ``/v1/models`` as OpenAI's clients expect it, waits as long as
it is told before the first token and between two tokens, and answers in the agent's own format,
whatever was said: about 80 tokens of thought and 20 of reply. Of a thought that is shown to it
(``<thought_so_far for="…">``) it repeats nothing: it replies at once if that was made for the words
of the turn, and after a correction of about 10 tokens if it was made for others. Every request
waits for the first token alike, as with a server that has kept what it has read before.

    python benchmarks/chat_server.py [--ttft-ms 200] [--rate 40] [--port 8000]
"""

import argparse
import asyncio
import contextlib
import html
import itertools
import json
import re
import signal
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

MODEL = "steady"

THOUGHT = (
    ("linguistic", "They tell of something that weighs on them and want it to be heard."),
    ("stimulus", "{words}"),
    ("appraisal", "It matters to them and is not settled."),
    ("need", "To be understood before anything else."),
    ("paralinguistic", "The voice goes with the words."),
    ("conflict", ""),
    ("stage", "exploration"),
    ("strategy", "Question"),
    ("reason", "More of it has to be told first."),
    ("emotion", "comfort"),
    ("style", "warm and unhurried"),
)
CORRECTION = "<think><stimulus>{words}</stimulus></think>"
REPLY = (
    "That sounds like a lot to carry around. What has been the hardest part of it for you so far?"
)

_STIMULUS_WORDS = 5
_TOKEN = re.compile(r"</?\w+>|\s*[^\s<]+|\s*<|\s+")
_WORDS = re.compile(r"<words>(.*?)</words>", re.DOTALL)
_DRAFT = re.compile(r"<thought_so_far\b[^>]*?\bfor=\"([^\"]*)\"|<thought_so_far\b", re.DOTALL)


@dataclass
class Seen:
    """A request, as it came.

    Attributes:
        body: Its JSON.
        port: Where it came from; the same for all of one connection.
        at: When it came, by ``time.monotonic()``.
        sent: Tokens sent so far.
        ended_at: When its answer ended.
        cut_off: Whether the client had gone before the answer ended.
    """

    body: dict
    port: int
    at: float = field(default_factory=time.monotonic)
    sent: int = 0
    ended_at: float | None = None
    cut_off: bool = False


def answer(body: dict) -> str:
    """What a model that keeps to the agent's format says to a request."""
    messages = body["messages"]
    system = "\n".join(_text(message) for message in messages if message["role"] == "system")
    if "<think>" not in system:
        return REPLY
    asked = next((_text(each) for each in reversed(messages) if each["role"] == "user"), "")
    found = _WORDS.findall(asked)
    words = _plain(found[0] if found else asked)
    stimulus = " ".join(words[:_STIMULUS_WORDS])
    thought_only = "</think>" in (body.get("stop") or ())
    if draft := _DRAFT.search(asked):
        made_for = _plain(draft[1] or "")
        thought = "" if made_for == words else CORRECTION.format(words=" ".join(words[-5:]))
    else:
        fields = "".join(f"<{tag}>{text}</{tag}>" for tag, text in THOUGHT)
        thought = f"<think>{fields.format(words=stimulus)}</think>"
    # A server leaves out the words at which it was told to stop.
    return thought.removesuffix("</think>") if thought_only else thought + REPLY


def tokens(text: str) -> list[str]:
    """A text in the pieces in which it is sent: a word with the space before it, or a tag."""
    return _TOKEN.findall(text)


class ChatServer:
    """The server's routes.

    Args:
        ttft_s: From the request to the first token, in seconds.
        rate: Tokens a second from then on.
        seen: Takes note of each request for a completion.
    """

    def __init__(self, ttft_s: float, rate: float, seen: list[Seen]) -> None:
        self._ttft_s = ttft_s
        self._rate = rate
        self._seen = seen
        self._ids = itertools.count(1)
        self.app = Starlette(
            routes=[
                Route("/v1/models", self._models),
                Route("/v1/chat/completions", self._complete, methods=["POST"]),
            ]
        )

    async def _models(self, request: Request) -> Response:
        models = [{"id": MODEL, "object": "model", "created": 0, "owned_by": "benchmark"}]
        return JSONResponse({"object": "list", "data": models})

    async def _complete(self, request: Request) -> Response:
        seen = Seen(await request.json(), request.client.port)
        self._seen.append(seen)
        limit = seen.body.get("max_completion_tokens") or seen.body.get("max_tokens")
        pieces = tokens(answer(seen.body))
        head = {"id": f"chatcmpl-{next(self._ids)}", "created": int(time.time()), "model": MODEL}
        reason = "length" if limit and limit < len(pieces) else "stop"
        pieces = pieces[:limit]
        if seen.body.get("stream"):
            chunks = self._stream(seen, head, pieces, reason)
            return StreamingResponse(chunks, media_type="text/event-stream")
        await asyncio.sleep(self._ttft_s + max(0, len(pieces) - 1) / self._rate)
        seen.sent, seen.ended_at = len(pieces), time.monotonic()
        message = {"role": "assistant", "content": "".join(pieces)}
        choice = {"index": 0, "message": message, "finish_reason": reason}
        return JSONResponse({**head, "object": "chat.completion", "choices": [choice]})

    async def _stream(
        self, seen: Seen, head: dict, pieces: list[str], reason: str
    ) -> AsyncIterator[str]:
        def event(delta: dict, finish: str | None = None) -> str:
            choice = {"index": 0, "delta": delta, "finish_reason": finish}
            chunk = {**head, "object": "chat.completion.chunk", "choices": [choice]}
            return f"data: {json.dumps(chunk)}\n\n"

        try:
            yield event({"role": "assistant", "content": ""})
            for number, piece in enumerate(pieces):
                # Counted from the request on, so that a late token does not delay the others.
                due = seen.at + self._ttft_s + number / self._rate
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                seen.sent = number + 1
                yield event({"content": piece})
            yield event({}, reason)
            seen.ended_at = time.monotonic()
            yield "data: [DONE]\n\n"
        finally:
            seen.cut_off = seen.ended_at is None
            seen.ended_at = seen.ended_at or time.monotonic()


@contextlib.asynccontextmanager
async def serve(
    *, ttft_ms: float = 200, rate: float = 40, port: int = 0, seen: list[Seen] | None = None
) -> AsyncIterator[str]:
    """Runs the server in this process; gives its address, up to and with ``/v1``.

    Args:
        ttft_ms: From a request to its first token, in milliseconds.
        rate: Tokens a second from then on.
        port: Port to listen on; 0 for any free one.
        seen: Takes note of each request for a completion.
    """
    app = ChatServer(ttft_ms / 1000, rate, [] if seen is None else seen).app
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            log_level="warning",
            log_config=None,
            access_log=False,
            ws="none",
            timeout_keep_alive=60,
            timeout_graceful_shutdown=1,
        )
    )
    server.capture_signals = contextlib.nullcontext  # they belong to who runs this
    with socket.create_server(("127.0.0.1", port)) as listening:
        running = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            # Requests wait in the socket until the server takes them up.
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        finally:
            server.should_exit = True
            await running


def _plain(text: str) -> list[str]:
    return re.findall(r"\w+(?:'\w+)?", html.unescape(text).lower())


def _text(message: dict) -> str:
    content = message.get("content") or ""
    return content if isinstance(content, str) else "".join(each["text"] for each in content)


async def main(ttft_ms: float, rate: float, port: int) -> None:
    stopped = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stopped.set)
    async with serve(ttft_ms=ttft_ms, rate=rate, port=port) as url:
        print(f"{url}: first token after {ttft_ms:g} ms, then {rate:g} a second", flush=True)
        await stopped.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--ttft-ms", type=float, default=200)
    parser.add_argument("--rate", type=float, default=40, help="tokens a second")
    parser.add_argument("--port", type=int, default=8000)
    arguments = parser.parse_args()
    asyncio.run(main(arguments.ttft_ms, arguments.rate, arguments.port))
