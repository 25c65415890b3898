"""How soon and how fast coqui-tts speaks through the agent, and what the agent adds to it.

    OMP_NUM_THREADS=1 python benchmarks/coqui.py           models of real size, random weights
    OMP_NUM_THREADS=1 python benchmarks/coqui.py --small   a quick look

Speed does not depend on the weights, so nothing is fetched: a VITS of the size of the published
VCTK voice and an XTTS of the size of XTTS v2 are built with random ones. Each is asked for the same
sentence with the same draws in three ways: by the library's own call, by the agent's rendering
alone, and by the whole engine. Then the engine says several sentences at once. Shares are of
processor time, which others on the machine hardly change.
"""

import argparse
import asyncio
import statistics
import time
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, fields
from typing import Any

import torch
from random_models import xtts as random_xtts
from rich.console import Console
from rich.table import Table

from voice_agent.events import Phrase
from voice_agent.models import torchaudio_import
from voice_agent.speaking.synthesizers.coqui import CoquiOptions, CoquiSynthesizer

torchaudio_import.ensure()

from TTS.tts.configs.vits_config import VitsConfig  # noqa: E402
from TTS.tts.models.vits import Vits, VitsCharacters  # noqa: E402

from voice_agent.speaking.synthesizers.coqui.rendering import render  # noqa: E402

TEXT = "I hear you, and it makes sense that you feel worn out after a week like that."
SEED = zlib.crc32(TEXT.encode())
"""What the engine takes for this text, so that all ways draw the same."""
XTTS_TOKENS = {"real": 40, "small": 60}
"""At most: a second of XTTS's audio has 22, and costs some seconds on a processor."""
VCTK_SPEAKERS = 109
AT_ONCE = {
    word: TEXT.replace("week", word)
    for word in ("week", "month", "day", "year", "night", "visit", "talk", "call")
}
"""Sentences, each with draws of its own."""


def random_vits(size: str) -> Vits:
    """A VITS of the size of the VCTK voice, or a small one, that reads letters."""
    config = VitsConfig(characters=VitsCharacters().to_config(), text_cleaner="basic_cleaners")
    config.speakers = [f"p{number}" for number in range(VCTK_SPEAKERS)]
    config.use_speaker_embedding = config.model_args.use_speaker_embedding = True
    config.model_args.init_discriminator = False
    if size == "small":
        config.model_args.upsample_initial_channel_decoder = 64
        config.model_args.hidden_channels = 32
    torch.manual_seed(0)
    model = Vits(config)
    model.eval()
    # Random durations are short; this is the pace of speech.
    model.length_scale = 1.6
    return model


def by_vits(model: Vits) -> Iterator[int]:
    """Samples of each piece from the library's own call."""
    tokens = torch.tensor([model.tokenizer.text_to_ids(TEXT)])
    given = {
        "x_lengths": None,
        "d_vectors": None,
        "speaker_ids": torch.tensor([0]),
        "language_ids": None,
        "durations": None,
    }
    yield int(model.inference(tokens, given)["model_outputs"].numel())


def by_xtts(model: Any) -> Iterator[int]:
    """Samples of each piece from the library's own call."""
    style = list(model.speaker_manager.speakers["somebody"].values())
    config = model.config
    for piece in model.inference_stream(
        TEXT,
        "en",
        *style,
        temperature=config.temperature,
        repetition_penalty=float(config.repetition_penalty),
        top_k=config.top_k,
        top_p=config.top_p,
    ):
        yield int(piece.numel())


@dataclass(frozen=True)
class Timing:
    """Seconds to the first audio and to the last, by the clock and of the processor; samples."""

    first: float
    whole: float
    first_processor: float
    processor: float
    samples: int


async def timed(pieces: AsyncIterator[int]) -> Timing:
    began, worked = time.perf_counter(), time.process_time()
    first, first_processor, samples = 0.0, 0.0, 0
    async for size in pieces:
        samples += size
        if size and not first:
            first, first_processor = time.perf_counter() - began, time.process_time() - worked
    whole, processor = time.perf_counter() - began, time.process_time() - worked
    return Timing(first, whole, first_processor, processor, samples)


async def at_once(pieces: Callable[[], Iterator[int]]) -> AsyncIterator[int]:
    for size in pieces():
        yield size


async def spoken(engine: CoquiSynthesizer, text: str = TEXT) -> AsyncIterator[int]:
    async for speech in engine.synthesize(Phrase(text)):
        yield speech.samples.size


async def measure(model: Any, direct: Callable[[Any], Iterator[int]], rounds: int) -> Table:
    """A table of one model. The ways take turns, so that all see the same machine."""

    def library() -> Iterator[int]:
        model.max_inference_len = None  # of VITS, whose voice has it decode less
        torch.manual_seed(SEED)
        yield from direct(model)
        model.max_inference_len = 1

    def rendering() -> Iterator[int]:
        for piece in render(voice, Phrase(TEXT), SEED):
            yield piece.samples.size if piece else 0

    found: dict[str, list[Timing]] = {
        name: [] for name in ("library", "library, weights fused", "rendering alone", "engine")
    }
    for at in range(rounds + 1):
        timing = await timed(at_once(library))
        if at:  # the first one warms up
            found["library"].append(timing)
    engine = await CoquiSynthesizer.of(model, CoquiOptions())
    voice: Any = engine._voice
    for _ in range(rounds):
        found["library, weights fused"].append(await timed(at_once(library)))
        found["rendering alone"].append(await timed(at_once(rendering)))
        found["engine"].append(await timed(spoken(engine)))
    await engine.close()

    table = Table(title=f"{type(model).__name__}, median of {rounds}")
    columns = (
        "way",
        "audio",
        "first audio",
        "real-time factor",
        "first audio, processor",
        "all, processor",
        "to library",
    )
    for name in columns:
        table.add_column(name, justify="left" if name == "way" else "right")
    reference = statistics.median(one.processor for one in found["library"])
    for name, timings in found.items():
        first, whole, first_processor, processor, samples = (
            statistics.median(getattr(one, field.name) for one in timings)
            for field in fields(Timing)
        )
        table.add_row(
            name,
            f"{samples / voice.rate:.2f} s",
            f"{1000 * first:.0f} ms",
            f"{whole / (samples / voice.rate):.2f}",
            f"{1000 * first_processor:.0f} ms",
            f"{1000 * processor:.0f} ms",
            f"{100 * (processor / reference - 1):+.1f} %",
        )
    return table


async def measure_at_once(model: Any, rounds: int) -> Table:
    """A table of the engine saying several sentences at once, against the time spoken in all."""
    engine = await CoquiSynthesizer.of(model, CoquiOptions())
    voice: Any = engine._voice
    table = Table(title=f"{type(model).__name__}, sentences at once, median of {rounds}")
    for name in (
        "at once",
        "audio of all",
        "first audio, last of them",
        "all, processor",
        "to time spoken",
    ):
        table.add_column(name, justify="right")
    found: dict[int, list[tuple[float, float, float]]] = {number: [] for number in (1, 2, 4, 8)}
    for _ in range(rounds):
        for number, those in found.items():
            worked = time.process_time()
            texts = list(AT_ONCE.values())[:number]
            timings = await asyncio.gather(*(timed(spoken(engine, text)) for text in texts))
            audio = sum(timing.samples for timing in timings) / voice.rate
            first = max(timing.first for timing in timings)
            those.append((audio, first, time.process_time() - worked))
    await engine.close()
    for number, those in found.items():
        audio, first, processor = map(statistics.median, zip(*those, strict=True))
        table.add_row(
            str(number),
            f"{audio:.1f} s",
            f"{1000 * first:.0f} ms",
            f"{processor:.2f} s",
            f"{processor / audio:.2f}",
        )
    return table


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--small", action="store_true", help="small models: a quick look")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=("vits", "xtts"))
    arguments = parser.parse_args()
    size = "small" if arguments.small else "real"
    console = Console()
    console.print(f"{torch.get_num_threads()} threads, torch {torch.__version__}, no GPU\n")
    if arguments.only != "xtts":
        vits = random_vits(size)
        console.print(await measure(vits, by_vits, arguments.rounds))
        console.print(await measure_at_once(vits, arguments.rounds))
    if arguments.only != "vits":
        model = random_xtts(size, "cpu")
        model.gpt.max_gen_mel_tokens = XTTS_TOKENS[size]
        console.print(await measure(model, by_xtts, arguments.rounds))
        console.print(await measure_at_once(model, arguments.rounds))


if __name__ == "__main__":
    asyncio.run(main())
