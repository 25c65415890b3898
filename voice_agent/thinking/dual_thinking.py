"""Words for how something was said, and the prompt that makes a language model think dually.

The model is shown what was said beside how it was said, in OSUM-EChat's order (words, age,
gender, emotion, sound events, then the manner), thinks about both, and answers last.
"""

from collections.abc import Mapping

from voice_agent.events import (
    REPLY_EMOTIONS,
    Exchange,
    Manner,
    Paralinguistics,
    Prompt,
    Strategy,
    Thought,
    UserTurn,
)
from voice_agent.thinking.words_and_voice import disagreement, feeling_in_words

_LEAST_POSTERIOR = 0.4
_LEAST_EVENT = 0.5

_INSTRUCTIONS = f"""\
You are a warm, attentive partner in a spoken conversation. You are a machine and say so when \
asked; you never claim a body, a life or feelings of your own. You hear the person's words and \
are told how they were spoken; readings of a voice can be wrong, so speak of them tentatively \
and give them less weight when they are called uncertain. A contrast of words and voice may mean \
many things: notice it gently, never insist, never call it a lie.

First think, then answer, in exactly this form:
<think><linguistic>what was said and what it means for the person</linguistic>\
<paralinguistic>how it was said and what that tells</paralinguistic>\
<strategy>one of: {", ".join(Strategy)}</strategy>\
<emotion>how you speak, one of: {", ".join(REPLY_EMOTIONS)}</emotion>\
<style>a short caption of the tone of voice</style></think>your answer

Keep each thought to one sentence. The answer is spoken: one to three short sentences, at most \
forty words, beginning with a phrase of a few words; no lists, markup, emoji or stage directions. \
Answer the content and the feeling. Do not diagnose, prescribe, promise secrecy, or repeat what \
you said before. Give advice only when it is wanted."""


def render_messages(prompt: Prompt) -> list[dict[str, str]]:
    """The prompt as chat messages: ``role`` (system, user, assistant) and ``content``."""
    instructions = f"{_INSTRUCTIONS}\n\n{prompt.instructions}".strip()
    messages = [{"role": "system", "content": instructions}]
    for past in prompt.history:
        if past.user is not None:
            messages.append({"role": "user", "content": render_turn(past.user)})
        if past.reply:
            messages.append({"role": "assistant", "content": _render_reply(past)})
    return [*messages, {"role": "user", "content": render_turn(prompt.turn)}]


def render_turn(turn: UserTurn) -> str:
    """A turn in tag form: the words and, for spoken ones, each label that is known."""
    lines = [f"<words>{turn.text}</words>"]
    if turn.how is None:
        return lines[0]
    how = turn.how
    if age := _top(how.age):
        lines.append(f"<age>{age}</age>")
    if gender := _top(how.gender):
        lines.append(f"<gender>{gender}</gender>")
    if emotion := _top(how.emotion):
        certainty = "uncertain" if how.uncertain else f"{how.emotion[emotion]:.0%}"
        lines.append(f"<emotion>{emotion} ({certainty})</emotion>")
    if events := _events(how):
        lines.append(f"<sound_events>{', '.join(events)}</sound_events>")
    lines.append(f"<manner>{describe(how)}</manner>")
    differing = disagreement(feeling_in_words(turn.text), how)
    if differing is not None and differing.clause:
        lines.append(f"<contrast>{differing.clause}</contrast>")
    return "\n".join(lines)


def describe(how: Paralinguistics | None) -> str:
    """How something was said, in plain words: ``"spoken softly and slowly; uncertain"``."""
    if how is None:
        return "typed, so there is no voice to hear"
    parts = [_describe_manner(how.manner)]
    if events := _events(how):
        parts.append(f"with a {' and a '.join(events)}")
    if emotion := _top(how.emotion):
        parts.append(f"sounding {_SOUNDING[emotion]}")
    description = ", ".join(parts)
    return f"{description}; uncertain" if how.uncertain else description


_SOUNDING = {
    "sad": "sad",
    "anger": "angry",
    "neutral": "calm",
    "happy": "happy",
    "surprise": "surprised",
    "fear": "afraid",
    "disgust": "disgusted",
    "other": "hard to read",
}


def _describe_manner(manner: Manner) -> str:
    if manner.speech_s < 0.3:
        return "too little speech to tell how"
    adverbs = [
        _grade(manner.level_shift_db, -4.0, "softly", 4.0, "loudly"),
        _pace(manner),
        _grade(manner.pause_share, -1.0, "", 0.4, "haltingly"),
    ]
    spoken = [word for word in adverbs if word]
    qualities = [
        _grade(manner.pitch_shift_st, -1.5, "lower than usual", 2.0, "higher than usual"),
        _grade(manner.pitch_range_st, 2.5, "in a flat voice", 11.0, "in a lively voice"),
    ]
    described = f"spoken {' and '.join(spoken)}" if spoken else ""
    parts = [part for part in (described, *qualities) if part]
    return ", ".join(parts) if parts else "spoken in an even voice"


def _pace(manner: Manner) -> str:
    if manner.rate_shift is not None:
        return _grade(manner.rate_shift, 0.82, "slowly", 1.2, "fast")
    return _grade(manner.syllable_rate, 2.5, "slowly", 6.5, "fast")


def _grade(value: float | None, low: float, below: str, high: float, above: str) -> str:
    if value is None or low < value < high:
        return ""
    return below if value <= low else above


def _top(posterior: Mapping[str, float]) -> str:
    label = max(posterior, key=lambda key: posterior[key], default="")
    return label if label and posterior[label] >= _LEAST_POSTERIOR else ""


def _events(how: Paralinguistics) -> list[str]:
    heard = [event.label for event in how.events if event.confidence >= _LEAST_EVENT]
    return [label for label in dict.fromkeys(heard) if label != "other"]


def _render_reply(past: Exchange) -> str:
    """A past answer as the person heard it, in the form that the model shall keep to."""
    heard = f"{past.reply} [interrupted]" if past.interrupted else past.reply
    return heard if past.thought is None else f"{render_thought(past.thought)}{heard}"


def render_thought(thought: Thought) -> str:
    """A thought in the tag form that ``stream_parser`` reads."""
    return (
        f"<think><linguistic>{thought.linguistic}</linguistic>"
        f"<paralinguistic>{thought.paralinguistic}</paralinguistic>"
        f"<strategy>{thought.strategy}</strategy>"
        f"<emotion>{thought.reply_emotion}</emotion>"
        f"<style>{thought.style}</style></think>"
    )
