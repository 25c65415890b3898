"""How soon and how safely the end of a turn is known: adaptive endpointing beside fixed silences.

Plays recordings on the sample clock through the real ear with the words of the embedded
recognizer, each once, followed by low room noise or by digital silence, and prints what each way
to wait comes to: the share of recordings in which the reply would have begun before the last word
ended, and the time from the end of the last word to the first sample of the reply. The reply is
taken to be heard 19 ms after the decision, which is what `latency.py` sees over a websocket.

    python benchmarks/endpointing.py [--data FOLDER] [--heard FILE] [--every 4]
"""

import argparse
import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from recordings import DATA, Recording, read_speech
from rich.console import Console
from rich.progress import track
from rich.table import Table

from voice_agent.audio.pcm import to_pcm16
from voice_agent.hearing.ear import Ear, End, LikelyEnd, Onset, Voice
from voice_agent.hearing.recognizers import pocketsphinx_process as recognizer
from voice_agent.hearing.turn_detectors.embedded import EmbeddedTurnDetector
from voice_agent.hearing.vad import VadModel
from voice_agent.settings import Endpointing, Vad

RATE = 16_000
CHUNK = RATE // 50
REPLY = RATE * 19 // 1000
READING = RATE * 60 // 1000
TAIL = 2 * RATE
NOISE = 10 ** (-70 / 20)
FIXED_MS = (300, 400, 500, 600, 700, 800)
EAGERNESS = (0.0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0)
ALLOWED = 5.0


@dataclass
class Heard:
    """A recording as it was heard once: speech probabilities and words with their clock."""

    recording: Recording
    audio: np.ndarray
    probabilities: list[float] = field(default_factory=list)
    words: list[tuple[int, str]] = field(default_factory=list)

    @property
    def end(self) -> int:
        return round(self.recording.end_s * RATE)

    def words_at(self, clock: int) -> str:
        return next((text for at, text in reversed(self.words) if at <= clock), "")


class Model:
    """Stands in for the network: keeps what the real one gives, or gives it again."""

    def __init__(self, real: VadModel | None, kept: list[float]) -> None:
        self.session = self
        self._real = real
        self._kept = kept
        self._next = iter(kept)

    def run(self, outputs: None, inputs: dict) -> tuple:
        if self._real is None:
            return np.array([next(self._next)]), inputs["h"], inputs["c"]
        result = self._real.session.run(outputs, inputs)
        self._kept.append(float(result[0][0]))
        return result


@dataclass(frozen=True)
class Outcome:
    early: bool
    wait_ms: float | None


def hear(recording: Recording, after: str, vad: VadModel, words: list | None) -> Heard:
    """Listens once, without ever ending the turn."""
    tail = np.zeros(TAIL, np.float32)
    if after == "room":
        tail = np.random.default_rng(1).normal(0, NOISE, TAIL).astype(np.float32)
    heard = Heard(recording, np.concatenate([recording.audio, tail]))
    ear = Ear(Model(vad, heard.probabilities), None, Vad(), Endpointing())
    ear.automatic = False
    settled: list[str] = []
    for at in range(0, len(heard.audio), CHUNK):
        for event in ear.process(heard.audio[at : at + CHUNK], ""):
            if words is not None:
                continue
            clock = at + CHUNK + READING
            match event:
                case Onset(_, audio):
                    recognizer.begin(recognizer.UNKNOWN, 0)
                    recognizer.feed(to_pcm16(audio))
                case Voice(audio):
                    done, rest = recognizer.feed(to_pcm16(audio))
                    settled += [word.text for word in done]
                    heard.words.append((clock, " ".join([*settled, *rest.split()])))
                case LikelyEnd():
                    done, _ = recognizer.settle()
                    settled += [word.text for word in done]
                    heard.words.append((clock, " ".join(settled)))
    if words is not None:
        heard.words = [(at, text) for at, text in words]
    elif heard.words:
        recognizer.settle()
    return heard


def play(heard: Heard, detector: EmbeddedTurnDetector, settings: Endpointing) -> Outcome:
    """Plays a recording until the first reply that would be heard."""
    ear = Ear(Model(None, heard.probabilities), detector, Vad(), settings)
    for at in range(0, len(heard.audio), CHUNK):
        clock = at + CHUNK
        for event in ear.process(heard.audio[at:clock], heard.words_at(clock)):
            if isinstance(event, End):
                wait = event.decided + REPLY - heard.end
                return Outcome(wait < 0, 1000 * wait / RATE if wait >= 0 else None)
    return Outcome(False, None)


@dataclass(frozen=True)
class Figures:
    early: float
    median: float
    slow: float

    @classmethod
    def of(cls, outcomes: Iterable[Outcome]) -> "Figures":
        outcomes = list(outcomes)
        waits = [o.wait_ms for o in outcomes if o.wait_ms is not None] or [float("nan")]
        early = 100 * float(np.mean([o.early for o in outcomes]))
        return cls(early, float(np.median(waits)), float(np.percentile(waits, 95)))

    def __str__(self) -> str:
        return f"{self.early:4.1f} %  {self.median:4.0f}  {self.slow:4.0f}"


def curve(heard: list[Heard], detector: EmbeddedTurnDetector) -> dict[str, list[Outcome]]:
    """What comes of each recording, for every way to wait."""
    ways = {f"fixed {ms} ms": Endpointing(min_wait_ms=ms, max_wait_ms=ms) for ms in FIXED_MS}
    for eagerness in EAGERNESS:
        ways[f"adaptive, eagerness {eagerness}"] = Endpointing(eagerness=eagerness)
    return {
        name: [play(one, detector, settings) for one in heard]
        for name, settings in track(ways.items(), "playing", console=Console(stderr=True))
    }


def groups(heard: list[Heard]) -> dict[str, list[int]]:
    corpora = [one.recording.corpus for one in heard]
    largest = max(set(corpora), key=corpora.count)
    found = {"all": list(range(len(heard)))}
    found[largest] = [i for i, corpus in enumerate(corpora) if corpus == largest]
    found["others"] = [i for i, corpus in enumerate(corpora) if corpus != largest]
    return {name: places for name, places in found.items() if places}


def report(console: Console, heard: list[Heard], outcomes: dict[str, list[Outcome]]) -> None:
    table = Table(title="early, median and 95 % (ms) from the end of the last word to the reply")
    table.add_column("wait")
    parts = groups(heard)
    for name, places in parts.items():
        table.add_column(f"{name} ({len(places)})", justify="right")
    for way, results in outcomes.items():
        cells = [str(Figures.of(results[i] for i in places)) for places in parts.values()]
        table.add_row(way, *cells)
    console.print(table)


def cross_validated(outcomes: dict[str, list[Outcome]], kind: str) -> str:
    """Chooses the soonest way within the allowance on four fifths, and measures on the fifth."""
    ways = {name: results for name, results in outcomes.items() if name.startswith(kind)}
    count = len(next(iter(ways.values())))
    part = np.random.default_rng(0).permutation(count) % 5
    pooled: list[Outcome] = []
    for one in range(5):
        learn, test = np.flatnonzero(part != one), np.flatnonzero(part == one)
        figures = {name: Figures.of(ways[name][i] for i in learn) for name in ways}
        safe = [name for name in ways if figures[name].early <= ALLOWED] or [next(iter(ways))]
        best = min(safe, key=lambda name: figures[name].median)
        pooled += [ways[best][i] for i in test]
    return (
        f"{kind:8} chosen on four fifths for {ALLOWED:.0f} %, on the others: {Figures.of(pooled)}"
    )


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA / "speech_read")
    parser.add_argument("--every", type=int, default=1, help="play each n-th recording only")
    parser.add_argument("--heard", type=Path, help="keep recognised words in this file for later")
    arguments = parser.parse_args()

    console = Console(width=110)
    vad = VadModel()
    detector = await EmbeddedTurnDetector.create(EmbeddedTurnDetector.Options())
    recordings = read_speech(arguments.data, arguments.every)
    kept = {}
    if arguments.heard and arguments.heard.is_file():
        kept = json.loads(arguments.heard.read_text())
    for after in ("room", "silence"):
        heard = []
        for recording in track(recordings, "listening", console=Console(stderr=True)):
            one = hear(recording, after, vad, kept.get(f"{after} {recording.path}"))
            kept[f"{after} {recording.path}"] = one.words
            heard.append(one)
        if arguments.heard:
            arguments.heard.write_text(json.dumps(kept))
        outcomes = curve(heard, detector)
        console.rule(f"{'low room noise' if after == 'room' else 'digital silence'} after the end")
        report(console, heard, outcomes)
        for kind in ("adaptive", "fixed"):
            console.print(cross_validated(outcomes, kind))


if __name__ == "__main__":
    asyncio.run(main())
