"""How a whole recording is spoken: its turns, each read while it grows and when it is over."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voice_agent.audio.files import read_blocks
from voice_agent.audio.pcm import HEARING_RATE, Samples
from voice_agent.engines import ParalinguisticAnalyzer, ParalinguisticStream
from voice_agent.evaluation.turns import Between, Spoken, TurnFinder, open_ear
from voice_agent.events import Manner, Paralinguistics, VocalEvent
from voice_agent.hearing.listener import joined_sounds
from voice_agent.hearing.tracking import Tracking
from voice_agent.hearing.vad import FRAME, VadModel
from voice_agent.settings import Config

_SEAM_S = 0.1


@dataclass(frozen=True, slots=True)
class Reading:
    """How a turn sounds up to a moment.

    Attributes:
        at: Seconds of the recording up to which was heard.
        how: The reading; times of its events are seconds of the recording.
    """

    at: float
    how: Paralinguistics


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn of a recording.

    Attributes:
        start, end: Seconds of the recording where its speech begins and ends.
        readings: One for about every half second of speech, each of the turn so far.
        final: The reading of the whole turn.
        pitch_hz: Pitch from ``start`` on, a value every 16 ms, 0 where unvoiced.
    """

    start: float
    end: float
    readings: tuple[Reading, ...]
    final: Paralinguistics
    pitch_hz: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Recording:
    """What was heard in a recording.

    Attributes:
        seconds: Its length.
        turns: Its turns, in order; none where nobody speaks.
        events: All sounds of the voice that are no words, within turns and between them.
        peaks: Highest absolute sample of each 16 ms, for drawing the waveform.
    """

    seconds: float
    turns: tuple[Turn, ...]
    events: tuple[VocalEvent, ...]
    peaks: NDArray[np.float32]


async def listen(
    path: Path,
    analyzer: ParalinguisticAnalyzer,
    vad: VadModel,
    config: Config,
    progress: Callable[[float], None] = lambda seconds: None,
) -> Recording:
    """Hears a recording as one person's turns.

    Args:
        path: The audio file, of any length.
        analyzer: What reads how something is said.
        vad: What tells speech.
        config: The settings of hearing, and the longest turn.
        progress: Told how many seconds have been heard.

    Raises:
        AudioError: The file is no audio.
        EngineError: The analyzer failed.
    """
    finder = TurnFinder(open_ear(vad, config.hearing), config.limits.turn_seconds)
    reader = _Reader(await analyzer.open())
    peaks: list[NDArray[np.float32]] = []
    length = 0
    try:
        for frame in read_blocks(path, FRAME / HEARING_RATE):
            length += frame.size
            peaks.append(_peaks(frame))
            for stretch in finder.hear(frame):
                await reader.read(stretch)
            progress(length / HEARING_RATE)
        for stretch in finder.finish():
            await reader.read(stretch)
    finally:
        await reader.stream.close()
    return Recording(
        seconds=length / HEARING_RATE,
        turns=tuple(reader.turns),
        events=_joined(reader.events),
        peaks=np.concatenate(peaks) if peaks else np.zeros(0, np.float32),
    )


class _Reader:
    """Reads stretch after stretch as the listener does live, and gathers the turns."""

    def __init__(self, stream: ParalinguisticStream) -> None:
        self.stream = stream
        self.turns: list[Turn] = []
        self.events: list[VocalEvent] = []
        self._readings: list[Reading] = []
        self._sounds: tuple[VocalEvent, ...] = ()
        self._tracking = Tracking()

    async def read(self, stretch: Between | Spoken) -> None:
        if isinstance(stretch, Between):
            how = await self.stream.analyze(stretch.samples, Manner())
            self.events += joined_sounds((), how.events, stretch.start)
            return
        how = await self.stream.analyze(stretch.samples, stretch.manner)
        self._sounds = joined_sounds(self._sounds, how.events, stretch.start)
        how = replace(self._tracking.weigh(how, stretch.began), events=self._sounds)
        if not stretch.whole:
            self._readings.append(Reading(stretch.end, how))
            return
        self._tracking.remember(how, stretch.end)
        await self.stream.learn(stretch.samples)
        self.events += how.events
        self.turns.append(
            Turn(stretch.began, stretch.end, tuple(self._readings), how, stretch.pitch_hz)
        )
        self._readings, self._sounds = [], ()


def _joined(events: Sequence[VocalEvent]) -> tuple[VocalEvent, ...]:
    """Puts the events in order; one that was cut where two stretches meet becomes whole again."""
    joined: list[VocalEvent] = []
    for event in sorted(events, key=lambda event: (event.start, event.end)):
        last = joined[-1] if joined else None
        if last and last.label == event.label and event.start <= last.end + _SEAM_S:
            joined[-1] = replace(
                last,
                end=max(last.end, event.end),
                confidence=max(last.confidence, event.confidence),
            )
        else:
            joined.append(event)
    return tuple(joined)


def _peaks(frame: Samples) -> NDArray[np.float32]:
    half = np.abs(np.pad(frame, (0, FRAME - frame.size))).reshape(2, -1)
    peaks: NDArray[np.float32] = half.max(axis=1)
    return peaks[: -(-2 * frame.size // FRAME)]
