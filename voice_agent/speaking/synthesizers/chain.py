"""Synthesizers in a line: where one fails in the midst of a phrase, the next says the rest."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import replace
from typing import cast

from voice_agent.engines import Synthesizer
from voice_agent.errors import EngineError
from voice_agent.events import EngineSwitched, Phrase, Speech, SpokenWord
from voice_agent.lineup import Lineup

_CHARACTER_S = 0.1
"""How long an engine may take for a character of its phrase: longer than it takes to be said."""


class ChainedVoice:
    """The first synthesizer that is fit, for one conversation, and the next one where it fails.

    The words that were said whole are not said again; a word that was cut is. Each piece tells
    whose ``voice`` it is, since voices differ in level.

    Args:
        lineup: The synthesizers.
        tell: Told when one takes over from another.
    """

    def __init__(self, lineup: Lineup[Synthesizer], tell: Callable[[EngineSwitched], None]) -> None:
        self._lineup = lineup
        self._tell = tell

    @property
    def name(self) -> str:
        """Name of the engine that is asked first by now."""
        return str(self._lineup.first.name)

    async def synthesize(self, phrase: Phrase) -> AsyncIterator[Speech]:
        """Streams the audio of a phrase.

        Raises:
            EngineError: No engine could say it to its end.
        """
        progress = _Progress(phrase.text)
        for engine in self._lineup.fit():
            progress.begin()
            rest = replace(phrase, text=progress.rest)
            try:
                async with aclosing(self._pieces(engine, rest)) as pieces:
                    async for speech in pieces:
                        yield replace(progress.take(speech), voice=engine.name)
            except Exception as error:
                if switched := self._lineup.failed(engine, error):
                    self._tell(switched)
                    if progress.rest.strip():
                        continue
                    return
                if isinstance(error, EngineError):
                    raise
                raise EngineError(f"the synthesizer {engine.name} failed: {error}") from error
            self._lineup.answered(engine)
            return

    async def _pieces(self, engine: Synthesizer, phrase: Phrase) -> AsyncGenerator[Speech, None]:
        """One engine's audio; it may not stay silent for too long."""
        work_s = _CHARACTER_S * len(phrase.text)
        stream = cast("AsyncGenerator[Speech, None]", engine.synthesize(phrase))
        async with aclosing(stream):
            while True:
                async with self._lineup.patience(engine, work_s):
                    try:
                        speech = await anext(stream)
                    except StopAsyncIteration:
                        return
                yield speech


class _Progress:
    """How far a phrase has come.

    Attributes:
        rest: What is to be said next: all from the first word whose audio is not whole.
    """

    def __init__(self, text: str) -> None:
        self.rest = text
        self._text = text
        self._told = 0  # characters whose words went out
        self._at = 0  # characters whose words the engine gave
        self._samples = 0  # audio of the engine
        self._words: list[tuple[int, int]] = []  # where the engine's words begin, and last sample

    def begin(self) -> None:
        """An engine begins to say the rest."""
        self._at = len(self._text) - len(self.rest)
        self._samples, self._words = 0, []

    def take(self, speech: Speech) -> Speech:
        """The piece as it goes out: of a word that is said again, the audio alone."""
        words = []
        for word in speech.words:
            start, self._at = self._at, self._at + len(word.text)
            self._words.append((start, self._samples + word.end))
            if text := self._text[max(start, self._told) : self._at]:
                words.append(SpokenWord(text, word.start, word.end))
        self._told = max(self._told, self._at)
        self._samples += speech.samples.size
        cut = (start for start, end in self._words if end > self._samples)
        self.rest = self._text[next(cut, self._at) :]
        return replace(speech, words=tuple(words))
