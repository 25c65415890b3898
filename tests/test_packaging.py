"""An installed wheel carries page, profiles, models and knowledge, and works anywhere."""

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder, CHECKOUT],
        check=True,
    )
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """The scripts of an environment of its own, which sees this one's dependencies."""
    folder = tmp_path_factory.mktemp("env")
    venv.create(folder, with_pip=False, symlinks=True)
    (own,) = folder.glob("lib/python*/site-packages")
    subprocess.run(
        (
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--ignore-installed"),
            *("--no-warn-script-location", "--prefix", folder, wheel),
        ),
        check=True,
    )
    # A plain path, so that the editable install of this environment is not seen by the other.
    (own / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return folder / "bin"


def test_the_wheel_carries_what_the_agent_needs(wheel):
    names = zipfile.ZipFile(wheel).namelist()

    for folder in ("configs", "models", "web"):
        there = {
            str(path.relative_to(CHECKOUT))
            for path in (CHECKOUT / folder).rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
        carried = {
            name.removeprefix("voice_agent/_shipped/")
            for name in names
            if name.startswith(f"voice_agent/_shipped/{folder}/")
        }
        assert carried == there
    for knowledge in (CHECKOUT / "voice_agent").rglob("*.yaml"):
        assert str(knowledge.relative_to(CHECKOUT)) in names
    assert "voice_agent/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/", "docs/"))]


def test_the_installed_command_works_in_any_directory(installed, tmp_path):
    python = installed / "python"
    where = subprocess.run(
        [python, "-c", "import voice_agent; print(voice_agent.__file__)"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert str(installed.parent) in where.stdout

    chat = subprocess.run(
        [python, "-m", "voice_agent", "chat", "--json"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
        input="i lost my job\n", env={**os.environ, "XDG_DATA_HOME": str(tmp_path)},
    )  # fmt: skip
    assert chat.returncode == 0, chat.stderr
    assert json.loads(chat.stdout)["reply"]["text"]

    page = subprocess.run(
        [python, "-c", "from voice_agent.shipped import shipped; print(shipped('web'))"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert (Path(page.stdout.strip()) / "index.html").is_file()
    assert str(installed.parent) in page.stdout


def test_the_base_asks_for_no_neural_library(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("METADATA")]
        metadata = archive.read(name).decode()
    base = [
        line
        for line in metadata.splitlines()
        if line.startswith("Requires-Dist:") and "extra ==" not in line
    ]
    assert base
    assert not [line for line in base if "torch" in line or "transformers" in line]
