"""A client that checks every event it gets, and the server that it talks to."""

import asyncio
import json
from base64 import b64encode
from contextlib import suppress

import numpy as np
from realtime_fakes import FakeAgent, check
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from voice_agent.audio.pcm import to_pcm16

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


async def until(condition) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)
