"""The engine: one Whisper model for all conversations."""

import logging
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from voice_agent.batching import Batcher
from voice_agent.errors import EngineError, EngineUnavailable, Overloaded
from voice_agent.hearing.recognizers.faster_whisper.reading import Kind, Reader, Reading, Request
from voice_agent.hearing.recognizers.faster_whisper.stream import FasterWhisperStream
from voice_agent.models import devices, installed, memory
from voice_agent.models.devices import DeviceName
from voice_agent.workers import Worker

log = logging.getLogger(__name__)

SETTING = "hearing.recognizer.device"

NEEDS = ("model.bin", "tokenizer.json")
"""Without the tokenizer, faster-whisper would ask the network for it."""

BATCH: dict[DeviceName, int] = {"cpu": 1, "cuda": 16}
"""Readings at once. A processor is no faster with several, and each would wait for all."""


class FasterWhisperRecognizer:
    """Recognition with Whisper."""

    class Options(BaseModel):
        """Settings of the engine."""

        model_config = ConfigDict(extra="forbid", frozen=True)

        model: str = Field(
            "base.en", description="Folder of a converted model, or the name of a pulled one"
        )
        device: Literal["auto", "cpu", "cuda"] = Field("auto", description="Where it runs")
        compute_type: str = Field(
            "default",
            description="Number format: int8, float16, int8_float16, float32; default: int8 on a "
            "processor, float16 on a GPU",
        )
        language: str | None = Field(
            "en",
            description="What is spoken (en, de, ja…); null: found out once in each conversation",
        )
        beam_size: int = Field(
            1, ge=1, le=10, description="Beams of a reading at a pause; partial ones have one"
        )
        hotwords: str = Field(
            "", max_length=400, description="Names and words to expect, with spaces between"
        )
        streams: int = Field(16, ge=1, le=1024, description="Conversations recognised at once")

    name: ClassVar[str] = "faster_whisper"

    def __init__(self, options: Options, reader: Reader, workers: Sequence[Worker]) -> None:
        """Use ``create``.

        Args:
            options: The settings.
            reader: The loaded model.
            workers: Two: for readings at pauses, and for partial ones.
        """
        self._options = options
        self._reader: Reader | None = reader
        self._workers = workers
        finals, partials = workers
        most = BATCH[reader.device]
        self._finals = Batcher[Kind, Request, Reading](finals, self._work, most)
        self._partials = Batcher[Kind, Request, Reading](partials, self._work, most)
        self._streams: set[FasterWhisperStream] = set()
        self.full_partials = options.beam_size == 1

    @classmethod
    def check(cls, options: Options) -> None:
        """Tells whether the engine can run here, without loading it.

        Raises:
            EngineUnavailable: faster-whisper, the model or a GPU is missing.
        """
        if find_spec("faster_whisper") is None:
            raise EngineUnavailable("faster-whisper is not installed: pip install faster-whisper")
        _find(options.model)
        if options.device == "cuda":
            devices.choose("cuda", SETTING, what="Whisper", library="ctranslate2")

    @classmethod
    async def create(cls, options: Options) -> Self:
        """Loads the model from disk and reads once with it; nothing is downloaded.

        Raises:
            EngineUnavailable: The model is not there, or cannot run on this machine.
        """
        folder = _find(options.model)
        # The second one is for partial readings, which nobody waits for.
        workers = [Worker.thread(cls.name), Worker.thread(f"{cls.name} partials")]
        try:
            reader = await workers[0].call(_load, folder, options)
        except BaseException as error:
            for worker in workers:
                worker.close()
            if isinstance(error, (RuntimeError, ValueError, OSError)):
                raise EngineUnavailable(
                    f"the Whisper model in {folder} does not run here: {error}"
                ) from error
            raise
        return cls(options, reader, workers)

    async def open(self) -> FasterWhisperStream:
        """Opens a stream for one session.

        Raises:
            Overloaded: As many as ``streams`` are open.
            EngineError: The engine is closed.
        """
        if self._reader is None:
            raise EngineError("the recognizer is closed")
        if len(self._streams) >= self._options.streams:
            raise Overloaded(
                f"{len(self._streams)} conversations are being recognised, which is all that "
                "hearing.recognizer.streams allows"
            )
        stream = FasterWhisperStream(self, self._options.language)
        self._streams.add(stream)
        return stream

    async def close(self) -> None:
        """Gives the model back."""
        self._reader = None
        self._finals.close()
        self._partials.close()
        for worker in self._workers:
            worker.close()

    def forget(self, stream: FasterWhisperStream) -> None:
        """Frees the place of a stream."""
        self._streams.discard(stream)

    async def read(self, request: Request, language: str | None, *, partial: bool) -> Reading:
        """Reads at most 30 s of audio.

        Args:
            request: The audio.
            language: What is spoken; None to find it out.
            partial: More is to come, and nobody waits for it: a reading of its own rank.

        Raises:
            EngineError: The reading failed, or the engine is closed.
        """
        if self._reader is None:
            raise EngineError("the recognizer is closed")
        kind = Kind(
            language,
            self._reader.prompt_tokens(request.prompt),
            1 if partial else self._options.beam_size,
        )
        return await (self._partials if partial else self._finals).submit(kind, request)

    def _work(self, kind: Kind, requests: list[Request]) -> list[Reading]:
        if self._reader is None:
            raise EngineError("the recognizer was closed")
        return self._reader.read(kind, requests)


def _find(model: str) -> Path:
    return installed.require(model, NEEDS)


def _load(folder: Path, options: FasterWhisperRecognizer.Options) -> Reader:
    """Loads the model where the options want it, or where it runs."""
    needed = memory.weights(folder)
    with devices.reserve(options.device, SETTING, needed, "Whisper", "ctranslate2") as on:
        try:
            return Reader(folder, on, options.compute_type, options.hotwords)
        except (RuntimeError, ValueError) as error:
            if on == "cpu" or options.device == "cuda":
                raise
            # A GPU without cuBLAS or cuDNN is noticed by the first reading.
            log.warning("Whisper does not run on the GPU, so it does on the processor: %s", error)
    with devices.reserve("cpu", SETTING, needed, "Whisper", "ctranslate2") as on:
        return Reader(folder, on, options.compute_type, options.hotwords)
