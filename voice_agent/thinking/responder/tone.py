"""How to speak an answer: the reply emotion and a caption of the voice."""

from voice_agent.thinking.responder.phrasebook import Cue
from voice_agent.thinking.responder.situation import Situation

ONWARD = frozenset({"fine", "agree", "disagree", "dont_know", "nod"})
"""Moves that carry on with what was spoken of, and with its tone."""

SAYING_ENOUGH = frozenset({"cry", "scream"})
"""Sounds that need no words."""

_GENTLE = ("comfort", "gentle, unhurried")
_BRIGHT = ("happy", "joyful", "surprised")


def reply_tone(s: Situation) -> tuple[str, str]:
    """The reply emotion (one of ``REPLY_EMOTIONS``) and the style that suit a turn.

    Words that name a feeling decide; where they name none, the voice does; where the two
    contradict one another and one of them is unhappy, the answer is gentle.
    """
    now, cue = s.now, s.cue
    if now.unheard:
        if cue is not None and now.unheard == "silence" and cue.name in SAYING_ENOUGH:
            return cue.reply, cue.style
        return "sorry", "clear, friendly"
    if now.act is not None and now.act.name not in ONWARD:
        friendly = now.act.reply in ("happy", "joyful", "neutral")
        own = now.act.reply, "friendly, relaxed" if friendly else "gentle"
    elif s.feeling is not None and not s.voiced:
        own = s.feeling.reply, s.feeling.style
    else:
        own = "neutral", "friendly, relaxed"
    return _with_voice(own, s, cue) if cue is not None else own


def _with_voice(own: tuple[str, str], s: Situation, cue: Cue) -> tuple[str, str]:
    low = cue.valence < 0
    fine = s.now.act is not None and s.now.act.name == "fine"
    if s.sure and low and (s.opposed or fine or own[0] in _BRIGHT):
        return _GENTLE
    return (cue.reply, cue.style) if own[0] == "neutral" else own
