"""The engine: models that all conversations share, and a stream for each."""

import asyncio
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from voice_agent import hub, torchaudio_import
from voice_agent.audio.pcm import HEARING_RATE, Samples
from voice_agent.catalogue import catalogue
from voice_agent.checkup import install_command
from voice_agent.errors import EngineError, EngineUnavailable, Overloaded
from voice_agent.events import Manner, Paralinguistics, VocalEvent
from voice_agent.hearing.paralinguistics.transformers import options as settings
from voice_agent.hearing.paralinguistics.transformers import reading, sounds
from voice_agent.hearing.paralinguistics.transformers.batching import Batcher
from voice_agent.hearing.paralinguistics.transformers.classifier import Classifier, Scores, load
from voice_agent.hearing.paralinguistics.transformers.labels import Meanings, meanings
from voice_agent.workers import Worker

SHORTEST = round(0.3 * HEARING_RATE)
"""Samples below which nothing is read."""

_SILENT = 1e-3
"""Peak below which there is only silence, full scale at 1."""

_STEP = HEARING_RATE // 4
"""Where only audio of equal length goes into one batch, turns are cut to multiples of this."""


@dataclass(frozen=True, eq=False, slots=True)
class _Reader:
    """A model and what is read from it."""

    choice: settings.ModelChoice
    classifier: Classifier
    meanings: dict[settings.Kind, Meanings]

    @property
    def hears_sounds(self) -> bool:
        return "events" in self.choice.reads


Batch = tuple[_Reader, int]
"""What is read together: the model, and the length of the audio where it must be equal."""


class TransformersAnalyzer:
    """Reads voices with audio classifiers of the transformers library.

    All streams share the models and one thread; readings that wait for it are read together.
    """

    Options: ClassVar[type[settings.Options]] = settings.Options
    name: ClassVar[str] = "transformers"

    def __init__(
        self, options: settings.Options, readers: Sequence[_Reader], worker: Worker
    ) -> None:
        self._options = options
        self._readers = list(readers)
        self._worker = worker
        self._batcher: Batcher[Batch, Samples, Scores] = Batcher(worker, _read, options.max_batch)
        self._readings = 0
        self._closed = False

    @classmethod
    async def create(cls, options: settings.Options) -> Self:
        """Loads the models from disk; nothing is downloaded.

        Raises:
            ConfigError: A model does not tell what it is to tell.
            EngineUnavailable: A package, a model or a device is missing; says how to get it.
        """
        folders = [_folder(choice.model) for choice in options.models]
        worker = Worker.thread(cls.name)
        try:
            readers = await worker.call(_load, options, folders)
        except BaseException:
            worker.close()
            raise
        return cls(options, readers, worker)

    async def open(self) -> "TransformersStream":
        """A stream, of which there may be any number.

        Raises:
            EngineError: The engine is closed.
        """
        if self._closed:
            raise EngineError("the analyzer is closed")
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
    def readers(self) -> Sequence[_Reader]:
        """The models; none after closing."""
        return self._readers

    @property
    def waiting(self) -> int:
        """Pieces of audio that wait to be read."""
        return self._batcher.waiting

    def admit(self) -> None:
        """Counts a reading in; ``dismiss`` counts it out.

        Raises:
            Overloaded: As many as ``waiting`` are under way.
            EngineError: The engine is closed.
        """
        if self._closed:
            raise EngineError("the analyzer is closed")
        if self._readings >= self._options.waiting:
            raise Overloaded(
                f"{self._readings} readings of voices are under way, which is all that "
                "hearing.paralinguistics.waiting allows"
            )
        self._readings += 1

    def dismiss(self) -> None:
        """Counts a reading out."""
        self._readings -= 1

    async def scores(self, reader: _Reader, pieces: Iterable[Samples]) -> list[Scores]:
        """What a model says of pieces of audio."""
        equal = reader.classifier.lengths == "equal"
        return await asyncio.gather(
            *(self._batcher.submit((reader, piece.size if equal else 0), piece) for piece in pieces)
        )

    def end_of(self, turn: Samples, reader: _Reader) -> Samples:
        """The part of a turn that a model reads for anything but sounds."""
        size = min(turn.size, round(self._options.window_s * HEARING_RATE))
        if reader.classifier.lengths == "equal" and size > _STEP:
            size -= size % _STEP
        return turn[turn.size - size :]


class TransformersStream:
    """Reads one person's turns, each for itself; remembers only what it heard of the last one."""

    def __init__(self, engine: TransformersAnalyzer) -> None:
        self._engine = engine
        self._grid = sounds.Grid()
        self._heard: dict[bytes, dict[str, float]] = {}
        self._closed = False

    async def analyze(self, samples: Samples, manner: Manner) -> Paralinguistics:
        """Reads the turn so far; of too little audio, or of silence, only the manner is known.

        Raises:
            Overloaded: As many readings as allowed are under way.
            EngineError: A model failed, or the engine is closed.
        """
        if self._closed:
            raise EngineError("the analyzer's stream is closed")
        self._engine.admit()
        try:
            if samples.size < SHORTEST or np.abs(samples).max() < _SILENT:
                return Paralinguistics(manner=manner)
            values: dict[str, Any] = {}
            readings = [self._read(reader, samples) for reader in self._engine.readers]
            for found in await asyncio.gather(*readings):
                values |= found
        finally:
            self._engine.dismiss()
        return Paralinguistics(
            manner=manner, uncertain=reading.uncertain(values.get("emotion", {})), **values
        )

    async def learn(self, samples: Samples) -> None:
        """Learns nothing: the models know no usual voice."""

    async def close(self) -> None:
        """Ends the stream. Harmless when called twice."""
        self._closed = True
        self._heard.clear()

    async def _read(self, reader: _Reader, turn: Samples) -> dict[str, Any]:
        """What one model tells of a turn, by the names of ``Paralinguistics``."""
        if reader.hears_sounds:
            return {"events": await self._sounds(reader, turn)}
        (scores,) = await self._engine.scores(reader, [self._engine.end_of(turn, reader)])
        choice = reader.choice
        if "dimensions" in choice.reads:
            return {**reading.dimensions(scores, reader.meanings["dimensions"], choice)}
        exclusive = reading.exclusive(choice, reader.classifier.multi_label)
        shares = reading.shares(scores, choice.temperature, exclusive)
        found: dict[str, Any] = {
            kind: reading.posterior(kind, reader.meanings[kind], shares) for kind in choice.reads
        }
        if "emotion" in found:
            found["emotion"], found["calm"] = reading.emotion(found["emotion"])
        return found

    async def _sounds(self, reader: _Reader, turn: Samples) -> tuple[VocalEvent, ...]:
        starts = self._grid.windows(turn)
        windows = [turn[start : start + sounds.WINDOW] for start in starts]
        keys = [blake2b(window.tobytes(), digest_size=16).digest() for window in windows]
        heard = dict(self._heard)
        unheard = {
            key: window for key, window in zip(keys, windows, strict=True) if key not in heard
        }
        scores = await self._engine.scores(reader, unheard.values())
        exclusive = reading.exclusive(reader.choice, reader.classifier.multi_label)
        for key, of_window in zip(unheard, scores, strict=True):
            shares = reading.shares(of_window, reader.choice.temperature, exclusive)
            heard[key] = reading.sounds(reader.meanings["events"], shares, exclusive)
        found = [heard[key] for key in keys]
        self._heard = dict(zip(keys, found, strict=True))
        return sounds.events(starts, turn.size, found, reader.choice.threshold)


def _folder(model: str) -> Path:
    folder = Path(model).expanduser()
    if (folder / "config.json").is_file():
        return folder
    found = hub.find(model)
    if found is None:
        known = next((entry for entry in catalogue() if entry.hub == model), None)
        about = f" ({known.megabytes} MB, licence {known.licence})" if known else ""
        raise EngineUnavailable(
            f"there is no model {model!r} here: looked for a folder with a config.json, for a "
            f"pulled one in {hub.pulled(model)}, and in the cache of the Hugging Face hub; get it "
            f"with: hf download {model}{about}"
        )
    return found


def _load(options: settings.Options, folders: Sequence[Path]) -> list[_Reader]:
    try:
        import torch

        torchaudio_import.ensure()
        import transformers  # noqa: F401
    except ImportError as error:
        raise EngineUnavailable(
            f"{error.name} is not installed; it comes with: {install_command('transformers')}"
        ) from error
    has_gpu = torch.cuda.is_available()
    if options.device == "cuda" and not has_gpu:
        raise EngineUnavailable(
            "torch finds no CUDA device here; set hearing.paralinguistics.device to cpu, or "
            "install the build of torch for your GPU (https://pytorch.org/get-started/locally)"
        )
    device = "cuda" if has_gpu and options.device != "cpu" else "cpu"
    dtype = options.dtype
    if dtype == "auto":
        dtype = "float16" if device == "cuda" else "float32"
    # Half of the cores: the recognizer and the voice need theirs.
    torch.set_num_threads(options.threads or max(1, (os.cpu_count() or 1) // 2))
    readers = []
    for choice, folder in zip(options.models, folders, strict=True):
        classifier = load(choice.model, folder, device, dtype)
        readers.append(_Reader(choice, classifier, meanings(choice, classifier.labels)))
    return readers


def _read(batch: Batch, pieces: list[Samples]) -> list[Scores]:
    reader, _ = batch
    return reader.classifier.read(pieces)


def _free() -> None:
    import torch

    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()
