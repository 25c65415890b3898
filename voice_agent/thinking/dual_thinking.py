"""Words for how something was said, and the messages that make a language model think dually.

The model is shown what was said beside how it was said, in OSUM-EChat's order (words, age,
gender, emotion, sound events, then the manner), thinks about both, and answers last.
"""

from collections.abc import Mapping
from typing import Any

from voice_agent.events import (
    Conduct,
    Exchange,
    Manner,
    Memory,
    Paralinguistics,
    Prompt,
    Thought,
    ToolUse,
    UserTurn,
)
from voice_agent.thinking.instructions import render_instructions
from voice_agent.thinking.stream_parser import TAGS
from voice_agent.thinking.words_and_voice import disagreement, feeling_in_words

_LEAST_POSTERIOR = 0.4
_LEAST_EVENT = 0.5

_UNFINISHED = "They are still speaking. Give your thought in <think>, and no answer yet."


def render_messages(prompt: Prompt) -> list[dict[str, Any]]:
    """The prompt as chat messages: ``role`` (system, user, assistant, tool), ``content``.

    Messages of the assistant may have ``tool_calls`` in OpenAI's form. All but the last message
    stay as they are from turn to turn, for the sake of prefix caches.
    """
    conduct = prompt.conduct
    system = render_instructions(conduct, prompt.instructions)
    messages: list[dict[str, Any]] = [{"role": "system", "content": system}]
    for past in prompt.history:
        if past.user is not None and (past.user.text or past.user.how):
            messages.append({"role": "user", "content": render_turn(past.user, conduct)})
        if past.reply or past.tools:
            messages += _render_reply(past, conduct)
    after_tools = messages[-1]["role"] == "tool" and not prompt.turn.text
    return (
        messages if after_tools else [*messages, {"role": "user", "content": _render_now(prompt)}]
    )


def _render_now(prompt: Prompt) -> str:
    lines = [render_turn(prompt.turn, prompt.conduct)]
    if prompt.memories:
        known = "; ".join(_render_memory(memory) for memory in prompt.memories)
        lines.append(f"<known_of_them>{known}</known_of_them>")
    if prompt.draft is not None and prompt.conduct.think != "none":
        words = prompt.draft.words.replace('"', "'")
        so_far = _render_fields(prompt.draft.thought, prompt.conduct)
        lines.append(f'<thought_so_far for="{words}">{so_far}</thought_so_far>')
    if prompt.aim == "thought":
        lines.append(_UNFINISHED)
    return "\n".join(lines)


def _render_memory(memory: Memory) -> str:
    when = " (in an earlier conversation)" if memory.earlier else ""
    return f"{memory.text}{when}"


def render_turn(turn: UserTurn, conduct: Conduct | None = None) -> str:
    """A turn in tag form: the words and, for spoken ones, each label that is known.

    Where emotions are not to be reflected, there are the words alone.
    """
    lines = [f"<words>{turn.text}</words>"]
    if turn.how is None or (conduct is not None and not conduct.reflect_emotions):
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


def _render_reply(past: Exchange, conduct: Conduct) -> list[dict[str, Any]]:
    """A past answer as the person heard it, in the form that the model shall keep to."""
    heard = f"{past.reply} [interrupted]" if past.interrupted and past.reply else past.reply
    thought = render_thought(past.thought, conduct) if past.thought and heard else ""
    message: dict[str, Any] = {"role": "assistant", "content": thought + heard}
    if not past.tools:
        return [message]
    message["tool_calls"] = [
        {
            "id": use.call.id,
            "type": "function",
            "function": {"name": use.call.name, "arguments": use.call.arguments},
        }
        for use in past.tools
    ]
    return [message, *(_render_output(use) for use in past.tools)]


def _render_output(use: ToolUse) -> dict[str, Any]:
    output = "(no result yet)" if use.output is None else use.output
    return {"role": "tool", "tool_call_id": use.call.id, "name": use.call.name, "content": output}


def render_thought(thought: Thought, conduct: Conduct | None = None) -> str:
    """A thought in the form that ``stream_parser`` reads; nothing where there is none to be."""
    conduct = conduct or Conduct()
    if conduct.think == "none":
        return ""
    return f"<think>{_render_fields(thought, conduct)}</think>"


def _render_fields(thought: Thought, conduct: Conduct) -> str:
    if conduct.think == "natural":
        seen = (thought.linguistic, thought.paralinguistic)
        paragraph = " ".join(part for part in seen if part)
        return f"{paragraph} Strategy: {thought.strategy}. Tone: {thought.reply_emotion}."
    fields = {tag: getattr(thought, name) for tag, name in TAGS.items()}
    return "".join(f"<{tag}>{text}</{tag}>" for tag, text in fields.items() if text)
