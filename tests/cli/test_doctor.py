"""``voice-agent doctor``: what can run here, and what brings the rest."""

import json
import shlex
import sys
from importlib.metadata import version

import pytest

from voice_agent import checkup, engines, packages
from voice_agent.models import machine


def test_the_embedded_profile_can_run_here(voice_agent):
    done = voice_agent("doctor")

    assert done.returncode == 0, done.stdout
    assert "✓ embedded" in done.stdout
    assert "GPL-3.0-or-later" in done.stdout
    assert version("numpy") in done.stdout
    assert "MB" in done.stdout


def test_the_report_is_json_on_request(voice_agent):
    report = json.loads(voice_agent("doctor", "--json").stdout)

    assert report["python"] == ".".join(map(str, sys.version_info[:3]))
    assert {"name", "wanted", "found", "fits"} == set(report["packages"]["base"][0])
    assert "neural" in report["packages"]
    assert report["machine"]["cores"] >= 1
    assert report["auto"]["engines"]["recognizer"] == "pocketsphinx"
    assert "voice-agent models pull" in report["auto"]["steps"][-1]
    embedded = next(each for each in report["profiles"] if each["profile"] == "embedded")
    assert embedded["problems"] == []
    assert embedded["engines"]["synthesizer"] == "espeak"
    assert all(model["path"] for model in report["models"] if model["comes_along"])


def test_a_missing_or_old_package_is_found(monkeypatch):
    found = {"numpy": "1.26.4"}

    def lookup(name: str) -> str:
        if name in found:
            return found[name]
        raise packages.PackageNotFoundError(name)

    monkeypatch.setattr(packages, "version", lookup)
    found_packages = {package.name: package for package in packages.packages()[""]}

    assert found_packages["numpy"].found == "1.26.4"
    assert not found_packages["numpy"].fits
    assert found_packages["pydantic"].found is None
    assert not found_packages["pydantic"].fits


def test_the_command_that_brings_an_extra_fits_this_environment():
    words = shlex.split(packages.install_command("neural"))

    assert words[:4] == [sys.executable, "-m", "pip", "install"]
    assert words[-1].endswith("[neural]")


def test_a_profile_that_cannot_run_says_why(tmp_path):
    (tmp_path / "odd.yaml").write_text("hearing: {recognizer: {engine: ears}}\n")

    runs = checkup.can_run(str(tmp_path / "odd.yaml"))

    assert len(runs.problems) == 1
    assert "no recognizer engine named 'ears'" in runs.problems[0]


@pytest.fixture
def empty_home(tmp_path, monkeypatch):
    """No model has been pulled, and there is no GPU."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(machine, "gpu", lambda: None)


def test_a_profile_without_its_models_says_how_to_get_them(empty_home):
    runs = checkup.can_run("cpu")

    assert runs.engines["recognizer"] == "faster_whisper (distil-small.en)"
    assert any(problem.startswith("synthesizer coqui") for problem in runs.problems)
    assert runs.steps[-1].startswith("voice-agent models pull cpu  (")


def test_the_steps_begin_with_what_the_later_ones_build_on(empty_home, monkeypatch):
    bare = {"neural": [packages.Package("torch", ">=2.9", None, False)]}
    monkeypatch.setattr(packages, "packages", lambda: bare)
    monkeypatch.setattr(machine, "torch_build", lambda: (None, None))
    monkeypatch.setattr(sys, "platform", "linux")

    steps = checkup.can_run("cpu").steps

    assert "build for the processor" in steps[0]
    assert steps[1] == packages.install_command("neural")
    assert steps[2].startswith("voice-agent models pull cpu")


def test_a_gpu_with_a_torch_for_the_processor_needs_another_torch(empty_home, monkeypatch):
    monkeypatch.setattr(machine, "gpu", lambda: machine.Gpu("some GPU", 48 << 30, 48 << 30))
    monkeypatch.setattr(machine, "torch_build", lambda: ("2.13.0+cpu", None))

    assert "torch's build for your GPU" in checkup.can_run("gpu").steps[0]


def test_without_a_gpu_nothing_is_advised_for_the_gpu(empty_home):
    runs = checkup.can_run("gpu")

    assert all("needs an NVIDIA GPU" in problem for problem in runs.problems)
    assert runs.steps == ()


def test_what_may_be_taken_otherwise_counts(tmp_path, monkeypatch):
    mine = tmp_path / "mine.yaml"
    mine.write_text(
        "extends: embedded\nhearing:\n  recognizer:\n    engine: faster_whisper\n"
        "    model: /nowhere\n    otherwise: [{engine: pocketsphinx}]\n"
    )

    runs = checkup.can_run(str(mine))

    assert runs.problems == ()
    assert runs.engines["recognizer"] == "pocketsphinx"


def test_the_best_for_a_large_gpu_is_named_with_the_way_there(empty_home, monkeypatch):
    monkeypatch.setattr(machine, "gpu", lambda: machine.Gpu("some GPU", 48 << 30, 48 << 30))
    monkeypatch.setattr(machine, "torch_build", lambda: ("2.13.0+cu130", "13.0"))

    best = checkup.best()

    assert best.now["language_model"].choice.engine == "embedded"
    assert best.possible["language_model"].choice.label == "transformers (qwen2.5-7b-instruct)"
    assert best.possible["synthesizer"].choice.label == "coqui (xtts-v2)"
    assert best.steps[-1].startswith("voice-agent models pull auto  (")


async def test_loading_is_the_last_word(monkeypatch):
    async def create(options):
        raise RuntimeError("the library is damaged")

    monkeypatch.setattr(engines.find("synthesizer", "espeak"), "create", create)

    runs = await checkup.loads("embedded")

    assert runs.problems == ("synthesizer espeak: the library is damaged",)
