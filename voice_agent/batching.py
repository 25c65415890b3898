"""Work of many conversations, joined into batches for one worker."""

import asyncio
from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from voice_agent.errors import EngineError
from voice_agent.workers import Worker

Key = TypeVar("Key", bound=Hashable)
Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, eq=False, slots=True)
class _Job(Generic[Key, Item, Result]):
    key: Key
    item: Item
    since: float
    result: asyncio.Future[Result] = field(default_factory=asyncio.Future)


class Batcher(Generic[Key, Item, Result]):
    """Hands work to a worker in batches of whatever waits when the worker becomes free.

    The oldest work goes first and takes along what has the same key. An idle worker begins at once
    unless it is to linger for a batch to fill.
    """

    def __init__(
        self,
        worker: Worker,
        work: Callable[[Key, list[Item]], Sequence[Result]],
        most: int,
        linger_s: float = 0.0,
    ) -> None:
        """Prepares the batcher.

        Args:
            worker: Where the work is done.
            work: Called in the worker with a key and items of that key; returns a result each.
            most: Items in a batch.
            linger_s: How long an item waits at most for others to fill its batch while the worker
                is idle. Worth it where a batch takes hardly longer than one item, as on a GPU.
        """
        self._worker = worker
        self._work = work
        self._most = most
        self._linger_s = linger_s
        self._changed = asyncio.Event()
        self._waiting: list[_Job[Key, Item, Result]] = []
        self._running: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def waiting(self) -> int:
        """Items that wait for the worker."""
        return len(self._waiting)

    async def submit(self, key: Key, item: Item) -> Result:
        """Waits for the result of an item; cancelling drops it if it still waits.

        Raises:
            EngineError: The work failed, or the batcher was closed.
        """
        if self._closed:
            raise EngineError(f"{self._worker.name} is closed")
        job: _Job[Key, Item, Result] = _Job(key, item, asyncio.get_running_loop().time())
        self._waiting.append(job)
        self._changed.set()
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        try:
            return await job.result
        finally:
            if job in self._waiting:
                self._waiting.remove(job)
                self._changed.set()

    def close(self) -> None:
        """Refuses what waits and what comes; the batch under way still ends."""
        self._closed = True
        self._fail(self._waiting, EngineError(f"{self._worker.name} was closed"))
        self._waiting.clear()
        self._changed.set()

    async def _run(self) -> None:
        # Those whose callers gave up in this very moment are still in the list.
        while waiting := [job for job in self._waiting if not job.result.done()]:
            key = waiting[0].key
            batch = [job for job in waiting if job.key == key][: self._most]
            if await self._lingers(batch):
                continue
            self._waiting = [job for job in waiting if job not in batch]
            try:
                results = await self._worker.call(self._work, key, [job.item for job in batch])
                answered = list(zip(batch, results, strict=True))
            except Exception as error:
                self._fail(batch, error)
            else:
                for job, result in answered:
                    if not job.result.done():
                        job.result.set_result(result)
        self._running = None

    async def _lingers(self, batch: Sequence[_Job[Key, Item, Result]]) -> bool:
        """Waits for more if the batch may still fill; False if it is to go as it is."""
        oldest = batch[0].since
        left = oldest + self._linger_s - asyncio.get_running_loop().time()
        if left <= 0 or len(batch) == self._most:
            return False
        self._changed.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(left):
                await self._changed.wait()
        return True

    def _fail(self, jobs: Sequence[_Job[Key, Item, Result]], error: Exception) -> None:
        known = isinstance(error, EngineError)
        for job in jobs:
            if not job.result.done():
                # One each: an error that is raised in several places gathers all their traces.
                failure = EngineError(str(error) if known else f"{self._worker.name}: {error}")
                failure.__cause__ = error
                job.result.set_exception(failure)
