"""The level of a voice, brought to where it should be."""

import numpy as np

from voice_agent.audio.pcm import Samples

_FRAME_S = 0.02
_FLOOR_DB = -60.0
_GATE_DB = 25.0
"""Frames this far below the speech level are pauses and do not count."""
_MEMORY_S = 10.0
_KNOWN_S = 0.4
"""Speech after which the level is known well enough to begin."""
_MOST_DB = 30.0
_DB_PER_S = 2.0
"""How fast the gain moves: slow enough not to be heard."""
_KNEE = 0.8
_CEILING = 0.99


class VoiceLevel:
    """What is known of the level of one voice: the mean power of its speech, pauses left out.

    The last ten seconds of speech count most. One engine's voice has one such level, whichever
    reply it speaks, so all replies share it.
    """

    def __init__(self) -> None:
        self._energy = 0.0
        self._seconds = 0.0

    @property
    def known(self) -> bool:
        """Whether enough speech was measured."""
        return self._seconds >= _KNOWN_S

    @property
    def db(self) -> float | None:
        """The level in dB relative to full scale; None before any speech."""
        if self._seconds == 0.0:
            return None
        return 10.0 * float(np.log10(self._energy / self._seconds))

    def observe(self, samples: Samples, rate: int, volume_db: float) -> None:
        """Takes speech that was asked to be ``volume_db`` louder than normal."""
        size = max(1, round(_FRAME_S * rate))
        count = samples.size // size
        if count == 0:
            return
        frames = samples[: count * size].reshape(count, size).astype(np.float64)
        power = np.mean(np.square(frames), axis=1) * 10 ** (-volume_db / 10)
        loudest = self.db if self.db is not None else 10 * np.log10(power.max() + 1e-12)
        gate = 10 ** (max(_FLOOR_DB, loudest - _GATE_DB) / 10)
        speech = power[power > gate]
        seconds = speech.size * _FRAME_S
        keep = max(0.0, 1.0 - seconds / _MEMORY_S)
        self._energy = keep * self._energy + float(speech.sum()) * _FRAME_S
        self._seconds = keep * self._seconds + seconds


class Leveller:
    """Brings one reply to a level, with a gain that hardly moves, and never clips.

    Args:
        level_db: Level wanted at normal volume, in dB relative to full scale.
        rate: Sample rate of what is levelled.
    """

    def __init__(self, level_db: float, rate: int) -> None:
        self._level_db = level_db
        self._rate = rate
        self._voice = VoiceLevel()
        self._gain_db: float | None = None

    def follow(self, voice: VoiceLevel) -> None:
        """The audio from now on is of this voice, whose level others keep up to date."""
        if voice is not self._voice:
            self._voice, self._gain_db = voice, None

    def process(self, samples: Samples) -> Samples:
        """Levels the next piece; all samples stay within ±0.99."""
        if samples.size == 0:
            return samples
        target = self._target_db()
        begin = target if self._gain_db is None else self._gain_db
        most = _DB_PER_S * samples.size / self._rate
        end = begin + float(np.clip(target - begin, -most, most))
        self._gain_db = end
        gain = 10 ** (np.linspace(begin, end, samples.size, dtype=np.float32) / 20)
        return _limit((samples * gain).astype(np.float32))

    def _target_db(self) -> float:
        if self._voice.db is None:
            return 0.0
        return float(np.clip(self._level_db - self._voice.db, -_MOST_DB, _MOST_DB))


def _limit(samples: Samples) -> Samples:
    """Bends what is louder than the knee softly below the ceiling."""
    size = np.abs(samples)
    if size.max() <= _KNEE:
        return samples
    room = _CEILING - _KNEE
    bent = _KNEE + room * np.tanh((size - _KNEE) / room)
    limited: Samples = np.where(size > _KNEE, np.copysign(bent, samples), samples)
    return limited.astype(np.float32)
