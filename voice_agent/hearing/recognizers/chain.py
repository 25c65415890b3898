"""Recognizers in a line: where one fails in the midst of a turn, the next hears the whole turn."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Self

import numpy as np

from voice_agent.audio.pcm import HEARING_RATE, Samples
from voice_agent.engines import Recognizer, RecognizerStream
from voice_agent.errors import EngineError, Overloaded
from voice_agent.events import EngineSwitched, Hypothesis
from voice_agent.lineup import Lineup, let_go

_Ask = Callable[[RecognizerStream], Awaitable[Hypothesis]]


class ChainedRecognition:
    """A stream of the first recognizer that is fit, and of the next one where it fails.

    It keeps the turn's audio, so that whoever takes over hears the turn from its beginning: the
    words of the turn are then those of the engine that finished it. What was confirmed to the
    client before stays confirmed (``hearing.stabilizer`` takes nothing back), so captions may
    differ from the transcript of that one turn. At a later turn, when the better engine has
    rested, it is asked again. The streams of other sessions are left alone.

    Args:
        lineup: The recognizers.
        tell: Told when one takes over from another.
        longest_s: Audio that is kept of a turn; of a longer one the newest.
    """

    def __init__(
        self,
        lineup: Lineup[Recognizer],
        tell: Callable[[EngineSwitched], None],
        longest_s: float,
    ) -> None:
        self._lineup = lineup
        self._tell = tell
        self._longest = round(longest_s * HEARING_RATE)
        self._engine: Recognizer | None = None
        self._stream: RecognizerStream | None = None
        self._turn: list[Samples] = []
        self._length = 0
        self._lost: EngineSwitched | None = None
        self._partings: set[asyncio.Task[None]] = set()

    @classmethod
    async def open(
        cls,
        lineup: Lineup[Recognizer],
        tell: Callable[[EngineSwitched], None],
        longest_s: float,
    ) -> Self:
        """Opens a stream of the first engine that has one.

        Raises:
            Overloaded: All streams of all engines are in use.
            EngineError: No engine can hear.
        """
        chain = cls(lineup, tell, longest_s)
        await chain._open()
        return chain

    @property
    def name(self) -> str:
        """Name of the engine that hears now."""
        return (self._engine or self._lineup.first).name

    async def feed(self, samples: Samples) -> Hypothesis:
        """Takes more of the turn."""
        self._turn.append(samples)
        self._length += len(samples)
        while self._length - len(self._turn[0]) >= self._longest:
            self._length -= len(self._turn.pop(0))
        return await self._ask(lambda stream: stream.feed(samples), self._hear_again)

    async def settle(self) -> Hypothesis:
        """The best reading of the turn."""

        async def settle_again(stream: RecognizerStream) -> Hypothesis:
            if self._turn:
                await self._hear_again(stream)
            return await stream.settle()

        return await self._ask(lambda stream: stream.settle(), settle_again)

    async def reset(self) -> None:
        """Forgets the turn, and goes back to a better engine that has rested."""
        self._turn.clear()
        self._length = 0
        if self._stream is not None and self._engine is not None:
            stream = self._stream
            try:
                async with self._lineup.patience(self._engine, 0.0):
                    await stream.reset()
            except Exception as error:
                self._fail(error)
        await self._open()

    async def close(self) -> None:
        """Ends the stream."""
        if self._stream is not None:
            await self._stream.close()
        await asyncio.gather(*self._partings)

    async def _ask(self, ask: _Ask, again: _Ask) -> Hypothesis:
        """Asks the engine; where it fails the next one, which has to hear the turn first."""
        while True:
            if self._stream is None:
                await self._open()
                ask = again
            assert self._stream is not None
            assert self._engine is not None
            engine = self._engine
            try:
                async with self._lineup.patience(engine, self._length / HEARING_RATE):
                    hypothesis = await ask(self._stream)
            except Exception as error:
                if not self._fail(error):
                    raise _engine_error(engine, error) from error
            else:
                self._lineup.answered(engine)
                return hypothesis

    async def _hear_again(self, stream: RecognizerStream) -> Hypothesis:
        return await stream.feed(np.concatenate(self._turn))

    async def _open(self) -> None:
        """Opens a stream of the best engine, unless it is the one that hears already."""
        trouble: Exception | None = None
        for engine in self._lineup.fit():
            if self._engine is not None and engine not in self._lineup.before(self._engine):
                break
            try:
                async with self._lineup.patience(engine, 0.0):
                    stream = await engine.open()
            except Overloaded as error:
                trouble = error
            except Exception as error:
                self._lineup.failed(engine, error)
                trouble = trouble or _engine_error(engine, error)
            else:
                self._part()
                self._engine, self._stream = engine, stream
                break
        if self._engine is not None and self._lost is not None:
            self._tell(replace(self._lost, instead=self._engine.name))
            self._lost = None
        if trouble is not None and self._stream is None:
            raise trouble

    def _fail(self, error: Exception) -> bool:
        """The engine that hears failed; whether another one can take over."""
        assert self._engine is not None
        self._lost = self._lineup.failed(self._engine, error)
        self._part()
        return self._lost is not None

    def _part(self) -> None:
        """Lets go of the stream; nobody waits for that."""
        if self._stream is not None:
            parting = asyncio.create_task(let_go(self._stream.close))
            self._partings.add(parting)
            parting.add_done_callback(self._partings.discard)
        self._engine = self._stream = None


def _engine_error(engine: Recognizer, error: Exception) -> EngineError:
    if isinstance(error, EngineError):
        return error
    return EngineError(f"the recognizer {engine.name} failed: {error or type(error).__name__}")
