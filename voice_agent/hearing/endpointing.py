"""How long a silence must last to be the end of the turn."""

from voice_agent.config import Endpointing
from voice_agent.engines import TurnDetector
from voice_agent.events import Pause


class Endpointer:
    """Chooses the wait of each pause: the surer the turn detector, the shorter."""

    def __init__(self, settings: Endpointing, detector: TurnDetector) -> None:
        self.settings = settings
        self._detector = detector
        self._asked: str | None = None
        self._wait_ms = float(settings.max_wait_ms)

    def begin(self) -> None:
        """A new pause has begun: what was thought about the last one no longer counts."""
        self._asked = None

    def over(self, pause: Pause) -> bool:
        """Whether this silence has lasted long enough to be the end of the turn.

        The detector is asked once a pause, and again when the words have changed.
        """
        if self._asked != pause.text:
            self._asked = pause.text
            self._wait_ms = self.wait_ms(self._detector.completion(pause))
        return pause.silence_s * 1000 >= self._wait_ms

    def wait_ms(self, completion: float) -> float:
        """The silence to wait for where the turn is complete with this probability."""
        shortest, longest = self.settings.min_wait_ms, self.settings.max_wait_ms
        doubt = (1.0 - completion) ** (2.0 * self.settings.eagerness) if completion < 1 else 0.0
        return shortest + max(0, longest - shortest) * doubt
