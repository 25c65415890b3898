"""Recordings to make voices of: sentences of the embedded voice, which need nothing installed."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from voice_agent.audio.resample import resample
from voice_agent.events import Phrase
from voice_agent.hearing.vad import VadModel
from voice_agent.speaking.synthesizers.espeak import EspeakSynthesizer

RATE = 24_000
Recorder = Callable[..., Path]


def spoken(text: str) -> np.ndarray:
    async def speak() -> np.ndarray:
        voice = await EspeakSynthesizer.create(EspeakSynthesizer.Options())
        pieces = [piece async for piece in voice.synthesize(Phrase(text))]
        await voice.close()
        samples = np.concatenate([piece.samples for piece in pieces])
        return resample(samples, pieces[0].rate, RATE)

    samples = asyncio.run(speak())
    return 0.2 * samples / np.abs(samples).max()


@pytest.fixture(scope="session")
def sentences() -> np.ndarray:
    """Seven seconds of speech at 24 kHz."""
    return spoken(
        "I went to see my sister yesterday, and we talked for a long time about the summer, "
        "about our old house, and about everything that we used to do there."
    )


@pytest.fixture(scope="session")
def vad() -> VadModel:
    return VadModel()


@pytest.fixture
def record(tmp_path: Path) -> Recorder:
    """Writes a recording: with a second of silence around it and a little noise, by default."""

    def write(
        samples: np.ndarray,
        name: str = "sad.wav",
        rate: int = RATE,
        around_s: float = 1.0,
        noise_db: float = -70.0,
        gain: float = 1.0,
    ) -> Path:
        silence = np.zeros(round(around_s * RATE))
        whole = np.concatenate([silence, samples * gain, silence])
        noise = np.random.default_rng(0).normal(0, 10 ** (noise_db / 20), whole.size)
        clipped = np.clip(whole + noise, -1, 1).astype(np.float32)
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, resample(clipped, RATE, rate), rate)
        return path

    return write
