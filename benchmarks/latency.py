"""From the end of the last word to the first audible sample of the reply, over the websocket.

Streams real recordings in real time into the agent's own server and prints the distribution, the
share of recordings into which the agent spoke, and what of the time was the wait for the end of
the turn. With ``--sessions 12`` the same under load: that many conversations at once, each in
random places of its own, about half of their time being speech.

    python benchmarks/latency.py [--every 4] [--at-once 2] [--json FILE]
    python benchmarks/latency.py --sessions 12 --rounds 6
"""

import argparse
import asyncio
import json
import random
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from caller import Caller, Heard
from recordings import DATA, Recording, read_speech
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from serving import cpu_s, memory_mb, server

NO_REPLY_S = 6.0


@dataclass
class Measured:
    path: str
    corpus: str
    voice_to_voice_ms: float | None
    early: bool
    endpoint_ms: float | None
    after_endpoint_ms: float | None
    late_ms: float


def measure(recording: Recording, heard: Heard, late_s: float) -> Measured:
    audible = heard.first_audible()
    latencies = heard.of("voice_agent.latency")
    total = None if audible is None else float(1000 * (audible - recording.end_s))
    early = bool(total is not None and total < 0)
    endpoint = after = None
    if latencies:
        reported = latencies[-1]["latency_ms"]
        endpoint = reported["endpoint"]
        if reported["voice_to_voice"] is not None:
            after = reported["voice_to_voice"] - endpoint
    return Measured(recording.path, recording.corpus, total, early, endpoint, after, 1000 * late_s)


async def one_turn(caller: Caller, recording: Recording, listen_s: float) -> Measured:
    ends = time.monotonic() + len(recording.audio) / 16_000 + NO_REPLY_S

    def done(heard: Heard) -> bool:
        audible = heard.first_audible()
        if audible is None:
            return time.monotonic() > ends
        return time.monotonic() - heard.started > audible + listen_s

    caller.late_s = 0.0
    heard = await caller.stream(recording.audio, 16_000, done)
    await caller.send({"type": "response.cancel"})
    # The record of the turn comes with the end of its reply.
    for _ in range(100):
        if heard.of("voice_agent.latency") or heard.first_audible() is None:
            break
        await asyncio.sleep(0.02)
    return measure(recording, heard, caller.late_s)


async def single(url: str, recordings: list[Recording], at_once: int, tick) -> list[Measured]:
    """Every recording on a connection of its own."""
    places = asyncio.Semaphore(at_once)

    async def run(recording: Recording) -> Measured:
        async with places, Caller(url) as caller:
            measured = await one_turn(caller, recording, 0.1)
            tick()
            return measured

    return await asyncio.gather(*(run(recording) for recording in recordings))


async def load(
    url: str, recordings: list[Recording], sessions: int, rounds: int, tick
) -> list[Measured]:
    """Conversations side by side: a person speaks, listens about as long, speaks again."""

    async def converse(number: int) -> list[Measured]:
        chance = random.Random(number)
        await asyncio.sleep(chance.uniform(0, 8))
        results = []
        async with Caller(url) as caller:
            for _ in range(rounds):
                recording = chance.choice(recordings)
                listen = len(recording.audio) / 16_000 - 1
                results.append(await one_turn(caller, recording, listen))
                tick()
        return results

    conversations = await asyncio.gather(*(converse(number) for number in range(sessions)))
    return [measured for results in conversations for measured in results]


def report(console: Console, results: list[Measured], title: str) -> None:
    table = Table(title=title)
    for name in ("", "n", "early", "median", "95 %", "max", "no reply", "after the wait", "95 %"):
        table.add_column(name, justify="right" if name else "left")
    groups = {"all": results}
    for corpus in sorted({result.corpus for result in results}):
        groups[corpus] = [result for result in results if result.corpus == corpus]
    for name, group in groups.items():
        answered = [r.voice_to_voice_ms for r in group if r.voice_to_voice_ms is not None]
        waits = [ms for ms in answered if ms >= 0] or [float("nan")]
        after = [r.after_endpoint_ms for r in group if r.after_endpoint_ms is not None]
        table.add_row(
            name,
            str(len(group)),
            f"{100 * np.mean([r.early for r in group]):.1f} %",
            *(f"{np.percentile(waits, q):.0f} ms" for q in (50, 95, 100)),
            str(sum(r.voice_to_voice_ms is None for r in group)),
            *(f"{np.percentile(after or [np.nan], q):.0f} ms" for q in (50, 95)),
        )
    console.print(table)
    late = max(result.late_ms for result in results)
    console.print(f"The caller itself was at most {late:.0f} ms late with a chunk.")


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA / "speech_read")
    parser.add_argument("--every", type=int, default=1, help="play each n-th recording only")
    parser.add_argument("--at-once", type=int, default=1, help="recordings at the same time")
    parser.add_argument("--sessions", type=int, help="measure under load, this many conversations")
    parser.add_argument("--rounds", type=int, default=6, help="turns of each of them")
    parser.add_argument("--config", default="embedded")
    parser.add_argument("--json", type=Path, help="write each measurement to this file")
    arguments = parser.parse_args()

    console = Console(width=120)
    recordings = read_speech(arguments.data, arguments.every)
    async with server("--config", arguments.config) as (url, process):
        before = cpu_s(process), time.monotonic()
        with Progress(console=Console(stderr=True)) as progress:
            turns = (arguments.sessions or 0) * arguments.rounds or len(recordings)
            task = progress.add_task("turns", total=turns)

            def tick() -> None:
                progress.advance(task)

            if arguments.sessions:
                results = await load(url, recordings, arguments.sessions, arguments.rounds, tick)
                title = f"{arguments.sessions} conversations at once"
            else:
                results = await single(url, recordings, arguments.at_once, tick)
                title = "One recording, one connection"
        seconds = time.monotonic() - before[1]
        report(console, results, title)
        console.print(
            f"The server used {(cpu_s(process) - before[0]) / seconds:.2f} cores on average and "
            f"holds {memory_mb(process):.0f} MB."
        )
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(result) for result in results], indent=1))


if __name__ == "__main__":
    asyncio.run(main())
