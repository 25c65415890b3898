"""espeak-ng as synthesizer: small, instant, in many languages; the voice of the embedded profile.

A thread of its own speaks phrase after phrase, some hundred times faster than real time, and hands
each word over as soon as it is there. A phrase goes to the thread in parts of bounded length, the
next one when the last one was taken, so that nobody who listens slowly keeps others waiting or
piles up audio.

The default voice is the variant that a speech recognizer understands best by far (word error rate
0.24 against 0.57 of plain ``en-us``), at nearly the same estimated quality (DNSMOS 2.7 and 2.9):
``benchmarks/speaking.py --voices`` measures both.
"""

import asyncio
import re
import threading
import unicodedata
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from voice_agent.audio.pcm import Samples
from voice_agent.errors import EngineError, EngineUnavailable
from voice_agent.events import Phrase, Speech, SpokenWord, Tone
from voice_agent.speaking.synthesizers.espeak_library import Library, Voice, load
from voice_agent.workers import Worker

_PART_CHARACTERS = 300
_AUDIBLE = 0.003
"""Amplitude from which a sample is more than silence, as espeak gives it (peaks near 0.4)."""
_TAIL_S = 0.03
"""Silence kept after the last audible sample of a phrase."""
_TOKEN = re.compile(r"\s*\S{1,100}\s*")

_PITCH_PER_ST = 6.0
_ST_PER_RANGE = 2.0
"""As measured: six steps of espeak's pitch shift the median by a semitone, and one unit of range
lifts it by two, which is taken back."""


class EspeakOptions(BaseModel):
    """What can be set."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    voice: str = Field(
        "en-us+f2", description="Language and variant of espeak-ng, as en-us+f2 or de"
    )
    speed: Annotated[int, Field(ge=80, le=450)] = Field(165, description="Words a minute")


class EspeakSynthesizer:
    """Speaks with espeak-ng (GPL-3, loaded at run time)."""

    Options: ClassVar[type[BaseModel]] = EspeakOptions
    name: ClassVar[str] = "espeak"

    def __init__(self, options: EspeakOptions, library: Library, worker: Worker) -> None:
        self._options = options
        self._library = library
        self._worker = worker
        self._closed = threading.Event()

    @classmethod
    async def create(cls, options: EspeakOptions) -> Self:
        """Loads the library, and speaks a word so that the first reply waits for nothing.

        Raises:
            EngineUnavailable: The library or the voice is missing.
        """
        worker = Worker.thread("espeak")
        try:
            library = await worker.call(load)
            if not await worker.call(library.has, options.voice):
                raise EngineUnavailable(
                    f"espeak-ng has no voice {options.voice!r}; it has languages such as en-us, "
                    "en (British) or de, and variants such as +f2 or +m3 (en-us+f2)"
                )
            await worker.call(library.speak, "Hello.", _voice(options, Tone()), _to_nobody)
        except BaseException:
            worker.close()
            raise
        return cls(options, library, worker)

    async def synthesize(self, phrase: Phrase) -> AsyncIterator[Speech]:
        """Streams a phrase word by word; each piece holds whole words.

        Raises:
            EngineError: The engine is closed, or was while it spoke.
        """
        unsaid = ""
        for part in _parts(phrase.text):
            said = False
            async for speech in self._say(unsaid + part, phrase.tone):
                yield speech
                said = True
            unsaid = "" if said else unsaid + part
        if unsaid and len(unsaid) < len(phrase.text):
            rest = np.zeros(round(_TAIL_S * self._library.rate), dtype=np.float32)
            yield Speech(rest, self._library.rate, (SpokenWord(unsaid, 0, rest.size),))

    async def close(self) -> None:
        """Stops what is being said and ends the thread."""
        self._closed.set()
        self._worker.close()

    async def _say(self, text: str, tone: Tone) -> AsyncIterator[Speech]:
        if self._closed.is_set():
            raise EngineError("the espeak synthesizer is closed; create a new one")
        loop = asyncio.get_running_loop()
        ready: asyncio.Queue[Speech | None] = asyncio.Queue()
        stop = threading.Event()

        def hand_over(speech: Speech) -> bool:
            if stop.is_set() or self._closed.is_set():
                return False
            try:
                loop.call_soon_threadsafe(ready.put_nowait, speech)
            except RuntimeError:  # the loop is gone, and with it the listener
                return False
            return True

        job = asyncio.ensure_future(self._worker.call(self._render, text, tone, hand_over))
        job.add_done_callback(lambda _: ready.put_nowait(None))
        try:
            while (speech := await ready.get()) is not None:
                yield speech
            if job.cancelled() or not await job:
                raise EngineError("the espeak synthesizer was closed while it spoke")
        finally:
            stop.set()
            job.cancel()

    def _render(self, text: str, tone: Tone, hand_over: Callable[[Speech], bool]) -> bool:
        """Speaks in the worker; returns whether all of it was handed over."""
        cutter = _WordCutter(text, self._library.rate, 10 ** (tone.volume_db / 20))

        def sink(samples: NDArray[np.int16], words: list[tuple[int, int]]) -> bool:
            return all(hand_over(speech) for speech in cutter.take(samples, words))

        self._library.speak(_plain(text), _voice(self._options, tone), sink)
        return all(hand_over(speech) for speech in cutter.end()) and not self._closed.is_set()


class _WordCutter:
    """Cuts what espeak gives into pieces of whole words, without silence at either end."""

    def __init__(self, text: str, rate: int, gain: float) -> None:
        self._text = text
        self._rate = rate
        self._gain = np.float32(gain / 32768)
        self._audible = _AUDIBLE * gain
        self._starts = [match.start() for match in _TOKEN.finditer(text)] or [0]
        self._samples: Samples = np.zeros(0, dtype=np.float32)  # of the word being said
        self._begin = 0  # where they lie in what espeak gave
        self._from = 0  # where the text of the word being said begins
        self._silent = True  # whether nothing audible came yet

    def take(self, samples: NDArray[np.int16], words: list[tuple[int, int]]) -> Iterator[Speech]:
        """Takes a buffer and the words that begin in it; gives the words that ended."""
        self._samples = np.concatenate((self._samples, samples * self._gain))
        self._trim_start()
        for character, sample in words:
            start = self._start_of(character)
            if start > self._from and not self._silent and sample > self._begin:
                yield self._cut(sample - self._begin, start)

    def end(self) -> Iterator[Speech]:
        """Gives the rest; nothing where all was silent."""
        if self._silent:
            return
        audible = np.flatnonzero(np.abs(self._samples) > self._audible)
        last = int(audible[-1]) + 1 if audible.size else 0
        size = min(self._samples.size, last + round(_TAIL_S * self._rate))
        yield self._cut(size, len(self._text))

    def _start_of(self, character: int) -> int:
        """Where the token begins in which a character lies."""
        starts = [start for start in self._starts if start <= character]
        return starts[-1] if starts else 0

    def _trim_start(self) -> None:
        if not self._silent:
            return
        audible = np.flatnonzero(np.abs(self._samples) > self._audible)
        silence = int(audible[0]) if audible.size else self._samples.size
        self._silent = not audible.size
        self._samples = self._samples[silence:]
        self._begin += silence

    def _cut(self, size: int, until: int) -> Speech:
        said = self._samples[:size]
        word = SpokenWord(self._text[self._from : until], 0, said.size)
        speech = Speech(said, self._rate, (word,))
        self._samples = self._samples[size:]
        self._begin += size
        self._from = until
        return speech


def _to_nobody(samples: NDArray[np.int16], words: list[tuple[int, int]]) -> bool:
    return True


def _voice(options: EspeakOptions, tone: Tone) -> Voice:
    pitch_st = tone.pitch_st - _ST_PER_RANGE * (tone.range - 1)
    return Voice(
        options.voice,
        rate=_within(options.speed * tone.rate, 80, 450),
        pitch=_within(50 + _PITCH_PER_ST * pitch_st, 0, 99),
        range=_within(50 * tone.range, 0, 99),
    )


def _within(value: float, least: int, most: int) -> int:
    return max(least, min(most, round(value)))


def _plain(text: str) -> str:
    """The same text, character by character, without what espeak takes for commands."""
    return "".join(" " if unicodedata.category(c) in ("Cc", "Cs") else c for c in text)


def _parts(text: str) -> Iterator[str]:
    """Cuts a phrase between words into parts of bounded length; nothing for white space alone."""
    part = ""
    for match in _TOKEN.finditer(text):
        if part and len(part) + len(match.group()) > _PART_CHARACTERS:
            yield part
            part = ""
        part += match.group()
    if part:
        yield part
