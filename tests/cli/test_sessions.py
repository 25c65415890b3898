"""``voice-agent sessions``: people see, take away and delete what is kept of them."""

import asyncio
import json

import pytest

from voice_agent.events import Latency, ReplyStatus, Thought, TurnRecord, UserTurn
from voice_agent.store import Store

ENGINES = {"recognizer": "pocketsphinx"}


@pytest.fixture
def kept(home) -> None:
    """Two conversations."""

    async def fill() -> None:
        store = await Store.open(home / "data" / "voice-agent" / "conversations.db")
        for id, user, text in (
            ("sess_one", None, "i lost my job [today]"),
            ("sess_two", "ada", "so happy"),
        ):
            await store.begin(id, user, ENGINES)
            thought = Thought("a loss", "low and slow", "Question", "comfort")
            record = TurnRecord(
                1, UserTurn(text), thought, "Tell me more about it.", "Tell me",
                ReplyStatus.INTERRUPTED, Latency(endpoint=300.0), ENGINES,
            )  # fmt: skip
            await store.add(id, record)
            await store.end(id)
        await store.close()

    asyncio.run(fill())


@pytest.mark.usefixtures("kept")
def test_conversations_are_listed(voice_agent):
    done = voice_agent("sessions", "list")

    assert done.returncode == 0
    first, second = done.stdout.splitlines()[1:]
    assert first.split()[0] == "sess_two"
    assert first.split()[-1] == "ada"
    assert second.split()[0] == "sess_one"


@pytest.mark.usefixtures("kept")
def test_the_list_is_json_on_request(voice_agent):
    lines = voice_agent("sessions", "list", "--json").stdout.splitlines()

    first = json.loads(lines[0])
    assert (first["id"], first["user"], first["turns"]) == ("sess_two", "ada", 1)
    assert first["engines"] == ENGINES
    assert len(lines) == 2


def test_no_conversations_are_said_plainly(voice_agent):
    done = voice_agent("sessions", "list")

    assert (done.returncode, done.stdout) == (0, "No conversations are kept.\n")


@pytest.mark.usefixtures("kept")
def test_a_conversation_is_shown_as_it_was_heard(voice_agent):
    shown = voice_agent("sessions", "show", "sess_one").stdout

    assert "i lost my job [today]" in shown
    assert "Tell me " in shown
    assert "more about it" not in shown
    assert "interrupted" in shown
    assert "low and slow" in shown


@pytest.mark.usefixtures("kept")
def test_an_export_is_complete_json(voice_agent, tmp_path):
    printed = json.loads(voice_agent("sessions", "export", "sess_one").stdout)
    done = voice_agent("sessions", "export", "sess_one", "--out", "mine.json")

    assert done.stdout == ""
    assert json.loads((tmp_path / "mine.json").read_text()) == printed
    assert printed["turns"][0]["user"]["text"] == "i lost my job [today]"
    assert printed["turns"][0]["reply"] == "Tell me more about it."


@pytest.mark.usefixtures("kept")
def test_deleting_asks_first(voice_agent):
    declined = voice_agent("sessions", "delete", "sess_one", stdin="n\n")
    assert declined.returncode == 1
    assert "Delete sess_one, 1 turns" in declined.stderr
    assert "sess_one" in voice_agent("sessions", "list").stdout

    agreed = voice_agent("sessions", "delete", "sess_one", stdin="y\n")
    assert (agreed.returncode, agreed.stdout.strip()) == (0, "Deleted sess_one.")
    left = voice_agent("sessions", "list").stdout
    assert "sess_one" not in left
    assert "sess_two" in left


@pytest.mark.usefixtures("kept")
def test_deleting_without_asking_leaves_no_bytes(voice_agent, home):
    done = voice_agent("sessions", "delete", "sess_one", "--yes")

    assert done.returncode == 0
    for file in (home / "data" / "voice-agent").iterdir():
        assert b"lost my job" not in file.read_bytes()


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("command", ["show", "export", "delete"])
def test_an_unknown_conversation_is_one_clear_line(voice_agent, command):
    done = voice_agent("sessions", command, "sess_none")

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == "voice-agent: there is no conversation 'sess_none' in the store\n"


def test_a_file_that_is_no_store_is_one_clear_line(voice_agent, tmp_path):
    (tmp_path / "letter.txt").write_text("Dear diary, " * 1_000)
    (tmp_path / "mine.yaml").write_text("extends: embedded\nstore: {path: letter.txt}\n")

    done = voice_agent("sessions", "list", "--config", "mine.yaml")

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "letter.txt is not a file of conversations" in done.stderr
