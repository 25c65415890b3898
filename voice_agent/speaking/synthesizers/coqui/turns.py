"""One thread in which many phrases are rendered at the same time, in short steps."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field

from voice_agent.errors import EngineError
from voice_agent.events import Speech
from voice_agent.models.devices import Device, Rank

_AHEAD_S = 1.5
"""Audio that waits to be taken at most; then a phrase is not rendered on."""


@dataclass(eq=False, slots=True)
class _Job:
    """A phrase on its way. The thread alone touches ``steps``; all else goes under the lock."""

    begin: Callable[[], Iterator[Speech | None]]
    loop: asyncio.AbstractEventLoop
    ready: asyncio.Queue[Speech | BaseException | None] = field(default_factory=asyncio.Queue)
    steps: Iterator[Speech | None] | None = None
    ahead_s: float = 0.0
    served: int = 0
    unwanted: bool = False


class Turns:
    """Renders phrases in steps.

    The phrase with the least audio waiting goes next, so that whoever has heard nothing yet, or
    runs dry, comes first; equals take turns. Where phrases share their steps, all make one in each
    round, in that order. One that nobody wants any more ends with the step under way, and one whose
    listener is slow waits without keeping others.

    Args:
        name: Of the thread, and in errors.
        device: Where the steps compute; each round asks for its turn there.
        together: Whether phrases share their steps, so that another one costs little.
    """

    def __init__(self, name: str, device: Device, together: bool = False) -> None:
        self._name = name
        self._device = device
        self._together = together
        self._changed = threading.Condition()
        self._jobs: list[_Job] = []
        self._steps = 0
        self._closed = False
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    async def render(self, begin: Callable[[], Iterator[Speech | None]]) -> AsyncIterator[Speech]:
        """Renders a phrase; closing the iterator ends the work within a step.

        Args:
            begin: Called in the thread; what it returns is advanced and closed there.

        Raises:
            EngineError: A step failed, or this was closed.
        """
        job = _Job(begin, asyncio.get_running_loop())
        with self._changed:
            if self._closed:
                raise EngineError(f"the {self._name} synthesizer is closed; create a new one")
            self._jobs.append(job)
            self._changed.notify()
        try:
            while (told := await job.ready.get()) is not None:
                if isinstance(told, BaseException):
                    raise told
                with self._changed:
                    job.ahead_s -= told.samples.size / told.rate
                    self._changed.notify()
                yield told
        finally:
            with self._changed:
                job.unwanted = True
                self._changed.notify()

    def close(self) -> None:
        """Ends the thread with the step under way; phrases that are not complete fail."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def join(self) -> None:
        """Waits until the thread has ended."""
        self._thread.join()

    def _work(self) -> None:
        while jobs := self._next():
            with self._device.turn(Rank.VOICE):
                for job in jobs:
                    if not self._closed and not job.unwanted:
                        self._go_on(job)
        closed = EngineError(f"the {self._name} synthesizer was closed while it spoke")
        for job in list(self._jobs):
            self._drop(job)
            self._tell(job, closed)

    def _next(self) -> list[_Job]:
        """Waits for phrases that can go on, which make the next round; none when closed."""
        with self._changed:
            while not self._closed:
                for job in [job for job in self._jobs if job.unwanted]:
                    self._drop(job)
                able = [job for job in self._jobs if job.ahead_s < _AHEAD_S]
                if able:
                    able.sort(key=lambda job: (job.ahead_s, job.served))
                    return able if self._together else able[:1]
                self._changed.wait()
            return []

    def _go_on(self, job: _Job) -> None:
        """One step of a phrase; passes on the audio that it gave, or why it ended."""
        self._steps += 1
        job.served = self._steps
        told: Speech | BaseException | None
        try:
            told, goes_on = self._advance(job)
        except EngineError as error:
            told, goes_on = error, False
        except Exception as error:
            failure = EngineError(f"the {self._name} voice failed: {error}")
            failure.__cause__ = error
            told, goes_on = failure, False
        if not goes_on:
            self._drop(job)
        if told is not None or not goes_on:
            self._tell(job, told)

    def _advance(self, job: _Job) -> tuple[Speech | None, bool]:
        """One step; returns its audio and whether there are more steps."""
        if job.steps is None:
            job.steps = job.begin()
        try:
            return next(job.steps), True
        except StopIteration:
            return None, False

    def _drop(self, job: _Job) -> None:
        with self._changed:
            self._jobs.remove(job)
        close = getattr(job.steps, "close", None)
        if close is not None:
            close()

    def _tell(self, job: _Job, told: Speech | BaseException | None) -> None:
        with self._changed:
            if isinstance(told, Speech):
                job.ahead_s += told.samples.size / told.rate
        try:
            job.loop.call_soon_threadsafe(job.ready.put_nowait, told)
        except RuntimeError:  # the loop is gone, and with it the listener
            job.unwanted = True
