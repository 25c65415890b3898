"""What waits to be written to one client."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

LIMIT_BYTES = 4 * 2**20
"""About a minute of audio: a client so far behind does not read any more."""


class Outbox:
    """Messages in order, bounded in size, so that a client that does not read costs no memory.

    ``put`` is called on the event loop and never waits; one task runs ``pump``.

    Attributes:
        audio_s: Seconds of reply audio that wait.
    """

    def __init__(self, limit: int = LIMIT_BYTES) -> None:
        self.audio_s = 0.0
        self._limit = limit
        self._waiting: deque[tuple[str, float]] = deque()
        self._size = 0
        self._filled = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()

    def put(self, text: str, audio_s: float = 0.0) -> bool:
        """Adds a message; False where there is no room for it."""
        if self._size + len(text) > self._limit:
            return False
        self._waiting.append((text, audio_s))
        self._size += len(text)
        self.audio_s += audio_s
        self._empty.clear()
        self._filled.set()
        return True

    async def pump(self, write: Callable[[str], Awaitable[None]]) -> None:
        """Writes what comes, until it is cancelled or ``write`` fails."""
        while True:
            while self._waiting:
                text, audio_s = self._waiting[0]
                await write(text)
                self._waiting.popleft()
                self._size -= len(text)
                self.audio_s -= audio_s
            self._empty.set()
            self._filled.clear()
            await self._filled.wait()

    async def written(self) -> None:
        """Returns when nothing waits any more."""
        await self._empty.wait()
