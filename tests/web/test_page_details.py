"""What the page shows of the voice, the thoughts and the time behind a turn."""

import re

import pytest
from chromium import Open, until
from playwright.async_api import Locator, Page, expect
from scripted_server import MANNER, ScriptedServer, mood, sound

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_the_panel_shows_voice_thoughts_and_time_of_each_turn(
    opened: Open, server: ScriptedServer
) -> None:
    page = await opened()
    await server.hear("i1", "I waited")
    panel = page.locator("#panel")
    await expect(panel).to_contain_text("Uncertain, perhaps sad (62 %)")
    await server.heard("i1", "I waited for weeks.")
    await expect(panel).to_contain_text("Sounds sad (62 %)")
    await expect(panel).to_contain_text("182 Hz, lower than usual")
    await expect(panel).to_contain_text("22 % of the time")
    await server.reply(seconds=0.4)
    await expect(panel).to_contain_text("it mattered to them")
    await expect(panel).to_contain_text("low and slow voice")
    await expect(panel).to_contain_text("Your words sound happy, your voice afraid.")
    await expect(panel).to_contain_text("Reflection of feelings")
    await expect(panel).to_contain_text("comfort")
    await server.end_reply("of a1", "a1")
    await expect(panel).to_contain_text("212 ms")
    whole = await panel.locator(".whole dd").inner_text()
    assert 341 < int(whole.removesuffix(" ms")) < 341 + 500, "with the wait for playback"
    await server.send(
        "conversation.item.added",
        item={"id": "i2", "role": "user", "content": [{"type": "input_text", "text": "Well."}]},
    )
    await expect(page.locator("#turn-title")).to_have_text("Turn 2 of 2")
    await expect(panel).to_contain_text("You typed")
    await page.click("#turn-before")
    await expect(panel).to_contain_text("Sounds sad")
    await page.click("#turn-after")
    await page.click(".agent .traits")
    await expect(page.locator("#turn-title")).to_have_text("Turn 1 of 2")


# --- the plane ------------------------------------------------------------------------------


async def number(part: Locator, attribute: str) -> float:
    return float(await part.get_attribute(attribute) or "nan")


async def test_the_plane_places_the_voice_and_is_as_large_as_it_is_unsure(
    opened: Open, server: ScriptedServer
) -> None:
    page = await opened("#start-typing")
    point, doubt = page.locator(".plane .point"), page.locator(".plane .doubt")
    await expect(page.locator("#mood")).not_to_be_visible()
    await server.begin_turn("i1")
    await server.read("i1", **mood(0.0, 0.0, confidence=0.9))
    await expect(page.locator(".plane")).to_have_attribute("aria-label", WORDS_OF_THE_MIDDLE)
    middle = await number(point, "cx"), await number(point, "cy")
    sure = await number(doubt, "rx")
    await server.read("i1", **mood(-0.6, 0.5, confidence=0.3), uncertain=True)
    await expect(page.locator(".plane.uncertain")).to_have_attribute(
        "aria-label",
        "Mood of the voice: rather unpleasant (30 % sure), rather excited (30 % sure), uncertain. "
        "The turn began neither unpleasant nor pleasant, neither calm nor excited.",
    )
    assert await number(point, "cx") < middle[0] - 20
    assert await number(point, "cy") < middle[1] - 20
    assert await number(doubt, "rx") > 2 * sure
    assert await number(doubt, "ry") > 2 * sure


WORDS_OF_THE_MIDDLE = re.compile(
    r"^Mood of the voice: neither unpleasant nor pleasant \(90 % sure\), "
    r"neither calm nor excited \(90 % sure\)"
)


async def test_an_unknown_dimension_is_a_band_and_nothing_known_is_said_so(
    opened: Open, server: ScriptedServer
) -> None:
    page = await opened("#start-typing")
    await server.hear("i1", "well")
    await server.read("i1", **mood(0, 0.5, confidence=0.9) | {"valence": None})
    plane = page.locator(".plane")
    await expect(plane).to_have_attribute("aria-label", re.compile("voice: rather excited"))
    doubt = page.locator(".plane .doubt")
    assert await number(doubt, "rx") > 4 * await number(doubt, "ry")
    await server.begin_turn("i2")
    await expect(plane).to_have_attribute("aria-label", re.compile("not heard yet in this turn"))
    await expect(page.locator(".plane .point")).not_to_be_visible()
    await expect(page.locator(".plane .earlier path")).to_have_count(1)


async def test_the_way_of_the_turn_is_drawn_and_earlier_turns_fade(
    opened: Open, server: ScriptedServer
) -> None:
    page = await opened("#start-typing")
    trail, earlier = page.locator("svg.plane g > .trail"), page.locator(".plane .earlier g")
    for turn in range(6):
        item = f"i{turn}"
        await server.begin_turn(item)
        for step in range(3):
            await server.read(item, **mood(0.1 * turn, 0.1 * step))
        await server.heard(item, "Well.", **mood(0.1 * turn, 0.35))
        await expect(trail.last).to_have_attribute("d", re.compile(r"^M[^Q]+Q[^Q]+Q[^Q]+L[^Q]+$"))
        await expect(earlier).to_have_count(min(turn, 4))
    strengths = [float(await each.get_attribute("opacity") or 1) for each in await earlier.all()]
    assert strengths == sorted(set(strengths)), "the older, the fainter"
    assert strengths[-1] < 1
    await page.click("#turn-before")
    await expect(page.locator("#turn-title")).to_have_text("Turn 5 of 6")
    await expect(earlier).to_have_count(4)


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
async def test_the_point_glides_unless_motion_is_not_wanted(
    opened: Open, server: ScriptedServer, motion: str
) -> None:
    page = await opened("#start-typing", reduced_motion=motion)
    await server.hear("i1", "well")
    await server.read("i1", **mood(-0.5, 0))
    await expect(page.locator(".plane")).to_have_attribute("aria-label", re.compile("unpleasant"))
    await until(page, "document.querySelector('.point').getAttribute('cx') < 80")
    await page.evaluate(
        """() => {
          window.places = [];
          const point = document.querySelector(".plane .point");
          new MutationObserver(() => window.places.push(Number(point.getAttribute("cx"))))
            .observe(point, { attributeFilter: ["cx"] });
        }"""
    )
    await server.read("i1", **mood(0.5, 0))
    await until(page, "window.places.at(-1) > 130")
    places = await page.evaluate("window.places")
    assert places == sorted(places)
    between = [place for place in places if 80 < place < 120]
    assert bool(between) == (motion == "no-preference")


# --- emotion and voice ----------------------------------------------------------------------


async def shares(page: Page) -> dict[str, str]:
    rows = await page.locator("#emotions li").all()
    return {
        await row.locator("span").first.inner_text(): await row.locator(".share").inner_text()
        for row in rows
    }


async def test_bars_show_the_whole_posterior_and_never_change_places(
    opened: Open, server: ScriptedServer
) -> None:
    page = await opened("#start-typing")
    await server.hear("i1", "well")
    await server.read("i1", emotion={"sad": 0.6, "happy": 0.1, "neutral": 0.3})
    await expect(page.locator(".verdict")).to_have_text("Sounds sad (60 %)")
    first = await shares(page)
    assert first == {"neutral": "30\xa0%", "happy": "10\xa0%", "sad": "60\xa0%"}
    await server.read("i1", emotion={"happy": 0.8, "neutral": 0.15, "sad": 0.05})
    await expect(page.locator(".verdict")).to_have_text("Sounds happy (80 %)")
    second = await shares(page)
    assert list(first) == list(second) == ["neutral", "happy", "sad"]
    bars = [await bar.bounding_box() for bar in await page.locator("#emotions .bar").all()]
    widths = [bar["width"] for bar in bars if bar]
    assert widths[1] == pytest.approx(widths[0] * 0.8 / 0.15, rel=0.05)


async def test_an_uncertain_reading_is_called_so_and_drawn_fainter(
    opened: Open, server: ScriptedServer
) -> None:
    page = await opened("#start-typing")
    await server.hear("i1", "well")
    await server.read("i1", uncertain=True, emotion={"sad": 0.3, "fear": 0.2})
    await expect(page.locator(".verdict")).to_have_text("Uncertain, perhaps sad (30 %)")
    opacity = "getComputedStyle(document.querySelector('#emotions .bar')).opacity"
    assert float(await page.evaluate(opacity)) < 0.6
    await server.read("i1", uncertain=True, emotion={})
    await expect(page.locator(".verdict")).to_have_text("No tendency: uncertain")
    await expect(page.locator("#emotions li")).to_have_count(0)
    await server.read("i1", emotion={"sad": 0.9})
    await expect(page.locator(".verdict")).to_have_text("Sounds sad (90 %)")
    assert float(await page.evaluate(opacity)) == 1


async def test_calm_is_a_shade_of_neutral_and_this_turn_alone_may_say_otherwise(
    opened: Open, server: ScriptedServer
) -> None:
    page = await opened("#start-typing")
    await server.hear("i1", "well")
    heard = {"neutral": 0.6, "sad": 0.4}
    await server.read("i1", emotion=heard, evidence={"sad": 0.7, "neutral": 0.3}, calm=0.5)
    await expect(page.locator(".verdict")).to_have_text("Sounds neutral and calm (60 %)")
    await expect(page.locator("#emotions li").first).to_contain_text("50 % of it calm")
    await expect(page.locator("#emotions .bar.calm")).to_have_count(1)
    await expect(page.locator("#emotions")).to_contain_text(
        "This turn alone sounds more sad (70 %)"
    )
    await server.read("i1", emotion=heard, evidence=heard, calm=0.1)
    await expect(page.locator(".verdict")).to_have_text("Sounds neutral (60 %)")
    await expect(page.locator("#emotions")).not_to_contain_text("alone")


async def test_whispering_and_doubtful_measures_are_told_and_the_speaker_only_where_known(
    opened: Open, server: ScriptedServer
) -> None:
    page = await opened("#start-typing")
    voice = page.locator("#voice")
    await server.hear("i1", "well")
    normal = {"whisper": 0.1, "normal": 0.85, "shout": 0.05}
    await server.read("i1", manner=MANNER | {"phonation": normal})
    await expect(voice).to_contain_text("182 Hz, lower than usual")
    await expect(voice).not_to_contain_text("speaker")
    await expect(voice).not_to_contain_text("Voice")
    whisper = {"whisper": 0.9, "normal": 0.1, "shout": 0.0}
    measured = {"pitch_low_hz": 150.2, "pitch_high_hz": 221.0, "confidence": {"pitch_hz": 0.1}}
    await server.read(
        "i1",
        manner=MANNER | measured | {"phonation": whisper},
        gender={"female": 0.8, "male": 0.2},
        events=[sound("sigh", 0, 1, 0.5), sound("laugh", 1, 2, 0.9), sound("sigh", 2, 3, 0.7)],
    )
    await expect(voice).to_contain_text("whispered (90 %)")
    await expect(voice).to_contain_text("about 182 Hz")
    await expect(voice).to_contain_text("150 to 221 Hz")
    await expect(voice).to_contain_text("sigh ×2 (70 %), laugh (90 %)")
    await expect(voice).to_contain_text("The speaker is perhaps female (80 %).")
