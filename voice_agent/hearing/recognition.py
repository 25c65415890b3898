"""The way of a turn's audio through a recognizer: in order, joined, off the event loop."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from voice_agent.audio.pcm import HEARING_RATE, Samples
from voice_agent.engines import RecognizerStream
from voice_agent.events import Hypothesis
from voice_agent.hearing.stabilizer import Stabilizer

CHUNK = HEARING_RATE // 10
"""Samples that are worth a call of the recognizer; a reading asked for does not wait for them."""


@dataclass(slots=True)
class _Settle:
    result: asyncio.Future[Hypothesis]


class _Reset:
    pass


class Recognition:
    """Feeds one recognizer stream from a queue.

    Audio, readings and turn changes are worked through in the order in which they were asked for,
    so a new turn may begin while the reading of the last one is still being made. Audio that waits
    is joined into one call. A recognizer that fails is told of once and spared until the next turn.
    """

    def __init__(
        self,
        stream: RecognizerStream,
        on_partial: Callable[[Hypothesis], None],
        on_error: Callable[[Exception], None],
    ) -> None:
        self._stream = stream
        self._on_partial = on_partial
        self._on_error = on_error
        self._jobs: deque[Samples | _Settle | _Reset] = deque()
        self._waiting = 0
        self._wake = asyncio.Event()
        self._busy = False
        self._asked = 0
        self._reached = 0
        self._failed = False
        self._stabilizer = Stabilizer()
        self._fed = 0
        self._task = asyncio.create_task(self._run())

    def add(self, samples: Samples) -> None:
        """Queues audio of the running turn."""
        self._jobs.append(samples)
        self._waiting += len(samples)
        if self._waiting >= CHUNK:
            self._wake.set()

    def settle(self) -> asyncio.Future[Hypothesis]:
        """Asks for the best reading of everything queued so far in this turn."""
        future: asyncio.Future[Hypothesis] = asyncio.get_running_loop().create_future()
        self._jobs.append(_Settle(future))
        self._wake.set()
        return future

    def reset(self) -> None:
        """Begins a new turn; partials of the old one are not reported any more."""
        self._asked += 1
        self._jobs.append(_Reset())
        self._wake.set()

    @property
    def idle(self) -> bool:
        """Whether nothing is left to do but to wait for more audio."""
        return not self._busy and not self._wake.is_set()

    async def close(self) -> None:
        """Stops the work and closes the stream."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        for job in self._jobs:
            if isinstance(job, _Settle):
                job.result.cancel()
        await self._stream.close()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            self._busy = True
            try:
                while self._jobs:
                    await self._work()
            finally:
                self._busy = False

    async def _work(self) -> None:
        """Does the next job; all audio in front of the next other job counts as one."""
        audio: list[Samples] = []
        while self._jobs and isinstance(self._jobs[0], np.ndarray):
            audio.append(self._jobs.popleft())  # type: ignore[arg-type]
        if audio:
            await self._feed(np.concatenate(audio))
            return
        job = self._jobs.popleft()
        if isinstance(job, _Settle):
            await self._settle(job.result)
        else:
            self._reached += 1
            self._failed = False
            self._stabilizer = Stabilizer()
            self._fed = 0
            try:
                await self._stream.reset()
            except Exception as error:
                self._fail(error)

    async def _feed(self, audio: Samples) -> None:
        self._waiting -= len(audio)
        if self._failed:
            return
        try:
            partial = await self._stream.feed(audio)
        except Exception as error:
            self._fail(error)
            return
        self._fed += len(audio)
        if self._reached == self._asked:
            stable = self._stabilizer.add(partial.text, self._fed / HEARING_RATE, partial.stable)
            self._on_partial(replace(partial, stable=stable))

    async def _settle(self, result: asyncio.Future[Hypothesis]) -> None:
        reading = Hypothesis("")
        if not self._failed:
            try:
                reading = await self._stream.settle()
            except Exception as error:
                self._fail(error)
        if not result.done():
            stable = self._stabilizer.add(reading.text, self._fed / HEARING_RATE)
            result.set_result(replace(reading, stable=stable, final=True))

    def _fail(self, error: Exception) -> None:
        self._failed = True
        self._on_error(error)
