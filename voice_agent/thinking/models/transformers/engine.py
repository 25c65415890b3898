"""The engine: one model that all conversations share."""

from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import ClassVar, Self

from voice_agent.errors import EngineError
from voice_agent.events import Prompt, ToolCall
from voice_agent.models import installed
from voice_agent.thinking.models.transformers import options as settings
from voice_agent.thinking.models.transformers.generation import Generation, Preparation, Runtime
from voice_agent.thinking.models.transformers.loading import load
from voice_agent.thinking.models.transformers.turns import Rank, Turns
from voice_agent.workers import Worker


class TransformersModel:
    """Thinks and answers with a causal language model of the transformers library.

    What a conversation's prompts begin with is read only once. Answers in the making take turns
    token by token, replies before thoughts.
    """

    Options: ClassVar[type[settings.Options]] = settings.Options
    name: ClassVar[str] = "transformers"
    thinks_long: ClassVar[bool] = True

    def __init__(self, runtime: Runtime, worker: Worker) -> None:
        self._runtime = runtime
        self._worker = worker
        self._turns = Turns(worker)

    @classmethod
    async def create(cls, options: settings.Options) -> Self:
        """Loads the model from disk; nothing is downloaded.

        Raises:
            ConfigError: The model cannot be used for this.
            EngineUnavailable: A package, the model or a device is missing; says how to get it.
        """
        folder = installed.require(options.model)
        worker = Worker.thread(cls.name)
        try:
            runtime = await worker.call(_load, options, folder)
        except BaseException:
            worker.close()
            raise
        return cls(runtime, worker)

    @property
    def tokens_read(self) -> int:
        """Tokens that have gone through the model since it was loaded."""
        return self._runtime.tokens_read

    @property
    def cache_bytes(self) -> int:
        """Memory of what was read and is kept, in bytes."""
        return self._runtime.prefixes.bytes

    @property
    def kept_sessions(self) -> tuple[str, ...]:
        """The conversations whose beginning is kept, the one longest unused first."""
        return tuple(self._runtime.prefixes.sessions)

    async def generate(self, prompt: Prompt) -> AsyncIterator[str | ToolCall]:
        """Streams the answer as the model writes it; closing the iterator stops it within a token.

        Raises:
            EngineError: The model failed, or the engine is closed.
        """
        rank = Rank.THOUGHT if prompt.aim == "thought" else Rank.REPLY
        job = self._turns.submit(Generation(self._runtime, prompt), rank, prompt.session)
        try:
            while (piece := await job.next()) is not None:
                yield piece
        finally:
            job.drop()

    async def prepare(self, prompt: Prompt) -> None:
        """Reads what the next prompts of the conversation begin with, while nothing else waits."""
        if not prompt.session or not self._runtime.options.sessions:
            return
        with suppress(EngineError):
            job = self._turns.submit(
                Preparation(self._runtime, prompt), Rank.PREPARATION, prompt.session
            )
            try:
                await job.next()
            finally:
                job.drop()

    async def forget(self, session: str) -> None:
        """Lets go of what was read of a conversation."""
        with suppress(EngineError):
            await self._worker.call(self._runtime.prefixes.forget, session)

    async def close(self) -> None:
        """Ends what is under way and gives the model back."""
        await self._turns.close()
        with suppress(EngineError):
            await self._worker.call(self._runtime.unload)
        self._worker.close()


def _load(options: settings.Options, folder: Path) -> Runtime:
    return Runtime(options, load(options, folder))
