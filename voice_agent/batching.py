"""Work of many conversations, joined into batches for one worker."""

import asyncio
from collections.abc import Callable, Hashable, Sequence
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
    result: asyncio.Future[Result] = field(default_factory=asyncio.Future)


class Batcher(Generic[Key, Item, Result]):
    """Hands work to a worker in batches of whatever waits when the worker becomes free.

    An idle worker begins at once, and nothing waits for a batch to fill. The oldest work goes
    first and takes along what has the same key.
    """

    def __init__(
        self, worker: Worker, work: Callable[[Key, list[Item]], Sequence[Result]], most: int
    ) -> None:
        """Prepares the batcher.

        Args:
            worker: Where the work is done.
            work: Called in the worker with a key and items of that key; returns a result each.
            most: Items in a batch.
        """
        self._worker = worker
        self._work = work
        self._most = most
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
        job: _Job[Key, Item, Result] = _Job(key, item)
        self._waiting.append(job)
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        try:
            return await job.result
        finally:
            if job in self._waiting:
                self._waiting.remove(job)

    def close(self) -> None:
        """Refuses what waits and what comes; the batch under way still ends."""
        self._closed = True
        self._fail(self._waiting, EngineError(f"{self._worker.name} was closed"))
        self._waiting.clear()

    async def _run(self) -> None:
        # Those whose callers gave up in this very moment are still in the list.
        while waiting := [job for job in self._waiting if not job.result.done()]:
            key = waiting[0].key
            batch = [job for job in waiting if job.key == key][: self._most]
            self._waiting = [job for job in waiting if job not in batch]
            try:
                results = await self._worker.call(self._work, key, [job.item for job in batch])
            except Exception as error:
                self._fail(batch, error)
            else:
                for job, result in zip(batch, results, strict=True):
                    if not job.result.done():
                        job.result.set_result(result)
        self._running = None

    def _fail(self, jobs: Sequence[_Job[Key, Item, Result]], error: Exception) -> None:
        known = isinstance(error, EngineError)
        for job in jobs:
            if not job.result.done():
                # One each: an error that is raised in several places gathers all their traces.
                failure = EngineError(str(error) if known else f"{self._worker.name}: {error}")
                failure.__cause__ = error
                job.result.set_exception(failure)
