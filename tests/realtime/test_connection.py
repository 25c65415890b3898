"""One client against a real server: from the greeting to the end."""

import pytest
from realtime_client import Client, until
from realtime_fakes import FakeAgent, served, turn_events
from websockets.asyncio.client import connect

from voice_agent.dialogue.events import SessionFailed


async def test_a_session_begins_with_what_is_in_force(scene):
    client = await scene.join()
    greeting = await client.receive()
    assert greeting["type"] == "voice_agent.session"
    assert greeting["session_id"] == "sess_0"
    assert greeting["engines"]["recognizer"] == "ears"
    assert greeting["profile"] == "embedded"
    assert "machine" in greeting["disclosure"]
    assert len(greeting["secret"]) >= 32


async def test_the_subprotocol_is_echoed(scene):
    client = await scene.join(subprotocols=["realtime", "openai-insecure-api-key.x"])
    assert client.socket.subprotocol == "realtime"


async def test_leaving_closes_the_session(scene):
    client, session = await scene.client()
    await client.socket.close()
    await until(lambda: session.closed)
    assert scene.agent.sessions == 0


async def test_a_client_that_vanishes_closes_the_session(scene):
    client, session = await scene.client()
    client.socket.transport.abort()
    await until(lambda: session.closed)


@pytest.mark.parametrize("scene", [{"limits": {"sessions": 1}}], indirect=True)
async def test_over_the_limit_comes_a_typed_refusal(scene):
    await scene.client()
    async with connect(f"ws://{scene.address}/v1/realtime") as socket:
        other = Client(socket)
        error = await other.error()
        assert (error["type"], error["code"]) == ("server_error", "overloaded")
        assert await other.closed() == (1013, "overloaded")


@pytest.mark.parametrize("scene", [{"limits": {"session_minutes": 0.2 / 60}}], indirect=True)
async def test_a_session_has_its_length(scene):
    client, session = await scene.client()
    assert (await client.error())["code"] == "session_expired"
    assert await client.closed() == (1000, "session_expired")
    await until(lambda: session.closed)


async def test_a_fatal_failure_ends_the_connection(scene):
    client, session = await scene.client()
    session.emit(SessionFailed("engine_failed", "the recognizer died", fatal=True))
    assert (await client.error())["code"] == "engine_failed"
    assert await client.closed() == (1011, "engine_failed")


async def test_a_server_that_stops_says_goodbye():
    agent = FakeAgent()
    async with served(agent) as address:
        client = Client(await connect(f"ws://{address}/v1/realtime"))
        await client.until("voice_agent.session")
    assert await client.closed() == (1012, "")
    assert agent.opened[0].closed


async def test_a_deleted_conversation_is_followed_by_a_fresh_one(scene):
    client, session = await scene.client()
    session.tell(turn_events("item_1", "hello there"))
    await client.until("conversation.item.done")
    await client.send("session.update", session={"type": "realtime", "instructions": "Be kind."})
    await client.until("session.updated")
    await client.send("voice_agent.conversation.delete")
    events = await client.until("voice_agent.session")
    assert events[-3]["type"] == "voice_agent.conversation.deleted"
    assert events[-3]["session_id"] == "sess_0"
    assert events[-2]["session"]["id"] == events[-1]["session_id"] == "sess_1"
    assert session.closed
    assert scene.agent.store.deleted == ["sess_0"]
    assert scene.agent.opened[1].instructions == "Be kind."
    await client.send("conversation.item.retrieve", item_id="item_1")
    assert (await client.error())["code"] == "item_not_found"
