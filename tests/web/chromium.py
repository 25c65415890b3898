"""How the tests run Chromium."""

import os
import shutil
from collections.abc import Awaitable, Callable
from types import SimpleNamespace

from playwright.async_api import Page

Open = Callable[..., Awaitable[Page]]
"""Opens the page; see the fixture ``opened``."""

CHROMIUM = os.environ.get("VOICE_AGENT_TEST_CHROMIUM") or shutil.which("chromium")

ARGUMENTS = (
    "--no-sandbox",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

SETTING = {"viewport": {"width": 1280, "height": 800}, "reduced_motion": "reduce"}
"""How pages are opened if a test says nothing else; drawing a moving orb costs CPU."""

EAR = """
// Hears what really goes to the loudspeaker.
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (target, ...rest) {
  if (target instanceof AudioDestinationNode) {
    const analyser = new AnalyserNode(target.context, { fftSize: 1024 });
    connect.call(this, analyser);
    window.ear = () => {
      const samples = new Float32Array(analyser.fftSize);
      analyser.getFloatTimeDomainData(samples);
      return Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length);
    };
  }
  return connect.call(this, target, ...rest);
};
window.ear = () => 0;
"""


def listen_for_complaints(page: Page, complaints: SimpleNamespace) -> None:
    def take(text: str, kind: str) -> None:
        if kind in ("error", "warning"):
            complaints.found.append(f"{kind}: {text}")

    page.on("console", lambda message: take(message.text, message.type))
    page.on("pageerror", lambda error: take(str(error), "error"))


async def until(page: Page, condition: str, seconds: float = 5) -> None:
    """Waits until an expression is true; the content policy allows no ``wait_for_function``."""
    await page.evaluate(
        f"""() => new Promise((resolve, reject) => {{
          const end = performance.now() + {1000 * seconds};
          const look = () => {{
            if ({condition}) resolve();
            else if (performance.now() > end) reject(new Error("never: {condition}"));
            else setTimeout(look, 20);
          }};
          look();
        }})"""
    )


async def choose_push_to_talk(page: Page) -> None:
    await page.click("#settings-open")
    await page.check("input[value=hold]")
    await page.keyboard.press("Escape")


async def key_of(page: Page) -> str:
    """The one key that the browser keeps for a person."""
    ((_, key),) = await page.evaluate("JSON.parse(localStorage.getItem('voice-agent-user-keys'))")
    return str(key)
