"""Small models that the transformers analyzer reads with, on a machine without others."""

import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from models_at_work import FOUR, MANNER, Create, Passes

from voice_agent.audio.pcm import Samples
from voice_agent.events import Paralinguistics
from voice_agent.hearing.paralinguistics.transformers import TransformersAnalyzer


@pytest.fixture(autouse=True)
def nowhere(monkeypatch, tmp_path) -> None:
    """A machine without models, on which a download would be noticed."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("it went to the network"))


@pytest.fixture
async def create(request) -> AsyncIterator[Create]:
    created: list[TransformersAnalyzer] = []

    async def new(*models: dict[str, Any], **options: Any) -> TransformersAnalyzer:
        chosen = TransformersAnalyzer.Options(models=models, device="cpu", threads=1, **options)
        passes = request.getfixturevalue("passes") if "passes" in request.fixturenames else None
        before = len(passes.sizes) if passes else 0
        created.append(await TransformersAnalyzer.create(chosen))
        if passes:
            passes.forget_since(before)
        return created[-1]

    yield new
    for analyzer in created:
        await analyzer.close()


@pytest.fixture
def read(create) -> Callable[..., Awaitable[Paralinguistics]]:
    async def read(samples: Samples, *models: dict[str, Any], **options: Any) -> Paralinguistics:
        stream = await (await create(*models, **options)).open()
        return await stream.analyze(samples, MANNER)

    return read


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def masked(folder) -> dict[str, Any]:
    import tiny_classifiers

    return {"model": str(tiny_classifiers.wav2vec2(folder / "masked", FOUR)), "reads": "emotion"}


@pytest.fixture(scope="module")
def unmasked(folder) -> dict[str, Any]:
    import tiny_classifiers

    path = tiny_classifiers.wav2vec2(folder / "unmasked", FOUR, masked=False)
    return {"model": str(path), "reads": "emotion"}


@pytest.fixture(scope="module")
def spectrogram(folder) -> dict[str, Any]:
    import tiny_classifiers

    path = tiny_classifiers.spectrogram(folder / "spectrogram", ["Speech", "Laughter", "Cough"])
    return {"model": str(path), "reads": "events", "threshold": 0.01}


@pytest.fixture
def passes(monkeypatch) -> Passes:
    return Passes(monkeypatch)
