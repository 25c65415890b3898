"""The thread of a conversation: the matter that weighs most, and whether this turn is about it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from voice_agent.thinking.responder.phrasebook import Feeling, Phrasebook, Topic
from voice_agent.thinking.responder.situation import Situation
from voice_agent.thinking.responder.understanding import NAMED, Reading

_LASTING = {"grief": 3, "hurt": 2}
"""Feelings that do not go away because another one comes in between, and how much they weigh."""

_OF_PERSON = re.compile(r"\b(he|him|his|she|her|hers|them|we|us)\b")
_MATTER_TURNS = 4


@dataclass(frozen=True, slots=True)
class Thread:
    """What the conversation hangs on.

    Attributes:
        matter: Topic of this turn, or the one that it goes on with.
        mine: The topic is this turn's own.
        grave: The topic of the weightiest bad thing, now or before; None where there is none.
        trouble: The weightiest bad thing told before, in words that fit after "about".
        lasting: A feeling that lasts, told of before; None where there is none.
    """

    matter: Topic | None
    mine: bool
    grave: Topic | None
    trouble: str
    lasting: Feeling | None


def follow(s: Situation, book: Phrasebook) -> Thread:
    """Finds the thread of a conversation at a turn."""
    return Thread(
        matter=s.now.topic or _matter(s.past),
        mine=s.now.topic is not None,
        grave=_grave((*s.past, s.now)),
        trouble=_weightiest(s.past, s.now),
        lasting=_lasting(s.past, book),
    )


def resume(s: Situation, thread: Thread) -> Situation:
    """The situation with a lasting feeling taken up again, where the turn goes back to it.

    Words about the person who is missed, or no feeling of the turn's own, lead back to a grief
    that was told long before; a new topic or a clear feeling do not.
    """
    lasting = thread.lasting
    if lasting is None or s.feeling is lasting:
        return s
    if s.now.topic is not None and s.now.topic.feeling not in ("neutral", lasting.name):
        return s
    value = s.feeling.valence if s.feeling else 0.0
    if s.named and (s.now.strength >= NAMED or s.voiced or value > 0):
        return s
    if value >= 0 and not _OF_PERSON.search(s.now.said):
        return s
    return replace(s, feeling=lasting, named=False)


def _matter(past: Sequence[Reading]) -> Topic | None:
    for reading in reversed(past[-_MATTER_TURNS:]):
        if reading.topic is not None:
            return reading.topic if reading.topic.feeling != "neutral" else None
    return None


def _grave(told: Sequence[Reading]) -> Topic | None:
    best, weight = None, 0.0
    for reading in told:
        if reading.topic is None or reading.feeling is None or reading.valence >= 0:
            continue
        one = _LASTING.get(reading.feeling.name, 1) - 0.5 * (reading.topic.feeling == "neutral")
        if one >= weight:
            best, weight = reading.topic, one
    return best


def _lasting(past: Sequence[Reading], book: Phrasebook) -> Feeling | None:
    names = [p.feeling.name for p in past if p.feeling and p.feeling.name in _LASTING]
    return book.feelings[max(names, key=_LASTING.__getitem__)] if names else None


def _weightiest(past: Sequence[Reading], now: Reading) -> str:
    best, weight = "", 0.0
    for age, reading in enumerate(reversed(past)):
        if reading.valence >= 0 or not reading.thing.startswith("your "):
            continue
        if reading.thing == now.thing or reading.feeling is None:
            continue
        one = _LASTING.get(reading.feeling.name, 1) - 0.02 * age
        if one > weight:
            best, weight = reading.thing, one
    return best
