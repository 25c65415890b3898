"""The store of conversations: nothing finished is lost, what is deleted is gone."""

import asyncio
import signal
import sqlite3
import stat
import subprocess
import sys
import textwrap
from dataclasses import replace

import pytest

from voice_agent.errors import StoreError, UnknownConversation
from voice_agent.events import (
    Estimate,
    Latency,
    Manner,
    Paralinguistics,
    ReplyStatus,
    Thought,
    ToolCall,
    ToolUse,
    TurnRecord,
    UserTurn,
    VocalEvent,
)
from voice_agent.store import Store, default_path

ENGINES = {"recognizer": "pocketsphinx", "synthesizer": "espeak"}


def turn(number: int, text: str = "i lost my job", *, reply: str = "I am sorry.") -> TurnRecord:
    how = Paralinguistics(
        manner=Manner(speech_s=1.5, pitch_hz=121.5, pause_share=0.2),
        emotion={"sad": 0.6, "neutral": 0.4},
        valence=Estimate(-0.5, 0.7),
        gender={"female": 0.3, "male": 0.7},
        events=(VocalEvent("sigh", 0.25, 0.75, 0.9),),
        uncertain=False,
    )
    return TurnRecord(
        turn=number,
        user=UserTurn(text, how, 0.8),
        thought=Thought("lost a job", "slow and low", "Reflection of feelings", "comfort", "soft"),
        reply=reply,
        heard=reply[:4],
        status=ReplyStatus.INTERRUPTED,
        latency=Latency(endpoint=310.0, first_audio=350.5),
        engines=ENGINES,
        tools=(
            ToolUse(ToolCall("call_1", "find_jobs", '{"near": "Ulm"}'), "3 jobs"),
            ToolUse(ToolCall("call_2", "call_friend", "{}")),
        ),
    )


@pytest.fixture
async def store(tmp_path):
    store = await Store.open(tmp_path / "kept" / "conversations.db")
    yield store
    await store.close()


async def test_turns_are_read_back_as_they_were(store):
    typed = TurnRecord(
        2, UserTurn("hello ☺"), Thought(), "", "", ReplyStatus.FAILED, Latency(), ENGINES
    )
    await store.begin("sess_1", "ada", ENGINES)
    await store.add("sess_1", turn(1))
    await store.add("sess_1", typed)

    assert await store.turns("sess_1") == [turn(1), typed]


async def test_turns_from_before_tools_were_kept_can_be_read(tmp_path):
    path = tmp_path / "conversations.db"
    store = await Store.open(path)
    await store.begin("sess_1", None, ENGINES)
    await store.add("sess_1", turn(1))
    await store.close()
    with sqlite3.connect(path) as database:
        database.execute("ALTER TABLE turns DROP COLUMN tools")
        database.execute("PRAGMA user_version = 2")
    store = await Store.open(path)
    assert await store.turns("sess_1") == [replace(turn(1), tools=())]
    await store.close()


async def test_conversations_are_listed_newest_first(store):
    await store.begin("sess_1", None, ENGINES)
    await store.add("sess_1", turn(1))
    await store.begin("sess_2", "ada", ENGINES)
    await store.end("sess_1")

    second, first = await store.sessions()

    assert (first.id, first.user, first.turns) == ("sess_1", None, 1)
    assert (second.id, second.user, second.turns) == ("sess_2", "ada", 0)
    assert first.engines == ENGINES
    assert first.ended is not None
    assert first.ended >= first.started
    assert second.ended is None


async def test_an_export_holds_all_that_is_kept(store):
    await store.begin("sess_1", "ada", ENGINES)
    await store.add("sess_1", turn(1))

    exported = await store.export("sess_1")

    assert exported["id"] == "sess_1"
    assert exported["user"] == "ada"
    assert exported["engines"] == ENGINES
    (only,) = exported["turns"]
    assert only["user"]["text"] == "i lost my job"
    assert only["user"]["how"]["emotion"] == {"sad": 0.6, "neutral": 0.4}
    assert only["thought"]["reply_emotion"] == "comfort"
    assert only["status"] == "interrupted"
    assert only["at"].endswith("+00:00")


async def test_a_deleted_conversation_leaves_no_bytes(store):
    secret = "the purple submarine of aunt tilda"
    await store.begin("sess_kept", None, ENGINES)
    await store.add("sess_kept", turn(1, "an ordinary day"))
    await store.begin("sess_secret", None, ENGINES)
    for number in range(1, 40):
        await store.add("sess_secret", turn(number, secret, reply="Aunt Tilda again. " * 400))

    await store.delete("sess_secret")

    left = b"".join(file.read_bytes() for file in store.path.parent.iterdir())
    assert b"ordinary day" in left
    assert b"tilda" not in left.lower()
    assert b"sess_secret" not in left
    assert [session.id for session in await store.sessions()] == ["sess_kept"]
    assert len(await store.turns("sess_kept")) == 1


async def test_deleting_beside_an_idle_second_process_leaves_no_bytes(store):
    other = await Store.open(store.path)
    try:
        await store.begin("sess_1", None, ENGINES)
        await store.add("sess_1", turn(1, "the purple submarine"))
        assert len(await other.turns("sess_1")) == 1

        await store.delete("sess_1")

        left = b"".join(file.read_bytes() for file in store.path.parent.iterdir())
        assert b"purple" not in left
    finally:
        await other.close()


async def test_an_unknown_conversation_is_named(store):
    with pytest.raises(UnknownConversation, match="sess_nope"):
        await store.turns("sess_nope")
    with pytest.raises(UnknownConversation, match="sess_nope"):
        await store.export("sess_nope")
    with pytest.raises(UnknownConversation, match="sess_nope"):
        await store.session("sess_nope")
    with pytest.raises(UnknownConversation, match="sess_nope"):
        await store.delete("sess_nope")
    with pytest.raises(UnknownConversation, match="sess_nope"):
        await store.add("sess_nope", turn(1))


async def test_what_becomes_known_later_replaces_the_turn(store):
    await store.begin("sess_1", None, ENGINES)
    await store.add("sess_1", turn(1))
    await store.add("sess_1", turn(2))
    heard_less = replace(turn(1), heard="I")

    await store.add("sess_1", heard_less)

    assert await store.turns("sess_1") == [heard_less, turn(2)]


async def test_a_conversation_begins_once(store):
    await store.begin("sess_1", "ada", ENGINES)

    with pytest.raises(StoreError):
        await store.begin("sess_1", "eve", ENGINES)

    assert (await store.session("sess_1")).user == "ada"


async def test_only_the_owner_can_read(store):
    await store.begin("sess_1", None, ENGINES)

    assert stat.S_IMODE(store.path.parent.stat().st_mode) == 0o700
    for file in store.path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


async def test_conversations_outlive_the_process(tmp_path):
    first = await Store.open(tmp_path / "c.db")
    await first.begin("sess_1", None, ENGINES)
    await first.add("sess_1", turn(1))
    await first.close()
    await first.close()

    second = await Store.open(tmp_path / "c.db")
    assert await second.turns("sess_1") == [turn(1)]
    await second.close()


async def test_a_cancelled_writer_still_writes(store):
    await store.begin("sess_1", None, ENGINES)
    writing = [asyncio.create_task(store.add("sess_1", turn(n))) for n in range(1, 6)]
    await asyncio.sleep(0)
    for task in writing:
        task.cancel()
    await asyncio.gather(*writing, return_exceptions=True)

    assert len(await store.turns("sess_1")) == 5


WRITER = textwrap.dedent("""
    import asyncio, sys
    from pathlib import Path
    sys.path.insert(0, sys.argv[3])
    from test_store import ENGINES, turn
    from voice_agent.store import Store

    async def main():
        store = await Store.open(Path(sys.argv[1]))
        await store.begin(sys.argv[2], None, ENGINES)
        for number in range(1, int(sys.argv[4]) + 1):
            await store.add(sys.argv[2], turn(number, reply="word " * 300))
            print(number, flush=True)

    asyncio.run(main())
""")


def writer(path, session, turns) -> subprocess.Popen:
    """A process that writes turns and prints the number of each one it was told is kept."""
    folder = str(__file__).rpartition("/")[0]
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), session, folder, str(turns)],
        stdout=subprocess.PIPE,
        text=True,
    )


async def test_killing_the_process_loses_no_finished_turn(tmp_path):
    path = tmp_path / "c.db"
    process = writer(path, "sess_1", 1_000_000)
    for _ in range(25):
        assert process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    finished = 25 + len(process.stdout.read().split())
    process.wait()

    store = await Store.open(path)
    turns = await store.turns("sess_1")
    await store.close()

    assert [record.turn for record in turns][:finished] == list(range(1, finished + 1))
    assert len(turns) <= finished + 1
    assert turns[-1].reply == "word " * 300


async def test_processes_can_write_at_once(tmp_path):
    path = tmp_path / "c.db"
    processes = [writer(path, f"sess_{n}", 60) for n in range(3)]
    for process in processes:
        process.communicate()
        assert process.returncode == 0

    store = await Store.open(path)
    assert [len(await store.turns(f"sess_{n}")) for n in range(3)] == [60, 60, 60]
    await store.close()


async def test_a_file_that_is_no_database_is_refused_by_name(tmp_path):
    path = tmp_path / "letter.txt"
    path.write_text("Dear diary, " * 1_000)

    with pytest.raises(StoreError, match=r"letter\.txt is not a file of conversations"):
        await Store.open(path)

    assert path.read_text().startswith("Dear diary")


async def test_another_programs_database_is_left_alone(tmp_path):
    path = tmp_path / "browser.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE bookmarks (url TEXT)")
    before = path.read_bytes()

    with pytest.raises(StoreError, match="another program's database"):
        await Store.open(path)

    assert path.read_bytes() == before


async def test_a_damaged_file_says_so(tmp_path):
    path = tmp_path / "c.db"
    store = await Store.open(path)
    await store.begin("sess_1", None, ENGINES)
    for number in range(1, 30):
        await store.add("sess_1", turn(number, reply="word " * 2_000))
    await store.close()
    data = bytearray(path.read_bytes())
    data[4_096:] = b"\x5a" * (len(data) - 4_096)
    path.write_bytes(data)

    async def read() -> None:
        store = await Store.open(path)
        try:
            await store.turns("sess_1")
        finally:
            await store.close()

    with pytest.raises(StoreError, match="is damaged"):
        await read()


async def test_a_file_of_a_newer_version_is_left_alone(tmp_path):
    path = tmp_path / "c.db"
    await (await Store.open(path)).close()
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 999")

    with pytest.raises(StoreError, match="newer version"):
        await Store.open(path)


async def test_a_place_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(StoreError, match="is a folder"):
        await Store.open(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="file"):
        await Store.open(tmp_path / "file" / "c.db")


@pytest.mark.skipif(sys.platform != "linux", reason="XDG folders are Linux's")
def test_the_default_place_is_the_users_data_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_path() == tmp_path / "voice-agent" / "conversations.db"
