"""What the words of a turn show of how far a conversation about a trouble has come."""

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

from voice_agent.thinking import knowledge
from voice_agent.thinking.plain_words import plain
from voice_agent.thinking.words_and_voice import feeling_in_words

_KEPT = 4096
"""Turns kept in mind, so that those of many conversations at once are read only once."""


@lru_cache(maxsize=_KEPT)
def evidence(text: str) -> frozenset[str]:
    """Names of what a turn shows, out of ``evidence`` in ``strategies.yaml``."""
    said = plain(text)
    return frozenset(name for name, pattern in _patterns().items() if pattern.search(said))


def names() -> tuple[str, ...]:
    """All names that ``evidence`` may give."""
    return tuple(_patterns())


@lru_cache(maxsize=_KEPT)
def valence_of(text: str, *, sure: bool = False) -> float:
    """Valence of the feeling that words tell of, in [-1, 1].

    Args:
        text: The words.
        sure: Give 0 where it is uncertain.

    Raises:
        EngineUnavailable: The model of emotion in words is missing or damaged.
    """
    told = feeling_in_words(text)
    return 0.0 if sure and told.uncertain else told.valence


@cache
def rules() -> Mapping[str, Any]:
    """The contents of ``strategies.yaml``, read once."""
    return knowledge.load("strategies")


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    listed: dict[str, list[str]] = rules()["evidence"]
    return {
        name: re.compile("|".join(rf"(?<!\w)(?:{one})(?!\w)" for one in patterns))
        for name, patterns in listed.items()
    }
