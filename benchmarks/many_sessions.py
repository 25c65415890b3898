"""Conversations at the same time on one machine, through the session itself.

Each person speaks in real time, the turn is ended by hand with the last word, so that nothing waits
for the end of the turn and nothing was speculated, and what is measured is the time to the first
audio of the reply. The agent thinks while it listens, as always. Turns of different people begin at
different times, so that each stage meets the others at work.
"""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from model_stages import Figure
from scripted_language_model import TURN

from voice_agent import config
from voice_agent.agent import Agent
from voice_agent.audio.pcm import HEARING_RATE, Samples
from voice_agent.audio.resample import resample
from voice_agent.dialogue.events import (
    ReplyAudio,
    ReplyEnded,
    SessionEvent,
    SessionFailed,
    TurnEnded,
)
from voice_agent.engines import EngineKind
from voice_agent.events import Latency, Phrase
from voice_agent.hearing.paralinguistics.embedded import EmbeddedAnalyzer
from voice_agent.hearing.turn_detectors.embedded import EmbeddedTurnDetector
from voice_agent.speaking.synthesizers.espeak import EspeakSynthesizer
from voice_agent.starting import Line
from voice_agent.store import Store
from voice_agent.thinking import safety
from voice_agent.thinking.models.embedded import EmbeddedModel

CHUNK = HEARING_RATE // 50
PATIENCE_S = 60.0


@dataclass
class Turns:
    """What was measured of the turns of all conversations."""

    waits_ms: list[float] = field(default_factory=list)
    gaps_ms: list[float] = field(default_factory=list)
    latencies: list[Latency] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


class Person:
    """Speaks, waits for the answer, lets it end, and speaks again."""

    def __init__(self, agent: Agent, speech: Samples, turns: Turns) -> None:
        self._agent = agent
        self._speech = speech
        self._turns = turns
        self._answered = asyncio.Event()
        self._first: float | None = None
        self._heard_until = 0.0
        self._gap_s = 0.0
        self._over = asyncio.Event()

    async def converse(self, rounds: int, late_s: float) -> None:
        await asyncio.sleep(late_s)
        session = await self._agent.open(self._hear, clock=time.monotonic)
        session.turn_taking.automatic = False
        for _ in range(rounds):
            await self._speak(session)
            self._first, self._gap_s = None, 0.0
            self._answered.clear()
            self._over.clear()
            asked = time.perf_counter()
            await session.commit()
            try:
                async with asyncio.timeout(PATIENCE_S):
                    await self._answered.wait()
                    if self._first is not None:
                        self._turns.waits_ms.append(1000 * (self._first - asked))
                    await self._over.wait()
                    self._turns.gaps_ms.append(1000 * self._gap_s)
            except TimeoutError:
                self._turns.failures.append("no answer came")
        await session.close()

    async def _speak(self, session: Any) -> None:
        began = time.monotonic()
        for start in range(0, len(self._speech), CHUNK):
            await session.feed(self._speech[start : start + CHUNK])
            due = began + (start + CHUNK) / HEARING_RATE
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    def _hear(self, event: SessionEvent) -> None:
        match event:
            case ReplyAudio():
                now = time.perf_counter()
                if self._first is None:
                    self._first = self._heard_until = now
                    self._answered.set()
                # What comes after all before it has been played leaves a hole in the speech.
                self._gap_s += max(0.0, now - self._heard_until)
                played_s = event.speech.samples.size / event.speech.rate
                self._heard_until = max(now, self._heard_until) + played_s
            case ReplyEnded():
                self._answered.set()
                self._over.set()
            case TurnEnded():
                self._turns.latencies.append(event.record.latency)
            case SessionFailed():
                self._turns.failures.append(event.message)


async def speech() -> Samples:
    """A turn of a person, by the voice that needs no model."""
    voice = await EspeakSynthesizer.create(EspeakSynthesizer.Options())
    pieces = [
        resample(piece.samples, piece.rate, HEARING_RATE)
        async for piece in voice.synthesize(Phrase(TURN))
    ]
    await voice.close()
    return np.concatenate(pieces)


async def agent_of(folder: Path, recognizer: Any, model: Any, voice: Any, sessions: int) -> Agent:
    """An agent out of engines that are there, with the embedded ones for all else."""
    settings = config.load("embedded")
    limits = settings.limits.model_copy(update={"sessions": sessions})
    engines: dict[EngineKind, Sequence[Any]] = {
        "recognizer": [recognizer],
        "paralinguistics": [await EmbeddedAnalyzer.create(EmbeddedAnalyzer.Options())],
        "turn_detector": [await EmbeddedTurnDetector.create(EmbeddedTurnDetector.Options())],
        "language_model": [model, await EmbeddedModel.create(EmbeddedModel.Options())],
        "synthesizer": [voice],
    }
    await asyncio.to_thread(safety.prepare)
    return Agent(
        settings.model_copy(update={"limits": limits}),
        {kind: Line(line, line[0].name, "") for kind, line in engines.items()},
        await Store.open(folder / "conversations.db"),
        None,
    )


async def together(
    recognizer: Any, model: Any, voice: Any, sessions: int, rounds: int
) -> AsyncIterator[Figure]:
    """Conversations at once; closes the engines."""
    turns, said = Turns(), await speech()
    with tempfile.TemporaryDirectory() as folder:
        agent = await agent_of(Path(folder), recognizer, model, voice, sessions)
        apart_s = len(said) / HEARING_RATE / sessions
        people = [Person(agent, said, turns) for _ in range(sessions)]
        await asyncio.gather(
            *(person.converse(rounds, apart_s * at) for at, person in enumerate(people))
        )
        await agent.close()
    note = f"{len(turns.waits_ms)} of {sessions * rounds} turns, voice: {voice.name}"
    if turns.failures:
        note += f"; {len(turns.failures)} failures, as: {turns.failures[0]}"
    if not turns.waits_ms:
        yield Figure(f"voice to voice, {sessions} sessions", None, "ms", 600, note=note)
        return
    waits = np.percentile(turns.waits_ms, [50, 95])
    yield Figure(
        f"voice to voice, {sessions} sessions, median", float(waits[0]), "ms", 600, note=note
    )
    yield Figure(f"voice to voice, {sessions} sessions, 95 %", float(waits[1]), "ms", 600)
    gaps = float(np.percentile(turns.gaps_ms, 95)) if turns.gaps_ms else None
    yield Figure("  silence within a reply for want of audio, 95 %", gaps, "ms", 20)
    for what, before, after in (
        ("words", "endpoint", "asr_final"),
        ("thought and first word", "asr_final", "first_token"),
        ("first audio", "first_token", "first_audio"),
    ):
        took = [
            getattr(one, after) - getattr(one, before)
            for one in turns.latencies
            if getattr(one, after) is not None and getattr(one, before) is not None
        ]
        if took:
            yield Figure(f"  of it {what}, 95 %", float(np.percentile(took, 95)), "ms", None)
