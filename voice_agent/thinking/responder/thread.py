"""The thread of a conversation: the matter that weighs most, and whether this turn is about it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from voice_agent.thinking.responder.phrasebook import Feeling, Phrasebook, Topic
from voice_agent.thinking.responder.situation import Situation
from voice_agent.thinking.responder.understanding import NAMED, Reading

_LASTING = {"grief": 3, "hurt": 2}
"""Feelings that do not go away because another one comes in between, and how much they weigh."""

_FLEETING = {"disgusted", "bored", "annoyed", "confused", "surprised", "jealous", "amused"}
"""Feelings that are over when the talk has moved on."""

_PRONOUNS = {"him": r"he|him|his", "her": r"she|her|hers", "them": r"they|them|their|it|its"}
_BACK_TO = re.compile(
    r"\bmiss (him|her|them|it)\b|\b(his|her|their) (grave|death|funeral)\b"
    r"|\b(since|when|after|before) (he|she|they) (died|passed|left)\b"
)
_SOMEBODY_ELSE = re.compile(
    r"\b(my|our|the) (\w+ )?(?!fault|own)\w+ (is|was|has|says?|said|wants?|lives?)\b"
)
_THEIRS = {
    "her": frozenset(
        "mom mother wife girlfriend sister daughter grandma grandmother granny nan aunt".split()
    ),
    "him": frozenset(
        "dad father husband boyfriend brother son grandpa grandfather granddad uncle".split()
    ),
}
_ANYBODY = frozenset("boss manager friend teacher doctor neighbor colleague cousin partner".split())
_MATTER_TURNS = 4
_BARE = 7
_MOST_BARE = 3
_AGAIN = 0.3  # a matter that comes up again weighs more


@dataclass(frozen=True, slots=True)
class Thread:
    """What the conversation hangs on.

    Attributes:
        matter: Topic of this turn, or the one that it goes on with.
        mine: The topic is this turn's own.
        grave: The topic of the weightiest bad thing, now or before; None where there is none.
        trouble: The weightiest bad thing told before, in words that fit after "about".
        lasting: A feeling that lasts, told of before; None where there is none.
        near: The talk has not left it since.
    """

    matter: Topic | None
    mine: bool
    grave: Topic | None
    trouble: str
    lasting: Feeling | None
    near: bool


def follow(s: Situation, book: Phrasebook) -> Thread:
    """Finds the thread of a conversation at a turn."""
    lasting = _lasting(s.past, book)
    return Thread(
        matter=s.now.topic or _matter(s.past),
        mine=s.now.topic is not None,
        grave=_grave((*s.past, s.now)),
        trouble=_weightiest(s.past, s.now),
        lasting=lasting,
        near=lasting is not None and _near(s.past, lasting),
    )


def resume(s: Situation, thread: Thread) -> Situation:
    """The situation with a fleeting feeling let go, and a lasting one taken up where it goes on.

    Words about the person who is missed, or no feeling of the turn's own, lead back to a grief
    that was told long before; a new topic or a clear feeling do not.
    """
    if s.feeling and s.feeling.name in _FLEETING and not s.named and s.now.tells:
        s = replace(s, feeling=None)
    lasting = thread.lasting
    if lasting is None:
        return s
    lost = _told_of_the_lost(s.now, s.past, lasting)
    if s.feeling is lasting:
        return replace(s, feeling=None) if lost is False and not s.named else s
    if s.now.topic is not None and s.now.topic.feeling not in ("neutral", lasting.name):
        return s
    value = s.feeling.valence if s.feeling else 0.0
    if lost and s.feeling and s.feeling.name in _FLEETING:
        return replace(s, feeling=lasting, named=False)  # a laugh about the one who is missed
    if s.named and (s.now.strength >= NAMED or s.voiced or value > 0):
        return s
    goes_on = thread.near and (_keeps_to(s.now, s.past, lasting) or _is_bare(s.now))
    if not (lost or goes_on or _BACK_TO.search(s.now.said)):
        return s
    return replace(s, feeling=lasting, named=False)


def _near(past: Sequence[Reading], lasting: Feeling) -> bool:
    near, bare = False, 0
    for position, reading in enumerate(past):
        before = past[:position]
        if (
            reading.feeling is lasting
            or _BACK_TO.search(reading.said)
            or _told_of_the_lost(reading, before, lasting)
        ):
            near, bare = True, 0
        elif near and reading.tells and not _keeps_to(reading, before, lasting):
            bare += 1
            near = bare <= _MOST_BARE and _is_bare(reading)
    return near


def _is_bare(reading: Reading) -> bool:
    """Whether a turn is no more than a few words that open nothing new."""
    short = len(reading.said.split()) <= _BARE
    plain = reading.topic is None and reading.feeling is None
    return short and plain and not _SOMEBODY_ELSE.search(reading.said)


def _keeps_to(now: Reading, past: Sequence[Reading], lasting: Feeling) -> bool:
    """Whether a turn still speaks of the one whom the feeling is about."""
    if now.topic is not None and now.topic.feeling not in ("neutral", lasting.name):
        return False
    whom = next((p.about for p in reversed(past) if p.feeling is lasting), "them")
    of_them = re.search(rf"\b({_PRONOUNS[whom]})\b", now.said) is not None
    return of_them or (now.valence < 0 and not _SOMEBODY_ELSE.search(now.said))


def _told_of_the_lost(now: Reading, past: Sequence[Reading], lasting: Feeling) -> bool | None:
    """Whether a turn's "she" or "he" is the one grieved for; None where it speaks of neither."""
    told = next((at for at, one in enumerate(past) if one.feeling is lasting), None)
    if told is None or lasting.name != "grief":
        return None
    whom = past[told].about
    kin = _THEIRS.get(whom, frozenset())
    lost = kin.intersection(past[told].said.split())
    if not lost or not re.search(rf"\b({_PRONOUNS[whom]}|{'|'.join(lost)})\b", now.said):
        return None
    meant = True
    for reading in (*past[told + 1 :], now):
        mentioned = (kin | _ANYBODY).intersection(reading.said.split())
        if mentioned:
            meant = bool(mentioned & lost)
    return meant


def _matter(past: Sequence[Reading]) -> Topic | None:
    for reading in reversed(past[-_MATTER_TURNS:]):
        if reading.topic is not None:
            return reading.topic if reading.topic.feeling != "neutral" else None
    return None


def _grave(told: Sequence[Reading]) -> Topic | None:
    best, weight = None, 0.0
    for age, reading in enumerate(reversed(told)):
        if reading.topic is None or reading.feeling is None or reading.valence >= 0:
            continue
        one = _LASTING.get(reading.feeling.name, 1) - 0.5 * (reading.topic.feeling == "neutral")
        one += _AGAIN * sum(other.topic is reading.topic for other in told) - 0.05 * age
        if one > weight:
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
