"""G.711, the 8-bit coding of telephony at 8 kHz: µ-law and A-law (ITU-T G.711)."""

import numpy as np
from numpy.typing import NDArray

from voice_agent.audio.pcm import Samples

RATE = 8_000
"""Sample rate in Hz of G.711 speech."""


def _ulaw_levels() -> NDArray[np.int16]:
    """The 16-bit value of each µ-law byte: all bits are sent inverted."""
    code = ~np.arange(256, dtype=np.uint8)
    exponent = ((code >> 4) & 7).astype(np.int32)
    mantissa = (code & 15).astype(np.int32)
    magnitude = (((mantissa << 3) + 132) << exponent) - 132
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _alaw_levels() -> NDArray[np.int16]:
    """The 16-bit value of each A-law byte: every other bit is sent inverted."""
    code = np.arange(256, dtype=np.uint8) ^ 0x55
    exponent = ((code >> 4) & 7).astype(np.int32)
    mantissa = (code & 15).astype(np.int32)
    magnitude = np.where(
        exponent == 0,
        (mantissa << 4) + 8,
        ((mantissa << 4) + 264) << np.maximum(exponent - 1, 0),
    )
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


def _codes(levels: NDArray[np.int16]) -> NDArray[np.uint8]:
    """The byte whose level lies nearest, for each 16-bit value from -32768 to 32767."""
    order = np.argsort(levels, kind="stable")
    ordered = levels[order].astype(np.int32)
    # Halfway values go to the smaller magnitude, as in the tables of the recommendation.
    middle = (ordered[1:] + ordered[:-1]) / 2
    values = np.arange(-32768, 32768)
    nearest = np.where(
        values < 0,
        np.searchsorted(middle, values, side="right"),
        np.searchsorted(middle, values, side="left"),
    )
    return order[nearest].astype(np.uint8)


_ULAW_LEVELS = _ulaw_levels()
_ALAW_LEVELS = _alaw_levels()
# µ-law has two zeros; silence is sent as the positive one.
_ULAW_CODES = np.where(_codes(_ULAW_LEVELS) == 0x7F, 0xFF, _codes(_ULAW_LEVELS)).astype(np.uint8)
_ALAW_CODES = _codes(_ALAW_LEVELS)


def from_ulaw(data: bytes) -> Samples:
    """Reads µ-law bytes as samples."""
    return _read(data, _ULAW_LEVELS)


def from_alaw(data: bytes) -> Samples:
    """Reads A-law bytes as samples."""
    return _read(data, _ALAW_LEVELS)


def to_ulaw(samples: Samples) -> bytes:
    """Writes samples as µ-law; what exceeds [-1, 1] is clipped."""
    return _write(samples, _ULAW_CODES)


def to_alaw(samples: Samples) -> bytes:
    """Writes samples as A-law; what exceeds [-1, 1] is clipped."""
    return _write(samples, _ALAW_CODES)


def _read(data: bytes, levels: NDArray[np.int16]) -> Samples:
    return levels[np.frombuffer(data, dtype=np.uint8)].astype(np.float32) / np.float32(32768)


def _write(samples: Samples, codes: NDArray[np.uint8]) -> bytes:
    values = np.clip(np.round(samples * 32768.0), -32768, 32767).astype(np.int32)
    return codes[values + 32768].tobytes()
