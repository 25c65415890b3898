"""What hearing how something is said costs: time of a reading on one core, memory of the models.

    python benchmarks/paralinguistics.py

Both are the embedded analyzer's. The time of a reading is also given as a share of that of the
voice activity model over the same audio, measured in turn with it, which noise of the machine
leaves alone.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"

import statistics
import time
from collections.abc import Callable

import numpy as np
import psutil

from voice_agent.audio.pcm import HEARING_RATE
from voice_agent.hearing.paralinguistics.event_model import EventModel
from voice_agent.hearing.paralinguistics.log_mel import log_mel
from voice_agent.hearing.paralinguistics.voice_model import VoiceModel
from voice_agent.hearing.vad import FRAME, Vad, VadModel
from voice_agent.shipped import shipped

LENGTHS_S = (1, 3, 10, 30)
ROUNDS = 40


def main() -> None:
    """Prints a table."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    vad_model = VadModel()
    process = psutil.Process()
    before = process.memory_info().rss
    models = shipped("models")
    voice, events = VoiceModel(models / "voice"), EventModel(models / "vocal_events")
    loaded = process.memory_info().rss
    sound = np.random.default_rng(0).normal(0, 0.05, 30 * HEARING_RATE).astype(np.float32)
    print("| audio | log-mel | voice | events | reading | of the VAD's time |")
    print("|---|---|---|---|---|---|")
    for seconds in LENGTHS_S:
        samples = sound[: seconds * HEARING_RATE]
        mel = log_mel(samples)
        vad = Vad(vad_model)
        times = rounds(
            lambda samples=samples: log_mel(samples),
            lambda mel=mel: voice.read(mel, None),
            lambda mel=mel: events.events(mel),
            lambda samples=samples, vad=vad: [
                vad.probability(frame)
                for frame in samples[: samples.size // FRAME * FRAME].reshape(-1, FRAME)
            ],
        )
        reading = sum(times[:3])
        parts = " | ".join(f"{ms:.1f} ms" for ms in (*times[:3], reading))
        print(f"| {seconds} s | {parts} | {reading / times[3]:.2f} |")
    used = process.memory_info().rss
    print(f"\nmodels: {(loaded - before) / 2**20:.1f} MB loaded, ", end="")
    print(f"{(used - before) / 2**20:.1f} MB after readings of up to 30 s")


def rounds(*works: Callable[[], object]) -> list[float]:
    """Median milliseconds of each, all done in turn so that they see the same machine."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(ROUNDS):
        for work, spent in zip(works, times, strict=True):
            begin = time.perf_counter()
            work()
            spent.append(1000 * (time.perf_counter() - begin))
    return [statistics.median(spent) for spent in times]


if __name__ == "__main__":
    main()
