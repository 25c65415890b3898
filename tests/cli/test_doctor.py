"""``voice-agent doctor``: what can run here, and what brings the rest."""

import json
import shlex
import sys
from importlib.metadata import version

from voice_agent import checkup, packages


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


async def test_a_profile_that_cannot_run_says_why(tmp_path):
    (tmp_path / "odd.yaml").write_text("hearing: {recognizer: {engine: ears}}\n")

    runs = await checkup.can_run(str(tmp_path / "odd.yaml"))

    assert len(runs.problems) == 1
    assert "no recognizer engine named 'ears'" in runs.problems[0]
