"""What was heard: words and manner."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from voice_agent.audio.pcm import Samples


@dataclass(frozen=True, slots=True)
class Word:
    """One recognised word with its times in seconds and a confidence in [0, 1] where known."""

    text: str
    start: float
    end: float
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What the person seems to have said so far in this turn.

    Attributes:
        text: The whole hypothesis.
        stable: The leading part of ``text`` that will not change any more.
        final: Whether the recognizer has finished its work on the turn.
        words: Words with times, where the recognizer gives them.
        confidence: Mean confidence in [0, 1], or None where unknown.
    """

    text: str
    stable: str = ""
    final: bool = False
    words: tuple[Word, ...] = ()
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """A measured value with a confidence in [0, 1]."""

    value: float
    confidence: float


@dataclass(frozen=True, slots=True)
class VocalEvent:
    """A sound that is no word (one of ``VOCAL_EVENTS``), with its times and a confidence."""

    label: str
    start: float
    end: float
    confidence: float


@dataclass(frozen=True, slots=True)
class Manner:
    """How the words were spoken, as measured. None where there was too little speech to tell.

    Attributes:
        speech_s: Seconds of speech measured.
        pitch_hz: Median pitch of the voiced frames.
        pitch_low_hz, pitch_high_hz: 10th and 90th percentile of pitch.
        pitch_range_st: The distance between those two, in semitones.
        pitch_shift_st: Median pitch against the speaker's own baseline, in semitones.
        level_db: Level of the speech frames in dB relative to full scale.
        level_shift_db: Level against the speaker's own baseline, in dB.
        syllable_rate: Syllables a second of speech.
        rate_shift: Syllable rate divided by the speaker's own baseline.
        pause_share: Share of the time between first and last speech that was silent.
        voiced_share: Share of the speech frames that are voiced.
        phonation: Posterior over ``PHONATIONS``; empty where unknown.
        confidence: How far each of the values above can be trusted, in [0, 1], by its name; a
            value that is None has no entry.
    """

    speech_s: float = 0.0
    pitch_hz: float | None = None
    pitch_low_hz: float | None = None
    pitch_high_hz: float | None = None
    pitch_range_st: float | None = None
    pitch_shift_st: float | None = None
    level_db: float | None = None
    level_shift_db: float | None = None
    syllable_rate: float | None = None
    rate_shift: float | None = None
    pause_share: float | None = None
    voiced_share: float | None = None
    phonation: Mapping[str, float] = field(default_factory=dict)
    confidence: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Paralinguistics:
    """How something was said.

    Attributes:
        manner: Measurements.
        emotion: Posterior over ``EMOTIONS``; empty where unknown. What to believe: from the second
            turn on it weighs in what was heard before.
        evidence: What this speech alone says of the emotion, where ``emotion`` weighs in more.
        calm: Part of ``emotion["neutral"]`` that sounds at ease rather than just even, in [0, 1].
        valence, arousal, dominance: In [-1, 1]; None where unknown.
        gender, age: Posteriors over female/male and child/adult/old; empty where unknown.
        events: Sounds that are no words.
        uncertain: True where the posteriors are too weak to build on.
    """

    manner: Manner = field(default_factory=Manner)
    emotion: Mapping[str, float] = field(default_factory=dict)
    evidence: Mapping[str, float] = field(default_factory=dict)
    calm: float = 0.0
    valence: Estimate | None = None
    arousal: Estimate | None = None
    dominance: Estimate | None = None
    gender: Mapping[str, float] = field(default_factory=dict)
    age: Mapping[str, float] = field(default_factory=dict)
    events: tuple[VocalEvent, ...] = ()
    uncertain: bool = True


@dataclass(frozen=True, slots=True)
class Pause:
    """A silence inside or after a user's turn, described to a turn detector.

    Attributes:
        silence_s: How long the silence has lasted.
        speech_s: Speech in this turn before it.
        longest_pause_s: The longest silence in this turn after which the person went on; 0 if none.
        text: The words of the turn so far.
        pitch_slope_st: Pitch movement over the last voiced half second, semitones a second.
        pitch_end_st: Pitch of the last voiced frames against the turn's median, in semitones.
        level_slope_db: Level movement over the last half second of speech, dB a second.
        level_end_db: Level of the last 200 ms of speech against the turn's speech level, in dB.
        last_syllable_s: Length of the last voiced stretch (final lengthening).
        audio: The last seconds of the turn, 16 kHz mono float32, at most 8 s.
    """

    silence_s: float
    speech_s: float
    longest_pause_s: float
    text: str
    pitch_slope_st: float
    pitch_end_st: float
    level_slope_db: float
    level_end_db: float
    last_syllable_s: float
    audio: Samples
