"""The command as a person types it, in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def home(tmp_path) -> Path:
    """An empty home with the user's data in it."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


def _environment(home: Path) -> dict[str, str]:
    return {
        **os.environ,
        "HOME": str(home),
        "XDG_DATA_HOME": str(home / "data"),
        "COLUMNS": "120",
        "NO_COLOR": "1",
    }


def _command(home: Path, folder: Path) -> Command:
    def run(*arguments: object, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "voice_agent", *map(str, arguments)],
            input=stdin,
            capture_output=True,
            text=True,
            env=_environment(home),
            cwd=folder,
            timeout=100,
            check=False,
        )

    return run


@pytest.fixture
def environment(home) -> dict[str, str]:
    """Variables for a process that runs the command."""
    return _environment(home)


@pytest.fixture
def voice_agent(home, tmp_path) -> Command:
    """Runs the command in an empty folder; returns its output and exit code."""
    return _command(home, tmp_path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder for all tests of a file."""
    return tmp_path_factory.mktemp("shared")


@pytest.fixture(scope="module")
def shared(folder) -> Command:
    """Runs the command there, with a home there too: for results that many tests look at."""
    return _command(folder / "home", folder)
