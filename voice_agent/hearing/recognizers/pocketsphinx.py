"""The embedded recognizer: pocketsphinx with the English model that it carries (BSD licence).

It holds the interpreter lock, so it decodes in processes. A stream holds one while a turn is under
way and hands it back afterwards; what was learnt of the speaker's microphone stays with the stream.
"""

import asyncio
from collections.abc import Callable
from typing import ClassVar, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from voice_agent.audio.pcm import HEARING_RATE, Samples, to_pcm16
from voice_agent.errors import EngineError, Overloaded
from voice_agent.events import Hypothesis, Word
from voice_agent.hearing.recognizers import pocketsphinx_process as process
from voice_agent.workers import Worker

T = TypeVar("T")

MODEL = "voice_agent.hearing.recognizers.pocketsphinx_model"

CALL = 10 * HEARING_RATE
"""Samples that a process is given at a time."""


class PocketsphinxRecognizer:
    """Recognition of English without a download."""

    class Options(BaseModel):
        """Settings of the engine."""

        model_config = ConfigDict(extra="forbid", frozen=True)

        streams: int = Field(
            16,
            ge=1,
            le=1024,
            description="Conversations recognised at once; 40 MB each while somebody speaks",
        )

    name: ClassVar[str] = "pocketsphinx"

    def __init__(self, options: Options) -> None:
        self._options = options
        self._streams: set[PocketsphinxStream] = set()
        self._idle: list[Worker] = []
        self._closed = False

    @classmethod
    async def create(cls, options: Options) -> Self:
        """Loads the model and starts a first decoder.

        Raises:
            EngineError: No process can be started.
        """
        engine = cls(options)
        engine.give_back(await engine.lease(process.UNKNOWN, 0))
        return engine

    async def open(self) -> "PocketsphinxStream":
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
        stream = PocketsphinxStream(self)
        self._streams.add(stream)
        return stream

    async def close(self) -> None:
        """Stops all decoders."""
        self._closed = True
        for stream in list(self._streams):
            await stream.close()
        while self._idle:
            self._idle.pop().close()

    async def lease(self, channel: process.Channel, fed: int) -> Worker:
        """A decoder process that has begun a turn, of which ``fed`` samples are gone already."""
        if self._closed:
            raise EngineError("the recognizer is closed")
        while self._idle:
            worker = self._idle.pop()
            try:
                await worker.call(process.begin, channel, fed)
            except EngineError:
                worker.close()  # It died while nobody needed it.
            else:
                return worker
        worker = await Worker.process(self.name, MODEL)
        await worker.call(process.begin, channel, fed)
        return worker

    def give_back(self, worker: Worker) -> None:
        """Takes a decoder back for the next turn of anyone."""
        if self._closed:
            worker.close()
        else:
            self._idle.append(worker)

    def forget(self, stream: "PocketsphinxStream") -> None:
        """Frees the place of a stream."""
        self._streams.discard(stream)


class PocketsphinxStream:
    """One person's speech, turn after turn."""

    def __init__(self, engine: PocketsphinxRecognizer) -> None:
        self._engine = engine
        self._channel = process.UNKNOWN
        self._worker: Worker | None = None
        self._order = asyncio.Lock()
        self._closed = False
        self._begin()

    def _begin(self) -> None:
        self._fed = 0
        self._words: list[Word] = []
        self._open = ""

    async def feed(self, samples: Samples) -> Hypothesis:
        """Takes more of the turn (16 kHz mono float32); returns the partial hypothesis so far.

        Audio counts even where the call is cancelled.

        Raises:
            EngineError: The decoder died; the turn goes on without what it had not settled.
        """
        for start in range(0, len(samples), CALL):
            await asyncio.shield(self._feed(to_pcm16(samples[start : start + CALL])))
        settled = [word.text for word in self._words]
        return Hypothesis(" ".join([*settled, *self._open.split()]), stable=" ".join(settled))

    async def settle(self) -> Hypothesis:
        """Returns the best reading of the turn so far, with times and confidences.

        Raises:
            EngineError: The decoder died; the next call answers with what it had settled.
        """
        await asyncio.shield(self._settle())
        text = " ".join(word.text for word in self._words)
        spoken = sum(word.end - word.start for word in self._words)
        sure = sum((word.confidence or 0) * (word.end - word.start) for word in self._words)
        return Hypothesis(
            text,
            stable=text,
            final=True,
            words=tuple(self._words),
            confidence=sure / spoken if spoken else None,
        )

    async def reset(self) -> None:
        """Forgets the turn; the next ``feed`` begins a new one."""
        await asyncio.shield(self._reset())

    async def close(self) -> None:
        """Ends the stream. Harmless when called twice."""
        self._closed = True
        self._engine.forget(self)
        await asyncio.shield(self._reset())

    async def _feed(self, pcm: bytes) -> None:
        async with self._order:
            settled, self._open = await self._call(process.feed, pcm)
            self._settled(settled)
            self._fed += len(pcm) // 2

    async def _settle(self) -> None:
        async with self._order:
            if self._worker is not None:
                settled, self._channel = await self._call(process.settle)
                self._settled(settled)
            self._open = ""

    def _settled(self, words: list[process.Word]) -> None:
        self._words += [Word(*word) for word in words]

    async def _call(self, function: Callable[..., T], *arguments: object) -> T:
        if self._closed:
            raise EngineError("the recognizer stream is closed")
        try:
            if self._worker is None:
                self._worker = await self._engine.lease(self._channel, self._fed)
            return await self._worker.call(function, *arguments)
        except Exception as error:
            if self._worker is not None:
                self._worker.close()
            self._worker, self._open = None, ""
            if isinstance(error, EngineError):
                raise
            raise EngineError(f"pocketsphinx failed: {error}") from error

    async def _reset(self) -> None:
        async with self._order:
            worker, self._worker = self._worker, None
            self._begin()
            if worker is None:
                return
            try:
                await worker.call(process.forget)
            except EngineError:
                worker.close()
            else:
                self._engine.give_back(worker)
