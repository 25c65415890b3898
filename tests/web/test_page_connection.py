"""The page when the connection breaks or is refused, and what is left of a talk."""

import asyncio
import json
from types import SimpleNamespace

import pytest
from chromium import Open, choose_push_to_talk
from playwright.async_api import expect
from scripted_server import ScriptedServer

pytestmark = pytest.mark.asyncio(loop_scope="module")


CONNECTION_FAULTS = ("WebSocket connection to", "Failed to load resource")
"""What a browser itself writes to the console when a server is away or refuses."""


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


async def test_the_transcript_can_be_kept(opened: Open, server: ScriptedServer) -> None:
    page = await opened()
    await server.hear("i1", "I waited")
    await server.heard("i1", "I waited for weeks.")
    await server.reply(seconds=0.4)
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
