"""Notices what is worth remembering in what a person says.

Rather nothing than something wrong: questions, suppositions, quotes, reports and words that may
have been misheard tell nothing, and of a turn that speaks of danger or harm nothing is kept at all.
"""

import re
import time
from collections.abc import Sequence
from functools import lru_cache

from voice_agent.events import Memory, Paralinguistics, Thought, UserTurn
from voice_agent.memory_tables import Noticed
from voice_agent.thinking.memory.clauses import Clause, known, told
from voice_agent.thinking.memory.dates import absolute
from voice_agent.thinking.memory.facts import of_oneself
from voice_agent.thinking.memory.moods import event, helped, mood
from voice_agent.thinking.memory.noticed import Found
from voice_agent.thinking.memory.people import of_people, spoken_of
from voice_agent.thinking.words_and_voice import feeling_in_words

LEAST_CONFIDENCE = 0.6
"""Of recognised words. In 30 turns of read speech through the embedded recognizer, those above had
one word in five wrong, those below one in two."""

LONGEST_TURN = 2000
"""Characters of a turn that are looked at."""

_STRONG = 0.5

_PASSING = re.compile(r" (?:just|recently|currently|right now|at the moment|now)\b")
"""Words that are true for a moment only."""

_AROUSAL = {"anger": 0.6, "fear": 0.6, "surprise": 0.5, "happy": 0.4, "disgust": 0.3, "sad": -0.3}
"""Of the feelings that words tell of: the quiet ones and the stirring ones."""


def notice(
    turn: UserTurn,
    before: UserTurn | None = None,
    thought: Thought | None = None,
    at: float | None = None,
) -> tuple[Noticed, ...]:
    """What is worth remembering of a turn.

    Args:
        turn: What the person said, in English.
        before: What they said in the turn before, which "she" may go back to.
        thought: What was thought about the turn.
        at: When it was said, seconds since the epoch; now if left out.
    """
    at = time.time() if at is None else at
    if not _trusted(turn) or is_private(turn.text):
        return ()
    clauses = told(turn.text[:LONGEST_TURN])
    felt = feeling(turn)
    # What helped is told when it is over; it helped against what was felt before.
    eased = min(felt, feeling(before) if before is not None else felt)
    found = _found(clauses, before)
    if thought is not None and abs(felt[0]) >= _STRONG and not any(f.kind != "mood" for f in found):
        stirred = event(clauses, thought.stimulus, felt)
        found += [stirred] if stirred else []
    newest = {one.slot: one for one in found}
    return tuple(
        _noticed(one, eased if one.kind == "helped" else felt, at) for one in newest.values()
    )


def is_private(text: str) -> bool:
    """Whether a turn speaks of danger, harm or a secret, so that nothing of it is remembered."""
    return _never().search(text.lower().replace("’", "'")) is not None


def feeling(turn: UserTurn) -> tuple[float, float]:
    """Valence and arousal of a turn in [-1, 1], from the words and, where heard, the voice."""
    told_of = feeling_in_words(turn.text)
    valence = 0.0 if told_of.uncertain else told_of.valence
    arousal = 0.0
    if not told_of.uncertain:
        arousal = sum(told_of.emotion.get(name, 0.0) * value for name, value in _AROUSAL.items())
    return _with_voice(valence, arousal, turn.how)


def _with_voice(valence: float, arousal: float, how: Paralinguistics | None) -> tuple[float, float]:
    if how is not None and not how.uncertain:
        if how.valence is not None:
            valence += how.valence.confidence * (how.valence.value - valence) / 2
        if how.arousal is not None:
            arousal += how.arousal.confidence * (how.arousal.value - arousal)
    return max(-1.0, min(1.0, valence)), max(-1.0, min(1.0, arousal))


def _trusted(turn: UserTurn) -> bool:
    return turn.confidence is None or turn.confidence >= LEAST_CONFIDENCE


def _found(clauses: Sequence[Clause], before: UserTurn | None) -> list[Found]:
    found: list[Found] = []
    people = [one for clause in _told_before(before) for one in spoken_of(clause)]
    last: Clause | None = None
    for clause in clauses:
        of_others = of_people(clause, people)
        own = None if of_others else of_oneself(clause)
        others = (mood(clause), helped(clause, last))
        found += of_others + [one for one in (own, *others) if one is not None]
        people += spoken_of(clause)
        last = clause
    return found


def _told_before(before: UserTurn | None) -> list[Clause]:
    if before is None or not _trusted(before) or is_private(before.text):
        return []
    return told(before.text[-LONGEST_TURN:])


def _noticed(found: Found, felt: tuple[float, float], at: float) -> Noticed:
    valence, arousal = found.mood or felt
    memory = Memory(
        kind=found.kind,
        text=absolute(_PASSING.sub("", found.text), at),
        about=found.about,
        at=at,
        valence=round(valence, 3),
        arousal=round(arousal, 3),
    )
    return Noticed(memory, found.slot, found.hints, found.replaces)


@lru_cache(maxsize=1)
def _never() -> re.Pattern[str]:
    return re.compile(known()["never"])
