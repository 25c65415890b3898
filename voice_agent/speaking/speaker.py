"""The face of speaking: reply text in, audio with its words out."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol, TypeVar

import numpy as np

from voice_agent.audio.pcm import SPEAKING_RATE, Samples
from voice_agent.audio.resample import StreamResampler
from voice_agent.events import Phrase, Speech, SpokenWord, Tone
from voice_agent.speaking.level import Leveller, VoiceLevel
from voice_agent.speaking.phrases import PhraseSplitter
from voice_agent.speaking.text import Spoken, speakable
from voice_agent.speaking.tone import tone_for

T = TypeVar("T")

_PHRASES_AHEAD = 3
"""Phrases that wait for the synthesizer at most; then no more text is taken in."""

_CLOSERS = "\"'”’»)]*_` \t"
_PAUSES_S = {
    "…": 0.45,
    ".": 0.30,
    "!": 0.30,
    "?": 0.35,
    "。": 0.30,
    "！": 0.30,
    "？": 0.35,
    ":": 0.22,
    ";": 0.22,
    "—": 0.20,
    "–": 0.20,
    "-": 0.20,
    ",": 0.12,
}
_PARAGRAPH_S = 0.50
_SEAM_S = 0.02
"""Pause after a phrase that was cut without punctuation."""


class Voice(Protocol):
    """What the speaker needs of a synthesizer."""

    def synthesize(self, phrase: Phrase) -> AsyncIterator[Speech]:
        """As in ``engines.Synthesizer``."""
        ...


class Speaker:
    """Speaks replies, any number of them at the same time.

    Args:
        synthesizer: Gives phrases a voice.
        level_db: Level of neutral speech in dB relative to full scale; a tone's volume counts
            from there.
    """

    def __init__(self, synthesizer: Voice, level_db: float) -> None:
        self._synthesizer = synthesizer
        self._level_db = level_db
        self._levels: defaultdict[str, VoiceLevel] = defaultdict(VoiceLevel)

    async def speak(
        self, text: AsyncIterator[str], emotion: str, style: str = ""
    ) -> AsyncIterator[Speech]:
        """Speaks a reply as its text arrives.

        Phrases are synthesised when the iterator is advanced, so whoever takes audio only as it
        is needed bounds the work done in vain; text is taken in a few phrases ahead.

        Args:
            text: The reply in pieces of any length; closed together with the returned iterator.
            emotion: Reply emotion (one of ``events.REPLY_EMOTIONS``).
            style: Caption of how to speak, for voices that can follow one.

        Yields:
            Audio at ``SPEAKING_RATE`` with the words that begin in it (a word's end may lie beyond
            its piece). The words joined are the text, also where some of it is not said aloud.

        Raises:
            EngineError: The synthesizer failed. Errors of ``text`` are passed on.
        """
        tone = tone_for(emotion, style)
        leveller = Leveller(self._level_db, SPEAKING_RATE)
        phrases: asyncio.Queue[Spoken | None] = asyncio.Queue()
        room = asyncio.Semaphore(_PHRASES_AHEAD)
        reader = asyncio.create_task(_read(text, phrases, room))
        reader.add_done_callback(lambda _: phrases.put_nowait(None))  # however it ended
        pause_s = 0.0
        unsaid = ""
        try:
            while (spoken := await phrases.get()) is not None:
                room.release()
                if not spoken.text:
                    unsaid += spoken.source
                    continue
                async with _closing(self._phrase(spoken, tone, leveller)) as pieces:
                    async for speech in pieces:
                        if pause_s:
                            yield _silence(pause_s)
                            pause_s = 0.0
                        if unsaid and speech.words:
                            speech, unsaid = _led_in(speech, unsaid), ""
                        yield speech
                pause_s = _pause_after(spoken.source) * tone.pause
            await reader
            if unsaid:
                yield Speech(_NOTHING, SPEAKING_RATE, (SpokenWord(unsaid, 0, 0),))
        finally:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)

    async def _phrase(
        self, spoken: Spoken, tone: Tone, leveller: Leveller
    ) -> AsyncIterator[Speech]:
        """One phrase, resampled and levelled, with words that join to its source."""
        resampler: StreamResampler | None = None
        voice = ""
        timeline = _Timeline(spoken)
        async with _closing(self._measured(Phrase(spoken.text, tone))) as pieces:
            async for speech in pieces:
                if resampler is None or speech.voice != voice:
                    # Another voice may have another rate and another level.
                    if resampler is not None:
                        yield timeline.emit(leveller.process(resampler.flush()))
                    voice, resampler = speech.voice, StreamResampler(speech.rate, SPEAKING_RATE)
                    leveller.follow(self._levels[voice])
                timeline.expect(speech)
                ready = leveller.process(resampler.process(speech.samples))
                if ready.size:
                    yield timeline.emit(ready)
        rest = leveller.process(resampler.flush()) if resampler else _NOTHING
        last = timeline.emit(rest, last=True)
        if last.samples.size or last.words:
            yield last

    async def _measured(self, phrase: Phrase) -> AsyncIterator[Speech]:
        """The synthesizer's audio, measured; held back only until a new voice's level is known."""
        held: list[Speech] = []
        async with _closing(self._synthesizer.synthesize(phrase)) as pieces:
            async for speech in pieces:
                level = self._levels[speech.voice]
                level.observe(speech.samples, speech.rate, phrase.tone.volume_db)
                held.append(speech)
                if level.known:
                    for piece in held:
                        yield piece
                    held.clear()
        for piece in held:
            yield piece


class _Timeline:
    """Puts the source text on the audio that goes out."""

    def __init__(self, spoken: Spoken) -> None:
        self._spoken = spoken
        self._said = 0  # characters of the spoken text
        self._covered = 0  # characters of the source
        self._taken_s = 0.0  # audio of the synthesizer, in seconds
        self._given = 0  # samples that went out
        self._words: list[SpokenWord] = []  # offsets from the start of the phrase, going out

    def expect(self, speech: Speech) -> None:
        """Takes the words of a piece of the synthesizer's audio."""
        for word in speech.words:
            self._said += len(word.text)
            covered = self._spoken.covered(len(self._spoken.text[: self._said].rstrip()))
            if covered > self._covered:
                start, end = (
                    round((self._taken_s + at / speech.rate) * SPEAKING_RATE)
                    for at in (word.start, word.end)
                )
                text = self._spoken.source[self._covered : covered]
                self._words.append(SpokenWord(text, start, end))
                self._covered = covered
        self._taken_s += speech.samples.size / speech.rate

    def emit(self, samples: Samples, last: bool = False) -> Speech:
        """Puts the words that begin in these samples on them."""
        if last and self._covered < len(self._spoken.source):
            end = self._given + samples.size
            self._words.append(SpokenWord(self._spoken.source[self._covered :], end, end))
        until = self._given + samples.size
        ready = [word for word in self._words if last or word.start < until]
        del self._words[: len(ready)]
        words = tuple(
            SpokenWord(word.text, max(0, word.start - self._given), word.end - self._given)
            for word in ready
        )
        self._given = until
        return Speech(samples, SPEAKING_RATE, words)


_NOTHING: Samples = np.zeros(0, dtype=np.float32)


async def _read(
    text: AsyncIterator[str], phrases: asyncio.Queue[Spoken | None], room: asyncio.Semaphore
) -> None:
    """Cuts the text into phrases, as far ahead as there is room."""
    splitter = PhraseSplitter()
    async with _closing(text) as deltas:
        async for delta in deltas:
            for phrase in splitter.push(delta):
                await room.acquire()
                phrases.put_nowait(speakable(phrase, goes_on=True))
    for phrase in splitter.flush():
        phrases.put_nowait(speakable(phrase))


@asynccontextmanager
async def _closing(iterator: AsyncIterator[T]) -> AsyncIterator[AsyncIterator[T]]:
    """Closes an iterator if it can be closed, as generators can."""
    try:
        yield iterator
    finally:
        close = getattr(iterator, "aclose", None)
        if close is not None:
            await close()


def _led_in(speech: Speech, text: str) -> Speech:
    """The same audio with unspoken text before its first word."""
    first, *others = speech.words
    return Speech(
        speech.samples,
        speech.rate,
        (SpokenWord(text + first.text, first.start, first.end), *others),
    )


def _silence(seconds: float) -> Speech:
    return Speech(np.zeros(round(seconds * SPEAKING_RATE), dtype=np.float32), SPEAKING_RATE)


def _pause_after(source: str) -> float:
    """Seconds of pause that a phrase's ending asks for at neutral tone."""
    if source.endswith("\n"):
        return _PARAGRAPH_S
    ending = source.rstrip().rstrip(_CLOSERS)
    if ending.endswith("..."):
        return _PAUSES_S["…"]
    return _PAUSES_S.get(ending[-1:], _SEAM_S)
