"""Which language model answers: the first one that is fit, and behind it others in reserve."""

import logging
import time
from collections.abc import Callable, Sequence

from voice_agent.engines import LanguageModel

log = logging.getLogger(__name__)

REST_S = 30.0
"""How long a model that failed is not asked, so that not every turn waits for it in vain."""


class ModelChain:
    """Language models in the order in which they are asked; shared by all sessions.

    Args:
        models: The models, at least one. The last one is always asked, so it should be one that
            needs nothing but this process.
        clock: Seconds.
    """

    def __init__(
        self, models: Sequence[LanguageModel], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._models = tuple(models)
        self._clock = clock
        self._rests_until: dict[int, float] = {}

    @property
    def first(self) -> LanguageModel:
        """The model that is asked first by now."""
        return self.fit()[0]

    def fit(self) -> tuple[LanguageModel, ...]:
        """The models to ask, in order."""
        now = self._clock()
        *before, last = self._models
        return (*(m for m in before if self._rests_until.get(id(m), 0.0) <= now), last)

    def failed(self, model: LanguageModel) -> None:
        """It did not answer: it rests a while."""
        self._rests_until[id(model)] = self._clock() + REST_S
        log.warning("language model rests", extra={"engine": model.name, "seconds": REST_S})

    def answered(self, model: LanguageModel) -> None:
        """It did answer."""
        self._rests_until.pop(id(model), None)

    async def forget(self, session: str) -> None:
        """A conversation is over."""
        for model in self._models:
            await model.forget(session)

    async def close(self) -> None:
        """Closes all models."""
        for model in self._models:
            await model.close()
