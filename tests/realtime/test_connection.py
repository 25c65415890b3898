"""One client against a real server, with an agent that does what the test tells it to."""

import asyncio
import json
from base64 import b64encode
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from realtime_fakes import FakeAgent, check, ending, reply_events, served, turn_events
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from voice_agent.audio.pcm import to_pcm16
from voice_agent.dialogue.events import SessionFailed
from voice_agent.errors import EngineError
from voice_agent.events import ReplyStatus
from voice_agent.server import app as app_module
from voice_agent.transports.realtime import connection as connection_module

LOUD = b64encode(to_pcm16(np.full(2_400, 0.5, np.float32))).decode()


class Client:
    """Sends and receives; checks every event it gets."""

    def __init__(self, socket) -> None:
        self.socket = socket

    async def send(self, kind: str, **fields) -> None:
        await self.socket.send(json.dumps({"type": kind} | fields))

    async def receive(self) -> dict:
        event = json.loads(await asyncio.wait_for(self.socket.recv(), 5))
        check(event)
        return event

    async def until(self, kind: str) -> list[dict]:
        events = []
        while not events or events[-1]["type"] != kind:
            events.append(await self.receive())
        return events

    async def error(self) -> dict:
        return (await self.until("error"))[-1]["error"]

    async def closed(self) -> tuple[int, str]:
        with suppress(ConnectionClosed):
            async with asyncio.timeout(5):
                async for _ in self.socket:
                    pass
        return self.socket.close_code, self.socket.close_reason


class Scene:
    """A server and its clients."""

    def __init__(self, agent: FakeAgent, address: str) -> None:
        self.agent = agent
        self.address = address
        self.sockets = []

    async def join(self, **options) -> Client:
        socket = await connect(f"ws://{self.address}/v1/realtime", **options)
        self.sockets.append(socket)
        client = Client(socket)
        created = await client.receive()
        assert created["type"] == "session.created"
        return client

    async def client(self) -> tuple[Client, object]:
        client = await self.join()
        greeting = await client.receive()
        assert greeting["type"] == "voice_agent.session"
        return client, self.agent.opened[-1]


@pytest.fixture
async def scene(request):
    agent = FakeAgent(**getattr(request, "param", {}))
    async with served(agent) as address:
        scene = Scene(agent, address)
        yield scene
        for socket in scene.sockets:
            await socket.close()


async def until(condition) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


# --- beginning and end ----------------------------------------------------------------------


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


# --- the person's turn ----------------------------------------------------------------------


async def test_audio_reaches_the_session(scene):
    client, session = await scene.client()
    for _ in range(5):
        await client.send("input_audio_buffer.append", audio=LOUD)
    await client.send("input_audio_buffer.commit")
    events = await client.until("conversation.item.done")
    assert "input_audio_buffer.committed" in [event["type"] for event in events]
    heard = np.concatenate(session.fed)
    assert heard.size == 8_000
    assert np.abs(heard[500:-500] - 0.5).max() < 0.01


async def test_an_empty_commit_is_refused(scene):
    client, _ = await scene.client()
    await client.send("input_audio_buffer.commit", event_id="mine")
    error = await client.error()
    assert error["code"] == "input_audio_buffer_commit_empty"
    assert error["event_id"] == "mine"


async def test_clear_forgets(scene):
    client, session = await scene.client()
    await client.send("input_audio_buffer.append", audio=LOUD)
    await client.send("input_audio_buffer.clear")
    await client.until("input_audio_buffer.cleared")
    assert session.fed == []


async def test_what_the_session_tells_is_told_in_order(scene):
    client, session = await scene.client()
    session.tell(turn_events("item_1", "hello there"))
    session.tell(reply_events("resp_1", "item_2", "item_1", "I hear you"))
    session.tell(ending("resp_1", "item_2", "I hear you", ReplyStatus.COMPLETED))
    events = await client.until("voice_agent.latency")
    kinds = [event["type"] for event in events]
    assert kinds.index("conversation.item.done") < kinds.index("response.created")
    assert kinds.index("response.output_audio.delta") < kinds.index("response.done")
    assert len({event["event_id"] for event in events}) == len(events)


async def test_a_typed_turn_is_answered(scene):
    client, session = await scene.client()
    content = [{"type": "input_text", "text": "hello"}]
    item = {"type": "message", "role": "user", "id": "mine", "content": content}
    await client.send("conversation.item.create", item=item)
    added = (await client.until("conversation.item.done"))[-1]
    assert added["item"]["id"] == "mine"
    await client.send("response.create", response={"instructions": "Be brief."})
    await client.until("response.content_part.added")
    assert session.asked == ["Be brief."]
    session.finish()
    done = (await client.until("response.done"))[-1]["response"]
    assert done["status"] == "completed"


async def test_a_recorded_turn_is_heard_as_one_item(scene):
    client, session = await scene.client()
    item = {"type": "message", "role": "user", "id": "mine"}
    await client.send(
        "conversation.item.create",
        item=item | {"content": [{"type": "input_audio", "audio": LOUD}]},
    )
    events = await client.until("conversation.item.done")
    assert events[-1]["item"]["id"] == "mine"
    assert events[-1]["item"]["content"][0]["type"] == "input_audio"
    kinds = [event["type"] for event in events]
    assert not [kind for kind in kinds if kind.startswith("input_audio_buffer")]
    assert {event["item_id"] for event in events if "item_id" in event} == {"mine"}
    assert session.turn_taking.automatic


async def test_silence_is_no_item(scene):
    client, session = await scene.client()
    audio = b64encode(bytes(4_800)).decode()
    content = [{"type": "input_audio", "audio": audio}]
    item = {"type": "message", "role": "user", "content": content}
    await client.send("conversation.item.create", item=item)
    assert (await client.error())["code"] == "invalid_audio"
    assert session.turn_taking.automatic


async def test_items_can_be_retrieved_and_deleted(scene):
    client, session = await scene.client()
    session.tell(turn_events("item_1", "hello there"))
    await client.until("conversation.item.done")
    await client.send("conversation.item.retrieve", item_id="item_1")
    retrieved = (await client.until("conversation.item.retrieved"))[-1]
    assert retrieved["item"]["content"][0]["transcript"] == "hello there"
    await client.send("conversation.item.delete", item_id="item_1")
    await client.until("conversation.item.deleted")
    for request in ("retrieve", "delete"):
        await client.send(f"conversation.item.{request}", item_id="item_1")
        assert (await client.error())["code"] == "item_not_found"


# --- the agent's turn -----------------------------------------------------------------------


async def test_one_response_at_a_time(scene):
    client, session = await scene.client()
    await client.send("response.create")
    await client.until("response.created")
    await client.send("response.create")
    error = await client.error()
    assert error["code"] == "conversation_already_has_active_response"
    session.finish()
    await client.until("response.done")
    await client.send("response.create")
    await client.until("response.created")


async def test_a_response_is_cancelled(scene):
    client, _ = await scene.client()
    await client.send("response.cancel")
    assert (await client.error())["code"] == "response_cancel_not_active"
    await client.send("response.create")
    await client.until("response.created")
    await client.send("response.cancel", response_id="resp_other")
    assert (await client.error())["param"] == "response_id"
    await client.send("response.cancel", response_id="resp_1")
    done = (await client.until("response.done"))[-1]["response"]
    assert done["status_details"] == {"type": "cancelled", "reason": "client_cancelled"}


async def test_one_reply_in_text(scene):
    client, session = await scene.client()
    await client.send("response.create", response={"output_modalities": ["text"]})
    await client.until("response.output_text.delta")
    assert session.aloud == [False]
    assert session.turn_taking.aloud
    session.finish()
    done = (await client.until("response.done"))[-1]["response"]
    assert done["output"][0]["content"] == [{"type": "output_text", "text": "I hear you"}]


async def test_truncating_takes_the_transcript_back(scene):
    client, session = await scene.client()
    await client.send("response.create")
    await client.until("response.created")
    session.finish()
    await client.until("voice_agent.latency")
    truncate = {"item_id": "item_reply1", "content_index": 0}
    await client.send("conversation.item.truncate", **truncate, audio_end_ms=9_000)
    assert (await client.error())["param"] == "audio_end_ms"
    await client.send("conversation.item.truncate", **truncate, audio_end_ms=200)
    assert (await client.until("conversation.item.truncated"))[-1]["audio_end_ms"] == 200
    await client.send("conversation.item.retrieve", item_id="item_reply1")
    assert (await client.until("conversation.item.retrieved"))[-1]["item"]["content"] == []


# --- settings -------------------------------------------------------------------------------


async def test_an_update_reaches_the_session(scene):
    client, session = await scene.client()
    detection = {"type": "server_vad", "silence_duration_ms": 600, "threshold": 0.7,
                 "create_response": False}  # fmt: skip
    await client.send(
        "session.update",
        session={
            "type": "realtime",
            "instructions": "Be kind.",
            "audio": {"input": {"turn_detection": detection}},
        },
    )
    updated = (await client.until("session.updated"))[-1]["session"]
    assert updated["instructions"] == "Be kind."
    assert updated["audio"]["input"]["turn_detection"]["silence_duration_ms"] == 600
    assert session.instructions == "Be kind."
    vad, endpointing = session.hearing
    assert (vad.threshold, endpointing.max_wait_ms) == (0.7, 600)
    assert not session.turn_taking.create_response


async def test_a_refused_update_changes_nothing(scene):
    client, session = await scene.client()
    before = session.turn_taking
    await client.send(
        "session.update",
        event_id="mine",
        session={"type": "realtime", "instructions": "x", "tools": [{"type": "function"}]},
    )
    error = await client.error()
    assert (error["code"], error["event_id"]) == ("unsupported_value", "mine")
    assert session.instructions == ""
    assert session.turn_taking == before


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


# --- what goes wrong ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "message",
    [
        "{",
        "[1, 2]",
        "[" * 50_000,
        b"\x00\x01",
        '{"type": "no.such"}',
        '{"type": "input_audio_buffer.append", "audio": "!"}',
        '{"type": "input_audio_buffer.append", "audio": "AAAA"}',
        '{"type": "conversation.item.truncate", "item_id": "x", "content_index": 0, '
        '"audio_end_ms": ' + "9" * 5_000 + "}",
        '{"type": "conversation.item.delete", "item_id": "nothing"}',
    ],
)
async def test_a_bad_message_is_answered_and_does_no_harm(scene, message):
    client, session = await scene.client()
    await client.socket.send(message)
    assert (await client.error())["type"] == "invalid_request_error"
    await client.send("input_audio_buffer.append", audio=LOUD)
    await client.send("input_audio_buffer.commit")
    await client.until("conversation.item.done")
    assert not session.closed


@pytest.mark.parametrize("failure", [EngineError("no ears"), ZeroDivisionError()])
async def test_a_failure_of_the_agent_is_told_and_the_session_goes_on(scene, failure):
    client, session = await scene.client()

    def fail():
        raise failure

    session.before_feed = fail
    await client.send("input_audio_buffer.append", audio=LOUD, event_id="mine")
    error = await client.error()
    assert (error["type"], error["event_id"]) == ("server_error", "mine")
    session.before_feed = lambda: None
    await client.send("input_audio_buffer.append", audio=LOUD)
    await client.send("input_audio_buffer.commit")
    await client.until("conversation.item.done")


@pytest.mark.parametrize("scene", [{"limits": {"message_bytes": 65_536}}], indirect=True)
async def test_a_message_too_large_ends_only_its_own_connection(scene):
    client, session = await scene.client()
    other, _ = await scene.client()
    await client.send("input_audio_buffer.append", audio="A" * 70_000)
    assert (await client.closed())[0] == 1009
    await until(lambda: session.closed)
    await other.send("input_audio_buffer.append", audio=LOUD)
    await other.send("input_audio_buffer.commit")
    await other.until("conversation.item.done")


async def test_a_flood_does_not_starve_others(scene):
    """While one client pours in ten minutes of audio, another is answered between its pieces."""
    client, session = await scene.client()
    other, _ = await scene.client()
    await other.send("response.create")
    await other.until("voice_agent.thought")
    flood = b64encode(bytes(48_000 * 300)).decode()
    pouring = asyncio.create_task(client.send("input_audio_buffer.append", audio=flood))
    await until(lambda: session.clock > 1)
    during = session.clock
    await other.send("response.cancel")
    await other.until("response.done")
    assert during < 299
    assert session.clock < 299, "the other client had to wait for all of the flood"
    await pouring
    await until(lambda: session.clock >= 299)


async def test_a_flood_waits_for_the_engines_and_keeps_its_connection(scene, monkeypatch):
    """The client's pongs lie behind its own audio; that is no reason to give it up."""
    monkeypatch.setattr(app_module, "PING_INTERVAL_S", 0.05)
    monkeypatch.setattr(app_module, "PING_TIMEOUT_S", 0.1)
    async with served(scene.agent) as address, connect(f"ws://{address}/v1/realtime") as socket:
        client = Client(socket)
        await client.until("voice_agent.session")
        session = scene.agent.opened[-1]
        session.rest = lambda: asyncio.sleep(0.5)
        quarter = b64encode(bytes(48_000 * 15)).decode()
        for _ in range(4):
            await client.send("input_audio_buffer.append", audio=quarter)
        await client.send("conversation.item.retrieve", item_id="the end")
        await client.error()
        assert 5 <= session.waits <= 6
        assert not session.closed


async def test_real_time_waits_for_nothing(scene):
    client, session = await scene.client()
    for _ in range(50):
        await client.send("input_audio_buffer.append", audio=LOUD)
    await until(lambda: session.clock > 4.9)
    assert session.waits == 0


async def test_a_client_that_does_not_read_is_dropped(scene, caplog):
    client, session = await scene.client()
    other, _ = await scene.client()
    client.socket.transport.pause_reading()
    for number in range(4_000):
        if session.closed:
            break
        session.tell(reply_events(f"resp_{number}", f"item_{number}", None, "well", seconds=1.0))
        await asyncio.sleep(0)
    await until(lambda: session.closed)
    assert "slow_client" in [getattr(record, "reason", None) for record in caplog.records]
    await other.send("response.create")
    await other.until("response.created")
    metrics = await scene_metrics(scene)
    assert 'voice_agent_dropped_connections_total{reason="slow_client"} 1.0' in metrics
    client.socket.transport.resume_reading()
    await client.closed()
    assert client.socket.close_code == 1006


async def test_a_peer_that_takes_nothing_in_time_is_dropped(scene, monkeypatch):
    monkeypatch.setattr(connection_module, "WRITE_TIMEOUT_S", 0.2)
    client, session = await scene.client()
    client.socket.transport.pause_reading()
    for number in range(60):
        session.tell(reply_events(f"resp_{number}", f"item_{number}", None, "well", seconds=0.9))
        await asyncio.sleep(0.001)
    await until(lambda: session.closed or not session.tell(turn_events("item_x", "on and on")))
    client.socket.transport.abort()
    await until(lambda: session.closed)


async def test_a_peer_that_does_not_answer_pings_is_gone(monkeypatch):
    monkeypatch.setattr(app_module, "PING_INTERVAL_S", 0.05)
    monkeypatch.setattr(app_module, "PING_TIMEOUT_S", 0.1)
    agent = FakeAgent()
    async with served(agent) as address:
        host, port = address.split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            f"GET /v1/realtime HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        assert b"101" in await reader.readline()
        await until(lambda: agent.opened and agent.opened[0].closed)
        writer.close()


async def test_a_server_that_stops_says_goodbye():
    agent = FakeAgent()
    async with served(agent) as address:
        client = Client(await connect(f"ws://{address}/v1/realtime"))
        await client.until("voice_agent.session")
    assert await client.closed() == (1012, "")
    assert agent.opened[0].closed


async def scene_metrics(scene) -> str:
    import httpx

    async with httpx.AsyncClient() as http:
        return (await http.get(f"http://{scene.address}/metrics")).text


@pytest.fixture(scope="module")
def words():
    return st.sampled_from(
        [
            '{"type":"input_audio_buffer.append","audio":"' + LOUD + '"}',
            '{"type":"input_audio_buffer.append","audio":"AAA"}',
            '{"type":"input_audio_buffer.commit"}',
            '{"type":"input_audio_buffer.clear"}',
            '{"type":"response.create"}',
            '{"type":"response.cancel"}',
            '{"type":"conversation.item.delete","item_id":"item_said1"}',
            '{"type":"conversation.item.truncate","item_id":"item_reply1","content_index":0,'
            '"audio_end_ms":100}',
            '{"type":"session.update","session":{"type":"realtime","audio":{"input":'
            '{"turn_detection":null}}}}',
            '{"type":"session.update","session":{"type":"realtime","output_modalities":["text"]}}',
            '{"type":"voice_agent.conversation.delete"}',
            "{",
            "nonsense",
        ]
    )


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
async def test_messages_in_any_order_do_no_harm(scene, words, data):
    messages = data.draw(st.lists(words, max_size=15))
    client, _ = await scene.client()
    for message in messages:
        await client.socket.send(message)
    await client.send("conversation.item.retrieve", item_id="the end", event_id="end")
    while True:
        event = (await client.until("error"))[-1]["error"]
        assert event["code"] != "internal_error"
        if event["event_id"] == "end":
            break
    await client.socket.close()
