"""The engine: models that all conversations share, and a stream for each."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import ClassVar, Self

import numpy as np

from voice_agent.audio.pcm import HEARING_RATE, Samples
from voice_agent.batching import Batcher
from voice_agent.errors import EngineError, EngineUnavailable, Overloaded
from voice_agent.hearing.paralinguistics.transformers import options as settings
from voice_agent.hearing.paralinguistics.transformers.classifier import Scores
from voice_agent.hearing.paralinguistics.transformers.readers import Reader, load_all
from voice_agent.hearing.paralinguistics.transformers.stream import TransformersStream
from voice_agent.models import installed, local_transformers
from voice_agent.models.devices import DeviceName, Rank, device
from voice_agent.models.loading import alone
from voice_agent.workers import Worker

_STEP = HEARING_RATE // 4
"""Where only audio of equal length goes into one batch, turns are cut to multiples of this."""

_LINGER_S: dict[DeviceName, float] = {"cpu": 0.0, "cuda": 0.005}
"""How long a reading waits for those of other conversations: on a GPU they take one time together,
on a processor one after another."""

Batch = tuple[Reader, int]
"""What is read together: the model, and the length of the audio where it must be equal."""


class TransformersAnalyzer:
    """Reads voices with audio classifiers of the transformers library.

    All streams share the models and one thread; readings that wait for it are read together.
    """

    Options: ClassVar[type[settings.Options]] = settings.Options
    name: ClassVar[str] = "transformers"

    def __init__(
        self, options: settings.Options, readers: Sequence[Reader], worker: Worker
    ) -> None:
        self._options = options
        self._readers = list(readers)
        self._worker = worker
        self._batcher: Batcher[Batch, Samples, Scores] = Batcher(
            worker,
            _read,
            options.max_batch,
            max(_LINGER_S[reader.classifier.device] for reader in readers),
        )
        self._readings = 0
        self._closed = False

    @classmethod
    def check(cls, options: settings.Options) -> None:
        """Tells by what is installed whether it can run here.

        Raises:
            EngineUnavailable: A package, a model or a device is missing; says how to get it.
        """
        local_transformers.check(options.device, "hearing.paralinguistics.device")
        for choice in options.models:
            installed.require(choice.model)

    @classmethod
    async def create(cls, options: settings.Options) -> Self:
        """Loads the models from disk and has each read once; nothing is downloaded.

        Raises:
            ConfigError: A model does not tell what it is to tell.
            EngineUnavailable: A package, a model or a device is missing; says how to get it.
        """
        folders = [installed.require(choice.model) for choice in options.models]
        worker = Worker.thread(cls.name)
        try:
            async with alone():
                readers = await worker.call(load_all, options, folders)
                await worker.call(_warm_up, readers)
        except BaseException:
            worker.close()
            raise
        return cls(options, readers, worker)

    async def open(self) -> TransformersStream:
        """A stream, of which there may be any number.

        Raises:
            EngineError: The engine is closed.
        """
        self._check()
        return TransformersStream(self)

    async def close(self) -> None:
        """Gives the models back once the batch under way is done."""
        self._closed = True
        self._batcher.close()
        self._readers.clear()
        with suppress(EngineError):
            await self._worker.call(_free)
        self._worker.close()

    @property
    def readers(self) -> Sequence[Reader]:
        """The models.

        Raises:
            EngineError: The engine is closed.
        """
        self._check()
        return self._readers

    @property
    def waiting(self) -> int:
        """Pieces of audio that wait to be read."""
        return self._batcher.waiting

    @contextmanager
    def admitted(self) -> Iterator[None]:
        """Counts a reading while it is under way.

        Raises:
            Overloaded: As many as ``waiting`` are under way.
            EngineError: The engine is closed.
        """
        self._check()
        if self._readings >= self._options.waiting:
            raise Overloaded(
                f"{self._readings} readings of voices are under way, which is all that "
                "hearing.paralinguistics.waiting allows"
            )
        self._readings += 1
        try:
            yield
        finally:
            self._readings -= 1

    async def scores(self, reader: Reader, pieces: Iterable[Samples]) -> list[Scores]:
        """What a model says of pieces of audio.

        Raises:
            EngineError: It failed, or gave no numbers.
        """
        equal = reader.classifier.lengths == "equal"
        found = await asyncio.gather(
            *(self._batcher.submit((reader, piece.size if equal else 0), piece) for piece in pieces)
        )
        if not all(np.isfinite(scores).all() for scores in found):
            raise EngineError(
                f"{reader.choice.model} gave no numbers; another hearing.paralinguistics.dtype may "
                "help: float32 or bfloat16"
            )
        return found

    def end_of(self, turn: Samples, reader: Reader) -> Samples:
        """The part of a turn that a model reads for anything but sounds."""
        size = min(turn.size, round(self._options.window_s * HEARING_RATE))
        if reader.classifier.lengths == "equal" and size > _STEP:
            size -= size % _STEP
        return turn[turn.size - size :]

    def _check(self) -> None:
        if self._closed:
            raise EngineError("the analyzer is closed")


def _read(batch: Batch, pieces: list[Samples]) -> list[Scores]:
    reader, _ = batch
    with device(reader.classifier.device).turn(Rank.EAR):
        return reader.classifier.read(pieces)


def _warm_up(readers: Sequence[Reader]) -> None:
    """Has each model read: the first pass is slow, and fails where a device is not supported."""
    quiet_noise = np.random.default_rng(0).normal(0, 0.01, HEARING_RATE).astype(np.float32)
    for reader in readers:
        try:
            _read((reader, quiet_noise.size), [quiet_noise])
        except RuntimeError as error:
            raise EngineUnavailable(
                f"the model {reader.choice.model} cannot compute on {reader.classifier.device}: "
                f"{str(error).partition(chr(10))[0]}; set hearing.paralinguistics.device or dtype"
            ) from error


def _free() -> None:
    import torch

    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()
