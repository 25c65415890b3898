"""What is said, and how."""

from dataclasses import dataclass, field

from voice_agent.audio.pcm import Samples


@dataclass(frozen=True, slots=True)
class Tone:
    """A tone of voice, relative to the voice's neutral one.

    Attributes:
        emotion: The reply emotion it expresses.
        rate: Speaking rate, 1 is neutral.
        pitch_st: Shift of the mean pitch in semitones.
        range: Pitch range, 1 is neutral, 0 monotone.
        volume_db: Loudness in dB.
        pause: Length of the pauses between phrases, 1 is neutral.
        style: Free caption for voices that can follow one.
    """

    emotion: str = "neutral"
    rate: float = 1.0
    pitch_st: float = 0.0
    range: float = 1.0
    volume_db: float = 0.0
    pause: float = 1.0
    style: str = ""


@dataclass(frozen=True, slots=True)
class Phrase:
    """A piece of the reply that is spoken in one go."""

    text: str
    tone: Tone = field(default_factory=Tone)


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word of a phrase and where it lies in the audio it came with (sample offsets).

    It begins in that audio; it may end in a later piece, beyond it.
    """

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Speech:
    """Audio of (a part of) a phrase: mono float32 with the words that it carries.

    Every character of the phrase is in exactly one word, white space included at the word's end,
    so that the words of all pieces joined give the phrase. ``voice`` tells apart voices that take
    turns; an engine leaves it empty.
    """

    samples: Samples
    rate: int
    words: tuple[SpokenWord, ...] = ()
    voice: str = ""
