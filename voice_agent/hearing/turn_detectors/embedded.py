"""The turn detector that needs no download: words, pitch, level and the person's own pauses."""

from math import exp
from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict

from voice_agent.events import Pause

_OPEN_ENDED = frozenset(
    [
        "a",
        "an",
        "the",
        "and",
        "or",
        "but",
        "because",
        "so",
        "if",
        "of",
        "to",
        "in",
        "on",
        "at",
        "for",
        "with",
        "from",
        "by",
        "as",
        "that",
        "which",
        "who",
        "whose",
        "when",
        "where",
        "while",
        "than",
        "my",
        "your",
        "his",
        "her",
        "our",
        "their",
        "its",
        "this",
        "these",
        "those",
        "is",
        "are",
        "was",
        "were",
        "be",
        "been",
        "am",
        "have",
        "has",
        "had",
        "do",
        "does",
        "did",
        "will",
        "would",
        "can",
        "could",
        "should",
        "may",
        "might",
        "must",
        "not",
        "very",
        "um",
        "uh",
        "i'm",
        "you're",
        "we're",
        "they're",
        "it's",
        "he's",
        "she's",
        "into",
        "about",
        "between",
        "upon",
        "under",
        "over",
    ]
)


class EmbeddedTurnDetector:
    """Weighs what the words, pitch and level at the end say about the turn being over."""

    class Options(BaseModel):
        """It has none."""

        model_config = ConfigDict(extra="forbid", frozen=True)

    name: ClassVar[str] = "embedded"

    @classmethod
    async def create(cls, options: Options) -> Self:
        """Ready at once."""
        return cls()

    async def close(self) -> None:
        """Holds nothing."""

    def completion(self, pause: Pause) -> float:
        """Probability in [0, 1] that the person has finished."""
        words = pause.text.split()
        score = 0.6
        if words and words[-1] in _OPEN_ENDED:
            score -= 1.5
        score -= 0.25 * max(0.0, pause.pitch_end_st + 1.0) * 0.5
        score -= 0.08 * (pause.level_end_db + 4.0)
        score -= 2.0 * pause.longest_pause_s
        return 1.0 / (1.0 + exp(-score))
