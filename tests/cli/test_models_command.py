"""``voice-agent models``: as a person uses it, against a hub on this machine."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_server import Hub, serving

WEIGHTS = bytes(range(256)) * 8_000
FILES = {"config.json": b"{}", "model.safetensors": WEIGHTS}


@pytest.fixture
def environment(environment, hub) -> dict[str, str]:
    return environment | {
        "HF_ENDPOINT": hub.url,
        "HF_HOME": environment["HOME"],
        "HF_HUB_DOWNLOAD_TIMEOUT": "20",
    }


@pytest.fixture
def hub() -> Iterator[Hub]:
    with serving(Hub(models={"some/model": dict(FILES)})) as hub:
        yield hub


@pytest.fixture
def models(environment, tmp_path):
    def run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "voice_agent", "models", *arguments],
            env=environment | more,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=60,
            check=False,
        )

    return run


@pytest.fixture
def pulled(home) -> Path:
    """Where pulled models lie."""
    return home / "data" / "voice-agent" / "models"


on_linux = pytest.mark.skipif(sys.platform != "linux", reason="XDG_DATA_HOME is of Linux")


@on_linux
def test_a_model_is_pulled_verified_found_and_removed(models, pulled):
    done = models("pull", "some/model")
    assert done.returncode == 0, done.stderr
    assert "some--model: 2 MB from some/model" in done.stdout
    assert "licence mit" in done.stdout
    assert "100 %" in done.stderr
    folder = pulled / "some--model"
    assert (folder / "model.safetensors").read_bytes() == WEIGHTS

    assert f"is here: {folder}" in models("pull", "some/model").stdout
    assert models("path", "some/model").stdout.strip() == str(folder)
    assert models("verify").stdout == "✓ some--model\n"

    (folder / "model.safetensors").write_bytes(WEIGHTS[:-1] + b"x")
    damaged = models("verify", "some/model")
    assert damaged.returncode == 1
    assert "model.safetensors was changed or damaged" in damaged.stdout
    assert "models remove some--model" in damaged.stdout

    assert "2 MB are free again" in models("remove", "some/model").stdout
    assert not folder.exists()
    gone = models("remove", "some/model")
    assert gone.returncode == 1
    assert "not among the pulled models" in gone.stderr


@on_linux
def test_an_interrupted_pull_goes_on(environment, models, hub, pulled, tmp_path):
    hub.faults["model.safetensors"] = ["stall"]
    pull = [sys.executable, "-m", "voice_agent", "models", "pull", "some/model"]
    with subprocess.Popen(
        pull, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    ) as process:  # fmt: skip
        assert hub.half_sent.wait(30)
        for line in process.stderr:
            if "50 %" in line or "40 %" in line:
                break
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=30)
    hub.go_on.set()

    assert process.returncode == 130
    assert "the same command goes on with it" in out
    assert not (pulled / "some--model").exists()
    assert models("pull", "some/model").returncode == 0
    assert "Range" in hub.asked("model.safetensors")[-1]


def test_a_licence_that_needs_agreement_is_asked_for(models, hub):
    hub.models["coqui/XTTS-v2"] = {
        "config.json": b"{}", "model.pth": b"weights", "vocab.json": b"{}",
        "speakers_xtts.pth": b"speakers", "LICENSE.txt": b"CPML",
    }  # fmt: skip
    pinned = "6c2b0d75eae4b7047358e3b6bd9325f857d43f77"
    hub.commits.add(pinned)

    done = models("pull", "xtts-v2", "some/model")

    assert done.returncode == 1
    assert "1876 MB" in done.stdout
    assert "xtts-v2 is left out" in done.stderr
    assert "non-commercial" in done.stderr
    assert "--yes" in done.stderr
    assert not hub.asked("model.pth")
    assert "some--model is here" in done.stdout


@on_linux
def test_all_that_a_configuration_names_is_pulled(models, hub, pulled, tmp_path):
    hub.models["some/other"] = dict(FILES)
    (tmp_path / "lying").mkdir()
    (tmp_path / "mine.yaml").write_text(
        "extends: embedded\nprofile: mine\n"
        "hearing: {recognizer: {engine: faster_whisper, model: ./lying}}\n"
        "thinking: {language_model: {engine: transformers, model: some/model}}\n"
        "memory: {embedding: some/other}\n"
    )

    done = models("pull", "mine.yaml")

    assert done.returncode == 0, done.stderr
    assert {path.name for path in pulled.glob("[a-z]*")} == {"some--model", "some--other"}


def test_a_profile_without_models_says_so(models, hub):
    done = models("pull", "embedded")

    assert done.returncode == 0
    assert "needs no models but those that come with the agent" in done.stdout
    assert hub.requests == []


def test_a_pull_that_fails_says_what_to_do(models, hub):
    missing = models("pull", "some/nothing")
    assert missing.returncode == 1
    assert missing.stderr.startswith("voice-agent: ")
    assert "has no model some/nothing" in missing.stderr

    offline = models("pull", "some/model", HF_HUB_OFFLINE="1")
    assert offline.returncode == 1
    assert "HF_HUB_OFFLINE is set" in offline.stderr

    unknown = models("path", "nothing")
    assert unknown.returncode == 1
    assert "voice-agent models list" in unknown.stderr


def test_the_list_tells_of_each_model_what_one_should_know(models, hub):
    shown = models("list")
    assert shown.returncode == 0
    for word in ("xtts-v2", "CPML", "1876", "3000 / 4700", "silero-vad-v6", "commercial"):
        assert word in shown.stdout
    narrow = models("list", COLUMNS="80")
    for word in ("faster-distil-whisper-large-v3", "GPL-3.0-or-later", "commercial"):
        assert word in narrow.stdout

    lines = [json.loads(line) for line in models("list", "--json").stdout.splitlines()]
    xtts = next(line for line in lines if line["name"] == "xtts-v2")
    assert xtts["commercial"].startswith("no")
    assert xtts["path"] is None
    assert xtts["memory"] == {"cpu": 3000, "gpu": 4700}
    assert all(line["path"] for line in lines if line["megabytes"] is None)
    assert hub.requests == []


def test_nothing_but_a_pull_goes_to_the_network(environment, tmp_path):
    script = (
        "import socket, sys\n"
        "def refuse(*_): raise SystemExit('it went to the network')\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
        "from voice_agent.cli import main\n"
        "main()\n"
    )
    for command in (["list"], ["verify"], ["path", "silero-vad-v6"]):
        done = subprocess.run(
            [sys.executable, "-c", script, "models", *command],
            env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
