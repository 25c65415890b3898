"""How well and how fast the recognizers hear real read speech.

Each recording is a turn, fed as a session feeds it: first the 0.5 s that have gathered when speech
is noticed, then 100 ms at a time, with a reading at every silence of 128 ms. Prints, per engine:

- WER: words wrong, of the last reading against the transcript, both in plain lower case
- RTF: time spent recognising, divided by the length of the audio
- settle: time that a reading takes, in ms
- slowest feed: time of the slowest 100 ms, in ms
- taken back: share of the turns whose last reading contradicts words called stable before

    python benchmarks/recognition.py [--engine pocketsphinx] [--every 4] [--at-once 6] [--known]
    python benchmarks/recognition.py --engine faster_whisper --option model=base.en
"""

import argparse
import asyncio
import json
import re
import time
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import jiwer
import numpy as np
import yaml
from recordings import DATA, Recording, read_speech
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from voice_agent import engines
from voice_agent.audio.pcm import HEARING_RATE
from voice_agent.engines import Recognizer, RecognizerStream
from voice_agent.errors import EngineUnavailable
from voice_agent.hearing.stabilizer import Stabilizer
from voice_agent.hearing.vad import FRAME, Vad, VadModel

FIRST, CHUNK = HEARING_RATE // 2, HEARING_RATE // 10
PAUSE = 4
"""Frames of 32 ms without speech after which a reading is asked for."""


@dataclass
class Measured:
    transcripts: list[str] = field(default_factory=list)
    readings: list[str] = field(default_factory=list)
    audio_s: float = 0.0
    busy_s: float = 0.0
    settle_ms: list[float] = field(default_factory=list)
    feed_ms: list[float] = field(default_factory=list)
    taken_back: int = 0


def plain(text: str) -> str:
    text = text.lower().replace("-", " ").replace("mr.", "mister").replace("mrs.", "missus")
    return " ".join(re.sub(r"[^a-z0-9' ]", "", text).split())


def pauses(model: VadModel, audio: np.ndarray) -> list[int]:
    """Where a silence within a recording has lasted for ``PAUSE`` frames, in samples."""
    vad, found, silent, spoken = Vad(model), [], 0, False
    for start in range(0, len(audio) - FRAME + 1, FRAME):
        if vad.probability(audio[start : start + FRAME]) >= 0.5:
            silent, spoken = 0, True
        else:
            silent += 1
            if silent == PAUSE and spoken:
                found.append(start + FRAME)
    return found


async def turn(stream: RecognizerStream, recording: Recording, at: list[int], to: Measured) -> None:
    audio, stabilizer, stable = recording.audio, Stabilizer(), ""

    async def settle() -> str:
        started = time.perf_counter()
        reading = await stream.settle()
        to.settle_ms.append(1000 * (time.perf_counter() - started))
        to.busy_s += time.perf_counter() - started
        return plain(reading.text)

    marks = sorted({*range(FIRST, len(audio), CHUNK), *at, len(audio)})
    for start, end in zip([0, *marks], marks, strict=False):
        started = time.perf_counter()
        partial = await stream.feed(audio[start:end])
        to.feed_ms.append(1000 * (time.perf_counter() - started) * CHUNK / max(CHUNK, end - start))
        to.busy_s += time.perf_counter() - started
        stable = stabilizer.add(partial.text, end / HEARING_RATE, partial.stable)
        if end in at and end < len(audio):
            await settle()
    reading = await settle()
    await stream.reset()
    to.audio_s += len(audio) / HEARING_RATE
    to.transcripts.append(plain(recording.transcript))
    to.readings.append(reading)
    to.taken_back += not reading.startswith(plain(stable))


async def measure(
    recognizer: Recognizer, recordings: list[Recording], at_once: int, known: bool
) -> Measured:
    """Turns of one voice come in one stream where it is ``known``, else each in a new one."""
    voices = [list(group) for _, group in groupby(recordings, lambda r: Path(r.path).name[:2])]
    conversations = voices if known else [[recording] for recording in recordings]
    measured, places, vad = Measured(), asyncio.Semaphore(at_once), VadModel()
    with Progress() as progress:
        task = progress.add_task(recognizer.name, total=len(recordings))

        async def converse(recordings: list[Recording]) -> None:
            async with places:
                stream = await recognizer.open()
                for recording in recordings:
                    await turn(stream, recording, pauses(vad, recording.audio), measured)
                    progress.advance(task)
                await stream.close()

        await asyncio.gather(*[converse(conversation) for conversation in conversations])
    return measured


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA / "speech_read")
    parser.add_argument("--every", type=int, default=1, help="take each n-th recording")
    parser.add_argument("--engine", action="append", help="default: those that can run here")
    parser.add_argument("--option", action="append", default=[], help="of the engine: key=value")
    parser.add_argument("--at-once", type=int, default=1, help="turns at the same time")
    parser.add_argument("--known", action="store_true", help="go on with a voice heard before")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    recordings = read_speech(arguments.data, arguments.every)
    options = {k: yaml.safe_load(v) for k, v in (o.split("=", 1) for o in arguments.option)}
    table = Table("engine", "WER", "RTF", "settle 50 %", "95 %", "slowest feed", "taken back")
    results = {}
    for name in arguments.engine or engines.available("recognizer"):
        engine = engines.find("recognizer", name)
        try:
            recognizer = await engine.create(engine.Options(**options))
        except EngineUnavailable as error:
            Console().print(f"{name}: {error}")
            continue
        found = await measure(recognizer, recordings, arguments.at_once, arguments.known)
        await recognizer.close()
        results[name] = {
            "wer": jiwer.wer(found.transcripts, found.readings),
            "rtf": found.busy_s / found.audio_s,
            "settle_ms": np.percentile(found.settle_ms, [50, 95]).tolist(),
            "slowest_feed_ms": max(found.feed_ms),
            "taken_back": found.taken_back / len(found.readings),
        }
        row = results[name]
        table.add_row(
            name,
            f"{row['wer']:.3f}",
            f"{row['rtf']:.3f}",
            *(f"{ms:.0f}" for ms in row["settle_ms"]),
            f"{row['slowest_feed_ms']:.0f}",
            f"{row['taken_back']:.0%}",
        )
    Console().print(table)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    asyncio.run(main())
