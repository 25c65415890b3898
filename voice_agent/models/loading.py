"""Loading models with torch: one at a time.

torch, transformers and coqui-tts import parts of themselves and of one another late and in circles:
of two threads in such a circle one is given a module that is only half made. While transformers
loads a model it changes how all threads make tensors (their number format, whether they have data)
and layers: what another thread loads or computes meanwhile comes out wrong.
"""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_LOADING = threading.Lock()
_LOOK_S = 0.02


@asynccontextmanager
async def alone() -> AsyncIterator[None]:
    """Held by an engine while it imports torch, loads its model and tries it; by one at a time."""
    # Polled, because a thread that waits for a lock cannot be cancelled.
    while not _LOADING.acquire(blocking=False):  # noqa: ASYNC110
        await asyncio.sleep(_LOOK_S)
    try:
        yield
    finally:
        _LOADING.release()
