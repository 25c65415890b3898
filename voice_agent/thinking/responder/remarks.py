"""What may be said of the sound of a voice: tactfully, seldom, and never insisting."""

from collections.abc import Mapping

from voice_agent.thinking.responder.phrasebook import Cue, Lines
from voice_agent.thinking.responder.situation import Situation
from voice_agent.thinking.responder.voice import spoken_of

_REST_TURNS = 4


def of_voice(s: Situation, cues: Mapping[str, Cue]) -> Lines:
    """Lines about the voice that fit; none where they would be tactless or too much.

    Args:
        s: The turn in its conversation.
        cues: All cues there are; after a line of any, some turns pass without one.
    """
    cue = s.cue
    if cue is not None and not s.sure:
        fine = s.now.act is not None and s.now.act.name == "fine"
        told = s.named and not s.voiced
        return () if fine or told else cue.lines.get("lean", ())
    if cue is None or spoken_of(cues.values(), s.history[-_REST_TURNS:]):
        return ()
    if cue.once and spoken_of([cue], s.history):
        return ()
    if cue.valence >= 0:
        return () if s.valence == "negative" or s.opposed else cue.lines["say"]
    fine = s.now.act is not None and s.now.act.name == "fine"
    if not (fine or s.opposed or s.valence == "positive"):
        return cue.lines["say"]
    if s.noticed:
        return ()  # to notice it once is kind, twice is insisting
    return cue.lines.get("fine" if fine else "glad", ())
