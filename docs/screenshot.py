"""Makes docs/screenshot.png: the page in the middle of a conversation with the embedded profile.

Run it in the checkout's environment. It needs Chromium, and flite for the voice of the person.
"""

import asyncio
import subprocess
import sys
import tempfile
from asyncio.subprocess import PIPE
from pathlib import Path

import numpy as np
import soundfile
import soxr
from playwright.async_api import async_playwright, expect

OUT = Path(__file__).with_name("screenshot.png")
CHROMIUM = "/usr/bin/chromium"
RATE = 48000
TURNS = (
    "I had a really hard day at work today.",
    "My boss was angry with me in front of all the others.",
)
REPLY_S = 9.0


def speech(folder: Path) -> Path:
    """What the person says, as the browser's microphone: turns with room for the replies."""
    pieces = [np.zeros(RATE, np.float32)]
    for turn in TURNS:
        file = folder / "turn.wav"
        subprocess.run(["flite", "-voice", "slt", "-t", turn, "-o", str(file)], check=True)
        samples, rate = soundfile.read(file, dtype="float32")
        pieces += [soxr.resample(samples, rate, RATE), np.zeros(int(REPLY_S * RATE), np.float32)]
    out = folder / "person.wav"
    soundfile.write(out, np.concatenate(pieces), RATE, subtype="PCM_16")
    return out


async def main() -> None:
    """Starts the agent, talks to it through the page, and takes the picture."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = folder / "screenshot.yaml"
        config.write_text(f"extends: embedded\nstore: {{path: {folder / 'conversations.db'}}}\n")
        server = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "voice_agent", "serve", "--log-level", "error"),
            *("--config", str(config), "--port", "0"),
            stdout=PIPE,
        )
        assert server.stdout
        url = (await server.stdout.readline()).decode().split("open ")[1].split()[0]
        try:
            await photograph(url, speech(folder))
        finally:
            server.terminate()
            await server.wait()


async def photograph(url: str, microphone: Path) -> None:
    """Takes the picture while the agent answers the last turn."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                "--no-sandbox",
                "--use-fake-ui-for-media-stream",
                "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-audio-capture={microphone}%noloop",
            ],
        )
        size = {"width": 1280, "height": 800}
        page = await browser.new_page(viewport=size, color_scheme="light")  # type: ignore[arg-type]
        await page.goto(url)
        await page.click("#start")
        replies = page.locator(".caption.agent")
        await expect(replies).to_have_count(len(TURNS), timeout=40_000)
        await expect(page.locator("#state")).to_have_text("Speaking", timeout=10_000)
        await page.wait_for_timeout(1800)
        await page.screenshot(path=OUT)
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
