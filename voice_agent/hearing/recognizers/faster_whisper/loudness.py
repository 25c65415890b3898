"""Where in a piece of audio something sounds: Whisper writes sentences into silence and noise.

Levels over time are enough for that. Whether a sound is speech was decided before: only what the
voice activity detector takes for speech comes here, with the pauses in it.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from voice_agent.audio.pcm import HEARING_RATE, Samples

FRAME = HEARING_RATE // 100
"""Samples of a level: 10 ms."""

SILENCE_DB = -60.0
"""Nothing below this level is speech."""

STEADY_DB = 3.0
"""Sound whose levels spread less than this is noise: white noise has 2, speech over 15."""

SURE_FRAMES = 30
"""Levels that it takes to call a sound steady."""

NEAR_S = 0.3
"""By how much the times that Whisper gives to words may be wrong."""


@dataclass(frozen=True, slots=True)
class Loudness:
    """The levels of a piece of 16 kHz audio.

    Attributes:
        levels: In dB relative to full scale, one for each 10 ms.
        threshold: Level from which on something sounds, by the piece's own noise and peak.
    """

    levels: NDArray[np.float32]
    threshold: float

    @classmethod
    def of(cls, samples: Samples) -> Self:
        """Measures a piece."""
        count = len(samples) // FRAME
        frames = samples[: count * FRAME].reshape(count, FRAME)
        power = np.einsum("ij,ij->i", frames, frames) / FRAME
        levels = (10 * np.log10(power + 1e-12)).astype(np.float32)
        if not count:
            return cls(levels, SILENCE_DB)
        floor, peak = np.percentile(levels, 10), levels.max()
        wanted = np.clip(floor + 6, peak - 40, peak - 20)
        return cls(levels, max(SILENCE_DB, float(wanted)))

    @property
    def speech_like(self) -> bool:
        """Whether this can be speech: neither silent nor steady."""
        if not len(self.levels) or self.levels.max() < SILENCE_DB:
            return False
        low, high = np.percentile(self.levels, [10, 95])
        return len(self.levels) < SURE_FRAMES or bool(high - low >= STEADY_DB)

    def sounding_s(self, after: float = 0.0) -> float:
        """Seconds in which something sounds, from a moment on."""
        levels = self.levels[round(after * 100) :]
        return float(np.count_nonzero(levels >= self.threshold)) * FRAME / HEARING_RATE

    def within(self, start: float, end: float) -> tuple[float, float] | None:
        """The part of a span, in seconds, in which something sounds.

        None where nothing does, not even near it.
        """
        sounding = self._sounding(start, end)
        if len(sounding):
            first, last = sounding[0], sounding[-1] + 1
            return max(start, float(first) / 100), min(end, float(last) / 100)
        near = self._sounding(start - NEAR_S, end + NEAR_S)
        return (start, end) if len(near) else None

    def quietest(self, start: float, end: float) -> int:
        """The sample at which a span, in seconds, is best cut."""
        first, last = round(start * 100), max(round(end * 100), round(start * 100) + 1)
        span = self.levels[max(0, first) : last]
        if not len(span):
            return max(0, first) * FRAME
        smooth = np.convolve(span, np.ones(5) / 5, "same") if len(span) >= 5 else span
        quiet = np.flatnonzero(smooth <= smooth.min() + 3)
        return (max(0, first) + int(quiet[len(quiet) // 2])) * FRAME

    def _sounding(self, start: float, end: float) -> NDArray[np.intp]:
        first, last = max(0, round(start * 100)), max(0, round(end * 100))
        return first + np.flatnonzero(self.levels[first:last] >= self.threshold)
