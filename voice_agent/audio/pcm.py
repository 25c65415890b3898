"""Samples: the one representation of sound inside the agent, and its 16-bit form on the wire.

Inside, sound is a mono ``float32`` array in [-1, 1]. Hearing runs at 16 kHz, speaking at 24 kHz.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Samples: TypeAlias = NDArray[np.float32]

HEARING_RATE = 16_000
"""Sample rate in Hz of everything that is heard."""

SPEAKING_RATE = 24_000
"""Sample rate in Hz of everything that is spoken."""


def from_pcm16(data: bytes) -> Samples:
    """Reads little-endian signed 16-bit mono PCM.

    Raises:
        ValueError: The byte count is odd.
    """
    if len(data) % 2:
        raise ValueError(f"16-bit PCM needs an even number of bytes, got {len(data)}")
    return np.frombuffer(data, dtype="<i2").astype(np.float32) / np.float32(32768)


def to_pcm16(samples: Samples) -> bytes:
    """Writes samples as little-endian signed 16-bit mono PCM; what exceeds [-1, 1] is clipped."""
    scaled = np.clip(np.round(samples * 32768.0), -32768, 32767)
    return scaled.astype("<i2").tobytes()


def level_db(samples: Samples) -> float:
    """Root-mean-square level in dB relative to full scale; -120 for silence or no samples."""
    if samples.size == 0:
        return -120.0
    power = float(np.mean(np.square(samples, dtype=np.float64)))
    return max(-120.0, 10.0 * float(np.log10(power + 1e-12)))
