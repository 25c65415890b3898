"""The person's name, and their hand on what is remembered of them."""

import json
import re
from types import SimpleNamespace

import pytest
from chromium import Open, key_of
from playwright.async_api import Locator, Page, expect
from scripted_server import ScriptedServer

from voice_agent.events import Memory
from voice_agent.person import Person

pytestmark = pytest.mark.asyncio(loop_scope="module")

SISTER = Memory("person", "your sister is called Anna", "sister", at=1_760_000_000)
WALKS = Memory("helped", "going for a walk helped", "walk", at=1_760_100_000)
JOB = Memory("fact", "you work as a nurse", "job", at=1_760_200_000)

REFUSED = "Failed to load resource"
"""What a browser itself writes to the console when a server says no."""


async def give_name(page: Page, name: str) -> None:
    await page.click("#settings-open")
    await page.fill("#name", name)
    await page.keyboard.press("Escape")


async def begin(page: Page, server: ScriptedServer) -> None:
    await page.click("#start-typing")
    await server.connected()
    await expect(page.locator("#link-text")).to_have_text("Connected")


async def open_memory(page: Page) -> Locator:
    await page.click("#settings-open")
    await page.click("#memory-open")
    dialog = page.locator("#memory")
    await expect(dialog).to_be_visible()
    await expect(page.locator("#memory-state")).not_to_contain_text("Asking")
    return dialog


async def test_without_a_name_nobody_is_named_to_the_server(
    opened: Open, server: ScriptedServer
) -> None:
    page = await opened(start=None)
    await expect(page.locator("#who")).to_contain_text("will not know you the next time")
    async with page.expect_websocket() as opening:
        await page.click("#start-typing")
    assert "user=" not in (await opening.value).url
    await expect(page.locator("#link-text")).to_have_text("Connected")
    await expect(page.locator("#remembering")).to_have_text("")
    await expect(page.locator("#notices")).to_be_empty()
    await page.click("#settings-open")
    await expect(page.locator("#memory-open")).to_be_disabled()
    assert await page.evaluate("localStorage.getItem('voice-agent-user-keys')") is None


async def test_the_name_goes_with_its_key_and_stays_in_the_browser(
    opened: Open, server: ScriptedServer
) -> None:
    page = await opened(start=None)
    await page.click("#who-change")
    await expect(page.locator("#name")).to_be_focused()
    await page.keyboard.type("Zoë & Co")
    await page.keyboard.press("Escape")
    await expect(page.locator("#who")).to_contain_text("It knows you as Zoë & Co.")
    await begin(page, server)
    await expect(page.locator("#remembering")).to_have_text("It remembers you as Zoë & Co.")
    key = await key_of(page)
    await server.remember("Zoë & Co", key, SISTER)  # from now on the name opens to its key alone
    await page.click("#settings-open")
    await expect(page.locator("#name")).to_be_disabled()
    await expect(page.locator("#name-note")).to_contain_text("End the conversation")
    await page.reload()
    await begin(page, server)
    await expect(page.locator("#remembering")).to_have_text("It remembers you as Zoë & Co.")
    await expect(page.locator("#notices")).to_be_empty()
    await page.click("#end")
    await page.click("#settings-open")
    await page.fill("#name", " zoë  & CO ")
    await page.keyboard.press("Escape")
    await begin(page, server)
    await expect(page.locator("#remembering")).to_contain_text("It remembers you")


async def test_what_is_remembered_is_listed_and_can_be_taken_along(
    opened: Open, server: ScriptedServer
) -> None:
    page = await opened(start=None)
    await give_name(page, "Ada")
    dialog = await open_memory(page)
    await expect(dialog).to_contain_text("What it remembers of Ada")
    await expect(dialog).to_contain_text("Nothing is remembered yet.")
    await expect(page.locator("#memory-actions")).not_to_be_visible()
    await page.keyboard.press("Escape")
    await page.keyboard.press("Escape")
    await begin(page, server)
    key = await key_of(page)
    await server.remember("Ada", key, SISTER, WALKS)
    dialog = await open_memory(page)
    items = await dialog.locator("li p").all_inner_texts()
    assert items[0] == "Going for a walk helped", "the newest first"
    assert re.fullmatch(r"What helped · \S.*2025", items[1])
    assert items[2] == "Your sister is called Anna"
    assert items[3].startswith("Somebody you know · ")
    await page.click("#memory-key summary")
    await expect(page.locator("#key")).to_have_value(key)
    async with page.expect_download() as data:
        await page.click("#memory-export")
    kept = json.loads((await (await data.value).path()).read_text())
    assert kept == await server.memories.export(Person.from_afar("Ada", key))
    assert len(kept["memories"]) == 2


async def test_one_memory_is_erased_when_that_is_confirmed_all_by_keyboard(
    opened: Open, server: ScriptedServer
) -> None:
    page = await opened(start=None)
    await give_name(page, "Ada")
    await begin(page, server)
    key = await key_of(page)
    ada = Person.from_afar("Ada", key)
    await server.remember("Ada", key, SISTER, WALKS, JOB)
    await page.locator("#settings-open").focus()
    await page.keyboard.press("Enter")
    await page.locator("#memory-open").focus()
    await page.keyboard.press("Enter")
    walk = page.get_by_role("button", name="Delete: Going for a walk helped")
    await walk.focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("#erase-dialog")).to_contain_text("Going for a walk helped")
    await page.keyboard.press("Enter")
    await expect(page.locator("#erase-dialog")).not_to_be_visible()
    assert len(await server.memories.newest(ada)) == 3, "the safe answer has the focus"
    await expect(walk).to_be_focused()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator("#memories li")).to_have_count(2)
    await expect(page.locator("#memory-state")).to_have_text("Deleted.")
    left = [kept.memory.text for kept in await server.memories.newest(ada)]
    assert left == [JOB.text, SISTER.text]
    sister = page.get_by_role("button", name="Delete: Your sister is called Anna")
    await expect(sister).to_be_focused()


async def test_all_is_erased_when_that_is_confirmed(opened: Open, server: ScriptedServer) -> None:
    page = await opened(start=None)
    await give_name(page, "Ada")
    await begin(page, server)
    key = await key_of(page)
    await server.remember("Ada", key, SISTER, WALKS)
    await open_memory(page)
    await page.click("#memory-erase")
    await page.click("#erase-dialog >> text=Keep it")
    await expect(page.locator("#memories li")).to_have_count(2)
    await page.click("#memory-erase")
    await page.click("#erase-dialog .danger")
    await expect(page.locator("#memory-state")).to_have_text("Everything is deleted.")
    await expect(page.locator("#memories li")).to_have_count(0)
    await expect(page.locator("#memory-actions")).not_to_be_visible()
    assert await server.memories.people() == []


async def test_a_locked_memory_is_told_and_opens_with_its_key_alone(
    opened: Open, server: ScriptedServer, complaints: SimpleNamespace
) -> None:
    complaints.expected.append(REFUSED)
    key = await server.remember("Ada", None, SISTER)
    page = await opened(start=None)
    await give_name(page, "ADA")
    await begin(page, server)
    await expect(page.locator("#notices")).to_contain_text("locked")
    await expect(page.locator("#remembering")).to_have_text("It does not remember you.")
    await page.click("text=What to do")
    dialog = page.locator("#memory")
    await expect(dialog).to_contain_text("opens only with its key")
    await expect(dialog).not_to_contain_text("Anna")
    await page.fill("#key-given", "0" * 64)
    await page.keyboard.press("Enter")
    await expect(dialog).to_contain_text("not the key of this name")
    await page.fill("#key-given", f" {key} ")
    await page.keyboard.press("Enter")
    await expect(dialog).to_contain_text("Your sister is called Anna")
    await expect(dialog).to_contain_text("From the next conversation on")
    await expect(page.locator("#notices")).not_to_contain_text("locked")
    await page.keyboard.press("Escape")
    await page.click("#end")
    await begin(page, server)
    await expect(page.locator("#remembering")).to_have_text("It remembers you as ADA.")
    await expect(page.locator("#notices")).to_be_empty()


async def test_a_server_that_remembers_nobody_says_so(opened: Open, server: ScriptedServer) -> None:
    server.remembers = False
    page = await opened(start=None)
    await give_name(page, "Ada")
    await begin(page, server)
    await expect(page.locator("#notices")).to_contain_text("remembers nobody")
    await expect(page.locator("#remembering")).to_have_text("It does not remember you.")


async def test_a_name_that_is_none_is_asked_for_again(opened: Open, server: ScriptedServer) -> None:
    page = await opened(start=None)
    await give_name(page, "\u200b\u200b")
    await page.click("#start-typing")
    await expect(page.locator("#name")).to_be_focused()
    await expect(page.locator("#name-problem")).to_contain_text("a character that can be seen")
    assert await page.locator("#name").get_attribute("aria-invalid") == "true"
    await page.fill("#name", "Ada")
    await expect(page.locator("#name-problem")).to_be_empty()
    await page.keyboard.press("Escape")
    await begin(page, server)


async def test_what_goes_wrong_is_told_and_nothing_is_lost(
    opened: Open, server: ScriptedServer, complaints: SimpleNamespace
) -> None:
    complaints.expected.append(REFUSED)
    page = await opened(start=None)
    await give_name(page, "Ada")
    await begin(page, server)
    key = await key_of(page)
    await server.remember("Ada", key, SISTER)
    await open_memory(page)
    await page.route("**/v1/memory*", lambda route: route.abort())
    await page.click("#memory-erase")
    await page.click("#erase-dialog .danger")
    await expect(page.locator("#memory-state")).to_contain_text("cannot be reached")
    await expect(page.locator("#memories li")).to_have_count(1)
