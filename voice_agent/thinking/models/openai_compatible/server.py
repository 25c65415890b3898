"""The server: requests out, answers in piece by piece, failures in our own words."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import openai
from openai.types.chat import ChatCompletionChunk

try:
    from httpx2 import Limits
except ModuleNotFoundError:  # openai 2 stands on httpx, openai 3 on httpx2
    from httpx import Limits  # type: ignore[assignment]

from voice_agent.errors import EngineError, EngineUnavailable
from voice_agent.thinking.models.openai_compatible.failures import (
    TryAgain,
    explain,
    refused_parameter,
)
from voice_agent.thinking.models.openai_compatible.options import Options

_INSTEAD = {
    "max_tokens": "max_completion_tokens",
    "max_completion_tokens": None,
    "seed": None,
    "stop": None,
    "temperature": None,
    "top_p": None,
}
"""What is said instead of a parameter that a server does not know; None for nothing."""

_KEEP_S = 120.0
_MOST_NAMED = 20


class Server:
    """A server that speaks OpenAI's chat completions, shared by all conversations.

    Args:
        options: Where it is and how long it may take.
    """

    def __init__(self, options: Options) -> None:
        self.model = options.model
        self._options = options
        self._instead: dict[str, str | None] = {}
        # The waits and the retries are our own: they end with the first token, not with the
        # status line. Connections are kept for longer than a person listens and speaks, so that
        # an answer does not begin with a handshake.
        limits = Limits(max_keepalive_connections=100, keepalive_expiry=_KEEP_S)
        self._client = openai.AsyncOpenAI(
            api_key=options.key,
            base_url=options.base_url,
            http_client=openai.DefaultAsyncHttpxClient(limits=limits),
            timeout=None,
            max_retries=0,
        )

    async def connect(self) -> None:
        """Makes sure that the server is there, and settles which model it is.

        Raises:
            EngineUnavailable: It is not, or takes no such key; says what to do.
        """
        url = self._options.base_url
        try:
            async with asyncio.timeout(self._options.first_token_s):
                models = await self._models()
        except TimeoutError:
            raise EngineUnavailable(
                f"the server at {url} did not answer within {self._options.first_token_s:g} s; "
                "see whether it has started, or raise `first_token_s`"
            ) from None
        except EngineError as failure:
            raise EngineUnavailable(str(failure)) from None
        if self.model:
            return
        if not models:
            raise EngineUnavailable(
                f"the server at {url} does not say which models it has; name one by `model`"
            )
        self.model = models[0]

    async def stream(self, body: Mapping[str, Any]) -> AsyncGenerator[ChatCompletionChunk, None]:
        """Asks for a chat completion; closing the iterator closes the connection.

        Raises:
            EngineError: It failed.
        """
        with self._explained():
            stream = await self._ask(body, stream=True)
            try:
                async for chunk in stream:
                    yield _checked(chunk)
            finally:
                await stream.close()

    async def read(self, body: Mapping[str, Any]) -> None:
        """Has the server read a prompt, for nothing but that it has read it.

        Raises:
            EngineError: It failed.
        """
        with self._explained():
            await self._ask({**body, "max_tokens": 1}, stream=False)

    async def close(self) -> None:
        """Closes all connections. Harmless when called twice."""
        await self._client.close()

    def said_nothing(self) -> TryAgain:
        """An answer was over before anything of it had come."""
        return TryAgain(
            f"the server at {self._options.base_url} sent nothing that is an answer; does "
            "`base_url` end with the version, as in …/v1?"
        )

    async def _missing(self) -> EngineUnavailable:
        """Why a request met with nothing at all, as far as the server tells."""
        url = self._options.base_url
        try:
            models = await self._models()
        except EngineError:
            models = []
        if models and self.model not in models:
            named = ", ".join(sorted(models)[:_MOST_NAMED])
            return EngineUnavailable(
                f"the server at {url} has no model {self.model!r}; set `model` to one of: {named}"
            )
        return EngineUnavailable(
            f"the server at {url} has no chat completions for {self.model!r} (404); does "
            "`base_url` end with the version (…/v1), and is it a model to chat with?"
        )

    async def _models(self) -> list[str]:
        """Names of its models; none from a server that cannot list them."""
        with self._explained():
            try:
                page = await self._client.models.list()
            except openai.APIStatusError as error:
                if error.status_code in (404, 405, 500, 501):
                    return []
                raise
            return [model.id for model in page.data or ()]
        return []

    async def _ask(self, body: Mapping[str, Any], *, stream: bool) -> Any:
        while True:
            accepted = self._accepted(body)
            try:
                return await self._client.chat.completions.create(
                    **accepted, stream=stream, extra_body=self._options.extra_body
                )
            except openai.NotFoundError:
                raise await self._missing() from None
            except openai.APIStatusError as error:
                name = refused_parameter(error)
                if name not in accepted or name not in _INSTEAD:
                    raise
                self._instead[name] = _INSTEAD[name]

    def _accepted(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The body without what the server has refused to know."""
        accepted = dict(body)
        for refused, instead in self._instead.items():
            if refused in accepted:
                value = accepted.pop(refused)
                if instead:
                    accepted[instead] = value
        return accepted

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            raise explain(error, self._options.base_url, self.model) from None


def _checked(chunk: Any) -> ChatCompletionChunk:
    """The chunk, if it is one: the library takes whatever a server sends.

    Raises:
        TypeError: It is none.
    """
    if not isinstance(chunk, ChatCompletionChunk):
        raise TypeError("not a chunk")
    for choice in chunk.choices or ():
        if (delta := choice.delta) is None:
            continue
        if not isinstance(delta.content, str | None) or not isinstance(
            delta.tool_calls, list | None
        ):
            raise TypeError("not a delta")
    return chunk
