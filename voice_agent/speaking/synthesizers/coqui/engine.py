"""coqui-tts as synthesizer: XTTS v2, which speaks in the voice of a recording, and VITS."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator

from voice_agent.errors import EngineError
from voice_agent.events import REPLY_EMOTIONS, Phrase, Speech
from voice_agent.models.devices import DeviceName, device
from voice_agent.models.loading import alone
from voice_agent.speaking.synthesizers.coqui.files import check
from voice_agent.speaking.synthesizers.coqui.rendering import render
from voice_agent.speaking.synthesizers.coqui.turns import Turns
from voice_agent.speaking.synthesizers.coqui.voice import Voice

_WARM_UP = "Hello, it is 9:30."
"""With something to write out, since that loads more, too."""


class CoquiOptions(BaseModel):
    """What can be set."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = Field(
        "xtts-v2",
        description="Name in the catalogue or folder of an XTTS or VITS model; xtts-v2 is licensed "
        "for non-commercial use only (CPML)",
    )
    voice: str | None = Field(
        None,
        description="A voice of `voice-agent voices` (XTTS), or one of the model's own speakers; "
        "null for its first",
    )
    emotions: Mapping[str, str] = Field(
        {}, description="Speakers of the model for reply emotions: `{sad: p226}`"
    )
    language: str = Field("en", description="What it speaks, as en or pt")
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="Where it computes; auto takes a GPU on which it fits"
    )
    seed: int = Field(0, ge=0, description="Of its draws: another one, another way to say the same")

    @field_validator("emotions")
    @classmethod
    def _are_reply_emotions(cls, emotions: Mapping[str, str]) -> Mapping[str, str]:
        if unknown := sorted(set(emotions) - set(REPLY_EMOTIONS)):
            raise ValueError(
                f"{', '.join(unknown)} is no reply emotion; there are: {', '.join(REPLY_EMOTIONS)}"
            )
        return emotions


class CoquiSynthesizer:
    """Speaks with a model of coqui-tts (MPL-2.0, loaded at run time)."""

    Options: ClassVar[type[BaseModel]] = CoquiOptions
    name: ClassVar[str] = "coqui"

    def __init__(self, options: CoquiOptions, voice: Voice, where: DeviceName) -> None:
        """Use ``create``, or ``of`` for a model that is already there."""
        self._seed = options.seed
        self._voice: Voice | None = voice
        self._turns = Turns(self.name, device(where), voice.together)

    @classmethod
    def check(cls, options: CoquiOptions) -> None:
        """Tells by what is installed whether it can run here.

        Raises:
            EngineUnavailable: A package, the model or a device is missing; says how to get it.
        """
        check(options.model, options.device)

    @classmethod
    async def create(cls, options: CoquiOptions) -> Self:
        """Loads the model and speaks a few words, so that the first reply waits for nothing.

        Raises:
            EngineUnavailable: A package, the model, the voice or a device is missing; says how to
                get it.
        """
        check(options.model, "auto")
        async with alone():
            voice, where = await asyncio.to_thread(_load, options)
            return await cls._warm(options, voice, where)

    @classmethod
    async def of(cls, model: Any, options: CoquiOptions) -> Self:
        """An engine around a model that is already there, on the device on which it lies.

        Args:
            model: A ``Vits`` or ``Xtts`` of coqui-tts in evaluation mode; it belongs to the engine
                from now on.
            options: As for ``create``; ``model`` and ``device`` do not count.

        Raises:
            EngineUnavailable: The model has no such voice.
        """
        from voice_agent.speaking.synthesizers.coqui.loading import voice_of

        async with alone():
            voice = await asyncio.to_thread(voice_of, model, options)
            where: DeviceName = "cuda" if model.device.type == "cuda" else "cpu"
            return await cls._warm(options, voice, where)

    async def synthesize(self, phrase: Phrase) -> AsyncIterator[Speech]:
        """Streams a phrase in pieces that grow; words of XTTS have estimated times.

        The sample rate is the same for all of a phrase, and differs with the pitch of its tone.

        Raises:
            EngineError: The engine is closed, or was while it spoke, or the model failed.
        """
        voice = self._voice
        if voice is None:
            raise EngineError("the coqui synthesizer is closed; create a new one")
        seed = zlib.crc32(phrase.text.encode("utf-8", "replace"), self._seed)
        pieces = self._turns.render(lambda: render(voice, phrase, seed))
        try:
            async for speech in pieces:
                yield speech
        finally:
            await pieces.aclose()  # type: ignore[attr-defined]

    async def close(self) -> None:
        """Stops what is being said, and lets go of the model."""
        self._voice = None
        self._turns.close()
        await asyncio.to_thread(self._turns.join)

    @classmethod
    async def _warm(cls, options: CoquiOptions, voice: Voice, where: DeviceName) -> Self:
        engine = cls(options, voice, where)
        try:
            async for _ in engine.synthesize(Phrase(_WARM_UP)):
                pass
        except BaseException:
            await engine.close()
            raise
        return engine


def _load(options: CoquiOptions) -> tuple[Voice, DeviceName]:
    from voice_agent.speaking.synthesizers.coqui.loading import load

    return load(options)
