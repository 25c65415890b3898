"""What the neural engines take on this machine's GPU, each for itself and all at once.

The models have the sizes of real ones and random weights: nothing is fetched.

    python benchmarks/gpu.py            on a GPU with 48 GB or more
    python benchmarks/gpu.py --small    the same code with small models, on a processor too
"""

import argparse
import asyncio
import gc
import logging
import os
import platform
import resource
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

# From a plain checkout, whether or not the agent is installed.
sys.path.insert(0, str(Path(__file__).parent.parent))
sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import torch
from model_stages import Figure, language_model, options, recognition, thinking, voice
from random_models import Size
from random_models import faster_whisper as random_faster_whisper
from random_models import whisper as random_whisper
from random_models import xtts as random_xtts
from rich.console import Console
from rich.table import Table
from scripted_language_model import REPLY, TURN
from scripted_language_model import language_model as random_language_model
from torch_whisper import TorchWhisper

from voice_agent.engines import Recognizer
from voice_agent.errors import EngineUnavailable
from voice_agent.thinking.models.transformers.engine import TransformersModel

PACKAGES = ("torch", "transformers", "faster-whisper", "coqui-tts")


async def figures(
    size: Size, device: str, at_once: int, sessions: int, rounds: int
) -> AsyncIterator[Figure]:
    """All stages, then all of them together; what cannot run here says why."""
    async with AsyncExitStack() as engines:
        made = random_language_model(size, device)
        model = await TransformersModel.of(made.model, made.tokenizer, options(at_once))
        engines.push_async_callback(model.close)
        async for figure in language_model(model, made, at_once):
            yield figure
        made.is_to_say(REPLY)
        recognizer = await whisper(size, device)
        engines.push_async_callback(recognizer.close)
        yield await recognition(recognizer)
        try:
            speaker = await coqui(size, device)
            engines.push_async_callback(speaker.close)
            async for figure in voice(speaker):
                yield figure
            async with thinking(model, sessions):
                async for figure in voice(speaker, when=f", while {sessions} think"):
                    yield figure
            async for figure in voice(speaker, sessions, f", {sessions} at once"):
                yield figure
        except (ImportError, EngineUnavailable) as error:
            yield Figure("voice", None, "ms", 150, note=f"not measured: {error}")
            speaker = None
        try:
            from many_sessions import EspeakSynthesizer, together

            if speaker is None:
                speaker = await EspeakSynthesizer.create(EspeakSynthesizer.Options())
            async for figure in together(recognizer, model, speaker, sessions, rounds):
                yield figure
        except (ImportError, EngineUnavailable) as error:
            yield Figure("voice to voice", None, "ms", 600, note=f"not measured: {error}")


async def whisper(size: Size, device: str) -> Recognizer:
    """The recognizer of the agent, or Whisper by transformers where CTranslate2 has no GPU."""
    try:
        from voice_agent.hearing.recognizers.faster_whisper import FasterWhisperRecognizer

        with tempfile.TemporaryDirectory() as folder:
            found = str(random_faster_whisper(size, Path(folder)))
            chosen = FasterWhisperRecognizer.Options(model=found, device=device, streams=256)
            return await FasterWhisperRecognizer.create(chosen)
    except (ImportError, EngineUnavailable):
        return TorchWhisper(random_whisper(size, device), TURN)


async def coqui(size: Size, device: str) -> Any:
    """The coqui engine around a model of random weights."""
    from voice_agent.speaking.synthesizers.coqui.engine import CoquiOptions, CoquiSynthesizer

    return await CoquiSynthesizer.of(random_xtts(size, device), CoquiOptions())


def shown(value: float | None, unit: str) -> str:
    if value is None:
        return "–"
    digits = 2 if not unit else 1 if value < 100 else 0
    return f"{value:.{digits}f} {unit}".strip()


def machine(device: str) -> str:
    """The device and the versions on which figures depend."""
    if device == "cuda":
        name = f"{torch.cuda.get_device_name()}, CUDA {torch.version.cuda}"
    else:
        name = f"{platform.machine()} processor, {os.cpu_count()} cores, no GPU"
    versions = []
    for package in PACKAGES:
        try:
            versions.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            versions.append(f"no {package}")
    return ", ".join([name, *versions])


def memory(device: str) -> str:
    if device == "cuda":
        return (
            f"GPU memory at most {torch.cuda.max_memory_allocated() / 1e9:.1f} GB, "
            f"{torch.cuda.max_memory_reserved() / 1e9:.1f} GB with what torch kept in reserve"
        )
    return f"memory at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.1f} GB"


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="small models, to try the code")
    parser.add_argument("--at-once", type=int, help="answers written at once (32; small: 4)")
    parser.add_argument("--sessions", type=int, help="conversations at once (16; small: 2)")
    parser.add_argument("--rounds", type=int, help="turns of each (4; small: 2)")
    arguments = parser.parse_args()
    small = arguments.small
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cpu" and not small:
        parser.error("torch finds no CUDA device here; --small tries the code on the processor")
    # The random models are unlike trained ones in ways that libraries warn of.
    logging.getLogger("transformers").setLevel(logging.ERROR)
    table = Table(title="Small models" if small else "Models of real sizes, random weights")
    for name in ("", "measured", "target", "met", ""):
        table.add_column(name, justify="left" if not name else "right")
    async for figure in figures(
        "small" if small else "real",
        device,
        arguments.at_once or (4 if small else 32),
        arguments.sessions or (2 if small else 16),
        arguments.rounds or (2 if small else 4),
    ):
        sign = "≤" if figure.better == "less" else "≥"
        target = "" if figure.target is None else f"{sign} {figure.target:g} {figure.unit}".strip()
        # Of small models the targets say nothing.
        met = {True: "yes", False: "no", None: ""}[None if small else figure.met]
        table.add_row(figure.what, shown(figure.value, figure.unit), target, met, figure.note)
    gc.collect()
    console = Console(width=130)
    console.print(table)
    console.print(machine(device))
    console.print(memory(device))


if __name__ == "__main__":
    asyncio.run(main())
