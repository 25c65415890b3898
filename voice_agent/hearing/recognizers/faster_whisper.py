"""Whisper through faster-whisper (CTranslate2), with a model that lies on disk.

Whisper reads up to 30 s at once and is no streaming model: partial hypotheses come from reading
the turn so far again and again. All streams share one model and one thread, which lets go of the
interpreter lock; where they are too many for it, partials become rarer and readings stay.
"""

import os
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from voice_agent.audio.pcm import HEARING_RATE, Samples
from voice_agent.errors import EngineError, EngineUnavailable, Overloaded
from voice_agent.events import Hypothesis, Word
from voice_agent.models import installed
from voice_agent.workers import Worker

PARTIAL = HEARING_RATE // 2
"""Samples between two partial readings."""

LONGEST = 24 * HEARING_RATE
"""Samples that are read again each time; what exceeds them is settled from the front."""

MARGIN_S = 4.0
"""Seconds at the end of the audio in which words may still change when the front is settled."""

SHORTEST = HEARING_RATE // 10
"""Samples below which there is nothing to read."""


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
            "default", description="Number format: default, int8, float16, int8_float16, float32"
        )
        language: str | None = Field(
            "en", description="What is spoken; none: found out anew in each reading"
        )
        beam_size: int = Field(1, ge=1, le=10, description="Beams of a reading; partials have one")
        streams: int = Field(16, ge=1, le=1024, description="Conversations recognised at once")

    name: ClassVar[str] = "faster_whisper"

    def __init__(self, options: Options, model: Any, worker: Worker) -> None:
        self._options = options
        self._model = model
        self._worker = worker
        self._streams: set[FasterWhisperStream] = set()
        self._calls = 0
        self._closed = False

    @classmethod
    async def create(cls, options: Options) -> Self:
        """Loads the model from disk; nothing is downloaded.

        Raises:
            EngineUnavailable: The model is not there, or cannot run on this machine.
        """
        folder = installed.require(options.model, ("model.bin", "tokenizer.json"))
        worker = Worker.thread(cls.name)
        try:
            model = await worker.call(_load, folder, options)
        except (RuntimeError, ValueError, OSError) as error:
            worker.close()
            raise EngineUnavailable(
                f"the Whisper model in {folder} does not run here: {error}"
            ) from error
        return cls(options, model, worker)

    async def open(self) -> "FasterWhisperStream":
        """Opens a stream for one session.

        Raises:
            Overloaded: As many as ``streams`` are open.
            EngineError: The engine is closed.
        """
        if self._closed:
            raise EngineError("the recognizer is closed")
        if len(self._streams) >= self._options.streams:
            raise Overloaded(
                f"{len(self._streams)} conversations are being recognised, which is all that "
                "hearing.recognizer.streams allows"
            )
        stream = FasterWhisperStream(self)
        self._streams.add(stream)
        return stream

    async def close(self) -> None:
        """Gives the model back."""
        self._closed = True
        self._model = None
        self._worker.close()

    @property
    def busy(self) -> bool:
        """Whether a reading is under way."""
        return self._calls > 0

    def forget(self, stream: "FasterWhisperStream") -> None:
        """Frees the place of a stream."""
        self._streams.discard(stream)

    async def read(self, samples: Samples, *, timed: bool) -> list[Word]:
        """Reads at most 30 s of audio; only a timed reading has times and the full beam."""
        self._calls += 1
        try:
            return await self._worker.call(_read, self._model, self._options, samples, timed)
        except RuntimeError as error:
            raise EngineError(f"Whisper failed: {error}") from error
        finally:
            self._calls -= 1


class FasterWhisperStream:
    """One person's speech, turn after turn."""

    def __init__(self, engine: FasterWhisperRecognizer) -> None:
        self._engine = engine
        self._closed = False
        self._begin()

    def _begin(self) -> None:
        self._audio: Samples = np.zeros(0, np.float32)
        self._start = 0
        self._settled: list[Word] = []
        self._partial: list[Word] = []
        self._read = 0
        self._final = False

    async def feed(self, samples: Samples) -> Hypothesis:
        """Takes more of the turn (16 kHz mono float32); returns the partial hypothesis so far."""
        self._check()
        if len(samples):
            self._audio = np.concatenate([self._audio, samples])
            self._final = False
        while len(self._audio) > LONGEST:
            await self._settle_front()
        if len(self._audio) - self._read >= PARTIAL and not self._engine.busy:
            audio = self._audio
            self._partial = await self._engine.read(audio, timed=False)
            self._read = len(audio)
        text = _text([*self._settled, *self._partial])
        return Hypothesis(text, stable=_text(self._settled))

    async def settle(self) -> Hypothesis:
        """Returns the best reading of the turn so far, with times and confidences."""
        self._check()
        if not self._final:
            self._partial = await self._timed(self._audio)
            self._read, self._final = len(self._audio), True
        words = (*self._settled, *self._partial)
        text = _text(words)
        confidences = [word.confidence for word in words if word.confidence is not None]
        return Hypothesis(
            text,
            stable=text,
            final=True,
            words=words,
            confidence=sum(confidences) / len(confidences) if confidences else None,
        )

    async def reset(self) -> None:
        """Forgets the turn; the next ``feed`` begins a new one."""
        self._begin()

    async def close(self) -> None:
        """Ends the stream. Harmless when called twice."""
        self._closed = True
        self._begin()
        self._engine.forget(self)

    async def _settle_front(self) -> None:
        """Keeps the words at the front of a turn that has become long, and drops their audio."""
        front = self._audio[:LONGEST]
        sure = self._start / HEARING_RATE + len(front) / HEARING_RATE - MARGIN_S
        words = [word for word in await self._timed(front) if word.end <= sure]
        cut = len(front) - round(MARGIN_S * HEARING_RATE)
        if words:
            cut = max(SHORTEST, round(words[-1].end * HEARING_RATE) - self._start)
        self._settled += words
        self._audio, self._start = self._audio[cut:], self._start + cut
        self._partial, self._read = [], 0

    async def _timed(self, samples: Samples) -> list[Word]:
        start, length = self._start / HEARING_RATE, len(samples) / HEARING_RATE
        return [
            Word(
                word.text,
                start + min(max(0.0, word.start), length),
                start + min(max(0.0, word.start, word.end), length),
                word.confidence,
            )
            for word in await self._engine.read(samples, timed=True)
        ]

    def _check(self) -> None:
        if self._closed:
            raise EngineError("the recognizer stream is closed")


def _text(words: list[Word] | tuple[Word, ...]) -> str:
    return " ".join(word.text for word in words)


def _load(folder: Path, options: FasterWhisperRecognizer.Options) -> Any:
    from faster_whisper import WhisperModel

    return WhisperModel(
        str(folder),
        device=options.device,
        compute_type=options.compute_type,
        # Half of the cores: its threads spin while they wait, and the voice must not.
        cpu_threads=max(1, (os.cpu_count() or 1) // 2),
        local_files_only=True,
    )


def _read(
    model: Any, options: FasterWhisperRecognizer.Options, samples: Samples, timed: bool
) -> list[Word]:
    if len(samples) < SHORTEST:
        return []
    segments, _ = model.transcribe(
        samples,
        language=options.language,
        beam_size=options.beam_size if timed else 1,
        # A second try at a higher temperature would come too late for a conversation.
        temperature=0.0,
        condition_on_previous_text=False,
        without_timestamps=True,
        word_timestamps=timed,
    )
    if timed:
        return [
            Word(text, float(word.start), float(word.end), float(word.probability))
            for segment in segments
            for word in segment.words or ()
            if (text := word.word.strip())
        ]
    return [Word(text, 0.0, 0.0) for segment in segments for text in segment.text.split()]
