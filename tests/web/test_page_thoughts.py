"""What the agent thinks of a turn, while it is spoken and after it, and says of itself."""

import json

import pytest
from chromium import Open
from playwright.async_api import Page, expect
from scripted_server import THOUGHT, ScriptedServer

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def rows(page: Page) -> dict[str, str]:
    """What the panel says of the thoughts, by its label."""
    names = await page.locator("#thought dt").all_inner_texts()
    texts = await page.locator("#thought dd").all_inner_texts()
    return dict(zip(names, texts, strict=True))


async def consider(server: ScriptedServer, item: str, **thought: str) -> None:
    await server.send("voice_agent.thought.draft", item_id=item, thought=thought)


async def test_the_thought_grows_while_the_person_speaks_and_is_marked_as_a_draft(
    opened: Open, server: ScriptedServer
) -> None:
    page = await opened("#start-typing")
    place = page.locator("#thought")
    await expect(place).to_have_text("Its thoughts about your words and your voice appear here.")
    await server.hear("i1", "I waited")
    await consider(server, "i1", linguistic="They waited.", paralinguistic="")
    await expect(place).to_contain_text("While you speak")
    assert await rows(page) == {"What was said": "They waited."}
    await consider(
        server, "i1", linguistic="They waited for weeks.", stimulus="they said no", stage="insight"
    )
    await expect(place).to_contain_text("for weeks")
    assert await rows(page) == {
        "What was said": "They waited for weeks.",
        "Because of": "“they said no”",
        "Stage": "Insight",
    }
    await server.heard("i1", "I waited for weeks and they said no.")
    await expect(place).to_contain_text("Thought while you spoke")
    await expect(place).to_contain_text("They waited for weeks.")
    await server.reply(seconds=0.4)
    await expect(place).to_contain_text("it mattered to them")
    await expect(place).not_to_contain_text("you spoke")
    await consider(server, "i1", linguistic="too late")
    await server.end_reply("of a1", "a1")
    await expect(page.locator("#latency")).to_contain_text("212 ms")
    assert (await rows(page))["What was said"] == THOUGHT["linguistic"], "it has the last word"


async def test_all_of_the_thought_is_shown_and_what_is_empty_is_left_out(
    opened: Open, server: ScriptedServer
) -> None:
    page = await opened("#start-typing")
    await server.hear("i1", "I waited")
    await server.heard("i1", "I waited for weeks.")
    await server.reply(seconds=0.4)
    await expect(page.locator("#thought")).to_contain_text("Reflection of feelings")
    assert await rows(page) == {
        "What was said": THOUGHT["linguistic"],
        "Because of": "“they said no”",
        "Appraisal": THOUGHT["appraisal"],
        "Need": THOUGHT["need"],
        "How it was said": THOUGHT["paralinguistic"],
        "Conflict": "Your words sound happy, your voice afraid.",
        "Stage": "Exploration",
        "Strategy": "Reflection of feelings\n\nThe feeling was shown and has not been named yet",
        "Tone": "comfort",
        "Style": "soft and slow",
    }
    told = THOUGHT | {"conflict": "the words are glad, the voice is not", "need": "", "reason": ""}
    await server.send("voice_agent.thought", response_id="of a1", thought=told)
    await expect(page.locator("#thought")).to_contain_text("The words are glad, the voice is not")
    seen = await rows(page)
    assert "Need" not in seen
    assert seen["Strategy"] == "Reflection of feelings"
    assert "sound happy" not in seen["Conflict"], "said once"


async def test_a_draft_of_a_turn_that_was_none_leaves_nothing_behind(
    opened: Open, server: ScriptedServer
) -> None:
    page = await opened("#start-typing")
    await server.hear("i1", "uh")
    await consider(server, "i1", linguistic="They hesitate.")
    await expect(page.locator("#thought")).to_contain_text("They hesitate.")
    await server.send("voice_agent.speech_ignored", item_id="i1")
    await consider(server, "i1", linguistic="They hesitate still.")
    await expect(page.locator("#thought")).not_to_contain_text("hesitate")
    await expect(page.locator(".caption")).to_have_count(0)


async def test_the_export_has_the_draft_and_all_fields_of_the_thought(
    opened: Open, server: ScriptedServer
) -> None:
    page = await opened("#start-typing")
    await server.hear("i1", "I waited")
    await consider(server, "i1", linguistic="They waited.")
    await server.heard("i1", "I waited for weeks.")
    await server.reply(seconds=0.4)
    await server.end_reply("of a1", "a1")
    await expect(page.locator(".agent .heard")).to_contain_text("so long.")
    await page.click("#settings-open")
    async with page.expect_download() as data:
        await page.click("#download-json")
    (turn,) = json.loads((await (await data.value).path()).read_text())["turns"]
    assert turn["thinking"] == THOUGHT
    assert turn["thinking_while_listening"] == {"linguistic": "They waited."}


# --- what the agent says of itself ----------------------------------------------------------

DISCLOSURE = ScriptedServer.session("")["disclosure"]


async def test_the_disclosure_stands_once_at_the_start_and_is_a_notice_each_time_after(
    opened: Open, server: ScriptedServer
) -> None:
    page = await opened("#start-typing")
    notice = page.locator(".notice[data-kind=disclosure]")
    await server.send("voice_agent.disclosure", text=DISCLOSURE)
    await server.hear("i1", "hello")
    await server.heard("i1", "Hello.")
    await expect(page.locator("#disclosure")).to_have_text(DISCLOSURE)
    await expect(notice).to_have_count(0)
    await server.reply(seconds=0.2)
    await server.end_reply("of a1", "a1")
    for _ in range(2):
        await server.send("voice_agent.disclosure", text=DISCLOSURE)
        await server.send("voice_agent.disclosure", text=DISCLOSURE)
        await expect(notice).to_have_count(1)
        await expect(notice).to_contain_text(DISCLOSURE)
        await notice.get_by_role("button", name="Close message").click()
        await expect(notice).to_have_count(0)


async def test_the_disclosure_of_another_session_is_not_doubled_either(
    opened: Open, server: ScriptedServer
) -> None:
    page = await opened("#start-typing")
    await server.reply(seconds=0.2)
    await server.end_reply("of a1", "a1")
    await server.hang_up()
    await expect(page.locator(".caption.note")).to_contain_text("Connected again")
    await server.send("voice_agent.disclosure", text=DISCLOSURE)
    await server.hear("i2", "hello")
    await expect(page.locator(".caption.user")).to_have_count(1)
    await expect(page.locator(".notice[data-kind=disclosure]")).to_have_count(0)


async def test_a_model_that_another_one_replaces_is_told_once_and_the_answer_comes(
    opened: Open, server: ScriptedServer
) -> None:
    page = await opened("#start-typing")
    trouble = page.locator(".notice[data-kind=trouble]")
    failed = {"type": "server_error", "code": "engine_failed", "message": "the model is away"}
    await server.hear("i1", "hello")
    await server.heard("i1", "Hello.")
    await server.send("response.created", response={"id": "of a1", "status": "in_progress"})
    await server.send("error", error=failed)
    await expect(trouble).to_contain_text("the agent goes on: the model is away")
    await expect(page.locator("#state")).to_have_text("Thinking")
    await server.reply(seconds=0.4)
    await server.end_reply("of a1", "a1")
    await expect(page.locator(".agent .heard")).to_contain_text("so long.")
    await expect(page.locator("#state")).to_have_text("Listening")
    await trouble.get_by_role("button", name="Close message").click()
    await server.send("error", error=failed)
    await server.hear("i2", "and then")
    await expect(page.locator(".caption.user")).to_have_count(2)
    await expect(trouble).to_have_count(0)
    await server.send("error", error=failed | {"message": "the other one is away, too"})
    await expect(trouble).to_have_count(1)


async def test_an_engine_that_another_one_replaces_is_told_quietly_and_once(
    opened: Open, server: ScriptedServer
) -> None:
    page = await opened("#start-typing")
    trouble = page.locator(".notice[data-kind=trouble]")
    switched = {
        "kind": "synthesizer",
        "failed": "coqui",
        "instead": "espeak",
        "reason": "the worker coqui died",
    }
    await server.send("voice_agent.engine.switched", **switched)
    await expect(trouble).to_contain_text("the agent goes on: espeak speaks in place of coqui.")
    await trouble.get_by_role("button", name="Close message").click()
    await server.send("voice_agent.engine.switched", **switched)
    await server.hear("i1", "hello")
    await expect(page.locator(".caption.user")).to_have_count(1)
    await expect(trouble).to_have_count(0)
