"""The manner of a turn: its rows summed up, and measured against the speaker's own baseline."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from voice_agent.events import Manner
from voice_agent.hearing.phonation import Production, phonation
from voice_agent.hearing.prosody import HOP_S, TurnProsody, mean_level

_CLEAR_DB = 12.0
_HALF_BASELINE_S = 5.0
_SWING_DB = 2.0

Measured = dict[str, tuple[float, float]]
"""Values of a ``Manner`` by their names, each with the trust in it."""


class Speaker:
    """One person's way of speaking over a session: measures turns against their own baseline."""

    def __init__(self) -> None:
        self._pitch_st = _RunningMean()
        self._level = _RunningMean()
        self._rate = _RunningMean()
        self._tilt = _RunningMean()

    def manner(self, turn: TurnProsody) -> Manner:
        """Measures a turn; shifts are None until an earlier turn gave a baseline.

        A value made of n voiced frames or seconds is trusted as n / (n + m), m being the amount
        at which it is trusted by half. Of what noise can change, that is multiplied by the
        signal-to-noise ratio over 12 dB, at most 1. A shift is trusted as far as its value, times
        b / (b + 5) for a baseline of b seconds.
        """
        if turn.speech_s < 0.15:
            return Manner(speech_s=turn.speech_s)
        rows = _Rows.of(turn)
        clear = min(1.0, max(0.0, rows.snr_db / _CLEAR_DB))
        measured: Measured = {
            "level_db": (rows.level_db, clear * _trust(rows.speech_s, 0.3)),
            "pause_share": (1.0 - rows.speech_s / rows.span_s, _trust(rows.span_s, 1.5)),
            "voiced_share": (turn.voiced_share, clear * _trust(rows.speech_s, 0.3)),
        }
        voiced = rows.pitches[rows.voiced]
        if voiced.size >= 8:
            measured["pitch_hz"] = float(np.median(voiced)), clear * _trust(voiced.size, 12)
        if voiced.size >= 16:
            low, high = (float(hz) for hz in np.percentile(voiced, [10, 90]))
            trust = clear * _trust(voiced.size, 40)
            measured["pitch_low_hz"] = low, trust
            measured["pitch_high_hz"] = high, trust
            measured["pitch_range_st"] = _semitones(high) - _semitones(low), trust
        if turn.speech_s >= 0.5:
            rate = rows.syllables() / rows.speech_s
            measured["syllable_rate"] = rate, clear * _trust(rows.speech_s, 1.5)
        measured |= self._shifts(measured)
        return Manner(
            speech_s=turn.speech_s,
            phonation=phonation(self._production(rows, measured)),
            confidence={name: trust for name, (_, trust) in measured.items()},
            **{name: value for name, (value, _) in measured.items()},
        )

    def learn(self, turn: TurnProsody) -> None:
        """Takes a finished turn into the baseline."""
        manner = self.manner(turn)
        if manner.level_db is None:
            return
        weight = min(manner.speech_s, 10.0)
        self._level.add(manner.level_db, weight)
        if manner.pitch_hz is not None:
            self._pitch_st.add(_semitones(manner.pitch_hz), weight)
        if manner.syllable_rate is not None:
            self._rate.add(manner.syllable_rate, weight)
        tilt = _Rows.of(turn).voiced_tilt_db
        if tilt is not None:
            self._tilt.add(tilt, weight)

    def _shifts(self, measured: Measured) -> Measured:
        shifts = {}
        if "pitch_hz" in measured and self._pitch_st.value is not None:
            pitch, trust = measured["pitch_hz"]
            shifts["pitch_shift_st"] = (
                _semitones(pitch) - self._pitch_st.value,
                trust * self._pitch_st.trust,
            )
        if self._level.value is not None:
            level, trust = measured["level_db"]
            shifts["level_shift_db"] = level - self._level.value, trust * self._level.trust
        if "syllable_rate" in measured and self._rate.value:
            rate, trust = measured["syllable_rate"]
            shifts["rate_shift"] = rate / self._rate.value, trust * self._rate.trust
        return shifts

    def _production(self, rows: "_Rows", measured: Measured) -> Production:
        def value(name: str) -> float | None:
            return measured[name][0] if name in measured else None

        tilt, usual = rows.voiced_tilt_db, self._tilt.value
        low, high = np.percentile(rows.levels[rows.speech], [10, 90])
        return Production(
            speech_s=rows.speech_s,
            snr_db=rows.snr_db,
            swing_db=float(high - low),
            voiced_share=measured["voiced_share"][0],
            tilt_db=float(np.median(rows.tilts[rows.speech])),
            voiced_tilt_db=tilt,
            pitch_hz=value("pitch_hz"),
            tilt_shift_db=tilt - usual if tilt is not None and usual is not None else None,
            pitch_shift_st=value("pitch_shift_st"),
            level_shift_db=value("level_shift_db"),
            baseline=self._tilt.trust,
        )


class _RunningMean:
    """A mean that follows slow change: the weight of the past, in seconds, is bounded."""

    _PAST = 60.0

    def __init__(self) -> None:
        self.value: float | None = None
        self._weight = 0.0

    def add(self, value: float, weight: float) -> None:
        past = min(self._weight, self._PAST)
        self.value = ((self.value or 0.0) * past + value * weight) / (past + weight)
        self._weight = past + weight

    @property
    def trust(self) -> float:
        return _trust(self._weight, _HALF_BASELINE_S)


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows of a turn as arrays, with what is made of them at once."""

    levels: NDArray[np.float64]
    pitches: NDArray[np.float64]
    speech: NDArray[np.bool_]
    lows: NDArray[np.float64]
    tilts: NDArray[np.float64]
    voiced: NDArray[np.bool_]
    speech_s: float
    span_s: float
    level_db: float
    snr_db: float

    @classmethod
    def of(cls, turn: TurnProsody) -> Self:
        """The rows of a turn in which there is speech."""
        levels, pitches, lows, tilts = (
            np.fromiter(values, np.float64)
            for values in (turn.levels, turn.pitches, turn.lows, turn.tilts)
        )
        speech = np.fromiter(turn.speech, np.bool_)
        spoken = np.flatnonzero(speech)
        level = mean_level(levels[speech])
        return cls(
            levels=levels,
            pitches=pitches,
            speech=speech,
            lows=lows,
            tilts=tilts,
            voiced=speech & (pitches > 0),
            speech_s=spoken.size * HOP_S,
            span_s=int(spoken[-1] - spoken[0] + 1) * HOP_S,
            level_db=level,
            snr_db=level - turn.noise_db,
        )

    @property
    def voiced_tilt_db(self) -> float | None:
        """Median tilt of the voiced rows; None where they are too few."""
        return float(np.median(self.tilts[self.voiced])) if self.voiced.sum() >= 8 else None

    def syllables(self) -> int:
        """Counts the voiced peaks below 1 kHz that stand 2 dB over the dips beside them.

        After de Jong and Wempe (2009). Below 1 kHz a vowel stands out from the consonants beside
        it, which a hiss as loud as the vowel would hide.
        """
        smooth = np.convolve(self.lows, (0.25, 0.5, 0.25), mode="same")
        count, dip, peak, at = 0, np.inf, -np.inf, -1
        for i, level in enumerate(smooth):
            if level > peak:
                peak, at = level, i
            if peak - level >= _SWING_DB:
                voiced = at >= 0 and self.voiced[max(0, at - 1) : at + 2].any()
                count += bool(voiced and peak - dip >= _SWING_DB)
                dip, peak, at = level, level, -1
            dip = min(dip, level)
        return count


def _trust(amount: float, half: float) -> float:
    return amount / (amount + half)


def _semitones(hz: float) -> float:
    return float(12.0 * np.log2(hz))
