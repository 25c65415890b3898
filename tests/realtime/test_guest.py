"""Who a client says its person is: a name in the address, a key that proves it."""

import json
from contextlib import asynccontextmanager
from urllib.parse import quote

import pytest
from realtime_fakes import FakeAgent, served
from websockets.asyncio.client import connect

from voice_agent.events import Memory
from voice_agent.memory_tables import Noticed
from voice_agent.person import Person


@asynccontextmanager
async def joined(address, name=None, key=None, **options):
    """A connection; gives what ``voice_agent.session`` tells of memory."""
    query = "" if name is None else f"?user={quote(name)}"
    if key is not None:
        options["subprotocols"] = ["realtime", f"voice-agent-user-key.{key}"]
    async with connect(f"ws://{address}/v1/realtime{query}", **options) as websocket:
        await websocket.recv()
        told = json.loads(await websocket.recv())
        yield {name: told[name] for name in ("memory", "user", "user_key")}, websocket


async def remember(agent, name, key=None):
    person = await agent.store.memories.admit(name, key)
    await agent.store.memories.keep(person, "s", [Noticed(Memory("fact", "you have a cat"), "cat")])
    return person.key


async def test_a_person_without_a_name_is_forgotten():
    agent = FakeAgent()
    async with served(agent) as address, joined(address) as (told, _):
        assert told == {"memory": "session", "user": None, "user_key": None}
        assert agent.users == [None]


async def test_a_new_name_gets_a_key():
    agent = FakeAgent()
    async with served(agent) as address, joined(address, "Ada Ünal/&?") as (told, _):
        assert told["memory"] == "kept"
        assert told["user"] == "ada ünal/&?"
        assert len(told["user_key"]) == 64
        assert agent.users == [Person("Ada Ünal/&?", "ada ünal/&?", told["user_key"])]


@pytest.mark.parametrize("way", ["subprotocol", "header"])
async def test_the_key_opens_the_memory_again(way):
    agent = FakeAgent()
    key = await remember(agent, "Ada")
    shown = {"key": key}
    if way == "header":
        shown = {"additional_headers": {"X-Voice-Agent-User-Key": key}}
    async with served(agent) as address, joined(address, "ADA", **shown) as (told, websocket):
        assert told == {"memory": "kept", "user": "ada", "user_key": key}
        assert websocket.subprotocol == ("realtime" if way == "subprotocol" else None)
        assert agent.users[0].user == "ada"


@pytest.mark.parametrize("key", [None, "0" * 64, "nonsense"])
async def test_without_the_key_a_taken_name_is_locked(key):
    agent = FakeAgent()
    await remember(agent, "Ada")
    async with served(agent) as address, joined(address, "Ada", key) as (told, _):
        assert told == {"memory": "locked", "user": None, "user_key": None}
        assert agent.users == [None]


async def test_with_memory_off_nobody_has_a_name():
    agent = FakeAgent(memory={"enabled": False})
    async with served(agent) as address, joined(address, "Ada") as (told, _):
        assert told == {"memory": "session", "user": None, "user_key": None}
        assert agent.users == [None]


@pytest.mark.parametrize("name", ["", " ", "\u200b", "a" * 101])
async def test_what_is_no_name_is_refused(name):
    agent = FakeAgent()
    url = f"/v1/realtime?user={quote(name)}"
    async with served(agent) as address, connect(f"ws://{address}{url}") as websocket:
        error = json.loads(await websocket.recv())
        await websocket.wait_closed()
    assert error["error"]["code"] == "invalid_user"
    assert error["error"]["param"] == "user"
    assert websocket.close_code == 1008
    assert agent.opened == []


async def test_the_name_outlives_a_deleted_conversation():
    agent = FakeAgent()
    async with served(agent) as address, joined(address, "Ada") as (told, websocket):
        await websocket.send(json.dumps({"type": "voice_agent.conversation.delete"}))
        events = [json.loads(await websocket.recv()) for _ in range(3)]
        assert events[-1]["type"] == "voice_agent.session"
        assert events[-1]["user_key"] == told["user_key"]
        assert [user.user for user in agent.users] == ["ada", "ada"]
