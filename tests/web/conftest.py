"""Chromium with a recording as its microphone, and a scripted server for it to talk to."""

import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import pytest_asyncio
from chromium import ARGUMENTS, CHROMIUM
from playwright.async_api import Browser, Playwright, async_playwright
from scripted_server import ScriptedServer


@pytest.fixture(scope="session")
def say(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Makes a WAV file of a spoken text, with silence before and after it in seconds."""
    if not shutil.which("flite"):
        pytest.skip("flite is not installed: no speech to give to the browser")
    folder = tmp_path_factory.mktemp("speech")

    def make(name: str, *parts: str | float) -> Path:
        import numpy as np
        import soundfile
        import soxr

        rate = 48000
        pieces = []
        for part in parts:
            if isinstance(part, str):
                file = folder / "part.wav"
                command = ["flite", "-voice", "slt", "-t", part, "-o", str(file)]
                subprocess.run(command, check=True, capture_output=True)
                samples, found = soundfile.read(file, dtype="float32")
                pieces.append(soxr.resample(samples, found, rate))
            else:
                pieces.append(np.zeros(round(part * rate), np.float32))
        file = folder / f"{name}.wav"
        soundfile.write(file, np.concatenate(pieces), rate, subtype="PCM_16")
        return file

    return make


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def playwright() -> AsyncIterator[Playwright]:
    if not CHROMIUM:
        pytest.skip("chromium is not installed; set VOICE_AGENT_TEST_CHROMIUM to where it is")
    async with async_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def launch(say: Any) -> Any:
    """Starts a Chromium that hears a WAV file once."""

    async def start(playwright: Playwright, microphone: Path) -> Browser:
        recording = f"--use-file-for-fake-audio-capture={microphone}%noloop"
        return await playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*ARGUMENTS, recording]
        )

    return start


@pytest_asyncio.fixture(loop_scope="module")
async def server() -> AsyncIterator[ScriptedServer]:
    running = ScriptedServer()
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
def complaints() -> Iterator[SimpleNamespace]:
    """What the page's console says that it should not; ``expected`` lists parts that may come."""
    seen = SimpleNamespace(found=[], expected=[])
    yield seen
    bad = [text for text in seen.found if not any(part in text for part in seen.expected)]
    assert bad == []
