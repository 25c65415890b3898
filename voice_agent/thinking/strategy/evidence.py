"""What the words of a turn show of how far a conversation about a trouble has come."""

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

from voice_agent.thinking import knowledge
from voice_agent.thinking.plain_words import plain


@lru_cache(maxsize=512)
def evidence(text: str) -> frozenset[str]:
    """Names of what a turn shows, out of ``evidence`` in ``strategies.yaml``."""
    said = plain(text)
    return frozenset(name for name, pattern in _patterns().items() if pattern.search(said))


def names() -> tuple[str, ...]:
    """All names that ``evidence`` may give."""
    return tuple(_patterns())


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
