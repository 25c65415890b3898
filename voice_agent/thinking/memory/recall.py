"""Which memories a turn brings back: by its words, its mood, and how long ago they were told."""

import math
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from voice_agent.memory_tables import Kept
from voice_agent.thinking.memory.asking import Search
from voice_agent.thinking.memory.stemming import stems

CANDIDATES = 40
"""Memories that are found by their words and looked at more closely."""

LEAST_SIMILAR = 0.45
"""Cosine of embeddings from which two texts are about the same; usual for sentence embeddings."""

_IN_ABOUT, _IN_TEXT = 1.0, 0.5
_FITS, _ANSWERS = 0.75, 0.5
"""One word that a memory is about, or two others; for a question any one word."""

_OF_THE_BEST = 0.5
_NAMING = re.compile(r"\bcalled\b|\bname is\b")
_NOT_ASKED = 0.7
"""For what somebody is called where something else of them is asked for, and the reverse."""

_HALF_LIFE_S = 90 * 86_400.0
_RECENCY = 0.1
_CLEAR_FEELING = 0.5
_FARTHEST = 2 * math.sqrt(2)

Mood = tuple[float, float]
"""Valence and arousal in [-1, 1]."""


def fitting(
    found: Sequence[Kept],
    search: Search,
    mood: Mood,
    emotion_weight: float,
    now: float,
    similar: Mapping[str, float] | None = None,
) -> list[Kept]:
    """The memories that fit a turn, the most fitting first; none where none does.

    The score is Emotional RAG's combination: similarity of the text and of the mood, weighted. The
    mood counts as far as there is one, and not where something is asked for.

    Args:
        found: Candidates, the best match of words first.
        search: What the turn looks for.
        mood: The mood of the turn.
        emotion_weight: Weight of the mood in [0, 1].
        now: Seconds since the epoch.
        similar: Cosine of the embeddings by memory; None without embeddings.
    """
    words = {kept.ref: _match(kept, search) for kept in found}
    least = _ANSWERS if search.asks else _FITS
    best = max((strength for strength in words.values()), default=0.0)
    close = {ref: _closeness(cosine) for ref, cosine in (similar or {}).items()}
    clear = 0.0 if search.asks else min(1.0, math.hypot(*mood) / _CLEAR_FEELING)
    weight = emotion_weight * clear
    scores: dict[str, float] = {}
    for rank, kept in enumerate(found):
        strength, near = words[kept.ref], close.get(kept.ref, 0.0)
        if (strength < least and not near) or not _is_about(kept, search):
            continue
        text = 0.95 * (strength / best if best else 0.0) + 0.05 * (1 - rank / len(found))
        if search.asks and search.naming is not (_NAMING.search(kept.memory.text) is not None):
            text *= _NOT_ASKED
        if similar is not None:
            text = (text + near) / 2
        score = (1 - weight) * text + weight * likeness(mood, kept)
        scores[kept.ref] = score * (1 - _RECENCY + _RECENCY * _freshness(kept, now))
    bar = _OF_THE_BEST * max(scores.values(), default=0.0)
    near_best = [one for one in found if scores.get(one.ref, -1.0) >= bar]
    return sorted(near_best, key=lambda one: scores[one.ref], reverse=True)


def likeness(mood: Mood, kept: Kept) -> float:
    """How like a mood is to the one in which something was told, in [0, 1]."""
    there = kept.memory.valence, kept.memory.arousal
    return 1 - math.dist(mood, there) / _FARTHEST


def _match(kept: Kept, search: Search) -> float:
    """How strongly the words of a memory are those looked for."""
    about = _stems(kept.memory.about)
    text, hints = _stems(kept.memory.text) - about, _stems(kept.hints) - about
    in_about, in_text = search.stems & about, search.stems & text
    aside = in_text | search.stems & hints
    if search.asks and not search.about and kept.memory.kind == "person":
        # "What is my job?" is not answered by somebody else's.
        return _IN_ABOUT * len(in_about)
    if search.asks and not (in_about or in_text) and 2 * len(aside) <= search.count:
        # A journey elsewhere is no answer to a question for the holiday in Japan.
        return 0.0
    return _IN_ABOUT * len(in_about) + _IN_TEXT * len(aside)


def _is_about(kept: Kept, search: Search) -> bool:
    said = _stems(f"{kept.memory.text} {kept.memory.about} {kept.hints}")
    return all(not group.isdisjoint(said) for group in search.about)


@lru_cache(maxsize=4096)
def _stems(text: str) -> frozenset[str]:
    return frozenset(stems(text))


def _closeness(cosine: float) -> float:
    return max(0.0, (cosine - LEAST_SIMILAR) / (1 - LEAST_SIMILAR))


def _freshness(kept: Kept, now: float) -> float:
    return float(0.5 ** (max(0.0, now - kept.memory.at) / _HALF_LIFE_S))
