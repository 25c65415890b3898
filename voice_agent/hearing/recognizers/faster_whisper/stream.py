"""One person's speech, recognised while it is spoken.

Source of the method: Macháček et al., "Turning Whisper into Real-Time Transcription System" (2023).
"""

import asyncio
import time
from collections.abc import Awaitable
from typing import Protocol

import numpy as np

from voice_agent.audio.pcm import HEARING_RATE, Samples
from voice_agent.errors import EngineError
from voice_agent.events import Hypothesis, Word
from voice_agent.hearing.recognizers.faster_whisper import trimming
from voice_agent.hearing.recognizers.faster_whisper.reading import Reading, Request
from voice_agent.hearing.recognizers.faster_whisper.words import ReadWord, joined
from voice_agent.hearing.stabilizer import agreed

PARTIAL = HEARING_RATE // 2
"""Samples between two partial readings, at least."""

SHARE = 0.5
"""Share of the time that a stream's partial readings may take: on a slow machine they get rarer."""

PATIENCE_S = 0.05
"""How long new audio waits for a partial reading; a slower one comes with audio that follows."""

SHORTEST = HEARING_RATE // 10
"""Samples below which there is nothing to read."""

LONGEST = round(trimming.LONGEST_S * HEARING_RATE)

TELLING_S = 2.0
"""Speech by which a language can be told."""

CERTAIN = 0.5
"""Probability from which on it is told, and kept for the conversation."""


class ReadsAudio(Protocol):
    """What a stream asks of its engine."""

    full_partials: bool
    """Whether a partial reading is as good as one at a pause."""

    def read(self, request: Request, language: str | None, *, partial: bool) -> Awaitable[Reading]:
        """Reads audio; raises ``EngineError``."""
        ...

    def forget(self, stream: "FasterWhisperStream") -> None:
        """Frees the place of a stream."""
        ...


class FasterWhisperStream:
    """The running turn: words that are settled, and the audio after them with its newest reading.

    Calls come one after another. A partial reading goes on between them and is picked up by the
    next, so that no call waits for one.
    """

    def __init__(self, engine: ReadsAudio, language: str | None) -> None:
        self._engine = engine
        self._language = language
        self._closed = False
        self._partial: _Partial | None = None
        self._begin()

    def _begin(self) -> None:
        self._drop_partial()
        self._audio: Samples = np.zeros(0, np.float32)
        self._start = 0
        self._settled: list[ReadWord] = []
        self._words: list[ReadWord] = []
        self._read = 0
        self._pause = PARTIAL
        self._is_final = False

    @property
    def reading(self) -> bool:
        """Whether a partial reading is under way."""
        return self._partial is not None

    async def feed(self, samples: Samples) -> Hypothesis:
        """Takes more of the turn (16 kHz mono float32); returns the partial hypothesis so far.

        Audio counts even where the call is cancelled.

        Raises:
            EngineError: A reading failed.
        """
        self._check()
        if len(samples):
            self._audio = np.concatenate([self._audio, samples])
            self._is_final = False
        while len(self._audio) > LONGEST:
            await self._settle_front()
        if self._partial is None and len(self._audio) - self._read >= self._pause:
            self._partial = _Partial(self._engine, self._request(), self._language)
        if self._partial is not None:
            await asyncio.wait({self._partial.task}, timeout=PATIENCE_S)
            if self._partial.task.done():
                self._take_partial(self._partial)
        words = [*self._settled, *self._words]
        return Hypothesis(joined(words), stable=joined(self._settled))

    async def settle(self) -> Hypothesis:
        """Returns the best reading of the turn so far, with times and confidences.

        Audio behind settled words is not read again, and nothing is if no audio has come since the
        last reading.

        Raises:
            EngineError: The reading failed.
        """
        self._check()
        if self._partial is not None and self._partial.task.done():
            self._take_partial(self._partial)
        if not self._is_final and not self._has_read_all:
            reading = await self._best(self._request())
            self._words, self._read = list(reading.words), len(self._audio)
        self._is_final = True
        words = self._timed()
        text = joined([*self._settled, *self._words])
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

    @property
    def _has_read_all(self) -> bool:
        """Whether a partial reading has all the audio, and is as good as one at a pause."""
        return self._engine.full_partials and self._read == len(self._audio)

    def _request(self, samples: int | None = None) -> Request:
        return Request(self._audio[:samples], joined(self._settled))

    async def _best(self, request: Request) -> Reading:
        """The reading of audio at a pause."""
        self._drop_partial()
        if len(request.samples) < SHORTEST:
            return Reading.nothing(request.samples)
        reading = await self._engine.read(request, self._language, partial=False)
        self._learn_language(reading)
        return reading

    def _take_partial(self, partial: "_Partial") -> None:
        """Settles what the new reading and the one before it agree on, where that is worth it."""
        self._partial = None
        reading = partial.task.result()
        self._learn_language(reading)
        self._read = len(partial.request.samples)
        self._pause = max(PARTIAL, round((time.monotonic() - partial.began) / SHARE * HEARING_RATE))
        before, self._words = self._words, list(reading.words)
        common = agreed([word.text for word in self._words], [word.text for word in before])
        length_s = self._read / HEARING_RATE
        if cut := trimming.cut(self._words, common, reading.loudness, length_s):
            self._let_go(cut)

    async def _settle_front(self) -> None:
        """Settles words at the front of audio that is too long to be read at once."""
        reading = await self._best(self._request(LONGEST))
        self._words = list(reading.words)
        self._let_go(trimming.forced(self._words, reading.loudness, trimming.LONGEST_S))

    def _let_go(self, cut: trimming.Cut) -> None:
        at = max(1, cut.at)
        offset_s = self._start / HEARING_RATE
        self._settled += [word.later(offset_s) for word in self._words[: cut.words]]
        self._words = [word.later(-at / HEARING_RATE) for word in self._words[cut.words :]]
        self._audio, self._start = self._audio[at:], self._start + at
        self._read = max(0, self._read - at)

    def _timed(self) -> tuple[Word, ...]:
        offset_s = self._start / HEARING_RATE
        words = [*self._settled, *(word.later(offset_s) for word in self._words)]
        return tuple(Word(w.text.strip(), w.start, w.end, w.confidence) for w in words)

    def _learn_language(self, reading: Reading) -> None:
        enough = reading.loudness.sounding_s() >= TELLING_S and reading.certainty >= CERTAIN
        if self._language is None and enough and reading.words:
            self._language = reading.language

    def _drop_partial(self) -> None:
        if self._partial is not None:
            self._partial.drop()
            self._partial = None

    def _check(self) -> None:
        if self._closed:
            raise EngineError("the recognizer stream is closed")


class _Partial:
    """A partial reading under way."""

    def __init__(self, engine: ReadsAudio, request: Request, language: str | None) -> None:
        self.request = request
        self.began = time.monotonic()
        self.task = asyncio.ensure_future(engine.read(request, language, partial=True))

    def drop(self) -> None:
        """Nobody waits for it any more."""
        self.request.dropped = True
        self.task.cancel()
