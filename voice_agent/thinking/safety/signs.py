"""Signs of danger in a person's words.

The rules are data (``knowledge/safety_signs.yaml``). The words are first brought into one form
(spelling, contractions, words that only colour a sentence), what is known to be harmless is taken
out, and then the signs are looked for. A sign that is about somebody else, out of a story, long
past and over, or plainly a manner of speaking does not count, or only as something to watch.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from voice_agent.thinking import knowledge
from voice_agent.thinking.plain_words import plain
from voice_agent.thinking.safety.risk import Danger, Level

_LONGEST = 4000
_SUBJECT_WORDS = 6
_AROUND = 120
_SELF = frozenset("i me myself we us".split())
_OTHERS = frozenset(
    "you he she they who people someone somebody anyone man woman guy girl boy kid kids character "
    "him her them".split()
)
_HELPERS = frozenset(
    "is are was were am do does did has have had will would could can might should been be not "
    "never about going ready".split()
)
_DETERMINERS = frozenset("my the a an this that his her our their your".split())
_MIND = frozenset(
    "brain mind head heart soul body part half voice voices depression life plan plans idea urge "
    "wish dream goal intention decision choice option hope thought thoughts method only thing"
    "".split()
)
_BOUNDS = frozenset(". , and but because so that if when since or now then while".split())
_SENTENCE_ENDS = re.compile(r"[.!?…;\n]+(?=\s|$)")
_CENSORED = re.compile(r"(?<=[a-z])[*@#$013!]+(?=[a-z])")
_LETTERS = str.maketrans(
    {"*": "i", "#": "i", "1": "i", "!": "i", "@": "a", "0": "o", "3": "e", "$": "s"}
)
_OWN_TURN = re.compile(r"\b(?:(?:made|makes|making) me|(?:and|but|so|because|since) i|me too)\b")
_FIRST_PERSON = re.compile(r"\b(i|my|me|myself)\b")


EXPLAINED = ("told", "past", "lightly")
"""Kinds of what looks like a sign and is none, or little: somebody else's or of a story (of level
none), long over, and plainly a manner of speaking."""


@dataclass(frozen=True, slots=True)
class Sign:
    """A sign of danger found in a turn.

    Attributes:
        kind: What it is: ``"wish"``, ``"means"``, ``"farewell"`` and so on; or one of
            ``EXPLAINED``.
        danger: What it is a sign of.
        level: How grave it is by itself.
    """

    kind: str
    danger: Danger
    level: Level


@dataclass(frozen=True, slots=True)
class _Rule:
    kind: str
    danger: Danger
    level: Level
    own: bool
    pattern: re.Pattern[str]


@lru_cache(maxsize=512)
def read(text: str) -> tuple[Sign, ...]:
    """The signs of danger in a turn's words, the gravest first."""
    return _signs().read(text[:_LONGEST])


@lru_cache(maxsize=512)
def unexplained(text: str) -> str:
    """The words without what is known to be harmless; the whole turn where nothing is."""
    return _signs().unexplained(text[:_LONGEST])


class _Signs:
    """The rules with their patterns compiled."""

    def __init__(self, data: dict[str, Any]) -> None:
        self._lexicon: dict[str, str] = data["lexicon"]
        self._spellings = {
            wrong: right for right, slips in data["spellings"].items() for wrong in slips.split()
        }
        self._rewrites = [
            (re.compile(rf"\b{self._filled(pattern)}"), instead)
            for pattern, instead in (line.split(" => ") for line in data["rewrites"])
        ]
        self._colouring = re.compile(rf"\b(?:{data['colouring']})\b ?")
        titles = data["titles"]
        self._titles = re.compile(rf"(?i)\b(?:{titles})\b.{{0,40}}?(\"[^\"]+\"|“[^”]+”|‘[^’]+’)")
        self._harmless = self._any(data["harmless"])
        self._fiction = self._any([data["fiction"]])
        self._quoting = self._any([data["quoting"]])
        self._past = self._any([data["past"]])
        self._recovered = self._any([data["recovered"]])
        self._again = self._any([data["again"]])
        self._hyperbole = self._any([data["hyperbole"]])
        self._grave = self._any([data["grave"]])
        self._now = self._any([self._lexicon["now"]])
        self._rules = [
            _Rule(
                kind,
                Danger(rule["danger"]),
                Level[rule["level"].upper()],
                rule.get("own", False),
                self._any(rule["patterns"]),
            )
            for kind, rule in data["signs"].items()
        ]
        self._relation = re.compile(self._lexicon["who"])
        self._about_others = next(r for r in self._rules if r.danger is Danger.OTHER_AT_RISK)

    def read(self, text: str) -> tuple[Sign, ...]:
        told = self.normal(text)
        said = _without(self._harmless, told)
        about_others = self._about_others.pattern.search(said)
        own = _without(self._about_others.pattern, said) if about_others else said
        found: dict[str, Sign] = {}
        for rule in self._rules:
            judged = said if rule is self._about_others else own
            for match in _overlapping(rule.pattern, judged):
                sign = self._weighed(rule, match, judged)
                if sign is not None and (
                    sign.kind not in found or sign.level > found[sign.kind].level
                ):
                    found[sign.kind] = sign
        signs = self._urgent(list(found.values()), said)
        return tuple(sorted(signs, key=lambda sign: -sign.level))

    def unexplained(self, text: str) -> str:
        told = self.normal(text)
        said = _without(self._harmless, told)
        return text if said == told else said

    def normal(self, text: str) -> str:
        """The words in the form in which they are compared."""
        told = self._titles.sub(" ", text).lower()
        told = _CENSORED.sub(lambda symbols: symbols[0].translate(_LETTERS), told)
        parts = (plain(part) for part in _SENTENCE_ENDS.split(told))
        words = " . ".join(part for part in parts if part).replace("'", " ").split()
        said = " ".join(self._spellings.get(word, word) for word in words)
        said = self._colouring.sub("", said)
        said = re.sub(r"\b(\w+(?: \w+)?)(?: \1\b)+", r"\1", said)
        for pattern, instead in self._rewrites:
            said = pattern.sub(instead, said)
        return said.strip()

    def _weighed(self, rule: _Rule, match: re.Match[str], said: str) -> Sign | None:
        """A sign as grave as what stands around it leaves it."""
        before = said[: match.start()]
        plain_sign = Sign(rule.kind, rule.danger, rule.level)
        if rule.danger not in (Danger.SELF_HARM, Danger.HARM_DONE, Danger.OTHER_AT_RISK):
            told = self._fiction.search(before) and self._quoting.search(before)
            return None if told else plain_sign
        own = self._is_own(before, match[0])
        if (rule.own and own is False) or self._is_told(before, own):
            return Sign(EXPLAINED[0], rule.danger, Level.NONE)
        if rule.level is Level.WATCH:
            return plain_sign
        around = said[max(0, match.start() - _AROUND) : match.end() + _AROUND]
        if self._is_past(around):
            return Sign("past", rule.danger, Level.WATCH)
        if rule.kind in _SAID_LIGHTLY and self._is_light(around):
            return Sign("lightly", rule.danger, Level.WATCH)
        return plain_sign

    def _is_own(self, before: str, sign: str) -> bool | None:
        """Whether the person speaks of themselves; None where no subject is named."""
        first, *_ = sign.split()
        if first in _SELF or first == "my":
            return True
        words = before.split()
        helped = first.endswith("s")
        for at in range(len(words) - 1, max(-1, len(words) - 1 - _SUBJECT_WORDS), -1):
            word, previous = words[at], words[at - 1] if at else ""
            if word in _SELF:
                return True
            if word in _BOUNDS:
                return None
            if word in _HELPERS:
                helped = True
            elif word in _OTHERS or self._relation.fullmatch(word):
                return False
            elif helped and previous in _DETERMINERS:
                # "my battery is about to die", but "my brain wants to die".
                return None if word in _MIND else False
        return None

    def _is_told(self, before: str, own: bool | None) -> bool:
        """Whether it is part of a story, a song or a lesson."""
        mentions = list(self._fiction.finditer(before))
        if not mentions:
            return False
        between = before[mentions[-1].end() :]
        if " . " in between or _OWN_TURN.search(between):
            return False
        return own is not True or bool(self._quoting.search(between))

    def _is_past(self, said: str) -> bool:
        if not self._past.search(said) or not _FIRST_PERSON.search(said):
            return False
        return bool(self._recovered.search(said)) or not self._again.search(said)

    def _is_light(self, said: str) -> bool:
        return bool(self._hyperbole.search(said)) and not self._grave.search(said)

    def _urgent(self, signs: list[Sign], said: str) -> list[Sign]:
        """Signs of intent become acute where it is to be soon."""
        if not self._now.search(said):
            return signs
        return [
            Sign(sign.kind, sign.danger, Level.ACUTE)
            if sign.kind in _URGENT_WHEN_SOON and sign.level is Level.HIGH
            else sign
            for sign in signs
        ]

    def _filled(self, pattern: str) -> str:
        return re.sub(r"<([a-z]+)>", lambda name: f"(?:{self._lexicon[name[1]]})", pattern)

    def _any(self, patterns: list[str]) -> re.Pattern[str]:
        """One pattern for many, each of which begins and ends at the bounds of words."""
        return re.compile(rf"(?<!\w)(?:{'|'.join(self._filled(p) for p in patterns)})(?!\w)")


_SAID_LIGHTLY = frozenset(
    ("wish", "intent", "passive", "nobody_minds", "thoughts", "other_at_risk")
)
_URGENT_WHEN_SOON = frozenset(("intent", "means", "farewell", "unsafe"))


def _without(pattern: re.Pattern[str], said: str) -> str:
    """What is left with a comma in place of each match."""
    return " ".join(pattern.sub(" , ", said).split())


def _overlapping(pattern: re.Pattern[str], said: str) -> Iterator[re.Match[str]]:
    """All matches: what a match covers may hold another one that weighs more."""
    match = pattern.search(said)
    while match is not None:
        yield match
        match = pattern.search(said, match.start() + 1)


@lru_cache(maxsize=1)
def _signs() -> _Signs:
    return _Signs(knowledge.load("safety_signs"))
