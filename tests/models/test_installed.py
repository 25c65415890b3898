"""Where models are found on this machine, and what is said where they are not."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from voice_agent.errors import EngineUnavailable
from voice_agent.models import installed
from voice_agent.models.catalogue import known


@pytest.fixture(autouse=True)
def nowhere(monkeypatch, tmp_path) -> None:
    """A machine without models, on which a download would be noticed."""
    monkeypatch.setattr(installed, "home", lambda: tmp_path / "pulled")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("it went to the network"))


def put(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()
    return folder


def put_into_cache(hub: Path, name: str, *files: str) -> Path:
    revision = "0123456789abcdef0123456789abcdef01234567"
    cached = hub / f"models--{name.replace('/', '--')}"
    (cached / "refs").mkdir(parents=True)
    (cached / "refs" / "main").write_text(revision)
    return put(cached / "snapshots" / revision, *files)


def test_a_folder_is_a_model_if_it_has_what_it_needs(tmp_path):
    folder = put(tmp_path / "mine", "config.json")

    assert installed.find(str(folder)) == folder
    assert installed.find(str(folder), ("model.bin",)) is None


@pytest.mark.parametrize("name", ["faster-whisper-small", "small", "Systran/faster-whisper-small"])
def test_a_pulled_model_is_found_by_each_of_its_names(tmp_path, name):
    folder = put(tmp_path / "pulled" / "faster-whisper-small", "model.bin")

    assert installed.find(name, ("model.bin",)) == folder
    assert installed.require(name, ("model.bin",)) == folder


def test_a_model_that_the_catalogue_does_not_know_is_found_too(tmp_path):
    folder = put(tmp_path / "pulled" / "some--model", "config.json")

    assert installed.find("some/model") == folder


@pytest.mark.parametrize("name", ["small", "Systran/faster-whisper-small"])
def test_what_lies_in_the_cache_of_the_hub_is_found(tmp_path, name):
    folder = put_into_cache(tmp_path / "hub", "Systran/faster-whisper-small", "model.bin")

    assert installed.find(name, ("model.bin",)) == folder


def test_a_pulled_model_goes_before_the_cache(tmp_path):
    put_into_cache(tmp_path / "hub", "some/model", "config.json")
    folder = put(tmp_path / "pulled" / "some--model", "config.json")

    assert installed.find("some/model") == folder


def test_a_place_that_is_not_whole_is_passed_over(tmp_path):
    put(tmp_path / "pulled" / "some--model", "README.md")
    folder = put_into_cache(tmp_path / "hub", "some/model", "config.json")

    assert installed.find("some/model") == folder


def test_a_missing_model_says_how_to_get_it_its_size_and_its_licence():
    with pytest.raises(EngineUnavailable) as error:
        installed.require("Qwen/Qwen2.5-0.5B-Instruct")

    assert "voice-agent models pull qwen2.5-0.5b-instruct" in str(error.value)
    assert "MB" in str(error.value)
    assert "Apache-2.0" in str(error.value)


def test_a_missing_model_of_the_hub_can_be_pulled_by_its_name():
    with pytest.raises(EngineUnavailable, match="voice-agent models pull some/model"):
        installed.require("some/model")


@pytest.mark.parametrize("name", ["/no/such/folder", "~/nothing", "enormous", "../a", "a/b/c", ""])
def test_a_name_that_means_nothing_points_to_the_list(name, monkeypatch, tmp_path):
    monkeypatch.chdir(put(tmp_path / "empty"))
    with pytest.raises(EngineUnavailable, match="voice-agent models list"):
        installed.require(name)


def test_what_a_folder_lacks_is_named(tmp_path):
    folder = put(tmp_path / "mine", "model.bin")

    with pytest.raises(EngineUnavailable, match=rf"{folder} lacks tokenizer\.json"):
        installed.require(str(folder), ("model.bin", "tokenizer.json"))


def test_a_folder_of_ones_own_does_not_pass_for_a_pulled_model(tmp_path, monkeypatch):
    put(tmp_path / "here" / "xtts-v2", "config.json")
    monkeypatch.chdir(tmp_path / "here")
    model = known("xtts-v2")
    assert model is not None

    assert installed.locate(model) is None
    folder = put(tmp_path / "pulled" / "xtts-v2", "config.json")
    assert installed.locate(model) == folder


def test_looking_for_a_model_loads_nothing_heavy():
    script = (
        "import sys; from voice_agent.models import installed; installed.find('some/model'); "
        "assert not {'torch', 'transformers', 'faster_whisper'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
