"""The analyzer that needs no model: measurements, and what little may be read from them."""

from collections.abc import Mapping
from math import exp
from typing import ClassVar, Self

import numpy as np
from pydantic import BaseModel, ConfigDict

from voice_agent.audio.pcm import Samples
from voice_agent.events import EMOTIONS, Estimate, Manner, Paralinguistics

_LEAST_SPEECH_S = 0.5

# Share of women among speakers of a median pitch, in acted and everyday recordings: men who are
# excited speak as high as women who are calm.
_PITCH_HZ = (90.0, 120.0, 150.0, 170.0, 200.0, 240.0, 300.0)
_FEMALE_SHARE = (0.04, 0.08, 0.2, 0.42, 0.62, 0.72, 0.75)
_LIVELINESS = {
    "anger": 1.0,
    "happy": 1.0,
    "surprise": 1.0,
    "fear": 0.7,
    "sad": -1.0,
    "neutral": -0.7,
}


class EmbeddedAnalyzer:
    """Passes the measurements on and reads arousal from them, always marked uncertain.

    Without a trained model, loudness, pitch and pace tell how lively somebody speaks, hardly
    which emotion it is: the posterior stays close to even and ``uncertain`` stays True.
    """

    class Options(BaseModel):
        """It has none."""

        model_config = ConfigDict(extra="forbid", frozen=True)

    name: ClassVar[str] = "embedded"

    @classmethod
    async def create(cls, options: Options) -> Self:
        """Ready at once."""
        return cls()

    async def open(self) -> "EmbeddedStream":
        """A stream, of which there may be any number."""
        return EmbeddedStream()

    async def close(self) -> None:
        """Holds nothing."""


class EmbeddedStream:
    """Reads one person's turns, each for itself."""

    async def analyze(self, samples: Samples, manner: Manner) -> Paralinguistics:
        """Reads the turn so far from its measurements; the samples are not looked at."""
        if manner.speech_s < _LEAST_SPEECH_S:
            return Paralinguistics(manner=manner)
        arousal = _arousal(manner)
        return Paralinguistics(
            manner=manner,
            emotion=_emotion(arousal.value if arousal else 0.0),
            arousal=arousal,
            gender=_gender(manner.pitch_hz),
            uncertain=True,
        )

    async def learn(self, samples: Samples) -> None:
        """Learns nothing: the manner already tells how a turn differs from those before."""

    async def close(self) -> None:
        """Holds nothing."""


def _arousal(manner: Manner) -> Estimate | None:
    """Louder, higher and faster than the person's own usual is livelier."""
    signs = [
        (shift / scale, weight)
        for shift, scale, weight in (
            (manner.level_shift_db, 6.0, 1.0),
            (manner.pitch_shift_st, 4.0, 1.0),
            (None if manner.rate_shift is None else manner.rate_shift - 1.0, 0.3, 0.5),
        )
        if shift is not None
    ]
    if not signs:
        return None
    total = sum(weight for _, weight in signs)
    value = sum(sign * weight for sign, weight in signs) / total
    return Estimate(max(-1.0, min(1.0, value)), 0.12 * total)


def _emotion(arousal: float) -> Mapping[str, float]:
    """Nearly even: lively speech leaves a little more for the lively emotions."""
    scores = {label: exp(0.5 * arousal * _LIVELINESS.get(label, 0.0)) for label in EMOTIONS}
    scores["neutral"] *= 1.5
    total = sum(scores.values())
    return {label: score / total for label, score in scores.items()}


def _gender(pitch_hz: float | None) -> Mapping[str, float]:
    """From the median pitch; empty where it is about as common among women as among men."""
    if pitch_hz is None:
        return {}
    female = float(np.interp(pitch_hz, _PITCH_HZ, _FEMALE_SHARE))
    return {} if 0.4 < female < 0.6 else {"female": female, "male": 1.0 - female}
