"""What an answer costs once the turn is over, and how much of that is the loop's own.

Recordings are fed in real time up to their last word, then the turn is ended by hand, so nothing
waits and nothing was speculated. Every call of an engine is timed; what is left of the time
between the end of the turn and the first audio of the reply is the loop's own.

    python benchmarks/loop.py [--every 8]
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
from recordings import DATA, Recording, read_speech
from rich.console import Console
from rich.progress import track
from rich.table import Table

from voice_agent import config
from voice_agent.agent import Agent
from voice_agent.dialogue.events import ReplyAudio, SessionEvent
from voice_agent.engines import EngineKind
from voice_agent.starting import Line
from voice_agent.store import Store

CHUNK = 320


class Timed:
    """An engine or stream whose calls are noted as intervals of ``time.perf_counter()``."""

    def __init__(self, inner: Any, calls: list[tuple[str, float, float]]) -> None:
        self._inner = inner
        self._calls = calls

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)  # what takes no time worth a figure

    async def _timed(self, name: str, work: Any) -> Any:
        began = time.perf_counter()
        try:
            return await work
        finally:
            self._calls.append((name, began, time.perf_counter()))

    async def _pieces(self, name: str, pieces: AsyncIterator[Any]) -> AsyncIterator[Any]:
        try:
            while True:
                try:
                    yield await self._timed(name, anext(pieces))
                except StopAsyncIteration:
                    return
        finally:
            await pieces.aclose()

    async def open(self) -> "Timed":
        return Timed(await self._inner.open(), self._calls)

    def feed(self, samples: Any) -> Any:
        return self._timed("recognition", self._inner.feed(samples))

    def settle(self) -> Any:
        return self._timed("recognition", self._inner.settle())

    def analyze(self, samples: Any, manner: Any) -> Any:
        return self._timed("paralinguistics", self._inner.analyze(samples, manner))

    def generate(self, prompt: Any) -> Any:
        return self._pieces("language model", self._inner.generate(prompt))

    def synthesize(self, phrase: Any) -> Any:
        return self._pieces("synthesis", self._inner.synthesize(phrase))


async def timed_agent(folder: str, calls: list[tuple[str, float, float]]) -> Agent:
    settings = config.load("embedded")
    started: dict[EngineKind, Line] = {}
    for kind, choice in settings.engine_choices.items():
        engine, options = config.engine_options(kind, choice)
        made = await engine.create(options)
        line = [made] if kind == "turn_detector" else [Timed(made, calls)]
        if kind == "language_model":
            line.append(made)  # the last one thinks for itself, too
        started[kind] = Line(line, choice.label, "")
    store = await Store.open(Path(folder) / "conversations.db")
    return Agent(settings, started, store, None)


async def answer(agent: Agent, recording: Recording, calls: list) -> tuple[float, dict] | None:
    """Milliseconds from the end of the turn to the first audio, and the engines' part of them."""
    first: list[float] = []

    def hear(event: SessionEvent) -> None:
        if isinstance(event, ReplyAudio) and not first:
            first.append(time.perf_counter())

    session = await agent.open(hear, clock=time.monotonic)
    session.turn_taking.automatic = False
    audio = recording.audio[: int(recording.end_s * 16_000)]
    began = time.monotonic()
    for start in range(0, len(audio), CHUNK):
        await session.feed(audio[start : start + CHUNK])
        await asyncio.sleep(max(0.0, began + (start + CHUNK) / 16_000 - time.monotonic()))
    ended = time.perf_counter()
    await session.commit()
    for _ in range(200):
        if first:
            break
        await asyncio.sleep(0.01)
    await session.close()
    if not first:
        return None
    parts: dict[str, float] = {}
    covered = ended
    for name, start, stop in sorted(calls, key=lambda call: call[1]):
        part = min(stop, first[0]) - max(start, covered)
        if part > 0:
            parts[name] = parts.get(name, 0.0) + 1000 * part
            covered = min(stop, first[0])
    return 1000 * (first[0] - ended), parts


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA / "speech_read")
    parser.add_argument("--every", type=int, default=8, help="play each n-th recording only")
    arguments = parser.parse_args()
    totals: list[float] = []
    parts: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        calls: list[tuple[str, float, float]] = []
        agent = await timed_agent(folder, calls)
        recordings = read_speech(arguments.data, arguments.every)
        for recording in track(recordings, console=Console(stderr=True)):
            calls.clear()
            measured = await answer(agent, recording, calls)
            if measured is not None:
                totals.append(measured[0])
                parts.append(measured[1])
        await agent.close()
    table = Table(title=f"From the end of the turn to the first audio, {len(totals)} turns")
    for name in ("", "median", "95 %"):
        table.add_column(name, justify="right" if name else "left")

    def row(name: str, values: list[float]) -> None:
        table.add_row(name, *(f"{np.percentile(values, q):.1f} ms" for q in (50, 95)))

    row("all", totals)
    for name in ("recognition", "paralinguistics", "language model", "synthesis"):
        row(name, [part.get(name, 0.0) for part in parts])
    own = [total - sum(part.values()) for total, part in zip(totals, parts, strict=True)]
    row("the loop's own", own)
    Console(width=100).print(table)


if __name__ == "__main__":
    asyncio.run(main())
