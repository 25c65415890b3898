"""Threads and processes in which engines work, so that the event loop never waits for one."""

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor, ThreadPoolExecutor
from typing import TypeVar

from voice_agent.errors import EngineError

T = TypeVar("T")

NICENESS = 5
"""By how much the processes stand back behind the event loop."""


class Worker:
    """One thread or one process of an engine's own; calls run there one after another.

    A process keeps the state that its functions put into module globals, so that a model is
    loaded once. One that died is of no more use; its owner starts another.
    """

    def __init__(self, name: str, executor: Executor) -> None:
        self.name = name
        self._executor = executor
        self._closed = False

    @classmethod
    def thread(cls, name: str) -> "Worker":
        """A worker for code that lets go of the interpreter lock while it works."""
        return cls(name, ThreadPoolExecutor(max_workers=1, thread_name_prefix=name))

    @classmethod
    async def process(cls, name: str, preload: str) -> "Worker":
        """Starts a worker for code that holds the interpreter lock; returns once it is ready.

        Args:
            name: What the worker is called in errors.
            preload: Name of the module whose import loads what the work needs. Where the system
                can fork from a server, it is imported there once: the processes then start within
                milliseconds and share its memory. Otherwise each imports it for itself.

        Raises:
            EngineError: The process cannot be started.
        """
        can_fork = "forkserver" in multiprocessing.get_all_start_methods()
        context = multiprocessing.get_context("forkserver" if can_fork else "spawn")
        context.set_forkserver_preload([preload])
        executor = ProcessPoolExecutor(
            max_workers=1, mp_context=context, initializer=_begin, initargs=(preload,)
        )
        worker = cls(name, executor)
        try:
            # The first submission starts the process, which may take a moment.
            await asyncio.wrap_future(await asyncio.to_thread(executor.submit, os.getpid))
        except (BrokenExecutor, OSError) as error:
            worker.close()
            raise EngineError(f"the worker {name} cannot be started: {error}") from error
        return worker

    async def call(self, function: Callable[..., T], *arguments: object) -> T:
        """Runs ``function(*arguments)`` in the worker and returns its result.

        Cancelling drops a call that still waits for its turn; one under way runs on unseen.

        Raises:
            EngineError: The worker died or was closed.
        """
        if self._closed:
            raise EngineError(f"the worker {self.name} is closed")
        try:
            future = self._executor.submit(function, *arguments)
            return await asyncio.wrap_future(future)
        except BrokenExecutor as error:
            raise EngineError(f"the worker {self.name} died; what it worked on is lost") from error
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if self._closed and task is not None and not task.cancelling():
                raise EngineError(f"the worker {self.name} was closed") from None
            raise

    def close(self) -> None:
        """Stops the worker once its current call is done; waiting calls fail."""
        self._closed = True
        self._executor.shutdown(wait=False, cancel_futures=True)


def _begin(preload: str) -> None:
    """Prepares a process: it ends with its parent, and with nothing else."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "nice"):
        # Where cores are short, the loop that hears and speaks goes before the work in processes.
        os.nice(NICENESS)
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    __import__(preload)


def _end_with(parent: multiprocessing.process.BaseProcess) -> None:
    parent.join()
    os._exit(1)
