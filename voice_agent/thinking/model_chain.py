"""Which language model answers: the first one that is fit, and behind it others in reserve."""

import time
from collections.abc import Callable, Sequence

from voice_agent.engines import LanguageModel
from voice_agent.lineup import Lineup


class ModelChain(Lineup[LanguageModel]):
    """Language models in the order in which they are asked; shared by all sessions.

    Args:
        models: The models, at least one. The last one is always asked, so it should be one that
            needs nothing but this process.
        clock: Seconds.
    """

    def __init__(
        self, models: Sequence[LanguageModel], clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__("language_model", models, clock)

    async def forget(self, session: str) -> None:
        """A conversation is over."""
        for model in self._engines:
            await model.forget(session)
