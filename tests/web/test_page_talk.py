"""A talk through the page: the start, captions and states, interruption, push to talk, devices."""

import asyncio
import base64

import numpy as np
import pytest
from chromium import Open, choose_push_to_talk, until
from playwright.async_api import expect
from scripted_server import ScriptedServer, tone

pytestmark = pytest.mark.asyncio(loop_scope="module")


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
    await server.reply()
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
    await server.reply(seconds=2.0)
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


async def test_a_possible_interruption_holds_the_voice_and_goes_on_where_it_was(
    opened: Open, server: ScriptedServer
) -> None:
    page = await opened()
    await server.reply(seconds=2.4)
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
    await server.reply(seconds=6)
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
    await server.reply(item="a2")
    await until(page, "window.ear() > 0.15")


async def test_a_button_stops_the_agent(opened: Open, server: ScriptedServer) -> None:
    page = await opened()
    await server.reply(seconds=6)
    await page.click("#stop")
    await server.expect("response.cancel")
    await server.expect("conversation.item.truncate")
    await until(page, "window.ear() === 0", 0.5)


async def test_typing_while_the_agent_still_thinks_calls_its_answer_off(
    opened: Open, server: ScriptedServer
) -> None:
    page = await opened()
    await server.send("response.created", response={"id": "r1", "status": "in_progress"})
    await expect(page.locator("#state")).to_have_text("Thinking")
    await page.fill("#say", "Never mind.")
    await page.keyboard.press("Enter")
    await server.expect("response.cancel")
    await server.expect("conversation.item.create")


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
    await server.reply(seconds=6)
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
    await server.reply(seconds=0.6)
    await until(page, "window.ear() > 0.15")
