"""The recordings that the benchmarks play, and where their last word ends.

python benchmarks/recordings.py --json FILE writes the ends of the last words, for programs that
play the same recordings without this package: a list of {path, corpus, end_s}.
"""

import argparse
import csv
import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from voice_agent.hearing.vad import FRAME, Vad, VadModel

DATA = Path(
    os.environ.get("VOICE_AGENT_TEST_DATA", Path(__file__).parent.parent.parent / "shared" / "data")
)
HOP = 128


@dataclass(frozen=True)
class Recording:
    """A recording at 16 kHz, and where its first word begins and its last one ends."""

    path: str
    corpus: str
    transcript: str
    audio: np.ndarray
    start_s: float
    end_s: float


def read_speech(folder: Path = DATA / "speech_read", every: int = 1) -> list[Recording]:
    """The recordings of a manifest (path, corpus, transcript), or each ``every``-th of them."""
    vad = VadModel()
    recordings = []
    with (folder / "manifest.csv").open(newline="") as file:
        for row in list(csv.DictReader(file))[::every]:
            audio, _ = soundfile.read(folder / row["path"], dtype="float32")
            recordings.append(
                Recording(
                    row["path"], row["corpus"], row["transcript"], audio, *words_span(vad, audio)
                )
            )
    return recordings


def words_span(model: VadModel, audio: np.ndarray) -> tuple[float, float]:
    """Where the first word of a recording begins and the last one ends, in seconds.

    Heard with the whole of it at hand: sound is what lies within 35 dB of the loudest speech (and
    clearly above the floor), in steps of 8 ms. The first word begins with the unbroken sound that
    leads into the first frame that the voice activity detector calls speech; the last one ends
    with the last sound no further than two frames behind the last such frame.
    """
    vad = Vad(model)
    padded = np.concatenate([audio, np.zeros(2 * FRAME, np.float32)])
    frames = [padded[at : at + FRAME] for at in range(0, len(padded) - FRAME + 1, FRAME)]
    speech = [index for index, frame in enumerate(frames) if vad.probability(frame) >= 0.5]
    if not speech:
        return 0.0, len(audio) / 16_000
    power = np.square(audio[: len(audio) // HOP * HOP].reshape(-1, HOP)).mean(axis=1)
    level = 10 * np.log10(power + 1e-12)
    sound = level > max(np.percentile(level, 95) - 35, np.percentile(level, 5) + 6)
    last = np.flatnonzero(sound[: (speech[-1] + 2) * FRAME // HOP])[-1]
    quiet = np.flatnonzero(~sound[: (speech[0] + 1) * FRAME // HOP - 1])
    first = quiet[-1] + 1 if quiet.size else 0
    return first * HOP / 16_000, (last + 1) * HOP / 16_000


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA / "speech_read")
    parser.add_argument("--json", type=Path, required=True)
    arguments = parser.parse_args()
    ends = [
        {"path": recording.path, "corpus": recording.corpus, "end_s": recording.end_s}
        for recording in read_speech(arguments.data)
    ]
    arguments.json.write_text(json.dumps(ends, indent=1))
