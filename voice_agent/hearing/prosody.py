"""How the words are spoken: pitch, level, pace and pauses, measured while the audio comes in.

A turn is kept as one row per 16 ms hop: level, pitch, spectrum and whether it is speech.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from voice_agent.audio.pcm import HEARING_RATE, Samples

HOP = 256
"""Samples a row (16 ms)."""

HOP_S = HOP / HEARING_RATE

# Pitch is sought at half the rate, where an FFT of 512 holds the window and the longest lag; the
# way back is made at the full rate, which high voices need.
_WINDOW = 320
_FFT = 512
# First bins of the two bands that are compared: 94 Hz to 1 kHz, and from there to 4 kHz.
_BANDS = (6, 64)
_LOWEST_HZ, _HIGHEST_HZ = 65.0, 420.0
_LAGS = slice(int(HEARING_RATE / _HIGHEST_HZ), int(HEARING_RATE / _LOWEST_HZ) + 1)
_VOICED = 0.5
SILENT_DB = -120.0
_MAX_ROWS = int(180 / HOP_S)
_SEMITONES = 12.0


class PitchTracker:
    """Pitch by autocorrelation, corrected for the window (Boersma 1993), a value every 16 ms."""

    def __init__(self) -> None:
        self._taper = np.hanning(_WINDOW).astype(np.float32)
        own = np.fft.irfft(np.abs(np.fft.rfft(self._taper, _FFT)) ** 2, 2 * _FFT)
        self._correction = (own[0] / own[_LAGS]).astype(np.float32)
        # Of a lag and its double, both of which fit a periodic signal, the shorter is preferred.
        lags = np.arange(_LAGS.start, _LAGS.stop)
        self._preference = (0.05 * np.log2(lags / _LAGS.start)).astype(np.float32)

    def pitch(self, samples: Samples) -> tuple[float, float]:
        """Pitch in Hz around each of the last two hops of ``samples``, 0 where unvoiced.

        Args:
            samples: 1024 samples at 16 kHz, ending with the newest.
        """
        pitches, _ = self.measure(samples)
        return pitches

    def measure(self, samples: Samples) -> tuple[tuple[float, float], NDArray[np.floating]]:
        """Pitch and spectrum around each of the last two hops of ``samples``.

        Args:
            samples: 1024 samples at 16 kHz, ending with the newest.

        Returns:
            The pitches in Hz, 0 where unvoiced; and, a row for each hop, the energy in dB from
            94 Hz to 1 kHz and from 1 kHz to 4 kHz.
        """
        half = samples[::2] + samples[1::2]
        windows = np.stack((half[-HOP // 2 - _WINDOW : -HOP // 2], half[-_WINDOW:]))
        windows -= windows.mean(axis=1, keepdims=True)
        spectrum = np.fft.rfft(windows * self._taper, _FFT, axis=1)
        power = spectrum.real**2 + spectrum.imag**2
        correlation = np.fft.irfft(power, 2 * _FFT, axis=1)
        strength = correlation[:, _LAGS] * self._correction
        strength /= np.maximum(correlation[:, :1], 1e-9)
        best = np.argmax(strength - self._preference, axis=1)
        pitches = self._peak(strength[0], int(best[0])), self._peak(strength[1], int(best[1]))
        return pitches, 10 * np.log10(np.add.reduceat(power, _BANDS, axis=1) + 1e-9)

    @staticmethod
    def _peak(strength: NDArray[np.floating], at: int) -> float:
        if strength[at] < _VOICED or at in (0, strength.size - 1):
            return 0.0
        left, top, right = strength[at - 1 : at + 2]
        bend = left - 2 * top + right
        shift = 0.5 * (left - right) / bend if bend < 0 else 0.0
        return float(HEARING_RATE / (_LAGS.start + at + shift))


@dataclass(frozen=True, slots=True)
class Ending:
    """Pitch, level and length at the end of the speech so far; zeros where it cannot be told."""

    pitch_slope_st: float = 0.0
    pitch_end_st: float = 0.0
    level_slope_db: float = 0.0
    level_end_db: float = 0.0
    last_syllable_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Row:
    """One hop.

    Attributes:
        level: In dBFS.
        pitch: In Hz; 0 where unvoiced.
        speech: Whether it is speech.
        low: Energy from 94 Hz to 1 kHz in dB; very low where it is no speech.
        tilt: Energy from 1 to 4 kHz against that, in dB.
    """

    level: float
    pitch: float
    speech: bool
    low: float = SILENT_DB
    tilt: float = 0.0


@dataclass(slots=True)
class TurnProsody:
    """The rows of one turn, the last three minutes of it at most.

    Attributes:
        noise_db: Level of the room before it.
    """

    noise_db: float = SILENT_DB

    levels: deque[float] = field(default_factory=lambda: deque(maxlen=_MAX_ROWS))
    pitches: deque[float] = field(default_factory=lambda: deque(maxlen=_MAX_ROWS))
    speech: deque[bool] = field(default_factory=lambda: deque(maxlen=_MAX_ROWS))
    lows: deque[float] = field(default_factory=lambda: deque(maxlen=_MAX_ROWS))
    tilts: deque[float] = field(default_factory=lambda: deque(maxlen=_MAX_ROWS))
    speech_rows: int = 0
    voiced_rows: int = 0

    def add(self, rows: Iterable[Row]) -> None:
        """Adds rows."""
        for row in rows:
            self.levels.append(row.level)
            self.pitches.append(row.pitch)
            self.speech.append(row.speech)
            self.lows.append(row.low)
            self.tilts.append(row.tilt)
            self.speech_rows += row.speech
            self.voiced_rows += row.speech and row.pitch > 0

    def loud_db(self) -> float:
        """Level that the louder fifth of the speech reaches."""
        speech = np.fromiter(self.speech, bool)
        return float(np.percentile(np.fromiter(self.levels, float)[speech], 80))

    @property
    def speech_s(self) -> float:
        """Seconds of speech."""
        return self.speech_rows * HOP_S

    @property
    def voiced_share(self) -> float:
        """Share of the speech rows that have a pitch; 0 without speech."""
        return self.voiced_rows / self.speech_rows if self.speech_rows else 0.0

    def ending(self) -> Ending:
        """Measures the last half second of the speech."""
        speech = np.fromiter(self.speech, bool)
        if not speech.any():
            return Ending()
        last = int(np.flatnonzero(speech)[-1]) + 1
        levels = np.fromiter(self.levels, float)[:last]
        pitches = np.fromiter(self.pitches, float)[:last]
        speech = speech[:last]
        half = round(0.5 / HOP_S)
        tail_levels = levels[-half:]
        turn_level = mean_level(levels[speech])
        voiced = np.flatnonzero(pitches[-half:] > 0)
        slope = pitch_end = 0.0
        if voiced.size >= 4:
            semitones = _SEMITONES * np.log2(pitches[-half:][voiced])
            middle = _SEMITONES * np.log2(np.median(pitches[pitches > 0]))
            slope = _slope(voiced * HOP_S, semitones)
            pitch_end = float(np.median(semitones[-6:]) - middle)
        return Ending(
            pitch_slope_st=float(np.clip(slope, -60, 60)),
            pitch_end_st=float(np.clip(pitch_end, -12, 12)),
            level_slope_db=_slope(np.arange(tail_levels.size) * HOP_S, tail_levels),
            level_end_db=mean_level(levels[-round(0.2 / HOP_S) :]) - turn_level,
            last_syllable_s=_last_voiced_stretch(pitches),
        )


def mean_level(levels: NDArray[np.floating]) -> float:
    """Level in dB of the mean energy of levels in dB."""
    return float(10 * np.log10(np.mean(10 ** (levels / 10)) + 1e-12))


def _slope(x: NDArray[np.floating], y: NDArray[np.floating]) -> float:
    x = x - x.mean()
    spread = float(x @ x)
    return float(x @ (y - y.mean()) / spread) if spread > 0 else 0.0


def _last_voiced_stretch(pitches: NDArray[np.floating]) -> float:
    voiced = np.flatnonzero(pitches > 0)
    if voiced.size == 0:
        return 0.0
    breaks = np.flatnonzero(np.diff(voiced) > 2)
    first = voiced[breaks[-1] + 1] if breaks.size else voiced[0]
    return float((voiced[-1] - first + 1) * HOP_S)
