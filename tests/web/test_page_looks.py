"""The page can be read and used by everybody, on every screen."""

import asyncio

import pytest
from chromium import Open, key_of
from playwright.async_api import expect
from scripted_server import ScriptedServer

from voice_agent.events import Memory

pytestmark = pytest.mark.asyncio(loop_scope="module")


CONTRAST = """() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = ([r, g, b]) => [r, g, b]
    .map((v) => v / 255)
    .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = rgba(getComputedStyle(at).backgroundColor);
      if (colour[3] > 250) return colour;
    }
    return [255, 255, 255];
  };
  const weak = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !element.checkVisibility({ visibilityProperty: true })) continue;
    if (element.closest(":disabled, svg, .visually-hidden")) continue;
    const [a, b] = [rgba(getComputedStyle(element).color), behind(element)].map(luminance);
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) weak.push(`${element.textContent.trim()}: ${ratio.toFixed(2)}`);
  }
  return weak;
}"""

KNOWN = Memory("person", "your sister is called Anna", "sister", at=1.76e9)

NAMELESS = """() => [...document.querySelectorAll("button, input, select")]
  .filter((e) => e.checkVisibility())
  .filter((e) => !(e.getAttribute("aria-label") || e.textContent.trim() || e.labels?.length))
  .map((e) => e.outerHTML)"""


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_all_text_has_contrast_and_all_controls_have_names(
    opened: Open, server: ScriptedServer, theme: str
) -> None:
    page = await opened(start=None, color_scheme=theme)
    assert await page.evaluate(CONTRAST) == []
    assert await page.locator("h1").count() == 1
    await page.click("#who-change")
    await page.fill("#name", "Ada")
    await page.keyboard.press("Escape")
    await page.click("#start")
    await expect(page.locator("#remembering")).to_have_text("It remembers you as Ada.")
    await server.remember("Ada", await key_of(page), KNOWN)
    await server.hear("i1", "I waited", stable="I")
    assert await page.evaluate(CONTRAST) == []
    await server.heard("i1", "I waited.")
    await server.reply()
    await server.send("error", error={"code": "x", "message": "Something went wrong."})
    await expect(page.locator("#stop")).to_be_visible()
    assert await page.evaluate(CONTRAST) == []
    assert await page.evaluate(NAMELESS) == []
    await page.click("#settings-open")
    assert await page.evaluate(CONTRAST) == []
    assert await page.evaluate(NAMELESS) == []
    await page.click("#memory-open")
    await expect(page.locator("#memories li")).to_have_count(1)
    await page.click("#memory-key summary")
    assert await page.evaluate(CONTRAST) == []
    assert await page.evaluate(NAMELESS) == []


async def test_the_appearance_can_be_chosen_and_stays(opened: Open) -> None:
    page = await opened(start=None, color_scheme="light")
    background = "getComputedStyle(document.body).backgroundColor"
    light = await page.evaluate(background)
    await page.click("#settings-open")
    await page.check("input[value=dark]")
    dark = await page.evaluate(background)
    assert dark != light
    await page.reload()
    assert await page.evaluate(background) == dark


@pytest.mark.parametrize("width", [320, 768, 1920])
async def test_it_fits_screens_from_narrow_to_wide(
    opened: Open, server: ScriptedServer, width: int
) -> None:
    page = await opened(start=None, viewport={"width": width, "height": 640})
    await page.click("#settings-open")
    await page.fill("#name", "n" * 100)
    await page.click("#memory-open")
    await expect(page.locator("#memory-state")).to_have_text("Nothing is remembered yet.")
    for dialog in ("#memory", "#settings"):
        assert await page.locator(dialog).evaluate("(d) => d.scrollWidth - d.clientWidth") <= 0
        await page.keyboard.press("Escape")
    assert await page.locator("main").evaluate("(m) => m.scrollWidth - m.clientWidth") <= 0
    await page.click("#start")
    await expect(page.locator("#remembering")).to_contain_text("nnn")
    await server.hear("i1", "I waited")
    await server.heard("i1", "I waited.")
    await server.reply(seconds=0.4)
    await server.end_reply("of a1", "a1")
    await expect(page.locator(".agent .heard")).to_contain_text("long.")
    assert await page.evaluate("document.documentElement.scrollWidth") == width
    await expect(page.locator("#say")).to_be_in_viewport(ratio=1)
    await expect(page.locator("#end")).to_be_in_viewport(ratio=1)
    await expect(page.locator(".agent")).to_be_in_viewport(ratio=1)
    if width < 900:
        await expect(page.locator("#panel")).not_to_be_visible()
        await page.click("#panel-toggle")
        await expect(page.locator("#panel")).to_contain_text("Reflection of feelings")
        await expect(page.locator("#panel-close")).to_be_focused()
        await page.keyboard.press("Escape")
        await expect(page.locator("#panel")).not_to_be_visible()
        await expect(page.locator("#panel-toggle")).to_be_focused()
    else:
        await expect(page.locator("#panel")).to_be_visible()


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
async def test_the_orb_stands_still_where_motion_is_not_wanted(opened: Open, motion: str) -> None:
    page = await opened(start="#start-typing", reduced_motion=motion)
    frame = "document.getElementById('orb').toDataURL()"
    await asyncio.sleep(0.1)
    before = await page.evaluate(frame)
    await asyncio.sleep(0.3)
    assert (await page.evaluate(frame) == before) == (motion == "reduce")
