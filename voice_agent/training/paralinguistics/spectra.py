"""Changes log-mel spectrograms during training: level, colour, gaps."""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from voice_agent.hearing.paralinguistics.log_mel import BANDS

Spectrogram = NDArray[np.float32]
"""Shape (..., frames, 64)."""

_COLOUR_POINTS = 6
_WIDEST_GAP = 10
_LONGEST_GAP = 30


def microphone(gain: float, colour: float, random: Generator) -> Spectrogram:
    """What another microphone at another level adds to every frame, shape (64,).

    Args:
        gain: Standard deviation of the level, in nepers of power.
        colour: That of the frequency response, of half of the microphones.
        random: Source of chance.
    """
    response = np.full(BANDS, random.normal(0, gain))
    if random.random() < 0.5:
        points = np.linspace(0, BANDS - 1, _COLOUR_POINTS)
        response += np.interp(np.arange(BANDS), points, random.normal(0, colour, _COLOUR_POINTS))
    return response.astype(np.float32)


def cut(mel: Spectrogram, frames: int, random: Generator | None = None) -> Spectrogram:
    """Makes it this long: a stretch of it (the middle without ``random``), or its edge repeated."""
    missing = frames - mel.shape[-2]
    if missing > 0:
        return np.pad(mel, ((0, 0),) * (mel.ndim - 2) + ((0, missing), (0, 0)), mode="edge")
    begin = -missing // 2 if random is None else int(random.integers(1 - missing))
    return mel[..., begin : begin + frames, :]


def gap(mel: Spectrogram, random: Generator) -> Spectrogram:
    """Blanks two bands and two stretches of time (SpecAugment, Park et al. 2019), in place."""
    frames = mel.shape[-2]
    for _ in range(2):
        width = random.integers(_WIDEST_GAP)
        low = random.integers(BANDS - width)
        mel[..., low : low + width] = 0
        length = random.integers(min(_LONGEST_GAP, frames // 4))
        begin = random.integers(frames - length)
        mel[..., begin : begin + length, :] = 0
    return mel
