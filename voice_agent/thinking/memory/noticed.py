"""What a clause was found to tell, before it is dated and coloured by the mood of its turn."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Found:
    """Something worth remembering in a clause.

    Attributes:
        kind, text, about: As in ``events.Memory``.
        slot: What it is about, so closely that a later one of the same slot takes its place.
        hints: Further words that it is to be found by.
        replaces: Other slots that are no longer true.
        mood: Valence and arousal that it tells of; None for those of the turn.
    """

    kind: Literal["fact", "person", "mood", "helped"]
    text: str
    about: str
    slot: str
    hints: str = ""
    replaces: tuple[str, ...] = ()
    mood: tuple[float, float] | None = None
