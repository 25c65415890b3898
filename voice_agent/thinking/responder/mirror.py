"""Turns a person's own words round: ``"my boss yelled at me"`` → ``"your boss yelled at you"``.

Only clauses that are surely whole are turned round; a mirror of half a sentence, or of words that
were misheard, is worse than none.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

_WORD = re.compile(r"[A-Za-zÀ-ɏ0-9]+(?:['’][A-Za-z]+)?(?:-[A-Za-z]+)*")
_BREAK = re.compile(r"[.!?,;:…\n—–()\"]+")
_LONGEST = 12
_SHORTEST = 3
_ADDRESSED = {"you", "you're", "your", "yours", "yourself", "you've", "you'd", "you'll", "u"}
_ASKING = {"what", "why", "how", "who", "where", "when", "which"}


class Mirror:
    """Finds clauses in a turn and turns them round.

    Args:
        language: The contents of ``knowledge/language.yaml``.
    """

    def __init__(self, language: Mapping[str, Any]) -> None:
        self._swaps: dict[str, str] = dict(language["swaps"])
        self._subjects = set(language["subjects"])
        self._fillers = set(language["fillers"])
        self._leads = sorted((tuple(lead.split()) for lead in language["leads"]), key=len)[::-1]
        self._capitals = set(language["capitals"])
        self._joints = set(language["joints"])
        self._dangling = set(language["dangling"])
        self._adverbs = set(language["adverbs"])
        self._verbs = set(language["verbs"]) - self._adverbs

    def clauses(self, text: str) -> list[str]:
        """The whole clauses of a turn, turned round, in their order, without a final stop."""
        return [self.turn_round(clause) for clause in self._whole(text)]

    def has_any_verb(self, words: Sequence[str]) -> bool:
        """Whether some word may be a finite verb."""
        return any(word in self._verbs or (len(word) > 4 and word.endswith("ed")) for word in words)

    def turn_round(self, words: Sequence[str]) -> str:
        """Exchanges the person for the one spoken to."""
        out: list[str] = []
        for position, word in enumerate(words):
            lower = word.lower()
            if lower == "was" and position and words[position - 1].lower() == "i":
                out.append("were")
            elif lower == "wasn't" and position and words[position - 1].lower() == "i":
                out.append("weren't")
            elif lower in self._swaps:
                out.append(self._swaps[lower])
            else:
                name = lower in self._capitals or (word[0].isupper() and position)
                out.append(word[0].upper() + word[1:] if name else lower)
        return " ".join(out)

    def _whole(self, text: str) -> Iterator[list[str]]:
        for part in _BREAK.split(text.replace("’", "'")):
            for words in self._split(_WORD.findall(part)):
                clause = self._trim(words)
                if self._is_clause(clause):
                    yield clause

    def _split(self, words: Sequence[str]) -> Iterator[list[str]]:
        piece: list[str] = []
        for position, word in enumerate(words):
            following = words[position + 1].lower() if position + 1 < len(words) else ""
            if word.lower() in self._joints and following in self._subjects and len(piece) > 2:
                yield piece
                piece = []
            piece.append(word)
        yield piece

    def _trim(self, words: list[str]) -> list[str]:
        while words:
            lower = [word.lower() for word in words]
            lead = next((lead for lead in self._leads if tuple(lower[: len(lead)]) == lead), None)
            if lead and len(words) > len(lead) + 2:
                words = words[len(lead) :]
            elif lower[0] in self._fillers:
                words = words[1:]
            else:
                break
        while words and words[-1].lower() in {"um", "uh", "like", "though", "too", "lol"}:
            words = words[:-1]
        return words

    def _is_clause(self, words: Sequence[str]) -> bool:
        lower = [word.lower() for word in words]
        if not _SHORTEST <= len(words) <= _LONGEST or lower[-1] in self._dangling:
            return False
        if lower[0] not in self._subjects or _ADDRESSED.intersection(lower):
            return False
        if any(a == b for a, b in pairwise(lower)):
            return False
        if len({"um", "uh", "er"}.intersection(lower)) or _ASKING.intersection(lower[1:2]):
            return False
        if sum(word in self._verbs for word in lower) > 2:
            return False  # a run-on: what belongs together is anybody's guess
        return "'" in lower[0] or self._has_verb(lower)

    def _has_verb(self, lower: Sequence[str]) -> bool:
        reach = 3 if lower[0] in {"my", "our"} else 1
        for position, word in enumerate(lower[1:], start=1):
            if word == "to":
                return False
            if word in self._verbs or (len(word) > 3 and word.endswith("ed")):
                return position > 1 or lower[0] not in {"my", "our"}
            if word not in self._adverbs:
                reach -= 1
            if reach <= 0 and lower[0] not in {"my", "our"}:
                return False
            if reach < 0:
                return False
        return False
