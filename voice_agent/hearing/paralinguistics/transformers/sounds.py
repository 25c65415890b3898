"""Sounds that are no words: windows over a turn, and events out of what they hold."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from voice_agent.audio.pcm import HEARING_RATE, Samples
from voice_agent.events import VocalEvent

WINDOW = HEARING_RATE
"""Samples of a window."""

HOP = HEARING_RATE // 2
"""Samples from one window to the next."""

_ALIKE = HEARING_RATE // 10
"""Samples by which a turn is recognised as the end of an earlier one."""


class Grid:
    """Where the windows of a turn lie, such that those of a growing turn stay where they are.

    Of a long turn only the end is handed on, so that it may begin anywhere between two windows.
    """

    def __init__(self) -> None:
        self._turn: Samples = np.zeros(0, np.float32)
        self._first = 0

    def windows(self, turn: Samples) -> list[int]:
        """First samples of the windows of a turn, the last of which ends with it."""
        cut = _find(self._turn, turn[:_ALIKE])
        self._first = 0 if cut is None else (self._first - cut) % HOP
        self._turn = turn
        last = max(0, turn.size - WINDOW)
        return sorted({0, *range(self._first, last, HOP), last})


def events(
    starts: Sequence[int],
    length: int,
    found: Sequence[Mapping[str, float]],
    threshold: float,
) -> tuple[VocalEvent, ...]:
    """The events of a turn, by their beginning.

    A window stands for the time that is nearer to its middle than to that of its neighbours.

    Args:
        starts: First samples of the windows, ascending.
        length: Samples of the turn.
        found: For each window, the share of each sound.
        threshold: Share from which a sound counts.

    Returns:
        Neighbouring windows of the same sound as one event, with the highest share as confidence
        and times in seconds from the first sample.
    """
    borders = [0, *((before + after + WINDOW) // 2 for before, after in pairwise(starts)), length]
    heard: list[VocalEvent] = []
    for label in sorted({label for shares in found for label in shares}):
        running: VocalEvent | None = None
        for (start, end), shares in zip(pairwise(borders), found, strict=True):
            share = shares.get(label, 0.0)
            if share < threshold:
                running = None
                continue
            if running is not None:
                heard.remove(running)
            running = VocalEvent(
                label,
                running.start if running else start / HEARING_RATE,
                end / HEARING_RATE,
                max(share, running.confidence if running else 0.0),
            )
            heard.append(running)
    return tuple(sorted(heard, key=lambda event: (event.start, event.label)))


def continued(before: Samples, after: Samples) -> int | None:
    """Samples at the front of ``before`` that ``after``, the same turn later on, has lost.

    Returns:
        0 if it has only grown; None if it is not the same turn.
    """
    cut = _find(before, after[:_ALIKE])
    if cut is None:
        return None
    kept = before[cut:]
    return cut if np.array_equal(kept, after[: kept.size]) else None


def moved(heard: Sequence[VocalEvent], by: int, length: int) -> tuple[VocalEvent, ...]:
    """Events ``by`` samples later, as far as they lie within audio of ``length`` samples."""
    shift, end = by / HEARING_RATE, length / HEARING_RATE
    return tuple(
        replace(event, start=event.start + shift, end=min(event.end + shift, end))
        for event in heard
        if event.start + shift < end
    )


def _find(audio: Samples, beginning: Samples) -> int | None:
    """Where in some audio other audio begins; None if nowhere."""
    if audio.size < beginning.size:
        return None
    if np.array_equal(audio[: beginning.size], beginning):
        return 0
    if not beginning.any():
        return None
    for at in np.flatnonzero(audio[: audio.size - beginning.size + 1] == beginning[0]):
        if np.array_equal(audio[at : at + beginning.size], beginning):
            return int(at)
    return None
