"""Small language models that the engine runs with, on a machine without others."""

import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from voice_agent.thinking.models.transformers import TransformersModel

Create = Callable[..., Awaitable[TransformersModel]]


@pytest.fixture(autouse=True)
def nowhere(monkeypatch, tmp_path) -> None:
    """A machine without models, on which a download would be noticed."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("it went to the network"))


@pytest.fixture(scope="session")
def untrained(tmp_path_factory) -> Path:
    """A model that says garbage, in which each token depends on all before it."""
    pytest.importorskip("torch", reason="needs the extra 'transformers'")
    pytest.importorskip("transformers", reason="needs the extra 'transformers'")
    import tiny_language_model

    return tiny_language_model.untrained(tmp_path_factory.mktemp("untrained"))


@pytest.fixture
async def create() -> AsyncIterator[Create]:
    created: list[TransformersModel] = []

    async def new(model: Path, **options: Any) -> TransformersModel:
        chosen = {
            "device": "cpu",
            "threads": 1,
            "context_tokens": 2048,
            "dtype": "float32",
        } | options
        created.append(
            await TransformersModel.create(TransformersModel.Options(model=str(model), **chosen))
        )
        return created[-1]

    yield new
    for engine in created:
        await engine.close()
