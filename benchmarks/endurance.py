"""Memory of one conversation over an hour of audio, run as fast as it goes.

python benchmarks/endurance.py [--minutes 60]
"""

import argparse
import asyncio
import gc
import itertools
import tempfile
from pathlib import Path

import numpy as np
import psutil
from recordings import DATA, read_speech
from rich.console import Console
from rich.table import Table
from serving import memory_mb

from voice_agent import config
from voice_agent.agent import Agent
from voice_agent.dialogue.events import SessionEvent, TurnEnded

CHUNK = 1600


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA / "speech_read")
    parser.add_argument("--minutes", type=float, default=60)
    arguments = parser.parse_args()
    recordings = read_speech(arguments.data)
    turns = 0

    def hear(event: SessionEvent) -> None:
        nonlocal turns
        turns += isinstance(event, TurnEnded)

    table = Table(title="One conversation")
    for name in ("minutes of audio", "turns", "memory"):
        table.add_column(name, justify="right")
    with tempfile.TemporaryDirectory() as folder:
        settings = config.load("embedded", store__path=Path(folder) / "conversations.db")
        agent = await Agent.create(settings)
        session = await agent.open(hear)
        process = psutil.Process()
        readings: list[float] = []
        due = 0.0
        for recording in itertools.cycle(recordings):
            # Speech, then as long again for the answer.
            audio = np.concatenate([recording.audio, np.zeros(len(recording.audio), np.float32)])
            for start in range(0, len(audio), CHUNK):
                await session.feed(audio[start : start + CHUNK])
                await session.quiet()
            if session.clock >= due * 60:
                gc.collect()
                readings.append(memory_mb(process))
                table.add_row(f"{session.clock / 60:.0f}", str(turns), f"{readings[-1]:.1f} MB")
                due += arguments.minutes / 12
            if session.clock >= arguments.minutes * 60:
                break
        await agent.close()
    console = Console(width=100)
    console.print(table)
    settled = readings[2:]
    if len(settled) > 1:
        growth = np.polyfit(np.linspace(0, arguments.minutes, len(readings))[2:], settled, 1)[0]
        console.print(f"Growth after the first sixth: {60 * growth:.1f} MB an hour.")


if __name__ == "__main__":
    asyncio.run(main())
