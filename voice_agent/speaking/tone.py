"""Tone of voice out of the reply emotion: one table."""

from dataclasses import replace

from voice_agent.events import Tone

_TONES = (
    Tone("neutral"),
    Tone("comfort", rate=0.90, pitch_st=-1.0, range=0.80, volume_db=-2.0, pause=1.30),
    Tone("happy", rate=1.06, pitch_st=1.0, range=1.25, volume_db=0.5, pause=0.90),
    Tone("joyful", rate=1.12, pitch_st=2.0, range=1.50, volume_db=1.5, pause=0.80),
    Tone("surprised", rate=1.05, pitch_st=2.5, range=1.70, volume_db=1.0, pause=1.00),
    Tone("sorry", rate=0.94, pitch_st=-0.5, range=0.70, volume_db=-1.5, pause=1.15),
    Tone("sad", rate=0.86, pitch_st=-1.5, range=0.55, volume_db=-3.0, pause=1.40),
    Tone("tearful", rate=0.82, pitch_st=0.5, range=0.45, volume_db=-4.0, pause=1.60),
    Tone("afraid", rate=1.10, pitch_st=1.5, range=0.70, volume_db=-1.0, pause=1.05),
    Tone("angry", rate=1.06, pitch_st=-0.5, range=1.30, volume_db=2.5, pause=0.85),
    Tone("disgusted", rate=0.95, pitch_st=-2.0, range=1.10, volume_db=0.0, pause=1.10),
)
"""Mild on purpose: a synthetic voice that acts strongly sounds insincere."""

_BY_EMOTION = {tone.emotion: tone for tone in _TONES}


def tone_for(emotion: str, style: str = "") -> Tone:
    """The tone that expresses a reply emotion.

    Args:
        emotion: One of ``events.REPLY_EMOTIONS``; any other is spoken neutrally.
        style: Free caption, carried along for voices that can follow one.
    """
    return replace(_BY_EMOTION.get(emotion, _BY_EMOTION["neutral"]), style=style)
