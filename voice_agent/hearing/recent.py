"""The newest audio of a stream."""

import numpy as np

from voice_agent.audio.pcm import Samples

_BEFORE = 1024


class RecentAudio:
    """The newest samples of a stream, addressed by their index since its beginning.

    The stream is preceded by a moment of silence, so that a window can reach back from its start.
    """

    def __init__(self, kept: int) -> None:
        """Keeps the newest ``kept`` samples at least."""
        self._kept = kept
        self._buffer = np.zeros(2 * kept, np.float32)
        self._begin = -_BEFORE
        self.end = 0

    @property
    def begin(self) -> int:
        """Index of the first sample that is kept."""
        return max(0, self._begin)

    def add(self, samples: Samples) -> None:
        """Appends samples."""
        if self.end + samples.size - self._begin > self._buffer.size:
            self._make_room(samples.size)
        at = self.end - self._begin
        self._buffer[at : at + samples.size] = samples
        self.end += samples.size

    def between(self, start: int, stop: int) -> Samples:
        """A copy of the samples from ``start`` to ``stop``; those no longer kept are left out."""
        start = max(start, self._begin)
        return self._buffer[start - self._begin : max(start, stop) - self._begin].copy()

    def _make_room(self, size: int) -> None:
        keep = min(self._kept, self.end - self._begin)
        start = self.end - keep
        kept = self._buffer[start - self._begin : self.end - self._begin].copy()
        if keep + size > self._buffer.size:
            self._buffer = np.zeros(keep + size, np.float32)
        self._buffer[:keep] = kept
        self._begin = start
