"""A caller for the benchmarks: streams a recording in real time and notes what it hears back.

Speaks the OpenAI Realtime protocol with the ``websockets`` package alone, so that what is measured
is the server and not a client library.
"""

import asyncio
import base64
import json
import time
from dataclasses import dataclass, field

import numpy as np
import soxr
from websockets.asyncio.client import ClientConnection, connect

WIRE_RATE = 24_000
CHUNK_S = 0.02
AUDIBLE = 10 ** (-50 / 20)
"""Amplitude from which a sample of the reply counts as audible: -50 dB relative to full scale."""


@dataclass
class Heard:
    """What came back, with ``time.monotonic()`` of its arrival."""

    started: float = 0.0
    audio: list[tuple[float, bytes]] = field(default_factory=list)
    captions: list[tuple[float, str]] = field(default_factory=list)
    events: list[tuple[float, dict]] = field(default_factory=list)

    def first_audible(self) -> float | None:
        """Seconds after the start of the recording at which the reply could first be heard."""
        for arrival, pcm in self.audio:
            loud = np.flatnonzero(np.abs(np.frombuffer(pcm, "<i2")) > AUDIBLE * 32768)
            if loud.size:
                return arrival - self.started + loud[0] / WIRE_RATE
        return None

    def of(self, kind: str) -> list[dict]:
        return [event for _, event in self.events if event["type"] == kind]


class Caller:
    """One connection to the agent."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.heard = Heard()
        self.late_s = 0.0
        self._socket: ClientConnection
        self._reader: asyncio.Task[None]
        self._rng = np.random.default_rng(0)

    async def __aenter__(self) -> "Caller":
        self._socket = await connect(self.url, max_size=None)
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._socket.close()
        await asyncio.gather(self._reader, return_exceptions=True)

    async def send(self, event: dict) -> None:
        await self._socket.send(json.dumps(event))

    async def stream(self, audio: np.ndarray, rate: int, done) -> Heard:
        """Plays a recording, then room noise until ``done(heard)``; returns what was heard."""
        wire = soxr.resample(audio, rate, WIRE_RATE).astype(np.float32)
        self.heard = heard = Heard(started=time.monotonic())
        step = int(CHUNK_S * WIRE_RATE)
        sent = 0
        while sent < len(wire) or not done(heard):
            chunk = wire[sent : sent + step]
            if len(chunk) < step:
                room = self._rng.normal(0, 3e-4, step - len(chunk)).astype(np.float32)
                chunk = np.concatenate([chunk, room])
            sent += step
            # A microphone hands a chunk over when its last sample was taken.
            due = heard.started + sent / WIRE_RATE
            delay = due - time.monotonic()
            if delay > 0:
                await asyncio.sleep(delay)
            else:
                self.late_s = max(self.late_s, -delay)
            pcm = np.clip(np.round(chunk * 32768), -32768, 32767).astype("<i2").tobytes()
            await self.send(
                {"type": "input_audio_buffer.append", "audio": base64.b64encode(pcm).decode()}
            )
        return heard

    async def _read(self) -> None:
        async for message in self._socket:
            now = time.monotonic()
            event = json.loads(message)
            if event["type"] == "response.output_audio.delta":
                self.heard.audio.append((now, base64.b64decode(event["delta"])))
                event = {"type": event["type"], "item_id": event["item_id"]}
            self.heard.events.append((now, event))


def replied(heard: Heard, seconds: float = 1.0) -> bool:
    """Whether a reply was audible and the recording ended some time ago, or none came at all."""
    since = time.monotonic() - heard.started
    return heard.first_audible() is not None or since > 60 * seconds
