"""The page and the real agent talk: a recording is the microphone, the loudspeaker is measured."""

import asyncio
import os
import signal
import socket
import sqlite3
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import pytest_asyncio
from chromium import EAR, SETTING, listen_for_complaints, until
from playwright.async_api import Browser, Page, Playwright, expect

pytestmark = pytest.mark.asyncio(loop_scope="module")

AUDIBLE = "window.ear() > 0.02"

Open = Callable[[str | None], Awaitable[Page]]


class Server:
    """`voice-agent serve` in a process of its own, on a port that stays the same."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        self.store = folder / "conversations.db"
        self.config = folder / "test.yaml"
        self.config.write_text(f"extends: embedded\nstore: {{path: {self.store}}}\n")
        self._process: Process | None = None

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "voice_agent", "serve", "--log-level", "error"),
            *("--config", str(self.config), "--port", str(self.port)),
            stdout=PIPE,
        )
        assert self._process.stdout
        async with asyncio.timeout(60):
            assert b"Ready" in await self._process.stdout.readline()

    async def kill(self) -> None:
        assert self._process
        os.kill(self._process.pid, signal.SIGKILL)
        await self._process.wait()

    async def stop(self) -> None:
        assert self._process
        if self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()

    def stored(self, table: str) -> int:
        with sqlite3.connect(f"file:{self.store}?mode=ro", uri=True) as database:
            (rows,) = database.execute(f"select count(*) from {table}").fetchone()
        return int(rows)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    running = Server(tmp_path_factory.mktemp("agent"))
    await running.start()
    yield running
    await running.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser(playwright: Playwright, launch: Any, say: Any) -> AsyncIterator[Browser]:
    speech = say("sad", 0.5, "I am so sad today, because my old dog died last night.", 60.0)
    running = await launch(playwright, speech)
    yield running
    await running.close()


@pytest_asyncio.fixture(loop_scope="module")
async def opened(
    browser: Browser, server: Server, complaints: SimpleNamespace
) -> AsyncIterator[Open]:
    contexts = []

    async def open_page(start: str | None) -> Page:
        context = await browser.new_context(**SETTING)
        contexts.append(context)
        page = await context.new_page()
        page.set_default_timeout(15_000)
        await page.add_init_script(EAR)
        listen_for_complaints(page, complaints)
        await page.goto(server.url)
        if start:
            await page.click(start)
            await expect(page.locator("#link-text")).to_have_text("Connected")
        return page

    yield open_page
    for context in contexts:
        await context.close()


LATER_THAN_THE_VOICE = """() => {
  const [level] = document.querySelectorAll("#timeline .level");
  const { left, width } = level.getBoundingClientRect();
  const ticks = level.viewBox.baseVal.width;
  const points = [...level.firstElementChild.getAttribute("d").matchAll(/L([\\d.]+) -([\\d.]+)/g)];
  const loud = points.filter(([, , height]) => height > 0.25).map(([, x]) => Number(x));
  const turn = document.querySelector("#timeline .by-user").getBoundingClientRect();
  const tick = (at) => ((at - left) / width) * ticks;
  return [tick(turn.left) - loud[0], tick(turn.right) - loud.at(-1)];
}"""
"""By how many tenths of a second the person's turn begins and ends after what was heard of it."""


async def write(page: Page, text: str) -> None:
    await page.fill("#say", text)
    await page.keyboard.press("Enter")


async def test_speech_is_captioned_understood_and_answered_aloud(opened: Open) -> None:
    page = await opened("#start")
    await expect(page.locator("#state")).to_have_text("Hearing you", timeout=10_000)
    await expect(page.locator(".user .unstable")).not_to_have_text("", timeout=10_000)
    await until(page, AUDIBLE)
    said = page.locator(".caption.user[data-status=done]")
    await expect(said).to_contain_text("so sad today")
    await expect(page.locator("#state")).to_have_text("Speaking")
    panel = page.locator("#panel")
    await expect(panel).to_contain_text("Hz")
    await expect(panel).to_contain_text("What was said")
    await expect(panel).to_contain_text("How it was said")
    await expect(page.locator("#state")).to_have_text("Listening", timeout=20_000)
    begins, ends = await page.evaluate(LATER_THAN_THE_VOICE)
    assert begins == pytest.approx(0, abs=8), "a soft first word may be noticed late"
    assert ends == pytest.approx(0, abs=3)
    await expect(page.locator(".agent .coming")).to_have_text("")
    await expect(panel).to_contain_text("You heard it")
    assert int((await panel.locator(".whole dd").inner_text()).removesuffix(" ms")) < 5000


async def test_speaking_over_the_agent_stops_it_and_it_answers_to_that(opened: Open) -> None:
    page = await opened("#start-typing")
    await write(page, "I lost my job yesterday and I do not know what to do now.")
    await until(page, AUDIBLE)
    await page.click("#mic")  # the recording begins now
    await expect(page.locator(".agent").first).to_contain_text("interrupted", timeout=10_000)
    await until(page, "window.ear() === 0", 1)
    await expect(page.locator(".caption.user").nth(1)).to_contain_text("so sad", timeout=10_000)
    await expect(page.locator(".agent")).to_have_count(2)
    await until(page, AUDIBLE)


async def test_push_to_talk_answers_what_was_said_while_the_bar_was_down(opened: Open) -> None:
    page = await opened("#start-typing")
    await page.click("#settings-open")
    await page.check("input[value=hold]")
    await page.keyboard.press("Escape")
    await page.click("#mic")  # the recording begins now
    await expect(page.locator("#hold")).to_be_enabled()
    await page.evaluate("document.activeElement.blur()")
    await page.keyboard.down(" ")
    await expect(page.locator(".caption.user")).to_contain_text("today", timeout=10_000)
    await asyncio.sleep(2.5)
    assert await page.locator(".agent").count() == 0, "it waits for the button"
    await page.keyboard.up(" ")
    await until(page, AUDIBLE)
    await expect(page.locator(".caption.user")).to_contain_text("last night")
    await page.click("#settings-open")
    await page.check("input[value=automatic]")
    await asyncio.sleep(0.3)
    await expect(page.locator("#notices")).to_be_empty()


async def test_it_goes_on_after_the_server_was_killed_and_can_be_deleted(
    opened: Open, server: Server, complaints: SimpleNamespace
) -> None:
    complaints.expected += ["WebSocket connection to", "Failed to load resource"]
    page = await opened("#start-typing")
    await write(page, "Hello.")
    await until(page, AUDIBLE)
    await server.kill()
    await expect(page.locator("#link-text")).to_have_text("Reconnecting")
    await server.start()
    await expect(page.locator("#link-text")).to_have_text("Connected", timeout=20_000)
    await expect(page.locator(".caption.user")).to_have_text("You: Hello.")
    await write(page, "I am happy that you are back.")
    answer = page.locator(".caption:has-text('you are back') ~ .caption.agent")
    await expect(answer.locator(".heard")).not_to_have_text("")
    await until(page, AUDIBLE)
    await expect(page.locator("#state")).to_have_text("Listening", timeout=20_000)
    stored = server.stored("turns")
    await page.click("#settings-open")
    await page.click("#erase")
    await page.click("#erase-dialog .danger")
    await expect(page.locator("#notices")).to_contain_text("was deleted")
    await expect(page.locator(".caption")).to_have_count(0)
    assert server.stored("turns") == stored - 2, "the part before the break too"


async def test_what_a_named_person_told_is_remembered_shown_and_erased(
    opened: Open, server: Server
) -> None:
    page = await opened(None)
    await page.click("#who-change")
    await page.keyboard.type("Ada")
    await page.keyboard.press("Escape")
    await page.click("#start-typing")
    await expect(page.locator("#remembering")).to_have_text("It remembers you as Ada.")
    await write(page, "My sister is called Anna.")
    await expect(page.locator("#state")).to_have_text("Speaking")
    await expect(page.locator("#state")).to_have_text("Listening", timeout=20_000)
    await expect(page.locator("#latency")).to_contain_text("You heard it")  # the turn is kept
    await page.click("#end")
    await page.click("#settings-open")
    await page.click("#memory-open")
    item = page.locator("#memories li")
    await expect(item).to_contain_text("Your sister is called Anna")
    await page.get_by_role("button", name="Delete: Your sister is called Anna").click()
    await page.click("#erase-dialog .danger")
    await expect(page.locator("#memory-state")).to_have_text("Deleted.")
    await page.click("#memory-close")
    await page.click("#memory-open")
    await expect(page.locator("#memory-state")).to_have_text("Nothing is remembered yet.")
    assert server.stored("memories") == 0
