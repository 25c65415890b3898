"""The thought of a turn, put together from what its reading and its situation tell."""

from voice_agent.events import Thought
from voice_agent.thinking.dual_thinking import describe
from voice_agent.thinking.responder.situation import Situation

_SEEMING = {"grief": "to be grieving", "love": "full of love"}


def thought_of(
    s: Situation,
    *,
    strategy: str,
    reply_emotion: str,
    style: str,
    stage: str = "",
    reason: str = "",
) -> Thought:
    """The thought, with what the answer decided.

    Where feelings must not be read from the voice, what belongs to the voice stays empty, and
    nothing is said of what the person feels.
    """
    return Thought(
        linguistic=_linguistic(s),
        paralinguistic=_paralinguistic(s) if s.reflects else "",
        strategy=strategy,
        reply_emotion=reply_emotion,
        style=style,
        stimulus=s.now.stimulus,
        appraisal=s.now.appraisal.says if s.now.appraisal else "",
        need=f"They seem to need {s.need.says}." if not s.now.unheard else "",
        conflict=_conflict(s),
        stage=stage,
        reason=reason,
    )


def _linguistic(s: Situation) -> str:
    now = s.now
    if now.unheard == "silence":
        return "No words came."
    if now.unheard:
        return "The words did not come through clearly; better ask than guess."
    if now.act is not None:
        meaning = f"No story of their own in this turn: {now.act.name.replace('_', ' ')}."
    elif now.told:
        meaning = f"They say that {now.told}."
    else:
        about = now.thing.replace("your ", "their ") or (now.topic.name if now.topic else "")
        meaning = f"They speak of {about.replace('_', ' ')}." if about else f"They say: {now.said}."
    if now.advice:
        meaning += " They ask what to do."
    if s.feeling is None or not s.reflects:
        return meaning
    seeming = _SEEMING.get(s.feeling.name, s.feeling.name)
    if s.voiced:
        return f"{meaning} The words name no feeling; the voice makes them seem {seeming}."
    return f"{meaning} {'They seem' if s.named else 'Earlier they seemed'} {seeming}."


def _paralinguistic(s: Situation) -> str:
    heard = describe(s.how)
    if s.change:
        heard += f", {s.change}"
    if s.cue is not None:
        heard += f": {s.cue.meaning}" + ("" if s.sure else ", not surely")
    return heard


def _conflict(s: Situation) -> str:
    if s.contrast:
        return s.contrast
    fine = s.now.act is not None and s.now.act.name == "fine"
    if s.cue is None or not s.sure or s.cue.valence >= 0 or not (fine or s.opposed):
        return ""
    said = "they say they are fine" if fine else "the words sound well"
    return f"{said}, the voice is {s.cue.meaning}"
