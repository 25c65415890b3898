"""What streaming costs over calling faster-whisper directly, with the same model on the same audio.

Without `--model` it is one of random weights in the size of a real one: times are about those of
the real one, words are nonsense. Prints:

- of transcribe: time of readings through the engine, with times of words, divided by the time of
  `WhisperModel.transcribe` on the same audio without them (less work), and with them (more work:
  it reads the end twice); computing time, so that other work on the machine counts little
- stream: the stream's own time for each second of speech, without readings
- partials: computing time for each second of speech, with a reading every half second
- batch: time of readings for four conversations in one batch, divided by that of one by one

With a real model and recordings it prints the word error rates of the stream and of the whole
recordings instead; `--join 35` makes turns of that length out of them.

    python benchmarks/whisper.py [--size base|small|tiny] [--seconds 8] [--rounds 3]
    python benchmarks/whisper.py --model small.en --data speech_read [--every 4] [--join 35]
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from itertools import groupby
from pathlib import Path
from statistics import median

import jiwer
import numpy as np
from faster_whisper import WhisperModel
from recognition import plain
from recordings import DATA, Recording, read_speech
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from voice_agent.audio.pcm import HEARING_RATE, Samples
from voice_agent.hearing.recognizers.faster_whisper import FasterWhisperRecognizer
from voice_agent.hearing.recognizers.faster_whisper.loudness import Loudness
from voice_agent.hearing.recognizers.faster_whisper.reading import Kind, Reader, Reading, Request
from voice_agent.hearing.recognizers.faster_whisper.stream import PARTIAL, FasterWhisperStream
from voice_agent.hearing.recognizers.faster_whisper.words import ReadWord, joined
from voice_agent.models import installed

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
import tiny_whisper

SIZES = {"tiny": tiny_whisper.TINY, "base": tiny_whisper.BASE, "small": tiny_whisper.SMALL}
CONVERSATIONS = 4


def babble(seconds: float, seed: int = 0) -> Samples:
    """Sound that comes and goes as speech does."""
    random = np.random.default_rng(seed)
    samples = random.standard_normal(round(seconds * HEARING_RATE)).astype(np.float32)
    loud = np.repeat(random.uniform(0.01, 0.3, round(seconds * 10)), HEARING_RATE // 10)
    return samples * loud.astype(np.float32)


def offline(model, samples: Samples, *, timed: bool = False) -> str:
    """What faster-whisper reads by itself, with the settings of the engine.

    Only with times of words does it read on behind the last one, as the engine does.
    """
    segments, _ = model.transcribe(
        samples,
        language="en",
        beam_size=1,
        temperature=0.0,
        condition_on_previous_text=False,
        without_timestamps=True,
        word_timestamps=timed,
    )
    return "".join(segment.text for segment in segments).strip()


async def time_layer(recognizer, model, samples: Samples, rounds: int) -> dict[str, str]:
    """Reads longer and longer beginnings of a turn, in both ways."""
    ours, direct, timed, same, words = [], [], [], True, 0
    for _ in range(rounds):
        for end in range(PARTIAL, len(samples) + 1, PARTIAL):
            began = time.process_time()
            reading = await recognizer.read(Request(samples[:end]), "en", partial=True)
            between = time.process_time()
            # In a thread, too.
            text = await asyncio.to_thread(offline, model, samples[:end])
            ours.append(between - began)
            after = time.process_time()
            await asyncio.to_thread(offline, model, samples[:end], timed=True)
            timed.append(time.process_time() - after)
            direct.append(after - between)
            same &= text == joined(reading.words)
            words = len(text.split())
    speech_s = rounds * len(samples) / HEARING_RATE
    return {
        "reading (ms of a core)": f"{1000 * median(ours):.0f}",
        "of transcribe": f"{sum(ours) / sum(direct):.3f}",
        "of transcribe, median": f"{median(np.divide(ours, direct)):.3f}",
        "of transcribe with times": f"{sum(ours) / sum(timed):.3f}",
        "same words": f"{'yes' if same else 'no'} ({words} in the last)",
        "partials (cores)": f"{sum(ours) / speech_s:.2f}",
    }


class NoReadings:
    """An engine that reads in no time."""

    full_partials = True

    async def read(self, request: Request, language: str | None, *, partial: bool) -> Reading:
        return Reading((ReadWord(" yes", 0.0, 0.4, 1.0),), Loudness.of(request.samples), "en")

    def forget(self, stream: FasterWhisperStream) -> None:
        pass


async def time_stream(samples: Samples) -> float:
    """Milliseconds for each second of speech, in pieces of 100 ms."""
    stream, began = FasterWhisperStream(NoReadings(), "en"), time.perf_counter()
    for at in range(0, len(samples), HEARING_RATE // 10):
        await stream.feed(samples[at : at + HEARING_RATE // 10])
    await stream.settle()
    return 1000 * (time.perf_counter() - began) / (len(samples) / HEARING_RATE)


def time_batch(reader: Reader, seconds: float, rounds: int) -> float:
    """Time of a batch of conversations, divided by that of one after the other."""
    kind = Kind("en", 0, 1)
    requests = [Request(babble(seconds, seed)) for seed in range(CONVERSATIONS)]
    batch, single = [], []
    for _ in range(rounds):
        began = time.perf_counter()
        reader.read(kind, requests)
        between = time.perf_counter()
        for request in requests:
            reader.read(kind, [request])
        batch.append(between - began)
        single.append(time.perf_counter() - between)
    return sum(batch) / sum(single)


def joined_to(recordings: list[Recording], seconds: float) -> list[tuple[Samples, str]]:
    """Turns of about that length: recordings of one corpus with pauses of 0.6 s between them."""
    turns: list[tuple[Samples, str]] = []
    for _, group in groupby(recordings, lambda recording: recording.corpus):
        pieces, texts = [], []
        for recording in group:
            pieces += [recording.audio, np.zeros(6 * HEARING_RATE // 10, np.float32)]
            texts.append(recording.transcript)
            if sum(map(len, pieces)) >= seconds * HEARING_RATE:
                turns.append((np.concatenate(pieces[:-1]), " ".join(texts)))
                pieces, texts = [], []
    return turns


async def error_rates(recognizer, model, turns: list[tuple[Samples, str]]) -> dict[str, str]:
    """Word error rates, heard piece by piece with each partial reading awaited, and as a whole."""
    said, streamed, whole, silent = [], [], [], np.zeros(0, np.float32)
    with Progress() as progress:
        for samples, transcript in progress.track(turns):
            stream = await recognizer.open()
            for at in range(0, len(samples), PARTIAL):
                await stream.feed(samples[at : at + PARTIAL])
                while stream.reading:
                    await stream.feed(silent)
            streamed.append(plain((await stream.settle()).text))
            await stream.close()
            whole.append(plain(await asyncio.to_thread(offline, model, samples, timed=True)))
            said.append(plain(transcript))
    minutes = sum(len(samples) for samples, _ in turns) / HEARING_RATE / 60
    return {
        "turns": f"{len(turns)}, {minutes:.1f} min, {sum(len(s.split()) for s in said)} words",
        "WER, stream": f"{jiwer.wer(said, streamed):.4f}",
        "WER, whole": f"{jiwer.wer(said, whole):.4f}",
        "stream against whole": f"{jiwer.wer(whole, streamed):.4f}",
    }


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", help="folder or name of a real model")
    parser.add_argument("--size", choices=SIZES, default="base")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--join", type=float, default=0, help="seconds of a turn, out of several")
    parser.add_argument("--every", type=int, default=1, help="take each n-th recording")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        name = arguments.model or str(
            tiny_whisper.save(Path(folder) / "whisper", size=SIZES[arguments.size])
        )
        options = FasterWhisperRecognizer.Options(model=name, device=arguments.device)
        recognizer = await FasterWhisperRecognizer.create(options)
        found = installed.require(name, ("model.bin", "tokenizer.json"))
        reader = Reader(found, arguments.device, "default", "")
        model = WhisperModel(
            str(found),
            device=arguments.device,
            compute_type="int8" if arguments.device == "cpu" else "float16",
            cpu_threads=max(1, (os.cpu_count() or 1) // 2),
        )
        if arguments.data:
            data = arguments.data if arguments.data.is_dir() else DATA / arguments.data
            recordings = read_speech(data, arguments.every)
            rows = await error_rates(recognizer, model, joined_to(recordings, arguments.join))
        else:
            speech = DATA / "speech_read"
            samples = read_speech(speech, 60)[0].audio if speech.is_dir() else babble(60)
            samples = samples[: round(arguments.seconds * HEARING_RATE)]
            rows = await time_layer(recognizer, model, samples, arguments.rounds)
            rows["stream (ms/s)"] = f"{await time_stream(babble(60)):.2f}"
            rows["batch of four"] = f"{time_batch(reader, arguments.seconds, arguments.rounds):.2f}"
        await recognizer.close()
    table = Table("", Path(arguments.model or arguments.size).name)
    for row in rows.items():
        table.add_row(*row)
    Console().print(table)


if __name__ == "__main__":
    asyncio.run(main())
