"""Who may use the model next: generations of all conversations, a step each in turn."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import count
from typing import Protocol

from voice_agent.errors import EngineError
from voice_agent.events import ToolCall
from voice_agent.workers import Worker

Piece = str | ToolCall


class Rank(IntEnum):
    """What goes first; a later rank works only while none before it has anything to do."""

    REPLY = 0
    THOUGHT = 1
    PREPARATION = 2


class Steps(Protocol):
    """Work that comes in steps, each short; all methods are called in the worker."""

    @property
    def over(self) -> bool:
        """Whether there is nothing left to do."""
        ...

    def step(self) -> Sequence[Piece]:
        """Goes one step on; returns what it brought."""
        ...

    def close(self) -> None:
        """Gives back what the work holds, finished or not."""
        ...


@dataclass(eq=False, slots=True)
class Job:
    """Work that was handed in, and what it has brought.

    Attributes:
        session: The conversation it is for.
    """

    work: Steps
    rank: Rank
    session: str
    served: int
    dropped: bool = False
    brought: asyncio.Queue[Piece | Exception | None] = field(default_factory=asyncio.Queue)

    def drop(self) -> None:
        """Nobody wants it any more: a step that is under way is its last. Harmless when over."""
        self.dropped = True

    async def next(self) -> Piece | None:
        """What it brings next; None once it is over.

        Raises:
            EngineError: It failed.
        """
        piece = await self.brought.get()
        if isinstance(piece, Exception):
            raise piece
        return piece


class Turns:
    """Goes from step to step in a worker, round the jobs of the first rank that has any.

    The jobs are known to the event loop alone, and their work to the worker alone. At most one
    step is under way.
    """

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._jobs: list[Job] = []
        self._count = count()
        self._running: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def open(self) -> int:
        """Jobs that are not over."""
        return len(self._jobs)

    def submit(self, work: Steps, rank: Rank, session: str) -> Job:
        """Hands in work; it goes on by itself until it is over or dropped.

        A preparation of the same conversation ends: what it has read is of use to this one.

        Raises:
            EngineError: The engine is closed.
        """
        if self._closed:
            raise EngineError("the language model is closed")
        for other in self._jobs:
            if session and other.session == session and other.rank is Rank.PREPARATION:
                other.drop()
        job = Job(work, rank, session, next(self._count))
        self._jobs.append(job)
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        return job

    async def close(self) -> None:
        """Ends all jobs with an error, and waits for the step under way."""
        self._closed = True
        for job in self._jobs:
            if not job.dropped:
                job.brought.put_nowait(EngineError("the language model was closed"))
                job.drop()
        if self._running is not None:
            await self._running

    async def _run(self) -> None:
        while self._jobs:
            # Dropped ones first: what they give back may spare another job much reading.
            job = min(self._jobs, key=lambda job: (not job.dropped, job.rank, job.served))
            job.served = next(self._count)
            try:
                if not job.dropped:
                    for piece in await self._worker.call(job.work.step):
                        job.brought.put_nowait(piece)
                if job.dropped or job.work.over:
                    await self._worker.call(job.work.close)
                    self._end(job, None)
            except Exception as error:
                await self._fail(job, error)
        self._running = None

    async def _fail(self, job: Job, error: Exception) -> None:
        # Of two errors the first tells more.
        with suppress(Exception):
            await self._worker.call(job.work.close)
        known = isinstance(error, EngineError)
        failure = error if known else EngineError(f"the language model failed: {error}")
        failure.__cause__ = None if known else error
        self._end(job, failure)

    def _end(self, job: Job, outcome: Exception | None) -> None:
        self._jobs.remove(job)
        job.brought.put_nowait(outcome)
