"""Changing the sample rate of a conversation's stream with next to no delay.

A windowed-sinc filter in polyphase form. Of the resamplers that soxr has for streams, the usual one
holds back 21 ms of speech on average from 24 to 16 kHz and the variable-rate one 10 ms, which a
conversation feels; this one holds back 32 samples of the lower rate, 2 ms at 16 kHz. It pays with a
slope between 86 and 100 % of the lower Nyquist frequency.
"""

from math import gcd

import numpy as np

from voice_agent.audio.pcm import Samples

_HALF_WIDTH = 32
"""Half the length of the filter in samples of the lower rate."""

_KAISER_BETA = 6.75
"""The filter falls by 70 dB within 0.14 of the lower Nyquist frequency..."""

_CUTOFF = 0.93
"""...and the middle of that slope lies here, so that nothing above it folds back."""


class LowDelayResampler:
    """Resamples one mono stream, piece by piece; the pieces joined are the resampled stream."""

    def __init__(self, source: int, target: int) -> None:
        """Begins a stream.

        Args:
            source: Rate in Hz of what is put in.
            target: Rate in Hz of what comes out.
        """
        common = gcd(source, target)
        self._up, self._down = target // common, source // common
        fine = source * self._up
        half = _HALF_WIDTH * fine // min(source, target)
        self.delay_s = half / fine
        """How much later the output comes than the input."""
        self._phases = _polyphase(half, _CUTOFF * min(source, target) / fine, self._up)
        self._width = self._phases.shape[1]
        self._half = half
        self._tail: Samples
        self._next: int
        self._restart()

    def push(self, samples: Samples) -> Samples:
        """Takes more of the stream (float32); returns what can be told of the output."""
        if self._up == self._down:
            return samples
        self._tail = np.concatenate([self._tail, samples.astype(np.float32, copy=False)])
        # Output n needs the inputs that end with number n * down // up, counted from _tail[0].
        available = self._tail.size - self._width
        if available < 0:
            return np.empty(0, np.float32)
        count = max(0, ((available + 1) * self._up - 1 - self._next) // self._down + 1)
        positions = self._next + self._down * np.arange(count)
        first, phase = np.divmod(positions, self._up)
        windows = np.lib.stride_tricks.sliding_window_view(self._tail, self._width)[first]
        result: Samples = np.einsum("nk,nk->n", windows, self._phases[phase])
        self._next += self._down * count
        used, self._next = divmod(self._next, self._up)
        self._tail = self._tail[used:]
        return result

    def finish(self) -> Samples:
        """Returns the rest of the stream; the next ``push`` begins a new one."""
        rest = self.push(np.zeros(-(-self._half // self._up), np.float32))
        self._restart()
        return rest

    def _restart(self) -> None:
        # The filter is centred: half of it looks back at silence before the stream began.
        self._tail = np.zeros(self._width - 1, np.float32)
        self._next = self._half


def _polyphase(half: int, cutoff: float, up: int) -> Samples:
    """The filter's phases, each row reversed so that it is multiplied with inputs in order.

    Args:
        half: Taps on each side of the centre, at the fine rate.
        cutoff: Cut-off frequency against the fine rate, times two.
        up: Number of phases.

    Returns:
        Array of shape (up, taps per phase); row p serves outputs that fall p fine steps after
        their newest input.
    """
    steps = np.arange(-half, half + 1)
    taps = np.sinc(cutoff * steps) * np.kaiser(2 * half + 1, _KAISER_BETA)
    width = -(-(2 * half + 1) // up)
    padded = np.zeros(width * up)
    padded[: taps.size] = taps
    phases = padded.reshape(width, up).T
    # Each phase by itself must pass a constant unchanged, or a tone would ripple.
    phases /= phases.sum(axis=1, keepdims=True)
    return np.ascontiguousarray(phases[:, ::-1], dtype=np.float32)
