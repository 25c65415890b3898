"""Partial hypotheses change their minds; what two in a row agree on is kept (LocalAgreement-2).

Source: Liu, Niehues, Waibel, "Low-Latency Sequence-to-Sequence Speech Recognition and Translation
by Partial Hypothesis Selection" (2020); Macháček et al., "Turning Whisper into Real-Time
Transcription System" (2023).
"""


class Stabilizer:
    """Confirms the leading words of a turn's hypotheses. Confirmed words never change."""

    def __init__(self) -> None:
        self._stable: list[str] = []
        self._last: list[str] = []

    def add(self, text: str) -> str:
        """Takes the newest hypothesis of the whole turn; returns the stable words so far."""
        words = text.split()
        agreed = 0
        for new, old in zip(words, self._last, strict=False):
            if new != old:
                break
            agreed += 1
        if agreed > len(self._stable) and words[: len(self._stable)] == self._stable:
            self._stable = words[:agreed]
        self._last = words
        return " ".join(self._stable)
