"""Chromium with a recording as its microphone, and a scripted server for it to talk to."""

import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import pytest_asyncio
from chromium import ARGUMENTS, CHROMIUM, EAR, SETTING, Open, listen_for_complaints
from playwright.async_api import Browser, Page, Playwright, async_playwright, expect
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


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser(playwright: Playwright, launch: Any, say: Any) -> AsyncIterator[Browser]:
    """A Chromium whose microphone hears somebody speak all the time."""
    speech = say("long", *(["I waited for weeks and they said no."] * 30))
    running = await launch(playwright, speech)
    yield running
    await running.close()


@pytest_asyncio.fixture(loop_scope="module")
async def opened(
    browser: Browser, server: ScriptedServer, complaints: SimpleNamespace
) -> AsyncIterator[Open]:
    """Opens the page and, unless ``start`` is None, begins a talk with that button."""
    contexts = []

    async def open_page(start: str | None = "#start", before: str = "", **options: Any) -> Page:
        context = await browser.new_context(**SETTING | options)
        contexts.append(context)
        page = await context.new_page()
        page.set_default_timeout(5000)
        await page.add_init_script(EAR + before)
        listen_for_complaints(page, complaints)
        await page.goto(server.url)
        if start:
            await page.click(start)
            await server.connected()
            await expect(page.locator("#link-text")).to_have_text("Connected")
        return page

    yield open_page
    for context in contexts:
        await context.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def modules(playwright: Playwright) -> AsyncIterator[Page]:
    """A page on which the page's own modules lie under ``all``, to be called one by one."""
    assert CHROMIUM
    server = ScriptedServer()
    await server.start()
    browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
    opened = await browser.new_page()
    await opened.goto(server.url)
    await opened.evaluate(
        """async () => {
          const names = ["audio/resampler", "audio/jitter-buffer", "audio/pcm", "pacing", "clock",
            "conversation", "timeline", "view/timeline"];
          const loaded = await Promise.all(names.map((name) => import(`/${name}.js`)));
          window.all = Object.assign({}, ...loaded);
        }"""
    )
    yield opened
    await browser.close()
    await server.stop()
