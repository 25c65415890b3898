"""The turns of a recording, found and measured by the ear that hears live conversations."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from voice_agent.audio.pcm import HEARING_RATE, Samples
from voice_agent.events import Manner, Pause
from voice_agent.hearing.ear import Ear, End, LikelyEnd, Onset, Resumed
from voice_agent.hearing.listener import READING_S
from voice_agent.hearing.prosody import TurnProsody
from voice_agent.hearing.recent import RecentAudio
from voice_agent.hearing.vad import FRAME, VadModel
from voice_agent.settings import Hearing

PIECE_S = 10.0
"""What lies between turns is read in pieces of this length."""

_PIECE = round(PIECE_S * HEARING_RATE)
_SHORTEST = round(0.3 * HEARING_RATE)
# A turn begins as long before its speech as the settings allow at most.
_LONGEST_PREROLL = round(2.5 * HEARING_RATE)
_KEPT = _PIECE + 2 * _LONGEST_PREROLL
_SETTLING = round(0.5 * HEARING_RATE / FRAME)


@dataclass(frozen=True, slots=True)
class Between:
    """A stretch that is no turn: silence, noise, and sounds of the voice that are no words.

    Attributes:
        start: Seconds of the recording at its first sample.
        samples: 16 kHz mono float32, at most ``PIECE_S`` long.
    """

    start: float
    samples: Samples


@dataclass(frozen=True, slots=True)
class Spoken:
    """A turn, whole or as far as it had come when another half second had been spoken.

    Attributes:
        start: Seconds of the recording at its first sample, which is a little before the speech.
        samples: 16 kHz mono float32; of a long turn the last half minute.
        began, end: Seconds of the recording where its speech begins, and ends (so far).
        manner: How it is spoken, against the turns before it.
        pitch_hz: Pitch of the speech from ``began`` on, a value every 16 ms, 0 where unvoiced.
        whole: Whether the turn is over.
    """

    start: float
    samples: Samples
    began: float
    end: float
    manner: Manner
    pitch_hz: NDArray[np.float64]
    whole: bool


class NoDetector:
    """Stands for a turn detector where a silence of fixed length ends a turn: it is not asked."""

    Options: ClassVar[type[BaseModel]] = BaseModel
    name: ClassVar[str] = "none"

    @classmethod
    async def create(cls, options: BaseModel) -> Self:
        """Needs nothing."""
        return cls()

    async def close(self) -> None:
        """Holds nothing."""

    def completion(self, pause: Pause) -> float:
        """Every turn is over."""
        return 1.0


def open_ear(vad: VadModel, hearing: Hearing) -> Ear:
    """An ear without recognition, to which the longest wait of the settings ends a turn.

    Words are what makes a shorter wait safe.
    """
    wait = hearing.endpointing.max_wait_ms
    endpointing = hearing.endpointing.model_copy(update={"min_wait_ms": wait})
    return Ear(vad, NoDetector(), hearing.vad, endpointing)


def measure(samples: Samples, vad: VadModel) -> TurnProsody:
    """Measures a clip as one turn, pauses and all.

    Args:
        samples: 16 kHz mono float32.
        vad: What tells speech.

    Returns:
        Its rows; none where there is no speech.
    """
    ear = open_ear(vad, Hearing())
    ear.automatic = False
    ear.process(samples, "")
    # Speech up to the very end is known to be speech once the frame after it has come.
    ear.process(np.zeros(2 * FRAME, np.float32), "")
    return ear.prosody if ear.end_turn() else TurnProsody()


class TurnFinder:
    """Cuts a recording into turns and what lies between them, in the order in which they end."""

    def __init__(self, ear: Ear, longest_turn_s: float) -> None:
        """Takes a new ear; a turn longer than ``longest_turn_s`` is ended as it stands."""
        self._ear = ear
        self._longest = round(longest_turn_s * HEARING_RATE)
        self._audio = RecentAudio(_KEPT)
        self._length = 0
        # First sample of the running turn and where its speech began; None between turns.
        self._turn: tuple[int, int] | None = None
        self._read_s = 0.0
        self._likely: Spoken | None = None
        self._between_from = 0

    def hear(self, frame: Samples) -> Iterator[Between | Spoken]:
        """Takes the next ``FRAME`` samples (16 kHz mono float32), fewer at the very end."""
        self._length += frame.size
        yield from self._process(frame)

    def finish(self) -> Iterator[Between | Spoken]:
        """The recording is over: gives what was still open."""
        filled = -self._length % FRAME
        for size in (filled, *[FRAME] * _SETTLING):
            yield from self._process(np.zeros(size, np.float32))
        yield from self._end(self._ear.end_turn())
        yield from self._pieces(self._length, last=True)

    def _process(self, frame: Samples) -> Iterator[Between | Spoken]:
        self._audio.add(frame)
        for event in self._ear.process(frame, ""):
            match event:
                case Onset(at, audio):
                    start = self._audio.end - audio.size
                    yield from self._pieces(start, last=True)
                    self._turn, self._read_s = (start, at), 0.0
                case LikelyEnd(at):
                    self._likely = self._spoken(at, whole=True)
                case Resumed():
                    self._likely = None
                case End():
                    yield from self._end(event)
        if self._turn is None:
            yield from self._pieces(self._audio.end - _LONGEST_PREROLL, last=False)
            return
        if self._ear.speech_s - self._read_s >= READING_S:
            self._read_s = self._ear.speech_s
            yield self._spoken(self._audio.end, whole=False)
        if self._audio.end - self._turn[0] >= self._longest:
            yield from self._end(self._ear.end_turn())

    def _spoken(self, end: int, whole: bool) -> Spoken:
        assert self._turn is not None
        return Spoken(
            start=self._ear.turn_audio_start / HEARING_RATE,
            samples=self._ear.turn_audio(),
            began=self._turn[1] / HEARING_RATE,
            end=min(end, self._length) / HEARING_RATE,
            manner=self._ear.manner(),
            pitch_hz=np.array(self._ear.prosody.pitches),
            whole=whole,
        )

    def _end(self, end: End | None) -> Iterator[Spoken]:
        if end is None:
            return
        # As in a live conversation, where the reading is made once the turn is likely over.
        yield self._likely or self._spoken(end.at, whole=True)
        self._turn = self._likely = None
        self._between_from = end.at

    def _pieces(self, until: int, last: bool) -> Iterator[Between]:
        """What lies between turns up to there, in pieces; the rest only where it is the last."""
        until = min(until, self._length)
        while until - self._between_from >= (_SHORTEST if last else _PIECE):
            stop = min(self._between_from + _PIECE, until)
            samples = self._audio.between(self._between_from, stop)
            yield Between(self._between_from / HEARING_RATE, samples)
            self._between_from = stop
