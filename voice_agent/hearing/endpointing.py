"""How long a silence must last to be the end of the turn.

The wait is linear in the log odds that the turn is complete: pauses inside a turn get rarer by a
constant factor with every stretch of time, so this keeps the risk of cutting in about even. And
who breathes in or smacks their lips in a pause is about to go on: a sound in the silence puts the
end off until it has been quiet again.
"""

from collections import deque
from collections.abc import Callable, Iterable
from math import log

from voice_agent.engines import TurnDetector
from voice_agent.events import Pause
from voice_agent.settings import Endpointing

_EVEN_MS = 916.0
_MS_PER_LOG_ODDS = 324.0
_EAGERNESS = 2.5

# A sound: three rows above the quietest row of the last half second, and no fainter than this
# below the speech, so that a change of the room's hum is none.
_SOUND_DB = 6.0
_FAINTEST_DB = 40.0
_SOUND_ROWS = 3
_LOOK_BACK = 30
_DYING_AWAY_MS = 100.0
_QUIET_MS = 250.0


class Endpointer:
    """Decides at each pause whether it is the end of the turn."""

    def __init__(self, settings: Endpointing, detector: TurnDetector) -> None:
        self.settings = settings
        self._detector = detector
        self._asked: str | None = None
        self._wait_ms = 0.0
        self._levels: deque[float] = deque(maxlen=_LOOK_BACK)
        self._faintest_db = 0.0
        self._sound_rows = 0
        self._sound_ms = 0.0

    def begin(self, loud_db: float) -> None:
        """A new pause has begun, after speech of this level."""
        self._asked = None
        self._levels.clear()
        self._faintest_db = loud_db - _FAINTEST_DB
        self._sound_rows = 0
        self._sound_ms = 0.0

    def hear(self, levels_db: Iterable[float], silence_ms: float) -> None:
        """Takes what sounds in the pause, which now lasts ``silence_ms``.

        Args:
            levels_db: Levels of the next rows of 16 ms of the differenced signal, in which a
                breath stands out from the hum of a room.
            silence_ms: Length of the pause at their end.
        """
        if silence_ms < _DYING_AWAY_MS:
            return
        for level in levels_db:
            self._levels.append(level)
            bar = max(min(self._levels) + _SOUND_DB, self._faintest_db)
            self._sound_rows = self._sound_rows + 1 if level > bar else 0
        if self._sound_rows >= _SOUND_ROWS:
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
        wait = _EVEN_MS - _MS_PER_LOG_ODDS * log(completion / (1 - completion))
        wait *= _EAGERNESS ** (0.5 - self.settings.eagerness)
        return float(max(self.settings.min_wait_ms, min(wait, self.settings.max_wait_ms)))
