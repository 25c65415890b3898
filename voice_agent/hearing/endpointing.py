"""How long a silence must last to be the end of the turn.

The wait follows from two measurements. Pauses inside a turn get rarer by a constant factor with
every stretch of time; so the wait at which the risk of cutting in equals a given price of waiting
is linear in the log odds that the turn is complete. And who breathes in or smacks their lips in a
pause is about to go on: a sound in the silence puts the end off until it has been quiet again.
"""

from collections import deque
from collections.abc import Callable, Iterable
from math import log

from voice_agent.config import Endpointing
from voice_agent.engines import TurnDetector
from voice_agent.events import Pause

_MS_PER_LOG_ODDS = 140.0
_EVEN_MS = 560.0
_EAGERNESS_MS = 500.0
_SOUND_DB = 8.0
_FAINTEST_DB = -75.0
_VOICE = 0.25
_DYING_AWAY_MS = 100.0
_QUIET_MS = 150.0
_LOOK_BACK = 25


class Endpointer:
    """Decides at each pause whether it is the end of the turn."""

    def __init__(self, settings: Endpointing, detector: TurnDetector) -> None:
        self.settings = settings
        self._detector = detector
        self._asked: str | None = None
        self._wait_ms = 0.0
        self._levels: deque[float] = deque(maxlen=_LOOK_BACK)
        self._sound_ms = 0.0

    def begin(self) -> None:
        """A new pause has begun."""
        self._asked = None
        self._levels.clear()
        self._sound_ms = 0.0

    def hear(self, levels_db: Iterable[float], voice: float, silence_ms: float) -> None:
        """Takes what sounds in the next 32 ms of the pause, which now lasts ``silence_ms``.

        Args:
            levels_db: Levels of the differenced signal, in which a breath stands out from the
                hum of a room, one for every 16 ms.
            voice: Probability of speech.
            silence_ms: Length of the pause.
        """
        if silence_ms < _DYING_AWAY_MS:
            return
        self._levels.extend(levels_db)
        bar = max(min(self._levels) + _SOUND_DB, _FAINTEST_DB)
        if voice > _VOICE or self._levels[-1] > bar:
            self._sound_ms = silence_ms

    def over(self, words: str, silence_ms: float, describe: Callable[[], Pause]) -> bool:
        """Whether this silence has lasted long enough to be the end of the turn.

        The detector is asked once a pause, and again when the words have changed.
        """
        settings = self.settings
        if settings.max_wait_ms <= settings.min_wait_ms:
            return silence_ms >= settings.min_wait_ms
        if self._asked != words:
            self._asked = words
            self._wait_ms = self.wait_ms(self._detector.completion(describe()))
        wait = self._wait_ms
        if self._sound_ms:
            wait = min(max(wait, self._sound_ms + _QUIET_MS), settings.max_wait_ms)
        return silence_ms >= wait

    def wait_ms(self, completion: float) -> float:
        """The silence to wait for where the turn is complete with this probability."""
        completion = min(max(completion, 1e-6), 1 - 1e-6)
        even = _EVEN_MS + _EAGERNESS_MS * (0.5 - self.settings.eagerness)
        wait = even - _MS_PER_LOG_ODDS * log(completion / (1 - completion))
        return max(self.settings.min_wait_ms, min(wait, self.settings.max_wait_ms))
