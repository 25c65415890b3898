"""What the listener tells: speech that begins, words and voice so far, and turns that are over."""

from dataclasses import dataclass, field

from voice_agent.audio.pcm import Samples
from voice_agent.events import Hypothesis, Paralinguistics


@dataclass(frozen=True, slots=True)
class Utterance:
    """What a person said in a turn, and how.

    Attributes:
        hypothesis: The words; its text is empty where none were recognised.
        how: How they were said.
        start, end: Seconds of received audio at which the first speech began and the last ended.
        decided: Seconds of received audio at which the turn was taken as over.
        decided_at: ``time.perf_counter()`` at that moment.
        speech_s: Seconds of speech in it.
        voiced_share: Share of the speech that is voiced.
        audio: The turn, the last 30 s of it at most.
    """

    hypothesis: Hypothesis
    how: Paralinguistics
    start: float
    end: float
    decided: float
    decided_at: float
    speech_s: float
    voiced_share: float
    audio: Samples = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Started:
    """Speech began at ``at`` seconds."""

    at: float


@dataclass(frozen=True, slots=True)
class Partial:
    """The hypothesis grew."""

    hypothesis: Hypothesis


@dataclass(frozen=True, slots=True)
class Reading:
    """How it sounds so far."""

    how: Paralinguistics


@dataclass(frozen=True, slots=True)
class Draft:
    """The turn may be over; this is what it would be."""

    utterance: Utterance


@dataclass(frozen=True, slots=True)
class Resumed:
    """The turn was not over: the last draft is stale."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The turn is over."""

    utterance: Utterance


@dataclass(frozen=True, slots=True)
class Failed:
    """An engine of hearing failed; the running turn may be incomplete."""

    error: Exception


HearingEvent = Started | Partial | Reading | Draft | Resumed | Finished | Failed
