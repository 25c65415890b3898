"""What a model must not say, and what is said instead.

The rules are data (``knowledge/safety_replies.yaml``).
"""

import random
import re
from dataclasses import dataclass
from functools import lru_cache

from voice_agent.thinking import knowledge
from voice_agent.thinking.plain_words import plain

_OPENING_WORDS = 6


@dataclass(frozen=True, slots=True)
class _Rule:
    kind: str
    signs: re.Pattern[str]
    exception: re.Pattern[str] | None
    instead: tuple[str, ...]


class ReplyReview:
    """Lets a model's reply pass sentence by sentence, and replaces what must not be said.

    A harmless opening ("Oh no,") passes before its sentence is complete, so that the voice can
    begin with it.

    Args:
        seed: Makes the choice among replacements repeatable.
    """

    _END = re.compile(r"[.!?…]+[\"')\]]*(?=\s)")
    _OPENING = re.compile(r"[^.!?…]{1,40}?[,;:—–-](?=\s)")
    _WATCHED = frozenset(
        "i you your my me we way take dose human not never no-one nobody he she they stop just "
        "get go therapy therapists".split()
    )

    def __init__(self, seed: int = 0) -> None:
        self._chooser = random.Random(seed)
        self._sentence = ""
        self._released = 0
        self._replaced: set[str] = set()

    def feed(self, text: str) -> str:
        """Takes more of the reply; returns what may be said."""
        self._sentence += text
        out = ""
        while end := self._END.search(self._sentence):
            rest = self._sentence[end.end() :]
            self._sentence = self._sentence[: end.end()]
            out += self._judge()
            self._sentence = rest
        return out + self._release_opening()

    def finish(self) -> str:
        """The reply is complete: judges what is left."""
        return self._judge() if self._sentence else ""

    def _judge(self) -> str:
        sentence, released = self._sentence, self._released
        self._sentence, self._released = "", 0
        rule = _broken(sentence)
        if rule is None:
            return sentence[released:]
        if rule.kind in self._replaced:
            return "" if not released else "…"
        self._replaced.add(rule.kind)
        space = " " if released or sentence[:1].isspace() else ""
        return f"{space}{self._chooser.choice(rule.instead)}"

    def _release_opening(self) -> str:
        opening = None if self._released else self._OPENING.match(self._sentence)
        if opening is None:
            return ""
        said = plain(opening[0]).split()
        if not 0 < len(said) <= _OPENING_WORDS or self._WATCHED.intersection(said):
            return ""
        self._released = opening.end()
        return opening[0]


def forbidden(sentence: str) -> str | None:
    """The kind of rule that a sentence of a reply breaks; None where it breaks none."""
    rule = _broken(sentence)
    return rule.kind if rule else None


def _broken(sentence: str) -> _Rule | None:
    said = plain(sentence)
    for rule in _rules():
        judged = rule.exception.sub(" ", said) if rule.exception else said
        if rule.signs.search(judged):
            return rule
    return None


@lru_cache(maxsize=1)
def _rules() -> tuple[_Rule, ...]:
    return tuple(
        _Rule(
            kind,
            re.compile(rf"(?<!\w)(?:{'|'.join(rule['signs'])})(?!\w)"),
            re.compile(rule["except"]) if "except" in rule else None,
            tuple(rule["instead"]),
        )
        for kind, rule in knowledge.load("safety_replies").items()
    )
