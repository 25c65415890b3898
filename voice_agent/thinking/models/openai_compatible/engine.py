"""The engine: a model behind a server, asked anew for each thought and reply."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, ClassVar, Self

from voice_agent.errors import EngineError, EngineUnavailable
from voice_agent.events import Prompt, ToolCall
from voice_agent.packages import install_command
from voice_agent.thinking.models.openai_compatible import options as settings
from voice_agent.thinking.models.openai_compatible.answer import Answer, carries
from voice_agent.thinking.models.openai_compatible.request import render

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletionChunk

    from voice_agent.thinking.models.openai_compatible.server import Server

log = logging.getLogger(__name__)

_FIRST_PAUSE_S = 0.1
"""Before the first retry; twice as long before each further one."""

_REST_S = 0.5
"""How long the end of a stream may take whose answer has ended."""


class OpenAICompatibleModel:
    """Asks a server that speaks OpenAI's chat completions: vLLM, llama.cpp, Ollama, a provider.

    Nothing is asked twice once a token has come. Closing an answer closes its connection, by which
    the server knows to stop.
    """

    Options: ClassVar[type[settings.Options]] = settings.Options
    name: ClassVar[str] = "openai_compatible"
    thinks_long: ClassVar[bool] = True

    def __init__(self, options: settings.Options, server: "Server") -> None:
        self._options = options
        self._server = server

    @classmethod
    def check(cls, options: settings.Options) -> None:
        """Tells whether the package is there that it needs; the server is not asked.

        Raises:
            EngineUnavailable: It is missing.
        """
        if find_spec("openai") is None:
            raise _without_package()

    @classmethod
    async def create(cls, options: settings.Options) -> Self:
        """Connects to the server.

        Raises:
            EngineUnavailable: A package is missing, or the server does not answer, takes no such
                key, or has no model; says what to do.
        """
        try:
            from voice_agent.thinking.models.openai_compatible.server import Server
        except ModuleNotFoundError as missing:
            if missing.name != "openai":
                raise
            raise _without_package() from missing
        server = Server(options)
        try:
            await server.connect()
        except BaseException:
            await server.close()
            raise
        return cls(options, server)

    async def generate(self, prompt: Prompt) -> AsyncGenerator[str | ToolCall, None]:
        """Streams thoughts, reply and calls of tools as the server sends them.

        Raises:
            EngineError: The server failed, or let the time pass that it has for a token.
        """
        answer = Answer(prompt.aim)
        stream, chunk = await self._begin(prompt)
        async with aclosing(stream):
            while True:
                for piece in answer.take(chunk):
                    yield piece
                if answer.over:
                    break
                chunk = await self._next(stream)
            if answer.ended:
                await _read_out(stream)

    async def prepare(self, prompt: Prompt) -> None:
        """Has the server read the conversation so far, where ``prefill`` says so."""
        if not self._options.prefill:
            return
        try:
            async with asyncio.timeout(self._options.first_token_s):
                await self._server.read(render(prompt, self._options, self._server.model))
        except (EngineError, TimeoutError) as failure:
            log.debug("prefill failed", extra={"error": type(failure).__name__})

    async def forget(self, session: str) -> None:
        """Keeps nothing of a conversation; what the server keeps, it drops when it needs room."""

    async def close(self) -> None:
        """Closes all connections. Harmless when called twice."""
        await self._server.close()

    async def _begin(
        self, prompt: Prompt
    ) -> tuple[AsyncGenerator["ChatCompletionChunk", None], "ChatCompletionChunk"]:
        """The stream of an answer and its first token, after as many tries as there is time for."""
        limit = self._options.first_token_s
        deadline = asyncio.get_running_loop().time() + limit
        try:
            async with asyncio.timeout_at(deadline):
                return await self._try(prompt, deadline)
        except TimeoutError:
            raise EngineError(
                f"{self._server.model!r} at {self._options.base_url} gave no token within "
                f"{limit:g} s; choose a faster model, or raise `first_token_s`"
            ) from None

    async def _try(
        self, prompt: Prompt, deadline: float
    ) -> tuple[AsyncGenerator["ChatCompletionChunk", None], "ChatCompletionChunk"]:
        from voice_agent.thinking.models.openai_compatible.failures import ContextTooLong, TryAgain

        retries, shortened = 0, False
        while True:
            try:
                return await self._first_token(prompt)
            except ContextTooLong:
                if shortened or not prompt.history:
                    raise
                shortened = True
                prompt = replace(prompt, history=prompt.history[(len(prompt.history) + 1) // 2 :])
                log.info("context too long", extra={"exchanges_kept": len(prompt.history)})
            except TryAgain as failure:
                pause = failure.after_s
                if pause is None:
                    pause = _FIRST_PAUSE_S * 2**retries
                late = asyncio.get_running_loop().time() + pause >= deadline
                if late or retries == self._options.retries:
                    raise
                retries += 1
                log.info("request is made again", extra={"retry": retries, "pause_s": pause})
                await asyncio.sleep(pause)

    async def _first_token(
        self, prompt: Prompt
    ) -> tuple[AsyncGenerator["ChatCompletionChunk", None], "ChatCompletionChunk"]:
        stream = self._server.stream(render(prompt, self._options, self._server.model))
        try:
            async for chunk in stream:
                if carries(chunk):
                    return stream, chunk
        except BaseException:
            await stream.aclose()
            raise
        raise self._server.said_nothing()

    async def _next(
        self, stream: AsyncGenerator["ChatCompletionChunk", None]
    ) -> "ChatCompletionChunk":
        try:
            async with asyncio.timeout(self._options.token_s):
                return await anext(stream)
        except TimeoutError:
            raise EngineError(
                f"{self._server.model!r} at {self._options.base_url} stopped in the middle of its "
                f"answer for {self._options.token_s:g} s; choose a faster model, or raise `token_s`"
            ) from None
        except StopAsyncIteration:
            raise EngineError(
                f"the server at {self._options.base_url} broke off in the middle of its answer; "
                "its log may say why"
            ) from None


async def _read_out(stream: AsyncGenerator["ChatCompletionChunk", None]) -> None:
    """Reads what follows the answer, so that the connection can serve the next one."""
    try:
        async with asyncio.timeout(_REST_S):
            async for _ in stream:
                pass
    except (EngineError, TimeoutError):
        return


def _without_package() -> EngineUnavailable:
    return EngineUnavailable(
        f"the openai package is missing; get it with: {install_command('remote')}"
    )
