"""Engines of one kind in the order in which they are asked; one that failed rests a while.

An engine may be lost in the midst of a conversation: its server goes away, its worker dies, its
device runs out of memory. The next one then takes over, and the conversation goes on.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from typing import Any, Generic, TypeVar

from voice_agent.engines import Engine, EngineKind
from voice_agent.events import EngineSwitched

log = logging.getLogger(__name__)

REST_S = 30.0
"""How long an engine that failed is not asked, so that not every turn waits for it in vain."""

LONGEST_REST_S = 600.0
"""The rest doubles with each failure in a row, up to this."""

PATIENCE_S = 5.0
"""How long an engine may stay silent, beside the time that its work may take by its length."""

_FAREWELL_S = 5.0
"""How long it may take an engine that failed to let go of what it holds."""


E = TypeVar("E", bound=Engine)


@dataclass(slots=True)
class _Failures:
    rest_s: float = 0.0
    until: float = -inf


class Lineup(Generic[E]):
    """Engines in the order in which they are asked; shared by all sessions.

    Args:
        kind: What they are.
        engines: At least one. The last one is always asked, so it should be one that needs nothing
            but this process.
        clock: Seconds.
        patience_s: How long an engine may stay silent where another one could take over.
    """

    def __init__(
        self,
        kind: EngineKind,
        engines: Sequence[E],
        clock: Callable[[], float] = time.monotonic,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self.kind = kind
        self._engines = tuple(engines)
        self._clock = clock
        self._patience_s = patience_s
        self._failures: dict[int, _Failures] = {}

    @property
    def first(self) -> E:
        """The engine that is asked first by now."""
        return self.fit()[0]

    @property
    def resting(self) -> tuple[str, ...]:
        """Names of the engines that failed a while ago."""
        return tuple(engine.name for engine in self._engines if self._rests(engine))

    def fit(self) -> tuple[E, ...]:
        """The engines to ask, in order."""
        *before, last = self._engines
        return (*(engine for engine in before if not self._rests(engine)), last)

    def before(self, engine: E) -> tuple[E, ...]:
        """Those of ``fit`` that come before an engine."""
        place = self._place(engine)
        return tuple(other for other in self.fit() if self._place(other) < place)

    def after(self, engine: E) -> tuple[E, ...]:
        """Those of ``fit`` that come after an engine."""
        place = self._place(engine)
        return tuple(other for other in self.fit() if self._place(other) > place)

    def patience(self, engine: E, work_s: float) -> asyncio.Timeout:
        """Gives up on an engine that stays silent for too long, if another one could take over.

        Args:
            engine: The engine that is waited for.
            work_s: How long its work may take by its length, in seconds.
        """
        return asyncio.timeout(self._patience_s + work_s if self.after(engine) else None)

    def failed(self, engine: E, error: Exception) -> EngineSwitched | None:
        """It could not do its work: it rests a while.

        Returns:
            Which engine takes over; None where there is none after it.
        """
        failures = self._failures.setdefault(id(engine), _Failures())
        if not self._rests(engine):
            # What fails in several sessions at once has failed once.
            failures.rest_s = min(LONGEST_REST_S, 2 * failures.rest_s or REST_S)
            failures.until = self._clock() + failures.rest_s
        instead = next(iter(self.after(engine)), None)
        log.warning(
            "engine failed",
            extra={
                "kind": self.kind,
                "engine": engine.name,
                "instead": instead and instead.name,
                "rests_s": failures.rest_s,
                # Not in its own words: they may be those of the person.
                "error": type(error).__name__,
                "cause": error.__cause__ and type(error.__cause__).__name__,
            },
        )
        log.debug("engine failed", exc_info=error)
        if instead is None:
            return None
        reason = str(error) or type(error).__name__
        if isinstance(error, TimeoutError):
            reason = "it did not answer in time"
        return EngineSwitched(self.kind, engine.name, instead.name, reason)

    def answered(self, engine: E) -> None:
        """It did its work."""
        failures = self._failures.get(id(engine))
        if failures is not None and (engine is self._engines[-1] or not self._rests(engine)):
            log.info("engine is back", extra={"kind": self.kind, "engine": engine.name})
            del self._failures[id(engine)]

    async def close(self) -> None:
        """Closes all engines, whatever one of them says to that."""
        for engine in self._engines:
            try:
                await engine.close()
            except Exception as error:  # an engine of anybody's may raise anything
                log.warning("engine not closed", extra={"engine": engine.name}, exc_info=error)

    def _place(self, engine: E) -> int:
        return next(place for place, one in enumerate(self._engines) if one is engine)

    def _rests(self, engine: E) -> bool:
        failures = self._failures.get(id(engine))
        return failures is not None and self._clock() < failures.until


async def let_go(close: Callable[[], Any]) -> None:
    """Closes something of an engine that failed, which may fail, too, or never answer."""
    with suppress(Exception):
        async with asyncio.timeout(_FAREWELL_S):
            await close()
