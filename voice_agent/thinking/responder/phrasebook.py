"""The knowledge of the embedded responder, read from YAML into typed form."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from voice_agent.thinking import knowledge
from voice_agent.thinking.plain_words import plain, sentences

_SLOT = re.compile(r"\{\w+\}")


@dataclass(frozen=True)
class Line:
    """A sentence of the agent, perhaps with slots, and how to go on after a yes or a no to it."""

    say: str
    if_yes: tuple["Line", ...] = ()
    if_no: tuple["Line", ...] = ()

    @property
    def slots(self) -> set[str]:
        """Names of the slots."""
        return {slot[1:-1] for slot in _SLOT.findall(self.say)}

    @property
    def asks(self) -> bool:
        """Whether it ends with a question."""
        return self.say.endswith("?")

    @cached_property
    def formula(self) -> re.Pattern[str]:
        """Matches a plain sentence that was made of the first one of this line."""
        first = sentences(self.say)[0]
        fixed = [re.escape(plain(piece)) for piece in _SLOT.split(first)]
        return re.compile(r"\s?.+?\s?".join(fixed))

    @cached_property
    def first(self) -> str:
        """The first sentence in plain words."""
        return plain(sentences(self.say)[0])


Lines = tuple[Line, ...]


@dataclass(frozen=True)
class Feeling:
    """A feeling: how it is recognised and how it is answered."""

    name: str
    valence: float
    reply: str
    style: str
    said: re.Pattern[str] | None
    hints: re.Pattern[str] | None
    classes: Mapping[str, float]
    lines: Mapping[str, Lines]


@dataclass(frozen=True)
class Topic:
    """Something people talk about."""

    name: str
    words: re.Pattern[str]
    noun: re.Pattern[str] | None
    feeling: str
    denied: str
    lines: Mapping[str, Lines]


@dataclass(frozen=True)
class Act:
    """A move in a conversation that carries no story."""

    name: str
    words: re.Pattern[str] | None
    anywhere: bool
    reply: str
    lines: Mapping[str, Lines]


@dataclass(frozen=True)
class Cue:
    """What the sound of a voice suggests.

    Attributes:
        name: Its name.
        valence: 1 pleasant, -1 unpleasant, 0 neither.
        reply: How to speak where the words do not settle it.
        style: Caption of that voice.
        meaning: The same in words.
        once: Not to be spoken of twice in a conversation.
        lines: ``say``, what to say instead of it over ``glad`` words and over a mere ``fine``, and
            ``lean`` where it may not be spoken of.
    """

    name: str
    valence: int
    reply: str
    style: str
    meaning: str
    once: bool
    lines: Mapping[str, Lines]


class Phrasebook:
    """All of it, loaded once."""

    def __init__(self) -> None:
        talk, itself = knowledge.load("talk"), knowledge.load("itself")
        general = knowledge.load("general")
        feelings, topics = knowledge.load("feelings"), knowledge.load("topics")
        self.language = knowledge.load("language")
        self.feelings = {name: _feeling(name, data) for name, data in feelings.items()}
        self.topics = {name: _topic(name, data) for name, data in topics.items()}
        self.acts = {name: _act(name, data) for name, data in talk.pop("acts").items()}
        self.itself = {n: _act(n, d, anywhere=True) for n, d in itself["itself"].items()}
        self.back = _lines(itself["back"])
        self.unknown = {n: _act(n, d, anywhere=True) for n, d in itself["unknown"].items()}
        self.bridge = _pools(general.pop("bridge"))
        self.general = {name: _pools(data) for name, data in general.items()}
        self.unheard = {name: _lines(d) for name, d in talk.items() if isinstance(d, list)}
        self.short = {name: _pools(d) for name, d in talk.items() if isinstance(d, dict)}
        self.cues = {name: _cue(name, data) for name, data in knowledge.load("voice").items()}

    @cached_property
    def with_answers(self) -> Lines:
        """The questions that know how to go on after a yes or a no."""
        pools = [
            *self.general.values(),
            *(feeling.lines for feeling in self.feelings.values()),
            *(topic.lines for topic in self.topics.values()),
        ]
        asked = [line for pool in pools for line in pool.get("ask", ())]
        asked += [line for act in self.acts.values() for line in act.lines.get("then", ())]
        return tuple(line for line in asked if line.if_yes)


def _lines(entries: Sequence[Any]) -> Lines:
    return tuple(
        Line(entry)
        if isinstance(entry, str)
        else Line(entry["say"], _lines(entry["if_yes"]), _lines(entry["if_no"]))
        for entry in entries
    )


def _pools(data: Mapping[str, Any]) -> dict[str, Lines]:
    return {
        name: _lines(entries)
        for name, entries in data.items()
        if isinstance(entries, list) and name not in ("words", "noun", "said", "hints")
    }


def _any(patterns: Sequence[str] | None) -> re.Pattern[str] | None:
    if not patterns:
        return None
    return re.compile("|".join(rf"(?<!\w)(?:{pattern})(?!\w)" for pattern in patterns))


def _feeling(name: str, data: Mapping[str, Any]) -> Feeling:
    return Feeling(
        name=name,
        valence=float(data["valence"]),
        reply=data["reply"],
        style=data["style"],
        said=_any(data.get("said")),
        hints=_any(data.get("hints")),
        classes=data.get("classes", {}),
        lines=_pools(data),
    )


def _topic(name: str, data: Mapping[str, Any]) -> Topic:
    words = _any(data["words"])
    assert words is not None
    nouns = "|".join(sorted(data["noun"], key=len, reverse=True))
    return Topic(
        name=name,
        words=words,
        noun=re.compile(rf"\b(?:(my|our|the|a|an) (?:(\w+) )?)?({nouns})\b") if nouns else None,
        feeling=data["feeling"],
        denied=data.get("not", ""),
        lines=_pools(data),
    )


def _cue(name: str, data: Mapping[str, Any]) -> Cue:
    return Cue(
        name=name,
        valence=data["valence"],
        reply=data["reply"],
        style=data["style"],
        meaning=data["meaning"],
        once=data.get("once", False),
        lines=_pools(data),
    )


def _act(name: str, data: Mapping[str, Any], anywhere: bool = False) -> Act:
    return Act(
        name=name,
        words=_any(data.get("words")),
        anywhere=data.get("anywhere", anywhere),
        reply=data.get("reply", "neutral"),
        lines=_pools(data),
    )
