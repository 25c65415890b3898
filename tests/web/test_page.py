"""What the page promises to the person in front of it, against a scripted server."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
from chromium import EAR, SETTING, listen_for_complaints, until
from playwright.async_api import Browser, Page, Playwright, expect
from scripted_server import ScriptedServer, tone

pytestmark = pytest.mark.asyncio(loop_scope="module")

Open = Callable[..., Awaitable[Page]]

CONNECTION_FAULTS = ("WebSocket connection to", "Failed to load resource")
"""What a browser itself writes to the console when a server is away or refuses."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser(playwright: Playwright, launch: Any, say: Any) -> AsyncIterator[Browser]:
    speech = say("long", *(["I waited for weeks and they said no."] * 30))
    running = await launch(playwright, speech)
    yield running
    await running.close()


@pytest_asyncio.fixture(loop_scope="module")
async def opened(
    browser: Browser, server: ScriptedServer, complaints: SimpleNamespace
) -> AsyncIterator[Open]:
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


async def reply(server: ScriptedServer, seconds: float = 2.0, item: str = "a1") -> None:
    """A reply is on its way: text, and all of its audio so far."""
    await server.begin_reply(f"of {item}", item)
    await server.words(f"of {item}", item, "That sounds like a heavy disappointment, ")
    await server.sound(f"of {item}", item, tone(seconds / 2))
    await server.words(f"of {item}", item, "after waiting for so long.")
    await server.sound(f"of {item}", item, tone(seconds / 2))


# --- before and at the start ----------------------------------------------------------------


async def test_nothing_opens_before_the_person_was_told_and_agreed(
    opened: Open, server: ScriptedServer
) -> None:
    watch = """
      window.asked = 0;
      const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      navigator.mediaDevices.getUserMedia = (...a) => { window.asked += 1; return open(...a); };
    """
    page = await opened(start=None, before=watch)
    welcome = page.locator("#welcome")
    await expect(welcome).to_contain_text("talking to a machine")
    await expect(welcome).to_contain_text("analyses your voice for emotion")
    await asyncio.sleep(0.2)
    assert server.connections == 0
    assert await page.evaluate("window.asked") == 0
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.id") == "start"
    await page.keyboard.press("Enter")
    await server.expect("input_audio_buffer.append")
    assert await page.evaluate("window.asked") == 1


async def test_what_the_microphone_hears_reaches_the_server_as_24_khz_pcm(
    opened: Open, server: ScriptedServer
) -> None:
    await opened()
    first = await server.expect("input_audio_buffer.append")
    assert len(base64.b64decode(first["audio"])) == 2 * 24000 * 20 // 1000
    began, sound = asyncio.get_running_loop().time(), b""
    while len(sound) < 2 * 24000:
        message = await server.expect("input_audio_buffer.append")
        sound += base64.b64decode(message["audio"])
    took = asyncio.get_running_loop().time() - began
    samples = np.frombuffer(sound, "<i2") / 32768
    assert 0.6 < took < 1.6, "a second of sound in about a second"
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(samples.size))) ** 2
    voice = spectrum[100:4000].sum() / spectrum.sum()
    assert np.sqrt(np.mean(samples**2)) > 0.003
    assert voice > 0.8, "it is the voice of the recording"


@pytest.mark.parametrize(
    ("fault", "said"),
    [("NotAllowedError", "was not allowed"), ("NotFoundError", "No microphone was found")],
)
async def test_without_a_microphone_one_can_type(
    opened: Open, server: ScriptedServer, fault: str, said: str
) -> None:
    page = await opened(
        before=f"""navigator.mediaDevices.getUserMedia = () =>
          Promise.reject(new DOMException("", "{fault}"));"""
    )
    await expect(page.locator("#notices")).to_contain_text(said)
    await page.fill("#say", "Hello there")
    await page.keyboard.press("Enter")
    message = await server.expect("conversation.item.create")
    assert message["item"]["content"] == [{"type": "input_text", "text": "Hello there"}]
    await server.expect("response.create")
    await server.send("conversation.item.added", item=message["item"] | {"id": "i1"})
    await expect(page.locator(".caption.user")).to_have_text("You: Hello there")
    await expect(page.locator("#say")).to_have_value("")


# --- captions and states --------------------------------------------------------------------


async def test_captions_tell_the_sure_from_the_unsure_and_the_state_follows(
    opened: Open, server: ScriptedServer
) -> None:
    page = await opened()
    state = page.locator("#state")
    await expect(state).to_have_text("Listening")
    await server.hear("i1", "I waited for weeks and they", stable="I waited for")
    await expect(state).to_have_text("Hearing you")
    await expect(page.locator(".user .stable")).to_have_text("I waited for")
    await expect(page.locator(".user .unstable")).to_have_text("weeks and they")
    await server.heard("i1", "I waited for weeks and they said no.")
    await expect(state).to_have_text("Thinking")
    await expect(page.locator(".user .stable")).to_have_text("I waited for weeks and they said no.")
    await expect(page.locator(".user .unstable")).to_have_count(0)
    await reply(server)
    await expect(state).to_have_text("Speaking")
    await server.end_reply("of a1", "a1")
    await expect(state).to_have_text("Listening")
    log = page.locator("#spoken")
    await expect(log).to_contain_text("You: I waited for weeks and they said no.")
    await expect(log).to_contain_text("Agent: That sounds like a heavy disappointment")


async def test_noise_that_began_like_speech_leaves_no_trace(
    opened: Open, server: ScriptedServer
) -> None:
    page = await opened()
    await server.hear("i1", "uh")
    await expect(page.locator(".caption")).to_have_count(1)
    await server.send("voice_agent.speech_ignored", item_id="i1")
    await expect(page.locator(".caption")).to_have_count(0)
    await expect(page.locator("#state")).to_have_text("Listening")


async def test_the_reply_is_audible_and_its_words_appear_as_they_are_heard(
    opened: Open, server: ScriptedServer
) -> None:
    page = await opened()
    await reply(server, seconds=2.0)
    await until(page, "window.ear() > 0.15")
    lengths = []
    for _ in range(6):
        lengths.append(len(await page.locator(".agent .heard").inner_text()))
        await asyncio.sleep(0.2)
    assert lengths == sorted(lengths)
    assert len(set(lengths)) >= 3, "word by word, not at once"
    assert lengths[0] < 40, "no word before its time"
    await server.end_reply("of a1", "a1")
    whole = "That sounds like a heavy disappointment, after waiting for so long."
    await expect(page.locator(".agent .heard")).to_have_text(whole)
    await expect(page.locator(".agent .coming")).to_have_text("")
    await until(page, "window.ear() === 0")


# --- interruption ---------------------------------------------------------------------------


async def test_a_possible_interruption_holds_the_voice_and_goes_on_where_it_was(
    opened: Open, server: ScriptedServer
) -> None:
    page = await opened()
    await reply(server, seconds=2.4)
    await until(page, "window.ear() > 0.15")
    await server.send("voice_agent.playback.paused", response_id="of a1", item_id="a1", heard_ms=50)
    await until(page, "window.ear() === 0", 0.5)
    await expect(page.locator("#state")).to_have_text("Paused")
    before = await page.locator(".agent .heard").inner_text()
    await asyncio.sleep(0.4)
    assert await page.locator(".agent .heard").inner_text() == before
    await server.send("voice_agent.playback.resumed", response_id="of a1", item_id="a1")
    await until(page, "window.ear() > 0.15", 0.5)
    await server.end_reply("of a1", "a1")
    await expect(page.locator(".agent .heard")).to_contain_text("so long.")
    assert not [m for m in server.received if m["type"] == "conversation.item.truncate"]


async def test_speaking_over_the_agent_silences_it_and_tells_what_was_heard(
    opened: Open, server: ScriptedServer
) -> None:
    page = await opened()
    clock = asyncio.get_running_loop().time
    await reply(server, seconds=6)
    await until(page, "window.ear() > 0.15")
    began = clock()
    await asyncio.sleep(1.0)
    await server.send("voice_agent.playback.paused", response_id="of a1", item_id="a1", heard_ms=0)
    await server.hear("i2", "wait")
    truncation = await server.expect("conversation.item.truncate")
    took = 1000 * (clock() - began)
    assert truncation["item_id"] == "a1"
    assert 700 < truncation["audio_end_ms"] < took + 300
    await until(page, "window.ear() === 0", 0.5)
    await server.sound("of a1", "a1", tone(1))
    await asyncio.sleep(0.3)
    assert await page.evaluate("window.ear()") == 0, "what still comes of it is not played"
    await server.end_reply("of a1", "a1", status="cancelled")
    await expect(page.locator(".agent")).to_contain_text("interrupted")
    await expect(page.locator("#state")).to_have_text("Hearing you")
    await server.heard("i2", "Wait.")
    await reply(server, item="a2")
    await until(page, "window.ear() > 0.15")


async def test_a_button_stops_the_agent(opened: Open, server: ScriptedServer) -> None:
    page = await opened()
    await reply(server, seconds=6)
    await page.click("#stop")
    await server.expect("response.cancel")
    await server.expect("conversation.item.truncate")
    await until(page, "window.ear() === 0", 0.5)


# --- push to talk and mute ------------------------------------------------------------------


async def choose_push_to_talk(page: Page) -> None:
    await page.click("#settings-open")
    await page.check("input[value=hold]")
    await page.keyboard.press("Escape")


async def test_push_to_talk_sends_only_while_the_space_bar_is_down(
    opened: Open, server: ScriptedServer
) -> None:
    page = await opened()
    await choose_push_to_talk(page)
    update = await server.expect("session.update")
    assert update["session"]["audio"]["input"]["turn_detection"] is None
    await asyncio.sleep(0.1)
    server.received.clear()
    await asyncio.sleep(0.3)
    assert server.received == [], "silent while the button is up"
    await page.locator("body").focus()
    await page.evaluate("document.activeElement.blur()")
    await page.keyboard.down(" ")
    await server.expect("input_audio_buffer.clear")
    await expect(page.locator("#state")).to_have_text("Hearing you")
    await asyncio.sleep(0.5)
    await page.keyboard.up(" ")
    await server.expect("input_audio_buffer.commit")
    sent = [m for m in server.received if m["type"] == "input_audio_buffer.append"]
    assert len(sent) * 0.02 > 0.5
    assert not [m for m in server.received if m["type"] == "response.create"]
    await server.send("input_audio_buffer.committed", item_id="i1", previous_item_id=None)
    await server.expect("response.create")
    await expect(page.locator("#state")).to_have_text("Thinking")


async def test_the_talk_button_interrupts_and_a_mere_tap_is_no_turn(
    opened: Open, server: ScriptedServer
) -> None:
    page = await opened()
    await choose_push_to_talk(page)
    await reply(server, seconds=6)
    await until(page, "window.ear() > 0.15")
    await page.hover("#hold")
    await page.mouse.down()
    await server.expect("response.cancel")
    await server.expect("conversation.item.truncate")
    await page.mouse.up()
    await expect(page.locator("#notices")).to_contain_text("Hold the button down")
    assert not [m for m in server.received if m["type"] == "input_audio_buffer.commit"]


async def test_mute_sends_silence(opened: Open, server: ScriptedServer) -> None:
    page = await opened()
    await page.click("#mic")
    await expect(page.locator("#mic")).to_have_attribute("aria-pressed", "true")
    await expect(page.locator("#hint")).to_have_text("Your microphone is muted")
    await asyncio.sleep(0.3)
    server.received.clear()
    for _ in range(5):
        message = await server.expect("input_audio_buffer.append")
        assert not any(base64.b64decode(message["audio"]))


# --- connection -----------------------------------------------------------------------------


async def test_it_comes_back_by_itself_and_keeps_captions_microphone_and_choices(
    opened: Open, server: ScriptedServer, complaints: SimpleNamespace
) -> None:
    complaints.expected += CONNECTION_FAULTS
    page = await opened()
    await choose_push_to_talk(page)
    await server.hear("i1", "hello")
    await server.heard("i1", "Hello.")
    await server.stop()
    await expect(page.locator("#link-text")).to_have_text("Reconnecting")
    await expect(page.locator("#notices")).to_contain_text("connection was lost")
    await expect(page.locator("#state")).to_have_text("Reconnecting…")
    await asyncio.sleep(1.0)
    await server.start()
    await expect(page.locator("#link-text")).to_have_text("Connected")
    await expect(page.locator("#notices")).not_to_contain_text("connection was lost")
    await expect(page.locator(".caption.user")).to_have_text("You: Hello.")
    await expect(page.locator(".caption.note")).to_contain_text("Connected again")
    update = await server.expect("session.update")
    assert update["session"]["audio"]["input"]["turn_detection"] is None
    await page.evaluate("document.activeElement.blur()")
    await page.keyboard.down(" ")
    await server.expect("input_audio_buffer.append")
    await page.keyboard.up(" ")


async def test_it_waits_for_room_on_a_full_server(
    opened: Open, server: ScriptedServer, complaints: SimpleNamespace
) -> None:
    complaints.expected += CONNECTION_FAULTS
    server.full = True
    page = await opened(start=None)
    await page.click("#start-typing")
    await expect(page.locator("#notices")).to_contain_text("as many people as it can")
    server.full = False
    await page.click("text=Try now")
    await expect(page.locator("#link-text")).to_have_text("Connected")


async def test_it_asks_for_the_token_and_remembers_it_in_this_tab(
    opened: Open, server: ScriptedServer, complaints: SimpleNamespace
) -> None:
    complaints.expected += CONNECTION_FAULTS
    server.token = "open-sesame"
    page = await opened(start=None)
    await page.click("#start")
    await expect(page.locator("#token")).to_be_focused()
    await page.fill("#token", "wrong")
    await page.keyboard.press("Enter")
    await expect(page.locator("#welcome")).to_contain_text("does not accept this token")
    await page.fill("#token", "open-sesame")
    await page.keyboard.press("Enter")
    await server.connected()
    await server.expect("input_audio_buffer.append")
    await page.reload()
    await page.click("#start")
    await expect(page.locator("#link-text")).to_have_text("Connected")


async def test_a_failed_reply_is_told_and_the_talk_goes_on(
    opened: Open, server: ScriptedServer
) -> None:
    page = await opened()
    await server.hear("i1", "hello")
    await server.heard("i1", "Hello.")
    await server.begin_reply("r1", "a1")
    await server.send("response.done", response={"id": "r1", "status": "failed"})
    await expect(page.locator("#notices")).to_contain_text("could not answer")
    await expect(page.locator("#state")).to_have_text("Listening")


# --- what lies behind a turn ----------------------------------------------------------------


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
    await reply(server, seconds=0.4)
    await expect(panel).to_contain_text("it mattered to them")
    await expect(panel).to_contain_text("low and slow voice")
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


async def test_the_transcript_can_be_kept(opened: Open, server: ScriptedServer) -> None:
    page = await opened()
    await server.hear("i1", "I waited")
    await server.heard("i1", "I waited for weeks.")
    await reply(server, seconds=0.4)
    await server.end_reply("of a1", "a1")
    await expect(page.locator(".agent .heard")).to_contain_text("so long.")
    await page.click("#settings-open")
    async with page.expect_download() as text:
        await page.click("#download-text")
    lines = (await (await text.value).path()).read_text().splitlines()
    assert lines[0].endswith("You: I waited for weeks.")
    assert lines[1].endswith("Agent: That sounds like a heavy disappointment, after waiting "
                             "for so long.")  # fmt: skip
    async with page.expect_download() as data:
        await page.click("#download-json")
    kept = json.loads((await (await data.value).path()).read_text())
    (turn,) = kept["turns"]
    assert turn["user"]["text"] == "I waited for weeks."
    assert turn["user"]["paralinguistics"]["emotion"]["sad"] == 0.62
    assert turn["thinking"]["reply_emotion"] == "comfort"
    assert turn["latency_ms"]["endpoint"] == 212
    assert kept["sessions"][0]["session_id"] == "sess_1"
    assert "secret" not in json.dumps(kept)


async def test_the_conversation_is_deleted_only_when_confirmed_and_then_wholly(
    opened: Open, server: ScriptedServer
) -> None:
    page = await opened()
    await server.hear("i1", "hello")
    await server.heard("i1", "Hello.")
    await server.hang_up()
    await expect(page.locator(".caption.note")).to_contain_text("Connected again")
    await page.click("#settings-open")
    await page.click("#erase")
    await page.click("text=Keep it")
    await asyncio.sleep(0.1)
    assert not [m for m in server.received if m["type"] == "voice_agent.conversation.delete"]
    await page.click("#erase")
    await page.click("#erase-dialog .danger")
    await server.expect("voice_agent.conversation.delete")
    assert server.deleted == [("sess_1", "Bearer secret of sess_1")], "the part before the break"
    await server.send("voice_agent.conversation.deleted", session_id="sess_2")
    await expect(page.locator(".caption")).to_have_count(0)
    await expect(page.locator("#notices")).to_contain_text("was deleted")


async def test_the_talk_can_be_ended_and_begun_again(opened: Open, server: ScriptedServer) -> None:
    page = await opened()
    await page.click("#end")
    await expect(page.locator("#start")).to_be_focused()
    await page.click("#start")
    await expect(page.locator("#link-text")).to_have_text("Connected")
    await server.expect("input_audio_buffer.append")
    assert server.connections == 2


# --- looks ----------------------------------------------------------------------------------

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
    await page.click("#start")
    await server.hear("i1", "I waited", stable="I")
    assert await page.evaluate(CONTRAST) == []
    await server.heard("i1", "I waited.")
    await reply(server)
    await server.send("error", error={"code": "x", "message": "Something went wrong."})
    await expect(page.locator("#stop")).to_be_visible()
    assert await page.evaluate(CONTRAST) == []
    assert await page.evaluate(NAMELESS) == []
    await page.click("#settings-open")
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
    page = await opened(viewport={"width": width, "height": 640})
    await server.hear("i1", "I waited")
    await server.heard("i1", "I waited.")
    await reply(server, seconds=0.4)
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


async def test_devices_can_be_chosen(opened: Open, server: ScriptedServer) -> None:
    page = await opened()
    await page.click("#settings-open")
    options = page.locator("#microphone option")
    assert await options.count() > 1
    await page.select_option("#microphone", index=1)
    await page.select_option("#speaker", index=await page.locator("#speaker option").count() - 1)
    await asyncio.sleep(0.3)
    server.received.clear()
    await server.expect("input_audio_buffer.append")
    await page.keyboard.press("Escape")
    await reply(server, seconds=0.6)
    await until(page, "window.ear() > 0.15")
