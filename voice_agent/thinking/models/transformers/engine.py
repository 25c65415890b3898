"""The engine: one model that all conversations share."""

from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any, ClassVar, Self

from voice_agent.errors import EngineError
from voice_agent.events import Prompt, ToolCall
from voice_agent.models import installed, local_transformers, memory
from voice_agent.models.loading import alone
from voice_agent.thinking.models.transformers import options as settings
from voice_agent.thinking.models.transformers.generation import Generation, Preparation
from voice_agent.thinking.models.transformers.loading import load, wrap
from voice_agent.thinking.models.transformers.runtime import Runtime
from voice_agent.thinking.models.transformers.turns import STAND_BACK, Turns
from voice_agent.workers import Worker


class TransformersModel:
    """Thinks and answers with a causal language model of the transformers library.

    What a conversation's prompts begin with is read only once. The answers in the making go through
    the model together (continuous batching): new ones join between two tokens, and replies go
    before thoughts.
    """

    Options: ClassVar[type[settings.Options]] = settings.Options
    name: ClassVar[str] = "transformers"
    thinks_long: ClassVar[bool] = True

    def __init__(self, runtime: Runtime, worker: Worker) -> None:
        self._runtime = runtime
        self._worker = worker
        together = dict.fromkeys(STAND_BACK, 1)
        self._turns = Turns(worker, runtime.step, together if runtime.all_together else STAND_BACK)

    @classmethod
    def check(cls, options: settings.Options) -> None:
        """Tells whether the engine can run here; loads nothing.

        Raises:
            EngineUnavailable: A package, the model, a GPU or memory is missing.
        """
        local_transformers.check(options.device, "thinking.language_model.device")
        folder = installed.require(options.model)
        if options.device != "auto":
            memory.require(
                options.device,
                memory.weights(folder),
                f"the language model {options.model}",
                "choose a smaller model",
            )

    @classmethod
    async def create(cls, options: settings.Options) -> Self:
        """Loads the model from disk; nothing is downloaded.

        Raises:
            ConfigError: The model cannot be used for this.
            EngineUnavailable: A package, the model or a device is missing; says how to get it.
        """
        return await cls._made(load, options, installed.require(options.model))

    @classmethod
    async def of(cls, model: Any, tokenizer: Any, options: settings.Options) -> Self:
        """Makes an engine of a model that is already loaded, see ``loading.wrap``.

        Raises:
            ConfigError: The model cannot be used for this.
        """
        return await cls._made(wrap, model, tokenizer, options)

    @classmethod
    async def _made(cls, load: Callable[..., Runtime], *arguments: object) -> Self:
        worker = Worker.thread(cls.name)
        try:
            async with alone():
                return cls(await worker.call(load, *arguments), worker)
        except BaseException:
            worker.close()
            raise

    @property
    def tokens_read(self) -> int:
        """Tokens that have gone through the model since it was loaded."""
        return self._runtime.tokens_read

    @property
    def cache_bytes(self) -> int:
        """Memory of what was read and is kept, in bytes."""
        return self._runtime.cache_bytes

    @property
    def kept_sessions(self) -> tuple[str, ...]:
        """The conversations whose beginning is kept, the one longest unused first."""
        return tuple(self._runtime.slots.sessions)

    async def generate(self, prompt: Prompt) -> AsyncIterator[str | ToolCall]:
        """Streams the answer as the model writes it; closing the iterator stops it within a token.

        Raises:
            EngineError: The model failed, or the engine is closed.
        """
        job = self._turns.submit(Generation(self._runtime, prompt), prompt.session)
        try:
            while (piece := await job.next()) is not None:
                yield piece
        finally:
            job.drop()

    async def prepare(self, prompt: Prompt) -> None:
        """Reads what the next prompts of the conversation begin with, while nothing else waits."""
        if not prompt.session:
            return
        with suppress(EngineError):
            job = self._turns.submit(Preparation(self._runtime, prompt), prompt.session)
            try:
                await job.next()
            finally:
                job.drop()

    async def forget(self, session: str) -> None:
        """Lets go of what was read of a conversation."""
        with suppress(EngineError):
            await self._turns.between(self._runtime.forget, session)

    async def close(self) -> None:
        """Ends what is under way and gives the model back."""
        await self._turns.close()
        with suppress(EngineError):
            await self._worker.call(self._runtime.unload)
        self._worker.close()
