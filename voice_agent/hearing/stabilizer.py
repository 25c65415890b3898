"""Partial hypotheses change their minds; what two in a row agree on is kept (LocalAgreement-2).

Source: Liu, Niehues, Waibel, "Low-Latency Sequence-to-Sequence Speech Recognition and Translation
by Partial Hypothesis Selection" (2020); Macháček et al., "Turning Whisper into Real-Time
Transcription System" (2023).
"""

APART_S = 1.5
"""Seconds of audio between two hypotheses that count as two. Closer ones repeat each other."""


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
        self._extend(sure.split())
        if heard - self._last_at >= APART_S:
            words = text.split()
            agreed = 0
            for new, old in zip(words, self._last, strict=False):
                if new != old:
                    break
                agreed += 1
            self._extend(words[:agreed])
            self._last, self._last_at = words, heard
        return " ".join(self._stable)

    def _extend(self, words: list[str]) -> None:
        if words[: len(self._stable)] == self._stable:
            self._stable = words
