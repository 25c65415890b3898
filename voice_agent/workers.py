"""Threads and processes in which engines work, so that the event loop never waits for one."""

import asyncio
import multiprocessing
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor, ThreadPoolExecutor
from typing import TypeVar

from voice_agent.errors import EngineError

T = TypeVar("T")


class Worker:
    """One thread or one process of an engine's own; calls run there one after another.

    A process keeps the state that its functions put into module globals, so that a model is
    loaded once. It is started fresh (``spawn``), not forked.
    """

    def __init__(self, name: str, executor: Executor) -> None:
        self.name = name
        self._executor = executor

    @classmethod
    def thread(cls, name: str) -> "Worker":
        """A worker for code that lets go of the interpreter lock while it works."""
        return cls(name, ThreadPoolExecutor(max_workers=1, thread_name_prefix=name))

    @classmethod
    def process(cls, name: str) -> "Worker":
        """A worker for code that holds the interpreter lock."""
        context = multiprocessing.get_context("spawn")
        return cls(name, ProcessPoolExecutor(max_workers=1, mp_context=context))

    async def call(self, function: Callable[..., T], *arguments: object) -> T:
        """Runs ``function(*arguments)`` in the worker and returns its result.

        Raises:
            EngineError: The worker died.
        """
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._executor, function, *arguments)
        except BrokenExecutor as error:
            raise EngineError(f"the worker {self.name} died; restart the agent") from error

    def close(self) -> None:
        """Stops the worker once its current call is done; waiting calls are dropped."""
        self._executor.shutdown(wait=False, cancel_futures=True)
