"""The time line of the last minute: turns, sounds, both sides, on every screen."""

import asyncio
import re

import pytest
from chromium import Open, until
from playwright.async_api import Page, expect
from scripted_server import ScriptedServer, sound

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def share(page: Page, selector: str) -> tuple[float, float]:
    """Where a mark ends and how long it is, in parts of the window; 1 is its right end."""
    places: list[float] = await page.evaluate(
        """(selector) => {
          const window = document.querySelector("#timeline .window").getBoundingClientRect();
          const mark = document.querySelector(selector).getBoundingClientRect();
          return [(mark.right - window.left) / window.width, mark.width / window.width];
        }""",
        selector,
    )
    return places[0], places[1]


async def test_it_appears_with_the_first_sound_that_is_sent(
    opened: Open, server: ScriptedServer
) -> None:
    page = await opened("#start-typing")
    await expect(page.locator("#timeline")).not_to_be_visible()
    await page.click("#mic")
    await server.expect("input_audio_buffer.append")
    await expect(page.locator("#timeline")).to_be_visible()
    await until(page, "document.querySelector('#timeline .level path').getBBox().height > 0.5")


async def test_turns_and_sounds_lie_where_they_were_heard(
    opened: Open, server: ScriptedServer
) -> None:
    page = await opened(reduced_motion="reduce")
    await server.expect("input_audio_buffer.append")
    await server.begin_turn("i1", ms=3000)
    await expect(page.locator("#timeline .by-user.open")).to_have_count(1)
    await server.read("i1", events=[sound("laugh", 4.0, 5.0, 0.7)])
    await server.send("input_audio_buffer.speech_stopped", item_id="i1", audio_end_ms=9000)
    await expect(page.locator("#timeline .by-user.open")).to_have_count(0)
    await expect(page.locator("#timeline .label")).to_have_text("laugh")
    end, length = await share(page, "#timeline .by-user")
    assert length == pytest.approx(6 / 60, abs=0.002)
    assert end == pytest.approx(9 / 60, abs=0.01), "the window stands still and begins at 0:00"
    end, length = await share(page, "#timeline .sound")
    assert length == pytest.approx(1 / 60, abs=0.002)
    assert end == pytest.approx(5 / 60, abs=0.01)
    assert (await share(page, "#timeline .label"))[0] == pytest.approx(5 / 60, abs=0.01)
    await expect(page.locator("#timeline .sound")).to_have_attribute(
        "title", re.compile(r"laugh at 0:0[345], 70 % sure")
    )
    await expect(
        page.get_by_role("img", name=re.compile("^The last 60 seconds"))
    ).to_have_attribute(
        "aria-label", re.compile(r"you spoke once.* Sounds: laugh at 0:0[345] \(70 % sure\)\.")
    )


async def test_a_later_reading_of_the_turn_replaces_its_sounds(
    opened: Open, server: ScriptedServer
) -> None:
    page = await opened()
    labels = page.locator("#timeline .label")
    await server.hear("i1", "well")
    await server.read("i1", events=[sound("cough", 0.1, 0.3)])
    await expect(labels).to_have_text("cough")
    await server.read("i1", events=[sound("laugh", 0.1, 0.6)])
    await expect(labels).to_have_text("laugh")
    await server.heard("i1", "Well.", events=[sound("laugh", 0.1, 0.7), sound("other", 1, 2)])
    await expect(labels).to_have_text("laugh")
    await expect(page.locator("#timeline .sound")).to_have_count(1)
    await server.hear("i2", "well")
    await server.read("i2", events=[sound("sigh", 30.0, 30.5)])
    await expect(labels).to_have_text(["laugh", "sigh"])


async def test_a_cough_that_was_no_turn_is_a_sound_and_no_turn(
    opened: Open, server: ScriptedServer
) -> None:
    page = await opened()
    await server.hear("i1", "uh")
    await server.read("i1", events=[sound("cough", 0.1, 0.3)])
    await server.send("voice_agent.speech_ignored", item_id="i1")
    await expect(page.locator("#timeline .turn")).to_have_count(0)
    await expect(page.locator("#timeline .label")).to_have_text("cough")
    await expect(page.locator(".caption")).to_have_count(0)


async def test_the_agents_voice_is_there_as_long_as_it_sounds(
    opened: Open, server: ScriptedServer
) -> None:
    page = await opened()
    await server.reply(seconds=2.0)
    await expect(page.locator("#timeline .by-agent.open")).to_have_count(1)
    await server.end_reply("of a1", "a1")
    await expect(page.locator("#timeline .by-agent:not(.open)")).to_have_count(1)
    assert (await share(page, "#timeline .by-agent"))[1] == pytest.approx(2 / 60, abs=0.01)


async def test_it_is_emptied_with_the_conversation(opened: Open, server: ScriptedServer) -> None:
    page = await opened()
    await server.hear("i1", "well")
    await server.heard("i1", "Well.")
    await expect(page.locator("#timeline .sound")).to_have_count(1)
    await server.send("voice_agent.conversation.deleted", session_id="sess_1")
    await expect(page.locator("#timeline .marks > *")).to_have_count(0)


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
async def test_it_moves_on_by_itself_unless_motion_is_not_wanted(
    opened: Open, server: ScriptedServer, motion: str
) -> None:
    page = await opened(reduced_motion=motion)
    await server.hear("i1", "well")
    await expect(page.locator("#timeline .by-user")).to_be_visible()
    place = "document.querySelector('#timeline .track').style.transform"
    before = await page.evaluate(place)
    await asyncio.sleep(1.2)
    assert (await page.evaluate(place) == before) == (motion == "reduce")
    ends = "now" if motion == "no-preference" else "1:00"
    await expect(page.locator("#timeline .axis span").last).to_have_text(ends)


async def test_on_a_small_screen_it_shows_half_a_minute_and_all_fits(
    opened: Open, server: ScriptedServer
) -> None:
    page = await opened(viewport={"width": 360, "height": 640})
    await server.hear("i1", "well")
    await server.heard("i1", "Well.", events=[sound("throat clearing", 0.1, 0.5)])
    image = page.locator("#timeline .window")
    await expect(image).to_have_attribute("aria-label", re.compile("^The last 30 seconds"))
    await expect(page.locator("#timeline")).to_be_in_viewport(ratio=1)
    await expect(page.locator(".caption.user")).to_be_in_viewport(ratio=1)
    assert await page.evaluate("document.documentElement.scrollWidth") == 360
    await page.click("#panel-toggle")
    await expect(page.locator(".plane")).to_be_in_viewport(ratio=1)
    await expect(page.locator("#emotions")).to_be_in_viewport(ratio=1)
    assert await page.evaluate("(p => p.scrollWidth - p.clientWidth)(document.all.panel)") == 0
