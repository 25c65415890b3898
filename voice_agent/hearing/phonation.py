"""How the voice is produced: whispered, as usual or shouted."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

LEAST_SPEECH_S = 0.4
LEAST_SNR_DB = 10.0

_SWINGS_DB = 6.0
_TELLING = 0.8


@dataclass(frozen=True, slots=True)
class Production:
    """What tells how a voice is produced.

    Attributes:
        speech_s: Seconds of speech.
        snr_db: Level of the speech above that of the room.
        swing_db: Distance between the 10th and 90th percentile of the speech's level.
        voiced_share: Share of the speech that is voiced.
        tilt_db: Energy between 1 and 4 kHz against that below 1 kHz, median over the speech.
        voiced_tilt_db: The same over the voiced part; None where there is too little of it.
        pitch_hz: Median pitch; None where there is too little of it.
        tilt_shift_db, pitch_shift_st, level_shift_db: ``voiced_tilt_db``, pitch and level against
            the speaker's own baseline; None where there is none.
        baseline: How far that can be trusted, in [0, 1].
    """

    speech_s: float
    snr_db: float
    swing_db: float
    voiced_share: float
    tilt_db: float
    voiced_tilt_db: float | None = None
    pitch_hz: float | None = None
    tilt_shift_db: float | None = None
    pitch_shift_st: float | None = None
    level_shift_db: float | None = None
    baseline: float = 0.0


def phonation(voice: Production) -> Mapping[str, float]:
    """Posterior over ``PHONATIONS``; empty where it cannot be told.

    A whisper is speech with hardly any voicing and as much energy above 1 kHz as below. A shout
    has more energy above 1 kHz than the speaker's usual voice, and is higher and louder than that.
    Without a usual voice to compare with, spectrum and pitch decide alone, microphones being as
    different in level as voices are; a doubtful answer is then withheld. So it is for a moment of
    speech, for speech hardly louder than the room, and for sounds as even as no speech is.
    """
    if (
        voice.speech_s < LEAST_SPEECH_S
        or voice.snr_db < LEAST_SNR_DB
        or voice.swing_db < _SWINGS_DB
    ):
        return {}
    whisper = _logistic(20.0 * (0.35 - voice.voiced_share) + 0.6 * (voice.tilt_db + 6.0))
    if whisper < 0.5 and voice.voiced_tilt_db is None:
        return {}
    shout = _shout(voice)
    posterior = {
        "whisper": whisper,
        "normal": (1.0 - whisper) * (1.0 - shout),
        "shout": (1.0 - whisper) * shout,
    }
    doubtful = voice.baseline == 0.0 and max(posterior.values()) < _TELLING
    return {} if doubtful else posterior


def _shout(voice: Production) -> float:
    if voice.voiced_tilt_db is None or voice.pitch_hz is None:
        return 0.0
    octaves = math.log2(voice.pitch_hz / 170.0)
    alone = 0.8 * (voice.voiced_tilt_db + 5.5) + 2.0 * octaves
    if voice.tilt_shift_db is None or voice.pitch_shift_st is None or voice.level_shift_db is None:
        return _logistic(alone)
    compared = (
        0.5 * voice.tilt_shift_db + 0.2 * voice.pitch_shift_st + 0.25 * voice.level_shift_db - 7.5
    )
    return _logistic(voice.baseline * compared + (1.0 - voice.baseline) * alone)


def _logistic(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-max(-50.0, min(50.0, x))))
