"""How soon, how fast and how differently the agent speaks, and how its voices compare.

    python benchmarks/speaking.py                              speed, and the tone of each emotion
    python benchmarks/speaking.py --voices en-us en-us+f2      voices of espeak beside each other

Voices are compared by what a speech recognizer understands of them and, where its model is among
the data, by the quality that DNSMOS P.835 estimates (signal, background, overall; 1 to 5).
"""

import argparse
import asyncio
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
from recordings import DATA
from rich.console import Console
from rich.table import Table

from voice_agent import engines
from voice_agent.audio.pcm import HEARING_RATE, SPEAKING_RATE, level_db
from voice_agent.audio.resample import resample
from voice_agent.engines import Synthesizer
from voice_agent.events import REPLY_EMOTIONS, Phrase, Speech
from voice_agent.hearing.prosody import HOP, PitchTracker
from voice_agent.speaking.speaker import Speaker
from voice_agent.speaking.synthesizers.espeak import EspeakOptions, EspeakSynthesizer

REPLIES = (
    "I hear you, and that sounds really hard. It makes sense that you feel worn out after a week "
    "like that. What would help you most right now?",
    "That is wonderful news! You worked for it, and you can be proud of yourself. Tell me, how did "
    "it feel when they called your name?",
    "Take all the time you need. I am still here, and there is no hurry.",
    "It sounds as if two things are pulling at you at once. Which one feels heavier?",
    "You could begin with something small, like a short walk after lunch, and see how that feels.",
    "I am sorry, I did not catch that. Could you say it again?",
)
WINDOW = 1024
DNSMOS_SAMPLES = 144_160
DNSMOS_SCALES = (
    np.poly1d([-0.08397278, 1.22083953, 0.0052439]),
    np.poly1d([-0.13166888, 1.60915514, -0.39604546]),
    np.poly1d([-0.06766283, 1.11546468, 0.04602535]),
)
"""From the model's raw scores to those of listeners, as its authors fitted them."""


async def letters(text: str) -> AsyncIterator[str]:
    for word in re.findall(r"\s*\S+", text):
        yield word


async def spoken(speaker: Speaker, text: str, emotion: str) -> tuple[np.ndarray, float, float]:
    """Audio of a reply, seconds to its first piece and to its last."""
    began = time.perf_counter()
    first = None
    pieces: list[Speech] = []
    async for speech in speaker.speak(letters(text), emotion):
        first = first or time.perf_counter() - began
        pieces.append(speech)
    samples = np.concatenate([piece.samples for piece in pieces])
    return samples, first or 0.0, time.perf_counter() - began


def pitches(samples: np.ndarray) -> np.ndarray:
    """Pitch of the voiced stretches of 16 kHz audio, in Hz."""
    tracker = PitchTracker()
    found = [
        pitch
        for end in range(WINDOW, samples.size, 2 * HOP)
        for pitch in tracker.pitch(samples[end - WINDOW : end])
        if pitch > 0
    ]
    return np.array(found)


def sounding(samples: np.ndarray) -> np.ndarray:
    """The 20 ms frames within 35 dB of the loudest one, joined."""
    frames = samples[: samples.size // 480 * 480].reshape(-1, 480)
    power = np.mean(np.square(frames), axis=1)
    return frames[power > power.max() * 10**-3.5].ravel()


async def print_speed(synthesizer: Synthesizer, console: Console) -> None:
    speaker = Speaker(synthesizer, -22)
    await spoken(speaker, REPLIES[2], "neutral")
    voice, reply, factors = [], [], []
    for text in REPLIES * 10:
        began = time.perf_counter()
        pieces = synthesizer.synthesize(Phrase(text))
        await anext(pieces)
        voice.append(1000 * (time.perf_counter() - began))
        await pieces.aclose()  # type: ignore[attr-defined]
        samples, first, whole = await spoken(speaker, text, "neutral")
        reply.append(1000 * first)
        factors.append(whole / (samples.size / SPEAKING_RATE))
    table = Table(title=f"Speed of {synthesizer.name}, {len(voice)} replies")
    for name in ("", "median", "95 %"):
        table.add_column(name, justify="right" if name else "left")
    for name, values, form in (
        ("first audio of the synthesizer", voice, "{:.1f} ms"),
        ("first audio of the speaker, all included", reply, "{:.1f} ms"),
        ("seconds of work a second of audio", factors, "{:.4f}"),
    ):
        table.add_row(name, *(form.format(np.percentile(values, q)) for q in (50, 95)))
    console.print(table)


async def print_tones(synthesizer: Synthesizer, console: Console) -> None:
    speaker = Speaker(synthesizer, -22)
    await spoken(speaker, " ".join(REPLIES), "neutral")
    neutral_s = 0.0
    neutral_hz = 1.0
    table = Table(title="Tone of each reply emotion, as measured in the audio")
    for name in ("emotion", "pitch", "against neutral", "range", "duration", "level"):
        table.add_column(name, justify="left" if name == "emotion" else "right")
    for emotion in ("neutral", *(e for e in REPLY_EMOTIONS if e != "neutral")):
        audio = [(await spoken(speaker, text, emotion))[0] for text in REPLIES[:2]]
        samples = np.concatenate(audio)
        hz = pitches(resample(samples, SPEAKING_RATE, HEARING_RATE))
        low, middle, high = np.percentile(hz, (10, 50, 90))
        seconds = samples.size / SPEAKING_RATE
        if emotion == "neutral":
            neutral_s, neutral_hz = seconds, middle
        table.add_row(
            emotion,
            f"{middle:.0f} Hz",
            f"{12 * np.log2(middle / neutral_hz):+.1f} st",
            f"{12 * np.log2(high / low):.1f} st",
            f"{100 * seconds / neutral_s:.0f} %",
            f"{level_db(sounding(samples)):.1f} dB",
        )
    console.print(table)


def word_errors(reference: list[str], found: list[str]) -> int:
    row = list(range(len(found) + 1))
    for index, word in enumerate(reference, 1):
        diagonal, row[0] = row[0], index
        for column, other in enumerate(found, 1):
            diagonal, row[column] = (
                row[column],
                min(row[column] + 1, row[column - 1] + 1, diagonal + (word != other)),
            )
    return row[-1]


class Dnsmos:
    def __init__(self, model: Path) -> None:
        import onnxruntime

        self._session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])

    def scores(self, samples: np.ndarray) -> list[float]:
        """Signal, background and overall quality of 16 kHz audio."""
        padded = np.resize(samples, DNSMOS_SAMPLES)[None].astype(np.float32)
        raw = self._session.run(None, {self._session.get_inputs()[0].name: padded})[0][0]
        return [float(scale(value)) for scale, value in zip(DNSMOS_SCALES, raw, strict=True)]


async def print_voices(names: list[str], console: Console) -> None:
    model = DATA / "oracles" / "dnsmos_p835.onnx"
    judge = Dnsmos(model) if model.is_file() else None
    engine = engines.find("recognizer", "pocketsphinx")
    recognizer = await engine.create(engine.Options())
    stream = await recognizer.open()
    table = Table(title="Voices")
    for name in ("voice", "word error rate", "signal", "background", "overall", "pitch"):
        table.add_column(name, justify="left" if name == "voice" else "right")
    for name in names:
        synthesizer = await EspeakSynthesizer.create(EspeakOptions(voice=name))
        speaker = Speaker(synthesizer, -22)
        errors = count = 0
        scores, hz = [], []
        for text in REPLIES:
            samples = resample(
                (await spoken(speaker, text, "neutral"))[0], SPEAKING_RATE, HEARING_RATE
            )
            rest = np.zeros(HEARING_RATE // 2, dtype=np.float32)
            await stream.feed(np.concatenate([rest, samples, rest]))
            heard = (await stream.settle()).text.lower().split()
            await stream.reset()
            said = re.sub(r"[^a-z' ]", "", text.lower()).split()
            errors += word_errors(said, heard)
            count += len(said)
            hz.extend(pitches(samples))
            if judge is not None:
                scores.append(judge.scores(samples))
        quality = [f"{q:.2f}" for q in np.mean(scores, axis=0)] if scores else ["?"] * 3
        table.add_row(name, f"{errors / count:.2f}", *quality, f"{np.median(hz):.0f} Hz")
        await synthesizer.close()
    await stream.close()
    await recognizer.close()
    console.print(table)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", default="espeak", help="synthesizer measured")
    parser.add_argument("--voices", nargs="+", help="compare these voices of espeak")
    arguments = parser.parse_args()
    console = Console(width=100)
    if arguments.voices:
        await print_voices(arguments.voices, console)
        return
    engine = engines.find("synthesizer", arguments.engine)
    synthesizer = await engine.create(engine.Options())
    await print_speed(synthesizer, console)
    await print_tones(synthesizer, console)
    await synthesizer.close()


if __name__ == "__main__":
    asyncio.run(main())
