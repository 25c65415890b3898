"""Clients that send too fast, read too slowly, or are gone."""

import asyncio
from base64 import b64encode

import httpx
from realtime_client import LOUD, Client, until
from realtime_fakes import FakeAgent, reply_events, served, turn_events
from websockets.asyncio.client import connect

from voice_agent.server import app as app_module
from voice_agent.transports.realtime import connection as connection_module


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


async def scene_metrics(scene) -> str:
    async with httpx.AsyncClient() as http:
        return (await http.get(f"http://{scene.address}/metrics")).text
