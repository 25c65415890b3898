"""OpenAI's own client against the whole agent, embedded engines and all."""

import asyncio
import shutil
import subprocess
import time
from base64 import b64decode, b64encode

import httpx
import numpy as np
import pytest
import soundfile
import soxr
from openai import AsyncOpenAI
from realtime_fakes import check, served
from websockets.exceptions import ConnectionClosed

from voice_agent import config
from voice_agent.agent import Agent
from voice_agent.audio import g711
from voice_agent.audio.pcm import from_pcm16, level_db, to_pcm16
from voice_agent.server.app import serve

SAID = "I failed my exam today and I feel terrible."
RATE = 24_000


@pytest.fixture(scope="module")
def spoken(tmp_path_factory, request) -> np.ndarray:
    """A sentence at 24 kHz: made by flite, or else a recording."""
    if shutil.which("flite"):
        path = tmp_path_factory.mktemp("speech") / "said.wav"
        subprocess.run(["flite", "-voice", "slt", "-t", SAID, "-o", str(path)], check=True)
    else:
        path = request.getfixturevalue("data") / "speech_read" / "misc" / "jfk.flac"
    samples, rate = soundfile.read(path, dtype="float32")
    return soxr.resample(samples, rate, RATE)


@pytest.fixture
async def agent(tmp_path):
    settings = config.load("embedded", store__path=tmp_path / "conversations.db")
    agent = await Agent.create(settings)
    yield agent
    await agent.close()


@pytest.fixture
async def address(agent):
    async with served(agent) as address:
        yield address


def openai(address: str) -> AsyncOpenAI:
    return AsyncOpenAI(
        api_key="none",
        base_url=f"http://{address}/v1",
        websocket_base_url=f"ws://{address}/v1",
    )


async def until(connection, kind: str, seconds: float = 20) -> list:
    """All events up to the first of a kind; each is checked against OpenAI's types."""
    events = []
    async with asyncio.timeout(seconds):
        while not events or events[-1].type != kind:
            event = await connection.recv()
            check(event.to_dict(mode="json"))
            events.append(event)
    return events


def of(events: list, kind: str) -> list:
    return [event for event in events if event.type == kind]


async def append(connection, samples: np.ndarray) -> None:
    for start in range(0, samples.size, RATE // 10):
        piece = b64encode(to_pcm16(samples[start : start + RATE // 10])).decode()
        await connection.input_audio_buffer.append(audio=piece)


def audio_of(events: list) -> np.ndarray:
    data = b"".join(b64decode(e.delta) for e in of(events, "response.output_audio.delta"))
    return from_pcm16(data)


async def test_a_spoken_turn_is_heard_and_answered_aloud(address, spoken):
    async with openai(address).realtime.connect(model="any") as connection:
        created = (await until(connection, "voice_agent.session"))[0]
        assert created.session.audio.input.turn_detection.type == "semantic_vad"
        await append(connection, np.concatenate([spoken, np.zeros(2 * RATE, np.float32)]))
        events = await until(connection, "response.done")
        kinds = [event.type for event in events]
        for earlier, later in [
            ("input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped"),
            ("input_audio_buffer.speech_stopped", "input_audio_buffer.committed"),
            ("input_audio_buffer.committed", "conversation.item.done"),
            ("conversation.item.done", "response.created"),
            ("voice_agent.thought", "response.done"),
            ("response.output_audio.delta", "response.output_audio.done"),
        ]:
            assert kinds.index(earlier) < kinds.index(later)
        completed = of(events, "conversation.item.input_audio_transcription.completed")[0]
        assert {"today", "terrible", "exam", "failed", "i"} & set(
            completed.transcript.lower().split()
        )
        done = events[-1].response
        assert done.status == "completed"
        said = of(events, "response.output_audio_transcript.done")[0].transcript
        assert said.strip()
        voice = audio_of(events)
        assert voice.size > RATE // 2
        assert -35 < level_db(voice) < -12
        latency = (await until(connection, "voice_agent.latency"))[-1]
        assert latency.latency_ms["voice_to_voice"] >= latency.latency_ms["endpoint"]


async def test_speaking_over_the_agent_stops_it(address, spoken):
    async with openai(address).realtime.connect(model="any") as connection:
        await connection.conversation.item.create(
            item={
                "type": "message",
                "role": "user",
                "content": [{"type": "input_text", "text": SAID}],
            }
        )
        await connection.response.create()
        await until(connection, "response.output_audio.delta")

        async def speak() -> None:
            started = time.monotonic()
            for start in range(0, spoken.size, RATE // 25):
                await append(connection, spoken[start : start + RATE // 25])
                await asyncio.sleep(max(0, started + start / RATE - time.monotonic()))

        speaking = asyncio.create_task(speak())
        try:
            events = await until(connection, "input_audio_buffer.speech_started")
        finally:
            speaking.cancel()
        kinds = [event.type for event in events]
        assert "voice_agent.playback.paused" in kinds
        paused = kinds.index("voice_agent.playback.paused")
        assert "response.output_audio.delta" not in kinds[paused:]
        cut = of(events, "response.done")[0].response
        if cut.status == "cancelled":
            assert cut.status_details.reason == "turn_detected"
        assert of(events, "conversation.item.truncated")[0].audio_end_ms > 0


async def test_push_to_talk(address, spoken):
    async with openai(address).realtime.connect(model="any") as connection:
        await connection.session.update(
            session={"type": "realtime", "audio": {"input": {"turn_detection": None}}}
        )
        await append(connection, np.concatenate([spoken, np.zeros(2 * RATE, np.float32)]))
        await connection.input_audio_buffer.commit()
        events = await until(connection, "conversation.item.done")
        assert not of(events, "input_audio_buffer.speech_started")
        assert not of(events, "response.created")
        await connection.response.create(response={"output_modalities": ["text"]})
        done = (await until(connection, "response.done"))[-1]
        assert done.response.status == "completed"


async def test_a_conversation_in_text(address):
    async with openai(address).realtime.connect(model="any") as connection:
        await connection.session.update(session={"type": "realtime", "output_modalities": ["text"]})
        await connection.conversation.item.create(
            item={
                "type": "message",
                "role": "user",
                "content": [{"type": "input_text", "text": SAID}],
            }
        )
        await connection.response.create()
        events = await until(connection, "response.done")
        text = "".join(event.delta for event in of(events, "response.output_text.delta"))
        assert text.strip()
        assert of(events, "response.output_text.done")[0].text == text
        assert not of(events, "response.output_audio.delta")


async def test_a_telephone_talks_in_g711(address, spoken):
    format = {"type": "audio/pcmu"}
    async with openai(address).realtime.connect(model="any") as connection:
        await connection.session.update(
            session={
                "type": "realtime",
                "audio": {"input": {"format": format}, "output": {"format": format}},
            }
        )
        line = np.concatenate([soxr.resample(spoken, RATE, 8_000), np.zeros(16_000, np.float32)])
        for start in range(0, line.size, 160):
            piece = b64encode(g711.to_ulaw(line[start : start + 160])).decode()
            await connection.input_audio_buffer.append(audio=piece)
        data = b""
        while len(data) < 8_000:
            events = await until(connection, "response.output_audio.delta")
            data += b64decode(events[-1].delta)
        assert -35 < level_db(g711.from_ulaw(data)) < -12


async def test_a_mistake_harms_nobody(address):
    client = openai(address)
    async with (
        client.realtime.connect(model="any") as one,
        client.realtime.connect(model="any") as other,
    ):
        await one.send({"type": "session.update", "session": {"type": "realtime", "tools": [1]}})
        error = (await until(one, "error"))[-1].error
        assert error.code == "invalid_type"
        for connection in (one, other):
            await connection.conversation.item.create(
                item={
                    "type": "message",
                    "role": "user",
                    "content": [{"type": "input_text", "text": "hello"}],
                }
            )
            await connection.response.create(response={"output_modalities": ["text"]})
            await until(connection, "response.done")


async def test_what_was_said_can_be_taken_along_and_deleted(address):
    async with openai(address).realtime.connect(model="any") as connection:
        greeting = (await until(connection, "voice_agent.session"))[-1]
        await connection.conversation.item.create(
            item={
                "type": "message",
                "role": "user",
                "content": [{"type": "input_text", "text": SAID}],
            }
        )
        await connection.response.create(response={"output_modalities": ["text"]})
        await until(connection, "voice_agent.latency")
        url = f"http://{address}/v1/conversations/{greeting.session_id}"
        bearer = {"Authorization": f"Bearer {greeting.secret}"}
        async with httpx.AsyncClient(headers=bearer) as http:
            assert SAID in (await http.get(url)).text
            await connection.send({"type": "voice_agent.conversation.delete"})
            deleted = (await until(connection, "voice_agent.conversation.deleted"))[-1]
            assert deleted.session_id == greeting.session_id
            assert (await http.get(url)).status_code == 404


async def test_the_server_says_when_it_is_ready_and_stops_when_told(tmp_path):
    settings = config.load("embedded", server__port=0, store__path=tmp_path / "conversations.db")
    ready = asyncio.get_running_loop().create_future()
    server = asyncio.create_task(serve(settings, lambda *told: ready.set_result(told)))
    url, agent = await asyncio.wait_for(ready, 30)
    async with openai(url.removeprefix("http://")).realtime.connect(model="any") as connection:
        await until(connection, "voice_agent.session")
        assert agent.sessions == 1
        server.cancel()
        with pytest.raises(asyncio.CancelledError):
            await server
        with pytest.raises(ConnectionClosed):
            await connection.recv()
    assert agent.sessions == 0
