"""The analyzer that is always there: small trained networks on one CPU core."""

from collections.abc import Mapping
from math import sqrt
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from voice_agent.audio.pcm import Samples
from voice_agent.events import EMOTIONS, Estimate, Manner, Paralinguistics
from voice_agent.hearing.paralinguistics.event_model import EventModel
from voice_agent.hearing.paralinguistics.log_mel import FRAMES_PER_S, log_mel
from voice_agent.hearing.paralinguistics.voice_model import CLASSES, VoiceModel, levelled, spectrum
from voice_agent.hearing.tracking import sure
from voice_agent.shipped import shipped
from voice_agent.workers import Worker

_LEAST_SPEECH_S = 0.15
# Adults reach the pitch of a child's everyday voice only when they are excited.
_CHILDLIKE_HZ = 340.0
_EXCITED = 0.3
_DOUBT_S = 10.0
_REMEMBERED_S = 60.0

DIMENSIONS: Mapping[str, tuple[float, float, float]] = {
    "neutral": (0.0, 0.0, 0.0),
    "calm": (0.2, -0.4, 0.05),
    "happy": (0.76, 0.48, 0.35),
    "sad": (-0.63, -0.27, -0.33),
    "anger": (-0.51, 0.59, 0.25),
    "fear": (-0.64, 0.60, -0.43),
    "disgust": (-0.60, 0.35, 0.11),
    "surprise": (0.40, 0.67, -0.13),
    "other": (0.0, 0.0, 0.0),
}
"""Valence, arousal and dominance of the emotions, after Russell and Mehrabian (1977); calm lies
between neutral and their "relaxed"."""

_WIDEST = 0.7


class EmbeddedAnalyzer:
    """Emotion, gender and vocal events by the models in ``models/``; age it does not know.

    Valence, arousal and dominance are those of the emotions, weighted by the posterior.
    """

    class Options(BaseModel):
        """Options of the ``embedded`` analyzer."""

        model_config = ConfigDict(extra="forbid", frozen=True)

        models: Path | None = Field(
            None,
            description="Folder with the models `voice` and `vocal_events` (as `voice-agent train "
            "paralinguistics` writes them) to use instead of the shipped ones. Of a model that is "
            "not in it, the shipped one is used.",
        )

    name: ClassVar[str] = "embedded"

    def __init__(self, voice: VoiceModel, events: EventModel) -> None:
        self._voice = voice
        self._events = events
        self._worker = Worker.thread("paralinguistics")

    @classmethod
    async def create(cls, options: Options) -> Self:
        """Loads the models.

        Raises:
            EngineUnavailable: A model is missing or damaged.
        """
        return cls(
            VoiceModel(_folder(options.models, "voice")),
            EventModel(_folder(options.models, "vocal_events")),
        )

    async def open(self) -> "EmbeddedStream":
        """A stream, of which there may be any number."""
        return EmbeddedStream(self._voice, self._events, self._worker)

    async def close(self) -> None:
        """Stops its thread."""
        self._worker.close()


class EmbeddedStream:
    """Hears one person; learns the mean spectrum of their voice from finished turns."""

    def __init__(self, voice: VoiceModel, events: EventModel, worker: Worker) -> None:
        self._voice = voice
        self._events = events
        self._worker = worker
        self._usual: NDArray[np.float32] | None = None
        self._learned_s = 0.0

    async def analyze(self, samples: Samples, manner: Manner) -> Paralinguistics:
        """Reads the turn so far."""
        return await self._worker.call(self._read, samples, manner)

    async def learn(self, samples: Samples) -> None:
        """Takes a turn's mean spectrum into the person's usual one."""
        await self._worker.call(self._take, samples)

    async def close(self) -> None:
        """Holds nothing."""

    # --- in the worker ---

    def _read(self, samples: Samples, manner: Manner) -> Paralinguistics:
        mel = log_mel(samples)
        events = self._events.events(mel)
        if manner.speech_s < _LEAST_SPEECH_S or not len(mel):
            return Paralinguistics(manner=manner, events=events)
        heard = self._voice.read(mel, self._reference(mel))
        emotion = {label: heard.emotion.get(label, 0.0) for label in EMOTIONS}
        emotion["neutral"] += heard.emotion["calm"]
        valence, arousal, dominance = _dimensions(heard.emotion)
        return Paralinguistics(
            manner=manner,
            emotion=emotion,
            calm=heard.emotion["calm"],
            valence=valence,
            arousal=arousal,
            dominance=dominance,
            gender={} if _childlike(manner, arousal) else heard.gender,
            events=events,
            uncertain=not sure(emotion),
        )

    def _take(self, samples: Samples) -> None:
        mel = log_mel(samples)
        if not len(mel):
            return
        seconds = len(mel) / FRAMES_PER_S
        past = min(self._learned_s, _REMEMBERED_S)
        fresh = spectrum(mel)
        before = fresh if self._usual is None else self._usual
        self._usual = before + (fresh - before) * np.float32(seconds / (past + seconds))
        self._learned_s = past + seconds

    def _reference(self, mel: NDArray[np.float32]) -> NDArray[np.float32] | None:
        """The usual spectrum: drawn to that of all speakers as long as little was heard."""
        if self._usual is None:
            return None
        share = np.float32(self._learned_s / (self._learned_s + _DOUBT_S))
        anyone = levelled(self._voice.average, mel)
        reference: NDArray[np.float32] = anyone + (self._usual - anyone) * share
        return reference


def _folder(models: Path | None, name: str) -> Path:
    own = models / name if models is not None else None
    return own if own is not None and own.exists() else shipped("models") / name


def _dimensions(shares: Mapping[str, float]) -> tuple[Estimate, Estimate, Estimate]:
    """Means over the posterior; the more its emotions disagree, the less confidence."""
    weights = np.array([shares[label] for label in CLASSES])
    points = np.array([DIMENSIONS[label] for label in CLASSES])
    means = weights @ points
    spreads = weights @ (points - means) ** 2
    valence, arousal, dominance = (
        Estimate(float(mean), max(0.0, 1.0 - sqrt(max(0.0, spread)) / _WIDEST))
        for mean, spread in zip(means, spreads, strict=True)
    )
    return valence, arousal, dominance


def _childlike(manner: Manner, arousal: Estimate) -> bool:
    """Whether it may be a child, of whose voices the models know nothing."""
    high = manner.pitch_hz is not None and manner.pitch_hz > _CHILDLIKE_HZ
    return high and arousal.value < _EXCITED
