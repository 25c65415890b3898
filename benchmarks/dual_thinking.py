"""What thinking costs in time: voice to voice without it, while listening, and after the turn.

Runs the agent's own server three times against one language model server of known speed (200 ms
to the first token, 40 tokens a second, about 80 tokens of thought) and streams the same recordings
into each of them in real time:

- none: the model answers without a thought;
- while listening: the thought is drafted while the person speaks;
- after the turn: the naive order, everything is thought when the turn is over.

    python benchmarks/dual_thinking.py [--every 12] [--ttft-ms 200] [--rate 40] [--json FILE]
"""

import argparse
import asyncio
import contextlib
import json
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import yaml
from caller import Caller
from chat_server import REPLY, Seen, answer, serve, tokens
from latency import Measured, one_turn
from recordings import DATA, Recording, read_speech
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from serving import server

ORDERS = {
    "none": {"think": "none"},
    "while listening": {"think": "tags"},
    "after the turn": {"think": "tags", "while_listening": False},
}


def configuration(order: str, url: str, folder: Path) -> Path:
    model = {"engine": "openai_compatible", "base_url": url}
    path = folder / f"{order.replace(' ', '_')}.yaml"
    thinking = {"language_model": model, **ORDERS[order]}
    path.write_text(yaml.safe_dump({"extends": "embedded", "thinking": thinking}))
    return path


async def play(
    urls: dict[str, str], recordings: list[Recording], tick: Callable[[], None]
) -> dict[str, list[Measured]]:
    """Every recording in every order, in turn, so that all meet the same machine."""
    results: dict[str, list[Measured]] = {order: [] for order in urls}
    for recording in recordings:
        for order, url in urls.items():
            async with Caller(url) as caller:
                results[order].append(await one_turn(caller, recording, 0.1))
            tick()
    return results


def waits(results: list[Measured], fair: set[str]) -> list[float]:
    return [
        r.voice_to_voice_ms
        for r in results
        if r.path in fair and r.voice_to_voice_ms is not None and r.voice_to_voice_ms >= 0
    ]


def report(
    console: Console, measured: dict[str, list[Measured]], seen: dict[str, list[Seen]]
) -> None:
    # An answer into a pause within the turn measures nothing: such recordings are left out of all.
    fair = set.intersection(
        *(
            {r.path for r in results if r.voice_to_voice_ms and r.voice_to_voice_ms > 0}
            for results in measured.values()
        )
    )
    table = Table(title=f"Voice to voice, {len(fair)} recordings")
    for name in ("thinking", "median", "95 %", "median against none", "tokens before the reply"):
        table.add_column(name, justify="right" if name != "thinking" else "left")
    base = float(np.median(waits(measured["none"], fair)))
    for order, results in measured.items():
        times = waits(results, fair)
        table.add_row(
            order,
            *(f"{np.percentile(times, q):.0f} ms" for q in (50, 95)),
            f"{np.median(times) / base:.2f}",
            f"{np.median([thought_tokens(each.body) for each in replies(seen[order])]):.0f}",
        )
    console.print(table)


def replies(seen: list[Seen]) -> list[Seen]:
    return [each for each in seen if "</think>" not in (each.body.get("stop") or ())]


def thought_tokens(body: dict) -> int:
    return len(tokens(answer(body))) - len(tokens(REPLY))


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA / "speech_read")
    parser.add_argument("--every", type=int, default=12, help="play each n-th recording only")
    parser.add_argument("--ttft-ms", type=float, default=200)
    parser.add_argument("--rate", type=float, default=40, help="tokens a second")
    parser.add_argument("--json", type=Path, help="write each measurement to this file")
    arguments = parser.parse_args()

    console = Console(width=120)
    recordings = read_speech(arguments.data, arguments.every)
    seen: dict[str, list[Seen]] = {order: [] for order in ORDERS}
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        urls = {}
        for order in ORDERS:
            model = await stack.enter_async_context(
                serve(ttft_ms=arguments.ttft_ms, rate=arguments.rate, seen=seen[order])
            )
            config = configuration(order, model, folder)
            urls[order], _ = await stack.enter_async_context(server("--config", str(config)))
        with Progress(console=Console(stderr=True)) as progress:
            task = progress.add_task("turns", total=len(recordings) * len(ORDERS))
            measured = await play(urls, recordings, lambda: progress.advance(task))
    if arguments.json:
        each = {order: [asdict(r) for r in results] for order, results in measured.items()}
        arguments.json.write_text(json.dumps(each, indent=1))
    report(console, measured, seen)


if __name__ == "__main__":
    asyncio.run(main())
