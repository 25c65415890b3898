"""Finds what the agent has something particular to say to, and fills in the person's own words."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from voice_agent.thinking.responder.phrasebook import Lines, Moment

_TURNED = {
    "i": "you",
    "me": "you",
    "my": "your",
    "mine": "yours",
    "myself": "yourself",
    "we": "you",
    "us": "you",
    "our": "your",
    "ours": "yours",
    "am": "are",
    "mom": "mom",
}
_UNFIT = {"bad": ("positive",), "good": ("negative",), "heavy": ("positive", "neutral")}
"""What a moment of a mood does not fit."""
_DENIED = re.compile(r"\b(am|is|are|was|were) not (really |so |very |that |too |all that )?$")
_ASKED_FOR = re.compile(r"\b(when|if|whether|why|never|hope|wish)( \w+){0,2} $")
"""What comes after it has not happened."""
_LONGEST_SLOT = 6
_MOST = 6
_LAST_WORDS = 40
"""The end of a long story is what the person waits for an answer to."""


@dataclass(frozen=True, slots=True)
class Met:
    """A moment found in a turn, and what its slots are filled with."""

    moment: Moment
    slots: Mapping[str, str]

    def lines(self, kind: str) -> Lines:
        """Its lines of a kind, in the person's own words."""
        return tuple(line.with_slots(self.slots) for line in self.moment.lines.get(kind, ()))


def meet(said: str, moments: Sequence[Moment], valence: str) -> tuple[Met, ...]:
    """The moments of a turn in plain words, what fits best first.

    Args:
        said: The turn in plain words.
        moments: All there are.
        valence: ``negative``, ``positive`` or ``neutral``: of the person's feeling.
    """
    found: list[Met] = []
    said = " ".join(said.split()[-_LAST_WORDS:])
    for moment in moments:
        if valence in _UNFIT.get(moment.mood, ()):
            continue
        for words in moment.words:
            match = words.search(said)
            if match is None or _DENIED.search(said[: match.start()]):
                continue
            if moment.reply == "joyful" and _ASKED_FOR.search(said[: match.start()]):
                continue
            slots = {name: _fit(name, value) for name, value in match.groupdict().items() if value}
            if "" not in slots.values():
                found.append(Met(moment, slots))
                break
        if len(found) == _MOST:
            break
    return tuple(found)


def _fit(name: str, value: str) -> str:
    """The words of a slot, turned round; empty where they are too many to repeat."""
    words = value.split()
    if len(words) > _LONGEST_SLOT:
        return ""
    if name[0].isupper():
        return " ".join(word.capitalize() for word in words)
    return " ".join(_TURNED.get(word, word) for word in words)
