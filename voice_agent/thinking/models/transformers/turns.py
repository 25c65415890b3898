"""Who may use the model next: answers of all conversations, a step at a time."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import IntEnum
from queue import Empty, SimpleQueue
from typing import Any, Generic, Protocol, TypeVar

from voice_agent.errors import EngineError
from voice_agent.events import ToolCall
from voice_agent.workers import Worker

Piece = str | ToolCall
T = TypeVar("T")


class Rank(IntEnum):
    """What goes first.

    The person waits for the first sentence of a reply; the rest only has to keep ahead of the
    voice that speaks it.
    """

    FIRST_SENTENCE = 0
    REPLY = 1
    THOUGHT = 2
    PREPARATION = 3


STAND_BACK: Mapping[Rank, int] = {
    Rank.FIRST_SENTENCE: 1,
    Rank.REPLY: 2,
    Rank.THOUGHT: 4,
    Rank.PREPARATION: 16,
}
"""Work goes along with better ranked work in every so-manieth step: a crowd slows it, and never
stops it."""


class Work(Protocol):
    """Work that comes in steps, each short; used by the worker alone."""

    @property
    def rank(self) -> Rank:
        """What it is; may change from step to step."""
        ...

    @property
    def over(self) -> bool:
        """Whether there is nothing left to do."""
        ...

    def close(self) -> None:
        """Gives back what the work holds, finished or not."""
        ...


W = TypeVar("W", bound=Work)

Outcome = Sequence[Piece] | Exception | None
"""What a step brought a work; None where it had no share in it."""


@dataclass(eq=False, slots=True)
class Job(Generic[W]):
    """Work that was handed in, and what it has brought.

    Attributes:
        session: The conversation it is for.
        stood_back: Steps that others made since it last had a share in one.
        dropped: Nobody wants it any more. Set by the event loop, read by the worker.
    """

    work: W
    session: str
    stood_back: int = 0
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


_Brought = tuple[Job[Any], Sequence[Piece], bool, Exception | None]
"""A job, what it brought, whether it is over, and the error by which it ended."""


class Turns(Generic[W]):
    """Goes from step to step in a worker, with the jobs whose turn it is.

    The worker goes on by itself for as long as there is work: the event loop hands jobs in and is
    handed what they bring, and no step waits for it. What is handed in goes through a queue; the
    worker's list of jobs is its own.
    """

    def __init__(
        self,
        worker: Worker,
        step: Callable[[Sequence[W]], Sequence[Outcome]],
        stand_back: Mapping[Rank, int] = STAND_BACK,
    ) -> None:
        """Prepares it.

        Args:
            worker: A thread.
            step: Called in the worker: goes a step on with some works, the best ranked first;
                returns an outcome for each.
            stand_back: In every how-manieth step work of a rank goes along with better ranked one.
        """
        self._worker = worker
        self._step = step
        self._stand_back = stand_back
        self._new: SimpleQueue[Job[W] | Callable[[], None]] = SimpleQueue()
        self._open: list[Job[W]] = []
        self._jobs: list[Job[W]] = []
        self._running: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def open(self) -> int:
        """Jobs that are not over."""
        return len(self._open)

    def submit(self, work: W, session: str) -> Job[W]:
        """Hands in work; it goes on by itself until it is over or dropped.

        A preparation of the same conversation ends: what it has read is of use to this one.

        Raises:
            EngineError: The engine is closed.
        """
        self._refuse_if_closed()
        for other in self._open:
            if session and other.session == session and other.work.rank is Rank.PREPARATION:
                other.drop()
        job = Job(work, session)
        self._open.append(job)
        self._hand_in(job)
        return job

    async def between(self, function: Callable[..., T], *arguments: object) -> T:
        """Calls a function in the worker between two steps.

        Raises:
            EngineError: The engine is closed.
        """
        self._refuse_if_closed()
        done: Future[T] = Future()

        def call() -> None:
            if not done.set_running_or_notify_cancel():
                return
            try:
                done.set_result(function(*arguments))
            except Exception as error:
                done.set_exception(error)

        self._hand_in(call)
        return await asyncio.wrap_future(done)

    async def close(self) -> None:
        """Ends all jobs with an error, and waits for the step under way."""
        self._closed = True
        for job in self._open:
            if not job.dropped:
                job.brought.put_nowait(EngineError("the language model was closed"))
                job.drop()
        if self._running is not None:
            await self._running

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise EngineError("the language model is closed")

    def _hand_in(self, new: Job[W] | Callable[[], None]) -> None:
        self._new.put(new)
        if self._running is None:
            self._running = asyncio.create_task(self._run())

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        # What comes while the worker is about to leave is found here.
        while not self._new.empty():
            await self._worker.call(self._work, loop)
        self._running = None

    # --- in the worker ----------------------------------------------------------------------

    def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        while True:
            self._take_in()
            if not self._jobs:
                return
            if brought := self._go_on():
                loop.call_soon_threadsafe(self._deliver, brought)

    def _take_in(self) -> None:
        while True:
            try:
                new = self._new.get_nowait()
            except Empty:
                return
            if isinstance(new, Job):
                self._jobs.append(new)
            else:
                new()

    def _go_on(self) -> list[_Brought]:
        """One step; returns what jobs it brought what, whether they are over, and their errors."""
        # Dropped ones first: what they give back may spare another job much reading.
        dropped = [job for job in self._jobs if job.dropped]
        brought: list[_Brought] = [(job, (), *self._end(job, None)) for job in dropped]
        due = self._due()
        if not due:
            return brought
        outcomes: Sequence[Outcome]
        try:
            outcomes = self._step([job.work for job in due])
        except Exception as error:
            outcomes = [error] * len(due)
        for job in self._jobs:
            job.stood_back += 1
        for job, outcome in zip(due, outcomes, strict=True):
            if outcome is None:
                continue
            job.stood_back = 0
            if isinstance(outcome, Exception):
                brought.append((job, (), *self._end(job, outcome)))
            elif job.work.over:
                brought.append((job, outcome, *self._end(job, None)))
            elif outcome:
                brought.append((job, outcome, False, None))
        return brought

    def _due(self) -> list[Job[W]]:
        """The jobs of the best rank, and those that have stood back for long enough."""
        best = min((job.work.rank for job in self._jobs), default=None)
        due = [
            job
            for job in self._jobs
            if job.work.rank is best or job.stood_back + 1 >= self._stand_back[job.work.rank]
        ]
        return sorted(due, key=lambda job: (job.work.rank, -job.stood_back))

    def _end(self, job: Job[W], error: Exception | None) -> tuple[bool, Exception | None]:
        self._jobs.remove(job)
        try:
            job.work.close()
        except Exception as late:
            # Of two errors the first tells more.
            error = error or late
        return True, error

    # --- on the event loop ------------------------------------------------------------------

    def _deliver(self, brought: Sequence[_Brought]) -> None:
        for job, pieces, over, error in brought:
            for piece in pieces:
                job.brought.put_nowait(piece)
            if over:
                self._open.remove(job)
                job.brought.put_nowait(_told(error))


def _told(error: Exception | None) -> Exception | None:
    if error is None or isinstance(error, EngineError):
        return error
    failure = EngineError(f"the language model failed: {error}")
    failure.__cause__ = error
    return failure
