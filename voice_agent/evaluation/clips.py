"""Labelled clips read one by one, each as if a stranger had said it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from voice_agent.audio.files import read_whole
from voice_agent.audio.pcm import HEARING_RATE, Samples
from voice_agent.engines import ParalinguisticAnalyzer
from voice_agent.evaluation.degradation import add_noise, telephone
from voice_agent.evaluation.manifest import Clip
from voice_agent.evaluation.turns import measure
from voice_agent.events import Manner, Paralinguistics
from voice_agent.hearing.manner import Speaker
from voice_agent.hearing.prosody import TurnProsody
from voice_agent.hearing.vad import VadModel

_TIMED_CLIPS = 20
_TIMED = 3 * HEARING_RATE


@dataclass(frozen=True, slots=True)
class Condition:
    """What the recordings go through before they are heard: noise first, then the line.

    Attributes:
        telephone: Whether they come over a telephone.
        noise_db: Signal-to-noise ratio in dB; None for no noise.
        seed: What the noise depends on, together with the row of the clip.
    """

    telephone: bool = False
    noise_db: float | None = None
    seed: int = 0

    def load(self, clip: Clip) -> Samples:
        """Reads a clip, 16 kHz mono float32, as it is heard.

        Raises:
            AudioError: It cannot be read.
        """
        samples = read_whole(clip.path)
        if self.noise_db is not None:
            rng = np.random.default_rng((self.seed, clip.row))
            samples = add_noise(samples, self.noise_db, rng)
        return telephone(samples) if self.telephone else samples


@dataclass(frozen=True, slots=True)
class ClipReading:
    """A clip and how it was heard.

    Attributes:
        clip: The clip.
        how: Its reading.
        prosody: What was measured of it.
        seconds: Its length.
        took_s: Seconds that measuring and reading took.
    """

    clip: Clip
    how: Paralinguistics
    prosody: TurnProsody
    seconds: float
    took_s: float


async def read_clip(
    clip: Clip, analyzer: ParalinguisticAnalyzer, vad: VadModel, condition: Condition
) -> ClipReading:
    """Reads a whole clip on a stream of its own, so that nothing is known of its speaker.

    Raises:
        AudioError: It cannot be read.
        EngineError: The analyzer failed.
    """
    samples = condition.load(clip)
    stream = await analyzer.open()
    try:
        begun = perf_counter()
        prosody = measure(samples, vad)
        how = await stream.analyze(samples, Speaker().manner(prosody))
        took_s = perf_counter() - begun
    finally:
        await stream.close()
    return ClipReading(clip, how, prosody, samples.size / HEARING_RATE, took_s)


async def read_clips(
    clips: Sequence[Clip],
    analyzer: ParalinguisticAnalyzer,
    vad: VadModel,
    condition: Condition,
    progress: Callable[[], None] = lambda: None,
) -> list[ClipReading]:
    """Reads one clip after the other, telling ``progress`` after each."""
    # The first reading of all may load what the engine needs; it is no measure of its pace.
    await read_clip(clips[0], analyzer, vad, condition)
    readings = []
    for clip in clips:
        readings.append(await read_clip(clip, analyzer, vad, condition))
        progress()
    return readings


async def time_of_3_s(
    readings: Sequence[ClipReading], analyzer: ParalinguisticAnalyzer, condition: Condition
) -> float:
    """Median milliseconds that the analyzer takes for 3 s of audio, already measured."""
    times = []
    stream = await analyzer.open()
    try:
        for reading in readings[:_TIMED_CLIPS]:
            samples = np.resize(condition.load(reading.clip), _TIMED)
            manner: Manner = reading.how.manner
            begun = perf_counter()
            await stream.analyze(samples, manner)
            times.append(1000 * (perf_counter() - begun))
    finally:
        await stream.close()
    return float(np.median(times))
