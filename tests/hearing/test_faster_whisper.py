"""What the Whisper recognizer promises beyond the conformance suite."""

import socket
import sys
from pathlib import Path

import pytest

from voice_agent.errors import EngineUnavailable
from voice_agent.hearing.recognizers.faster_whisper import FasterWhisperRecognizer

Options = FasterWhisperRecognizer.Options


@pytest.fixture(autouse=True)
def nowhere(monkeypatch, tmp_path) -> Path:
    """A machine without models, on which a download would be noticed."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("it went to the network"))
    return tmp_path


@pytest.mark.parametrize("model", ["small.en", "Systran/faster-whisper-small.en", "enormous"])
async def test_a_missing_model_says_how_to_get_it(model):
    with pytest.raises(EngineUnavailable, match="voice-agent models pull") as error:
        await FasterWhisperRecognizer.create(Options(model=model))

    assert model.split("/")[-1] in str(error.value)
    if sys.platform == "linux":
        assert "voice-agent/models" in str(error.value)


async def test_nothing_that_is_missing_beside_a_model_is_fetched(tmp_path):
    (tmp_path / "model.bin").touch()

    with pytest.raises(EngineUnavailable, match=r"lacks tokenizer\.json"):
        await FasterWhisperRecognizer.create(Options(model=str(tmp_path)))


async def test_a_broken_model_is_told_by_its_folder(tmp_path):
    (tmp_path / "model.bin").write_bytes(b"no model")
    (tmp_path / "tokenizer.json").write_text("{}")

    with pytest.raises(EngineUnavailable, match=str(tmp_path)):
        await FasterWhisperRecognizer.create(Options(model=str(tmp_path), device="cpu"))
