"""Analyzers in a line: what one cannot read, the next one does."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Self, TypeVar

from voice_agent.audio.pcm import HEARING_RATE, Samples
from voice_agent.engines import ParalinguisticAnalyzer, ParalinguisticStream
from voice_agent.errors import EngineError, Overloaded
from voice_agent.events import EngineSwitched, Manner, Paralinguistics
from voice_agent.lineup import Lineup

T = TypeVar("T")


class ChainedReading:
    """A person's stream of the first analyzer that is fit, and of the next one where it fails.

    Every reading covers the turn so far, so whoever takes over has lost nothing of it but what the
    engine before had learnt of the person's usual voice.

    Args:
        lineup: The analyzers.
        tell: Told when one takes over from another.
    """

    def __init__(
        self, lineup: Lineup[ParalinguisticAnalyzer], tell: Callable[[EngineSwitched], None]
    ) -> None:
        self._lineup = lineup
        self._tell = tell
        self._streams: dict[int, ParalinguisticStream] = {}
        self._opening = asyncio.Lock()

    @classmethod
    async def open(
        cls, lineup: Lineup[ParalinguisticAnalyzer], tell: Callable[[EngineSwitched], None]
    ) -> Self:
        """Opens a stream of the first engine that has one.

        Raises:
            Overloaded: All streams of all engines are in use.
            EngineError: No engine can open one.
        """
        chain = cls(lineup, lambda switched: None)
        await chain._ask(_nothing, 0)
        chain._tell = tell
        return chain

    @property
    def name(self) -> str:
        """Name of the engine that is asked first by now."""
        return str(self._lineup.first.name)

    async def analyze(self, samples: Samples, manner: Manner) -> Paralinguistics:
        """Reads the turn so far."""
        return await self._ask(lambda stream: stream.analyze(samples, manner), len(samples))

    async def learn(self, samples: Samples) -> None:
        """Takes a finished turn into what is known of the person's usual voice."""
        await self._ask(lambda stream: stream.learn(samples), len(samples))

    async def close(self) -> None:
        """Ends all streams."""
        for stream in self._streams.values():
            await stream.close()

    async def _ask(self, ask: Callable[[ParalinguisticStream], Awaitable[T]], length: int) -> T:
        for engine in self._lineup.fit():
            try:
                async with self._lineup.patience(engine, length / HEARING_RATE):
                    result = await ask(await self._stream(engine))
            except Overloaded:
                # It is well, and has only too much to do.
                if not self._lineup.after(engine):
                    raise
                continue
            except Exception as error:
                if switched := self._lineup.failed(engine, error):
                    self._tell(switched)
                    continue
                if isinstance(error, EngineError):
                    raise
                raise EngineError(f"the analyzer {engine.name} failed: {error}") from error
            self._lineup.answered(engine)
            return result
        raise AssertionError("the last engine is always asked")

    async def _stream(self, engine: ParalinguisticAnalyzer) -> ParalinguisticStream:
        async with self._opening:
            stream = self._streams.get(id(engine))
            if stream is None:
                stream = self._streams[id(engine)] = await engine.open()
            return stream


async def _nothing(_: ParalinguisticStream) -> None:
    """Asks a stream for nothing, so that it is only opened."""
