"""What a turn means for the person: how they see what happened, and what they need.

After appraisal theory (Lazarus, Scherer) and its use in ESCoT: a feeling comes of how an event is
judged, and what helps depends on that judgement. Which words, feelings and sounds speak for what is
data, ``knowledge/meaning.yaml``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from voice_agent.thinking.responder.phrasebook import Cue, Feeling

_SIGN = 1.0
_SECOND_SIGN = 0.4
_LEAST_APPRAISAL = 0.5
_LEAST_NEED = 0.25
_ASKED = 3.0


@dataclass(frozen=True)
class Appraisal:
    """How the person sees what happened.

    Attributes:
        name: Its name, such as ``unfair``.
        says: The same as a sentence about "them".
        valence: 1 good, -1 bad, 0 neither.
    """

    name: str
    says: str
    valence: int
    signs: tuple[re.Pattern[str], ...] = ()
    feelings: Mapping[str, float] = field(default_factory=dict)
    classes: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Need:
    """What the person seems to need from the answer.

    Attributes:
        name: Its name, such as ``reassurance``.
        says: The same in words, after "they seem to need".
    """

    name: str
    says: str
    signs: tuple[re.Pattern[str], ...] = ()
    appraisals: Mapping[str, float] = field(default_factory=dict)
    feelings: Mapping[str, float] = field(default_factory=dict)
    cues: Mapping[str, float] = field(default_factory=dict)


class Meaning:
    """Appraisals and needs.

    Args:
        knowledge: The contents of ``knowledge/meaning.yaml``.
    """

    def __init__(self, knowledge: Mapping[str, Any]) -> None:
        self.appraisals = tuple(
            Appraisal(
                name,
                data["says"],
                data["valence"],
                _patterns(data["signs"]),
                data.get("feelings", {}),
                data.get("classes", {}),
            )
            for name, data in knowledge["appraisals"].items()
        )
        self.needs = {
            name: Need(
                name,
                data["says"],
                _patterns(data.get("signs", ())),
                data.get("appraisals", {}),
                data.get("feelings", {}),
                data.get("cues", {}),
            )
            for name, data in knowledge["needs"].items()
        }

    def appraisal(
        self, said: str, feeling: Feeling | None, strength: float, told: Mapping[str, float]
    ) -> Appraisal | None:
        """How the person sees it; None where the words do not show it.

        Args:
            said: The turn in plain words.
            feeling: The feeling that the words tell of.
            strength: How strongly they do.
            told: Probability of each of ``text_emotion.LABELS`` for the words.
        """
        side = feeling.valence if feeling else 0.0
        best, most = None, _LEAST_APPRAISAL
        for one in self.appraisals:
            if one.valence * side < 0:
                continue
            matches = sum(sign.search(said) is not None for sign in one.signs)
            score = _SIGN * min(1, matches) + _SECOND_SIGN * max(0, matches - 1)
            score += sum(told.get(label, 0.0) * weight for label, weight in one.classes.items())
            if feeling is not None:
                score += one.feelings.get(feeling.name, 0.0) * min(1.0, strength)
            if score > most:
                best, most = one, score
        return best

    def need(
        self, said: str, appraisal: Appraisal | None, feeling: Feeling | None, cue: Cue | None
    ) -> Need:
        """What the person seems to need; a light conversation where nothing tells of more."""
        scores: dict[str, float] = {}
        for name, one in self.needs.items():
            score = _ASKED if any(sign.search(said) for sign in one.signs) else 0.0
            score += one.appraisals.get(appraisal.name, 0.0) if appraisal else 0.0
            score += one.feelings.get(feeling.name, 0.0) if feeling else 0.0
            score += one.cues.get(cue.name, 0.0) if cue else 0.0
            scores[name] = score
        best = max(scores, key=lambda name: scores[name])
        if scores[best] >= _LEAST_NEED:
            return self.needs[best]
        return self.needs["heard" if feeling and feeling.valence < 0 else "chat"]


def _patterns(signs: tuple[str, ...] | list[str]) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(rf"(?<!\w)(?:{sign})(?!\w)") for sign in signs)
