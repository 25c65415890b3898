"""Puts right words that a recognizer took for others that sound alike, where the context tells."""

import re
from collections.abc import Sequence
from functools import lru_cache

from voice_agent.thinking import knowledge


def repaired(text: str) -> str:
    """A turn with words in the place of those that sound like them and cannot stand there."""
    for pattern, meant in _pairs():
        text = pattern.sub(meant, text)
    return text


@lru_cache(maxsize=1)
def _pairs() -> Sequence[tuple[re.Pattern[str], str]]:
    return tuple(
        (re.compile(rf"(?<!\w)(?:{heard})(?!\w)", re.IGNORECASE), meant)
        for heard, meant in knowledge.load("language")["homophones"].items()
    )
