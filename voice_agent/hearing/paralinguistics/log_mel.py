"""The acoustic front end that all trained models of the voice share: a log-mel spectrogram."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from voice_agent.audio.pcm import HEARING_RATE, Samples

BANDS = 64
"""Mel bands of a frame."""

HOP = 160
"""Samples between two frames (10 ms)."""

FRAMES_PER_S = HEARING_RATE // HOP

_WINDOW = 400
_FFT = 512
_LOWEST_HZ, _HIGHEST_HZ = 60.0, 7800.0
_FLOOR = 1e-7


def log_mel(samples: Samples) -> NDArray[np.float32]:
    """Computes the log-mel spectrogram.

    Windows of 25 ms every 10 ms, 64 bands from 60 to 7800 Hz on the mel scale of O'Shaughnessy
    (1987), natural logarithm of the power.

    Args:
        samples: 16 kHz mono float32, full scale at 1.

    Returns:
        Array of shape (frames, 64), float32; audio shorter than a window gives no frame.
    """
    if samples.size < _WINDOW:
        return np.zeros((0, BANDS), np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[::HOP]
    spectrum = np.fft.rfft(windows * _taper(), _FFT, axis=1)
    power = spectrum.real**2 + spectrum.imag**2
    mel: NDArray[np.float32] = np.log(power.astype(np.float32) @ _filters() + np.float32(_FLOOR))
    return mel


@cache
def _taper() -> NDArray[np.float32]:
    taper: NDArray[np.float32] = np.hanning(_WINDOW + 1)[:-1].astype(np.float32)
    return taper / np.float32(_WINDOW**0.5)


@cache
def _filters() -> NDArray[np.float32]:
    """Triangular filters of equal height, shape (257, 64)."""
    lowest, highest = 2595 * np.log10(1 + np.array((_LOWEST_HZ, _HIGHEST_HZ)) / 700)
    edges = 700 * (10 ** (np.linspace(lowest, highest, BANDS + 2) / 2595) - 1)
    hz = np.fft.rfftfreq(_FFT, 1 / HEARING_RATE)[:, None]
    rising = (hz - edges[:-2]) / np.diff(edges)[:-1]
    falling = (edges[2:] - hz) / np.diff(edges)[1:]
    filters: NDArray[np.float32] = np.maximum(0, np.minimum(rising, falling)).astype(np.float32)
    return filters
