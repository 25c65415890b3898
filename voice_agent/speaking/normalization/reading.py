"""How a stretch of a text is said."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reading:
    """What is said for ``text[start:end]``."""

    start: int
    end: int
    said: str
