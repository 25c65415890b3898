"""A tone of voice on top of a neural voice: how fast, how high, how loud it speaks.

The pitch is moved as a tape's is: the voice speaks slower and its audio is played at a higher
sample rate, or the other way round. That costs nothing and adds no artefacts, but it moves the
formants along, so shifts are bounded to what does not change who speaks. A voice that has a style
of its own for the emotion, a recording in it or a speaker for it, carries the pitch and most of the
pace in that style: it is not shifted, and its pace is moved by half only. Loudness always follows
the tone, since voices are levelled to it. The range of the pitch is left to the voice.
"""

from dataclasses import dataclass

from voice_agent.events import Tone

_MOST_ST = 3.0
_SPEEDS = (0.6, 1.6)
_HEADROOM = 0.6
"""Normal loudness below full scale, so that an excited tone does not clip."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a voice is told for a tone.

    Attributes:
        speed: Pace against its own.
        rate: Factor on the sample rate at which its audio is played: above 1 it is higher.
        gain: Factor on its samples.
    """

    speed: float
    rate: float
    gain: float


def shape(tone: Tone, styled: bool) -> Shape:
    """How to speak in a tone.

    Args:
        tone: The tone.
        styled: Whether the voice has a style of its own for the tone's emotion.
    """
    pitch_st = 0.0 if styled else max(-_MOST_ST, min(_MOST_ST, tone.pitch_st))
    rate = 2 ** (pitch_st / 12)
    pace = tone.rate**0.5 if styled else tone.rate
    speed = max(_SPEEDS[0], min(_SPEEDS[1], pace / rate))
    return Shape(speed, rate, _HEADROOM * 10 ** (tone.volume_db / 20))
