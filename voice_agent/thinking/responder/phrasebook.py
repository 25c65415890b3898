"""The knowledge of the embedded responder, read from YAML into typed form."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from voice_agent.thinking import knowledge
from voice_agent.thinking.plain_words import plain, sentences

_SLOT = re.compile(r"\{\w+\}")


_LEAST_FORMULA = 3


@dataclass(frozen=True)
class Line:
    """What the agent can say, perhaps with slots, and how to go on after a yes or a no to it."""

    say: str
    if_yes: tuple["Line", ...] = ()
    if_no: tuple["Line", ...] = ()
    made_of: "Line | None" = None

    @cached_property
    def slots(self) -> frozenset[str]:
        """Names of the slots."""
        return frozenset(slot[1:-1] for slot in _SLOT.findall(self.say))

    @property
    def asks(self) -> bool:
        """Whether it ends with a question."""
        return self.say.endswith("?")

    @cached_property
    def formulas(self) -> "tuple[Formula, ...]":
        """What its sentences with slots are made of, where that is enough to know them by."""
        if self.made_of is not None:
            return self.made_of.formulas
        slotted = [sentence for sentence in sentences(self.say) if _SLOT.search(sentence)]
        formulas = [Formula([plain(piece) for piece in _SLOT.split(one)]) for one in slotted]
        return tuple(one for one in formulas if len(one.fixed.split()) >= _LEAST_FORMULA)

    @cached_property
    def said(self) -> tuple[str, ...]:
        """Its sentences in plain words."""
        return tuple(plain(sentence) for sentence in sentences(self.say))

    def with_slots(self, values: Mapping[str, str]) -> "Line":
        """The line with some of its slots filled."""
        if not self.slots.intersection(values):
            return self
        say = _SLOT.sub(lambda slot: values.get(slot[0][1:-1], slot[0]), self.say)
        return replace(self, say=say, made_of=self.made_of or self)


class Formula:
    """A sentence with gaps, in plain words."""

    def __init__(self, pieces: Sequence[str]) -> None:
        self.fixed = max(pieces, key=len)
        self._pattern = re.compile(r"\s?.+?\s?".join(re.escape(piece) for piece in pieces))

    def made(self, sentence: str) -> bool:
        """Whether the plain sentence was made of it."""
        return self.fixed in sentence and self._pattern.fullmatch(sentence) is not None


Lines = tuple[Line, ...]


@dataclass(frozen=True)
class Moment:
    """Something that people say, and what can be said to just that.

    Attributes:
        name: Its name.
        words: Patterns of it; their named groups fill slots.
        mood: ``bad`` where it does not fit a glad turn, ``good`` where it does not fit a sad one,
            ``heavy`` where it fits a sad one alone; else empty.
        shape: It is told by the build of the sentence alone, and says less than the others.
        reply: How to speak where nothing else settles it.
        lines: What to say, by kind.
    """

    name: str
    words: tuple[re.Pattern[str], ...]
    mood: str
    shape: bool
    reply: str
    lines: Mapping[str, Lines]


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


MOMENTS = (
    "moments_trouble",
    "moments_people",
    "moments_glad",
    "moments_daily",
    "moments_turns",
    "shapes",
)
"""Files of moments; what stands first counts for more."""


class Phrasebook:
    """All of it, loaded once."""

    def __init__(self) -> None:
        talk, itself = knowledge.load("talk"), knowledge.load("itself")
        general = knowledge.load("general")
        feelings, topics = knowledge.load("feelings"), knowledge.load("topics")
        self.language = knowledge.load("language")
        self.moments = tuple(
            _moment(name, data, shape=file == "shapes")
            for file in MOMENTS
            for name, data in knowledge.load(file).items()
        )
        self.recall = _pools(knowledge.load("recall"))
        screen = knowledge.load("screen")
        self.feeling_words = _any(screen["feelings"])
        self.other_languages = _any(screen["other_languages"])
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
            *(moment.lines for moment in self.moments),
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


def _moment(name: str, data: Mapping[str, Any], shape: bool) -> Moment:
    return Moment(
        name=name,
        words=tuple(re.compile(rf"(?<!\w)(?:{words})(?!\w)") for words in data["words"]),
        mood=data.get("mood", ""),
        shape=shape,
        reply=data.get("reply", ""),
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
