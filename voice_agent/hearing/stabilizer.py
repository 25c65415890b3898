"""Partial hypotheses change their minds; what two in a row agree on is kept (LocalAgreement-2).

Source: Liu, Niehues, Waibel, "Low-Latency Sequence-to-Sequence Speech Recognition and Translation
by Partial Hypothesis Selection" (2020); Macháček et al., "Turning Whisper into Real-Time
Transcription System" (2023).
"""

import re
from collections.abc import Sequence

APART_S = 1.5
"""Seconds of audio between two hypotheses that count as two. Closer ones repeat each other."""

_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
"""Letters of scripts that put no space between words: Thai, Lao, Burmese, Khmer, kana, Chinese."""

_UNIT = re.compile(rf"\s*(?:[{_UNSPACED}]|[^\s{_UNSPACED}]+)")
_MARKS = re.compile(r"[\W_]+")


def units(text: str) -> list[str]:
    """The words of a text, each with the space before it; joined they give the text.

    Where a script puts no space between words, its letters stand for them. White space at the end
    belongs to none.
    """
    return _UNIT.findall(text)


def agreed(new: Sequence[str], old: Sequence[str]) -> int:
    """How many words two hypotheses begin with in common; case and punctuation do not count."""
    for count, (one, other) in enumerate(zip(new, old, strict=False)):
        if _bare(one) != _bare(other):
            return count
    return min(len(new), len(old))


class Stabilizer:
    """Confirms the leading words of a turn's hypotheses. Confirmed words never change."""

    def __init__(self) -> None:
        self._stable: list[str] = []
        self._last: list[str] = []
        self._last_at = 0.0

    def add(self, text: str, heard: float, sure: str = "") -> str:
        """Takes the newest hypothesis of the whole turn; returns the stable words so far.

        Args:
            text: The hypothesis.
            heard: Seconds of audio behind it.
            sure: Its leading words that the recognizer itself will not change any more.
        """
        self._extend(units(sure))
        if heard - self._last_at >= APART_S:
            words = units(text)
            self._extend(words[: agreed(words, self._last)])
            self._last, self._last_at = words, heard
        return "".join(self._stable).strip()

    def _extend(self, words: list[str]) -> None:
        """Adds what goes on from the stable words; they stay as they were first written."""
        if agreed(words, self._stable) == len(self._stable):
            self._stable += words[len(self._stable) :]


def _bare(word: str) -> str:
    return _MARKS.sub("", word).casefold() or word.strip()
