"""When a person has to be told what they are talking to."""

from voice_agent.settings import Safety


class Disclosure:
    """Due at the start of a conversation, and again and again in a long one.

    New York's General Business Law (Art. 47) and California's SB 243 want it at least every three
    hours, the EU AI Act (Art. 50) at the start.

    Args:
        safety: What is told and how often.
    """

    def __init__(self, safety: Safety) -> None:
        self.text = safety.disclosure
        self.aloud = safety.disclosure_spoken
        self._every_s = safety.disclosure_hours * 3600
        self._next_s = 0.0

    def due(self, elapsed_s: float) -> bool:
        """Whether it has to be told now; then it counts as told.

        Args:
            elapsed_s: Seconds since the conversation began.
        """
        if not self.text or elapsed_s < self._next_s:
            return False
        self._next_s = elapsed_s + self._every_s
        return True
