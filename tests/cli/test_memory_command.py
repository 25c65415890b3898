"""``voice-agent memory``: people see, take away and erase what is remembered of them."""

import asyncio
import json

import pytest

from voice_agent.events import Memory
from voice_agent.memory_tables import Noticed
from voice_agent.person import Person
from voice_agent.store import Store


@pytest.fixture
def kept(home) -> None:
    """What is remembered of two people."""

    async def fill() -> None:
        store = await Store.open(home / "data" / "voice-agent" / "conversations.db")
        for name, text in (
            ("Ada", "you live in [Leeds]"),
            ("Ada", "you have a cat"),
            ("Eve", "you live in York"),
        ):
            memory = Memory("fact", text, "home", at=1.7e9)
            await store.memories.keep(Person.here(name), "sess_1", [Noticed(memory, text)])
        await store.close()

    asyncio.run(fill())


@pytest.mark.usefixtures("kept")
def test_people_are_listed(voice_agent):
    lines = voice_agent("memory", "list").stdout.splitlines()

    assert [line.split() for line in lines[1:]] == [["ada", "2"], ["eve", "1"]]
    as_json = voice_agent("memory", "list", "--json").stdout.splitlines()
    assert json.loads(as_json[0]) == {"user": "ada", "memories": 2}


@pytest.mark.usefixtures("kept")
def test_what_is_remembered_of_one_is_listed(voice_agent):
    shown = voice_agent("memory", "list", "--user", "ADA").stdout

    assert "2023-11-14" in shown
    assert "you live in [Leeds]" in shown
    assert "you have a cat" in shown
    assert "York" not in shown
    assert voice_agent("memory", "list", "--user", "Bob").stdout == (
        "Nothing is remembered of Bob.\n"
    )


def test_nothing_is_said_plainly(voice_agent):
    assert voice_agent("memory", "list").stdout == "Nothing is remembered.\n"


@pytest.mark.usefixtures("kept")
def test_an_export_is_complete_json(voice_agent, tmp_path):
    printed = json.loads(voice_agent("memory", "export", "--user", "ada").stdout)
    done = voice_agent("memory", "export", "--user", "ada", "--out", "mine.json")

    assert done.stdout == ""
    assert json.loads((tmp_path / "mine.json").read_text()) == printed
    assert printed["user"] == "ada"
    assert {m["text"] for m in printed["memories"]} == {"you live in [Leeds]", "you have a cat"}


@pytest.mark.usefixtures("kept")
def test_erasing_all_asks_first_and_leaves_no_bytes(voice_agent, home):
    declined = voice_agent("memory", "erase", "--user", "ada", stdin="n\n")
    assert declined.returncode == 1
    assert "Erase everything that is remembered of ada?" in declined.stderr
    assert "Leeds" in voice_agent("memory", "list", "--user", "ada").stdout

    agreed = voice_agent("memory", "erase", "--user", "ada", stdin="y\n")
    assert (agreed.returncode, agreed.stdout.strip()) == (0, "Erased 2 memories of ada.")
    for file in (home / "data" / "voice-agent").iterdir():
        assert b"Leeds" not in file.read_bytes()
        assert b"ada" not in file.read_bytes()
    assert "York" in voice_agent("memory", "list", "--user", "eve").stdout


@pytest.mark.usefixtures("kept")
def test_one_memory_is_erased(voice_agent):
    (first, _) = voice_agent("memory", "list", "--user", "ada", "--json").stdout.splitlines()
    ref = json.loads(first)["id"]

    done = voice_agent("memory", "erase", ref, "--user", "ada", "--yes")
    assert done.stdout == "Erased 1 memory of ada.\n"

    again = voice_agent("memory", "erase", ref, "--user", "ada", "--yes")
    assert again.returncode == 1
    assert again.stderr == f"voice-agent: there is no memory {ref!r} of 'ada'\n"


@pytest.mark.usefixtures("kept")
def test_a_lost_key_is_replaced(voice_agent, home):
    key = voice_agent("memory", "key", "--user", "ada").stdout.strip()

    async def admitted(shown):
        store = await Store.open(home / "data" / "voice-agent" / "conversations.db")
        try:
            return await store.memories.admit("Ada", shown)
        finally:
            await store.close()

    assert asyncio.run(admitted(key)).key == key
    assert asyncio.run(admitted("0" * 64)) is None
    unknown = voice_agent("memory", "key", "--user", "bob")
    assert unknown.stderr == "voice-agent: nothing is remembered of 'bob'\n"


@pytest.mark.parametrize("command", ["list", "export", "erase", "key"])
def test_what_is_no_name_is_refused(voice_agent, command):
    done = voice_agent("memory", command, "--user", " ")

    assert done.returncode == 2
    assert "--user" in done.stderr


def test_who_chats_by_name_is_remembered(voice_agent):
    said = "my sister is called Hannah\nthank you\n"
    first = voice_agent("chat", "--user", "Ada", "--json", stdin=said)
    assert first.returncode == 0, first.stderr

    assert "your sister is called Hannah" in voice_agent("memory", "list", "--user", "ada").stdout
    second = voice_agent("chat", "--user", "ada", "--json", stdin="what's my sister's name\n")
    assert "Hannah" in json.loads(second.stdout)["reply"]["text"]
    stranger = voice_agent("chat", "--json", stdin="what's my sister's name\n")
    assert "Hannah" not in stranger.stdout
