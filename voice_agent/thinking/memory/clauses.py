"""What a turn tells as true: its clauses without questions, suppositions, quotes and reports."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from voice_agent.thinking import knowledge
from voice_agent.thinking.responder.mirror import Mirror

_WORD = re.compile(r"[^\W_]+(?:['-][^\W_]+)*")
_SENTENCE = re.compile(r"([^.!?;\n…]+)([.!?;\n…]*)")
_APPOSED = re.compile(r"\b([Mm]y [\w-]+), ([A-Z][\w-]+),")
_NUMBER_POINT = re.compile(r"(?<=\d)[.,](?=\d)")
_JOINTS = frozenset("and but so because cause cos though although while".split())
_SUBJECTS = frozenset(
    "i i'm im i've i'd i'll my we we're we've our he he's she she's they they're they've it it's "
    "his her their you there there's this that that's".split()
)
_ALONE = frozenset("i i'm im i've he she they we he's she's they're we're we've".split())
"""Subjects before which words without punctuation fall apart by themselves."""
_LINKS = frozenset(
    "that when if than as who what where how like because and but or so why while until since "
    "before after which whom whenever though although cause cos the a every all everything "
    "anything something think know believe guess hope wish feel felt mean sure glad do am was "
    "if whether day time way thing place one".split()
)
"""Words after which a subject belongs to what goes before it."""
_SHORTEST = 3


@dataclass(frozen=True, slots=True)
class Clause:
    """Something told.

    Attributes:
        words: Its words as they were written.
        said: The same in lower case, with single spaces.
        negated: Something in it is denied.
    """

    words: tuple[str, ...]
    said: str
    negated: bool

    def between(self, start: int, end: int) -> list[str]:
        """The words of a part of ``said``, as they were written."""
        before, part = self.said[:start].split(), self.said[start:end].split()
        return list(self.words[len(before) : len(before) + len(part)])


@lru_cache(maxsize=1)
def known() -> dict[str, Any]:
    """The contents of ``knowledge/memory.yaml``."""
    return knowledge.load("memory")


@lru_cache(maxsize=1)
def _sets() -> dict[str, frozenset[str]]:
    names = ("framed", "reported", "unsure", "questions", "negations", "empty")
    return {name: frozenset(known()[name]) for name in names}


@lru_cache(maxsize=1)
def _stories() -> re.Pattern[str]:
    return re.compile(known()["stories"])


@lru_cache(maxsize=1)
def _language() -> tuple[Mirror, frozenset[str]]:
    language = knowledge.load("language")
    return Mirror(language), frozenset(language["fillers"])


def empty_words() -> frozenset[str]:
    """Words that say nothing of what a turn is about."""
    return _sets()["empty"]


def turned_round(words: Sequence[str]) -> str:
    """Exchanges the person for the one spoken to: ``"I live here"`` → ``"you live here"``."""
    return _language()[0].turn_round(words)


def told(text: str) -> list[Clause]:
    """The clauses of a turn that tell something as true, in their order."""
    text = text.replace("’", "'").replace("‘", "'")
    if text.isupper():
        text = text.lower()
    text = _NUMBER_POINT.sub("", _APPOSED.sub(r"\1 \2", text))
    return [clause for sentence in _sentences(text) for clause in _clauses(sentence)]


def _sentences(text: str) -> Iterator[str]:
    for sentence, end in _SENTENCE.findall(text):
        words = [word.lower() for word in _WORD.findall(sentence)]
        if "?" in end or '"' in sentence or "“" in sentence or not words:
            continue
        if not (_sets()["framed"] | _sets()["reported"]).isdisjoint(words):
            continue
        if _stories().search(" ".join(words)) is None:
            yield sentence


def _clauses(sentence: str) -> Iterator[Clause]:
    for part in re.split(r"[,:()—–]+", sentence):
        for words in _split(_WORD.findall(part)):
            clause = _trimmed(words)
            lower = [word.lower() for word in clause]
            if len(clause) < 2 or lower[0] in _sets()["questions"]:
                continue
            if _sets()["unsure"].isdisjoint(lower):
                negated = not _sets()["negations"].isdisjoint(lower)
                yield Clause(tuple(clause), " ".join(lower), negated)


def _split(words: Sequence[str]) -> Iterator[list[str]]:
    piece: list[str] = []
    for position, word in enumerate(words):
        lower = word.lower()
        following = words[position + 1].lower() if position + 1 < len(words) else ""
        joint = lower in _JOINTS and (following in _SUBJECTS or following in _sets()["questions"])
        alone = lower in _ALONE and len(piece) >= _SHORTEST and piece[-1].lower() not in _LINKS
        if piece and (joint or alone):
            yield piece
            piece = []
        if not joint:
            piece.append(word)
    yield piece


def _trimmed(words: list[str]) -> list[str]:
    fillers = _language()[1]
    while words and words[0].lower() in fillers:
        words = words[1:]
    return [word for word in words if word.lower() not in ("um", "uh", "er", "erm")]
