"""Engines that break when they are told to, and keep what was asked of them."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel

from voice_agent.agent import Agent
from voice_agent.audio.pcm import HEARING_RATE, Samples
from voice_agent.engines import EngineKind
from voice_agent.errors import EngineError, Overloaded
from voice_agent.events import (
    Hypothesis,
    Manner,
    Paralinguistics,
    Phrase,
    Prompt,
    Speech,
    SpokenWord,
)
from voice_agent.settings import Config
from voice_agent.starting import Line, start
from voice_agent.store import Store

WORD_S = 0.2


async def trouble(kind: str) -> None:
    """Breaks in one of the ways in which engines do."""
    match kind:
        case "error":
            raise EngineError("the worker died")
        case "bug":
            raise ZeroDivisionError
        case "hang":
            await asyncio.Event().wait()


@dataclass(eq=False)
class Ears:
    """Recognises its text in any turn, a word with every 0.2 s of audio.

    Attributes:
        breaks: Where it breaks: ``"feed"`` (from ``after_s`` of the turn on), ``"settle"``,
            ``"reset"``, ``"open"``, or nowhere.
        turns: The audio of every turn, as its streams were fed.
    """

    name: str
    text: str
    breaks: str = ""
    trouble: str = "error"
    after_s: float = 0.5
    room: int = 100
    turns: list[list[Samples]] = field(default_factory=list)
    open_streams: int = 0

    Options = BaseModel

    async def open(self) -> "EarsStream":
        if self.open_streams >= self.room:
            raise Overloaded("all streams are in use")
        if self.breaks == "open":
            await trouble(self.trouble)
        self.open_streams += 1
        return EarsStream(self)

    async def close(self) -> None:
        pass


class EarsStream:
    def __init__(self, engine: Ears) -> None:
        self._engine = engine
        self._turn: list[Samples] | None = None

    async def feed(self, samples: Samples) -> Hypothesis:
        if self._turn is None:
            self._turn = []
            self._engine.turns.append(self._turn)
        self._turn.append(samples)
        if self._engine.breaks == "feed" and self._fed_s >= self._engine.after_s:
            await trouble(self._engine.trouble)
        return self._heard()

    async def settle(self) -> Hypothesis:
        if self._engine.breaks == "settle":
            await trouble(self._engine.trouble)
        return self._heard()

    async def reset(self) -> None:
        if self._engine.breaks == "reset":
            await trouble(self._engine.trouble)
        self._turn = None

    async def close(self) -> None:
        self._engine.open_streams -= 1

    @property
    def _fed_s(self) -> float:
        return sum(map(len, self._turn or [])) / HEARING_RATE

    def _heard(self) -> Hypothesis:
        known = int(self._fed_s / WORD_S)
        return Hypothesis(" ".join(self._engine.text.split()[:known]))


@dataclass(eq=False)
class Voice:
    """Speaks every word as 0.2 s of a tone at its level and rate; a piece for each word.

    Attributes:
        breaks_at: Number of the piece instead of which it breaks, in any phrase; None for never.
        overlap: Share of a word that lies in the next piece.
        phrases: What it was asked to say.
        said: What it has said whole.
    """

    name: str
    level_db: float = -20.0
    rate: int = 24_000
    breaks_at: int | None = None
    trouble: str = "error"
    overlap: float = 0.0
    phrases: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    closed: int = 0

    Options = BaseModel

    async def synthesize(self, phrase: Phrase) -> AsyncIterator[Speech]:
        self.phrases.append(phrase.text)
        length = round(WORD_S * self.rate)
        late = round(self.overlap * length)
        wave = np.sin(2 * np.pi * 220 * np.arange(length) / self.rate)
        tone = (wave * 2**0.5 * 10 ** (self.level_db / 20)).astype(np.float32)
        try:
            for count, word in enumerate(words(phrase.text)):
                if count == self.breaks_at:
                    await trouble(self.trouble)
                yield Speech(tone, self.rate, (SpokenWord(word, late, late + length),))
                self.said.append(word)
            if late:
                yield Speech(tone[:late], self.rate)
        finally:
            self.closed += 1

    async def close(self) -> None:
        pass


def words(text: str) -> list[str]:
    """The words of a text, each with the white space after it."""
    found: list[str] = []
    for part in text.split(" "):
        if found:
            found[-1] += " "
        found.append(part)
    return [word for word in found if word]


@dataclass(eq=False)
class Reader:
    """Hears one emotion in everything."""

    name: str
    emotion: str
    breaks: bool = False
    trouble: str = "error"
    full: bool = False
    readings: int = 0
    learnt: list[Samples] = field(default_factory=list)
    open_streams: int = 0

    Options = BaseModel

    async def open(self) -> "Reader":
        if self.breaks and self.trouble == "open":
            raise EngineError("no stream")
        self.open_streams += 1
        return self

    async def analyze(self, samples: Samples, manner: Manner) -> Paralinguistics:
        self.readings += 1
        if self.full:
            raise Overloaded("too many readings wait")
        if self.breaks:
            await trouble(self.trouble)
        return Paralinguistics(manner=manner, emotion={self.emotion: 1.0}, uncertain=False)

    async def learn(self, samples: Samples) -> None:
        if self.breaks:
            await trouble(self.trouble)
        self.learnt.append(samples)

    async def close(self) -> None:
        self.open_streams -= 1


@dataclass(eq=False)
class Mind:
    """Thinks, then answers with its words; breaks before the first, or after ``after`` of them."""

    name: str
    reply: str
    after: int | None = None
    trouble: str = "error"
    prompts: list[Prompt] = field(default_factory=list)

    Options = BaseModel
    thinks_long = False

    async def prepare(self, prompt: Prompt) -> None:
        pass

    async def forget(self, session: str) -> None:
        pass

    async def generate(self, prompt: Prompt) -> AsyncIterator[str]:
        self.prompts.append(prompt)
        yield "<think><linguistic>words</linguistic><paralinguistic>voice</paralinguistic>"
        for count, word in enumerate(words(self.reply)):
            if count == self.after:
                await trouble(self.trouble)
            yield f"<emotion>happy</emotion></think>{word}" if count == 0 else word

    async def close(self) -> None:
        pass


async def agent_of(folder: Path, **lines: list[Any]) -> Agent:
    """An agent with these engines in line by kind, and the embedded ones besides."""
    config = Config()
    started: dict[EngineKind, Line] = {}
    for kind, choices in config.lineups.items():
        engines = list(lines.get(kind, ()))
        if not engines or kind == "language_model":
            engines += (await start(kind, choices)).engines
        started[kind] = Line(engines, engines[0].name, "")
    return Agent(config, started, await Store.open(folder / "conversations.db"), None)
