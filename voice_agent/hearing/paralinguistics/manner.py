"""The analyzer where emotions must not be recognised: it tells the measured manner alone."""

from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict

from voice_agent.audio.pcm import Samples
from voice_agent.events import Manner, Paralinguistics


class MannerAnalyzer:
    """Infers nothing of the person: no emotion, no gender, no age, no vocal events."""

    class Options(BaseModel):
        """This engine has no options."""

        model_config = ConfigDict(extra="forbid", frozen=True)

    name: ClassVar[str] = "manner"

    @classmethod
    async def create(cls, options: Options) -> Self:
        """Needs nothing."""
        return cls()

    async def open(self) -> Self:
        """The same for everybody: it keeps nothing."""
        return self

    async def analyze(self, samples: Samples, manner: Manner) -> Paralinguistics:
        """Carries on what was measured: pace, pitch, level and pauses."""
        return Paralinguistics(manner=manner)

    async def learn(self, samples: Samples) -> None:
        """Keeps nothing."""

    async def close(self) -> None:
        """Holds nothing that needs closing."""
