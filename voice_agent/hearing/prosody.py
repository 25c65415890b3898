"""How the words are spoken: pitch, level, pace and pauses, measured while the audio comes in.

A turn is kept as one row per 16 ms hop: level, pitch and whether it is speech.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from voice_agent.audio.pcm import HEARING_RATE, Samples
from voice_agent.events import Manner

HOP = 256
"""Samples a row (16 ms)."""

HOP_S = HOP / HEARING_RATE

# Pitch is sought at half the rate, where an FFT of 512 holds the window and the longest lag; the
# way back is made at the full rate, which high voices need.
_WINDOW = 320
_FFT = 512
_LOWEST_HZ, _HIGHEST_HZ = 65.0, 420.0
_LAGS = slice(int(HEARING_RATE / _HIGHEST_HZ), int(HEARING_RATE / _LOWEST_HZ) + 1)
_VOICED = 0.5
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
        half = samples[::2] + samples[1::2]
        windows = np.stack((half[-HOP // 2 - _WINDOW : -HOP // 2], half[-_WINDOW:]))
        windows -= windows.mean(axis=1, keepdims=True)
        spectrum = np.fft.rfft(windows * self._taper, _FFT, axis=1)
        correlation = np.fft.irfft(spectrum.real**2 + spectrum.imag**2, 2 * _FFT, axis=1)
        strength = correlation[:, _LAGS] * self._correction
        strength /= np.maximum(correlation[:, :1], 1e-9)
        best = np.argmax(strength - self._preference, axis=1)
        return self._peak(strength[0], int(best[0])), self._peak(strength[1], int(best[1]))

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
    """One hop: level in dBFS, pitch in Hz (0 unvoiced), whether it is speech."""

    level: float
    pitch: float
    speech: bool


@dataclass(slots=True)
class TurnProsody:
    """The rows of one turn, the last three minutes of it at most."""

    levels: deque[float] = field(default_factory=lambda: deque(maxlen=_MAX_ROWS))
    pitches: deque[float] = field(default_factory=lambda: deque(maxlen=_MAX_ROWS))
    speech: deque[bool] = field(default_factory=lambda: deque(maxlen=_MAX_ROWS))
    speech_rows: int = 0
    voiced_rows: int = 0

    def add(self, rows: Iterable[Row]) -> None:
        """Adds rows."""
        for row in rows:
            self.levels.append(row.level)
            self.pitches.append(row.pitch)
            self.speech.append(row.speech)
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
        turn_level = _mean_level(levels[speech])
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
            level_end_db=_mean_level(levels[-round(0.2 / HOP_S) :]) - turn_level,
            last_syllable_s=_last_voiced_stretch(pitches),
        )


class Speaker:
    """One person's way of speaking over a session: measures turns against their own baseline."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._log_pitch = _RunningMean()
        self._level = _RunningMean()
        self._rate = _RunningMean()

    def manner(self, turn: TurnProsody) -> Manner:
        """Measures a turn; shifts are None until an earlier turn gave a baseline."""
        if turn.speech_s < 0.15:
            return Manner(speech_s=turn.speech_s)
        speech = np.fromiter(turn.speech, bool)
        spoken = np.flatnonzero(speech)
        levels = np.fromiter(turn.levels, float)
        pitches = np.fromiter(turn.pitches, float)
        voiced = pitches[speech & (pitches > 0)]
        pitch = float(np.median(voiced)) if voiced.size >= 8 else None
        spread = None
        if voiced.size >= 16:
            low, high = np.percentile(voiced, [10, 90])
            spread = float(_SEMITONES * np.log2(high / low))
        level = _mean_level(levels[speech])
        rate = None
        if turn.speech_s >= 0.5:
            rate = _syllables(levels, pitches, speech) / (spoken.size * HOP_S)
        base_pitch, base_level, base_rate = (
            self._log_pitch.value,
            self._level.value,
            self._rate.value,
        )
        return Manner(
            speech_s=turn.speech_s,
            pitch_hz=pitch,
            pitch_range_st=spread,
            pitch_shift_st=(
                float(_SEMITONES * (np.log2(pitch) - base_pitch))
                if pitch is not None and base_pitch is not None
                else None
            ),
            level_db=level,
            level_shift_db=level - base_level if base_level is not None else None,
            syllable_rate=rate,
            rate_shift=rate / base_rate if rate is not None and base_rate else None,
            pause_share=float(1.0 - spoken.size / (spoken[-1] - spoken[0] + 1)),
            voiced_share=turn.voiced_share,
        )

    def learn(self, turn: TurnProsody) -> None:
        """Takes a finished turn into the baseline."""
        manner = self.manner(turn)
        weight = min(manner.speech_s, 10.0)
        if manner.pitch_hz is not None:
            self._log_pitch.add(float(np.log2(manner.pitch_hz)), weight)
        if manner.level_db is not None:
            self._level.add(manner.level_db, weight)
        if manner.syllable_rate is not None:
            self._rate.add(manner.syllable_rate, weight)


class _RunningMean:
    """A mean that follows slow change: the weight of the past is bounded."""

    _PAST = 60.0

    def __init__(self) -> None:
        self.value: float | None = None
        self._weight = 0.0

    def add(self, value: float, weight: float) -> None:
        past = min(self._weight, self._PAST)
        self.value = ((self.value or 0.0) * past + value * weight) / (past + weight)
        self._weight = past + weight


def _mean_level(levels: NDArray[np.floating]) -> float:
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


def _syllables(
    levels: NDArray[np.floating], pitches: NDArray[np.floating], speech: NDArray[np.bool_]
) -> int:
    """Counts level peaks that stand 2 dB over the dips beside them and are voiced.

    After de Jong and Wempe (2009).
    """
    smooth = np.convolve(levels, (0.25, 0.5, 0.25), mode="same")
    count, dip, peak, at = 0, np.inf, -np.inf, -1
    for i, level in enumerate(smooth):
        if level > peak:
            peak, at = level, i
        if peak - level >= 2.0:
            voiced = at >= 0 and speech[at] and pitches[max(0, at - 1) : at + 2].any()
            count += bool(voiced and peak - dip >= 2.0)
            dip, peak, at = level, level, -1
        dip = min(dip, level)
    return count
