"""The devices on which models compute, and who goes first on them.

Engines share a processor or a GPU. The person hears at once when the voice stalls, a little later
when an answer does, and never when a thought does: so work comes in short steps, each begun in the
order of its rank.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from functools import cache
from typing import Literal

DeviceName = Literal["cpu", "cuda"]


class Rank(IntEnum):
    """What goes first on a device."""

    VOICE = 0
    EAR = 1
    REPLY = 2
    THOUGHT = 3
    PREPARATION = 4


PATIENCE_S = {
    Rank.VOICE: 0.0,
    Rank.EAR: 0.005,
    Rank.REPLY: 0.01,
    Rank.THOUGHT: 0.04,
    Rank.PREPARATION: 0.1,
}
"""How long a step waits for those before it at most: a crowd slows the others, and stops nobody."""


class Device:
    """A processor or a GPU that engines share. Use ``device`` to get one.

    Threads of engines call it; it knows nothing of what they compute.
    """

    def __init__(self, name: DeviceName) -> None:
        self.name = name
        self._changed = threading.Condition()
        self._present: Counter[Rank] = Counter()

    @contextmanager
    def turn(self, rank: Rank) -> Iterator[None]:
        """Holds a step back while one of a rank before it waits or works; blocks.

        Steps of one rank, and a step that is under way when one before it comes, go on side by
        side. Steps should be short: a token, a piece of audio, a batch of readings.
        """
        with self._changed:
            self._present[rank] += 1
            self._changed.wait_for(lambda: not self._is_behind(rank), PATIENCE_S[rank])
        try:
            yield
        finally:
            with self._changed:
                self._present[rank] -= 1
                self._changed.notify_all()

    def _is_behind(self, rank: Rank) -> bool:
        return any(self._present[other] for other in Rank if other < rank)


@cache
def device(name: DeviceName) -> Device:
    """The device of that name, one for the whole process."""
    return Device(name)
