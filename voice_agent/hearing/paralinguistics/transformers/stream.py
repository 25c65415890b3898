"""The hearing of one person."""

import asyncio
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np

from voice_agent.audio.pcm import HEARING_RATE, Samples
from voice_agent.errors import EngineError
from voice_agent.events import Manner, Paralinguistics, VocalEvent
from voice_agent.hearing.paralinguistics.transformers import reading, sounds
from voice_agent.hearing.paralinguistics.transformers.readers import Reader

if TYPE_CHECKING:
    from voice_agent.hearing.paralinguistics.transformers.engine import TransformersAnalyzer

SHORTEST = round(0.3 * HEARING_RATE)
"""Samples below which nothing is read."""

_SILENT = 1e-3
"""Peak below which there is only silence, full scale at 1."""


@dataclass(eq=False, slots=True)
class _Call:
    """A turn that is to be read, and what was found: arguments of ``Paralinguistics``."""

    turn: Samples
    found: dict[str, Any] | None = None


class TransformersStream:
    """Reads one person's turns, each for itself.

    One after the other: where models are slower than speech, the readings of a turn that wait are
    all served by that of its newest audio, so that none is late.
    """

    def __init__(self, engine: "TransformersAnalyzer") -> None:
        self._engine = engine
        self._reading = asyncio.Lock()
        self._calls: list[_Call] = []
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
        if samples.size < SHORTEST or np.abs(samples).max() < _SILENT:
            return Paralinguistics(manner=manner)
        call = _Call(samples)
        with self._engine.admitted():
            self._calls.append(call)
            try:
                async with self._reading:
                    if call.found is None:
                        await self._read_newest(call)
            finally:
                self._calls.remove(call)
        return Paralinguistics(manner=manner, **(call.found or {}))

    async def learn(self, samples: Samples) -> None:
        """Learns nothing: the models know no usual voice."""

    async def close(self) -> None:
        """Ends the stream. Harmless when called twice."""
        self._closed = True
        self._heard.clear()

    async def _read_newest(self, call: _Call) -> None:
        """Reads the newest audio of a call's turn, for all calls of that turn so far."""
        newest = next(
            other.turn
            for other in reversed(self._calls)
            if sounds.continued(call.turn, other.turn) is not None
        )
        found = await self._read_all(newest)
        for other in self._calls:
            cut = sounds.continued(other.turn, newest)
            if other.found is None and cut is not None:
                events = sounds.moved(found.get("events", ()), cut, other.turn.size)
                other.found = found | {"events": events}

    async def _read_all(self, turn: Samples) -> dict[str, Any]:
        found: dict[str, Any] = {}
        readings = [self._read(reader, turn) for reader in self._engine.readers]
        for of_reader in await asyncio.gather(*readings):
            found |= of_reader
        return found | {"uncertain": reading.uncertain(found.get("emotion", {}))}

    async def _read(self, reader: Reader, turn: Samples) -> dict[str, Any]:
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

    async def _sounds(self, reader: Reader, turn: Samples) -> tuple[VocalEvent, ...]:
        starts = self._grid.windows(turn)
        windows = [turn[start : start + sounds.WINDOW] for start in starts]
        keys = [blake2b(window.tobytes(), digest_size=16).digest() for window in windows]
        unheard = {
            key: window for key, window in zip(keys, windows, strict=True) if key not in self._heard
        }
        scores = await self._engine.scores(reader, unheard.values())
        exclusive = reading.exclusive(reader.choice, reader.classifier.multi_label)
        heard = self._heard
        for key, of_window in zip(unheard, scores, strict=True):
            shares = reading.shares(of_window, reader.choice.temperature, exclusive)
            heard[key] = reading.sounds(reader.meanings["events"], shares, exclusive)
        self._heard = {key: heard[key] for key in keys}
        found = [heard[key] for key in keys]
        return sounds.events(starts, turn.size, found, reader.choice.threshold)
