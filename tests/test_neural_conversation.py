"""Whole conversations with neural engines: small real models in their real formats, on the CPU.

Whisper tiny.en is the real one, and hears what is said; the language model knows a few answers, the
classifier hears sadness in everything, XTTS hums and VITS buzzes. All that lies between is as with
large ones. Nothing may go out into the net.
"""

import asyncio
import gc
import subprocess
import sys
import threading
import weakref
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
import soundfile
import yaml

pytest.importorskip("torch", reason="needs the extra 'neural'")
pytest.importorskip("transformers", reason="needs the extra 'neural'")
pytest.importorskip("TTS", reason="needs the extra 'neural'")
pytest.importorskip("faster_whisper", reason="needs the extra 'neural'")

import tiny_classifiers
import tiny_voices
import torch
from openai import AsyncOpenAI
from tiny_language_model import ANSWERS

from voice_agent.agent import Agent
from voice_agent.audio.pcm import (
    HEARING_RATE,
    SPEAKING_RATE,
    Samples,
    from_pcm16,
    level_db,
    to_pcm16,
)
from voice_agent.audio.resample import resample
from voice_agent.config import engine_options, load
from voice_agent.dialogue.events import Caption, ReplyAudio, ReplyEnded, SessionEvent
from voice_agent.events import EngineSwitched, Phrase, ReplyStatus, TurnRecord
from voice_agent.server.app import listen, run
from voice_agent.settings import EngineChoice
from voice_agent.transports.files import FileConversation

pytestmark = pytest.mark.asyncio(loop_scope="module")

REPLY = ANSWERS[""].rpartition("</think>")[2]
ENGINES = {
    "recognizer": "faster_whisper",
    "paralinguistics": "transformers",
    "turn_detector": "embedded",
    "language_model": "transformers",
    "synthesizer": "coqui",
}
HERE = ("127.0.0.1", "::1", "localhost")


@pytest.fixture(scope="module", autouse=True)
def offline() -> Iterator[None]:
    """Nothing goes anywhere but to this machine."""
    tried: list[Any] = []

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if watching and event in ("socket.connect", "socket.getaddrinfo"):
            address = arguments[1] if event == "socket.connect" else arguments[0]
            host = address[0] if isinstance(address, tuple) else address
            if host not in (*HERE, None) and not str(host).startswith(("/", "\0")):
                tried.append(address)
                raise OSError(f"no way out to {address}")

    watching = True
    sys.addaudithook(watch)
    yield
    watching = False
    assert tried == []


@pytest.fixture(scope="module")
def models(tmp_path_factory, tiny_language_model, whisper_tiny_en) -> Iterator[dict[str, Path]]:
    folder = tmp_path_factory.mktemp("models")
    with tiny_voices.narrow_decoders():
        yield {
            "whisper": whisper_tiny_en,
            "emotion": tiny_classifiers.wav2vec2(
                folder / "emotion", ["ang", "hap", "neu", "sad"], says=[0.0, 0.0, 0.0, 4.0]
            ),
            "language": tiny_language_model,
            "vits": tiny_voices.BUZZING_VITS,
            "xtts": tiny_voices.save_xtts(folder / "xtts"),
        }


def settings(folder: Path, models: dict[str, Path], voice: str) -> Path:
    """A file of settings that chooses the models, with engines in reserve."""
    here = {"device": "cpu"}
    emotion = {"model": str(models["emotion"]), "reads": "emotion"}
    path = folder / f"{voice}.yaml"
    path.write_text(
        yaml.safe_dump(
            {
                "extends": "embedded",
                "profile": "neural",
                "hearing": {
                    "recognizer": {
                        "engine": "faster_whisper", "model": str(models["whisper"]), **here
                    },
                    "paralinguistics": {
                        "engine": "transformers", "models": [emotion], "threads": 1, **here
                    },
                    "fallback": [{"engine": "pocketsphinx"}],
                },
                "thinking": {
                    "language_model": {
                        "engine": "transformers",
                        "model": str(models["language"]),
                        "temperature": 0,
                        "threads": 1,
                        **here,
                    }
                },
                "speaking": {
                    "synthesizer": {"engine": "coqui", "model": str(models[voice]), **here},
                    "fallback": [{"engine": "espeak"}],
                },
                "store": {"path": str(folder / "conversations.db")},
            }
        )
    )  # fmt: skip
    return path


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def agent(tmp_path_factory, models) -> AsyncIterator[Agent]:
    agent = await Agent.create(load(settings(tmp_path_factory.mktemp("agent"), models, "xtts")))
    yield agent
    await agent.close()


SAID = [
    "I failed my exam today and I feel terrible about it.",
    "My sister has come to see me, and we went down to the river.",
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def spoken() -> list[Samples]:
    """Turns of a person at 16 kHz."""
    engine, options = engine_options("synthesizer", EngineChoice(engine="espeak"))
    voice = await engine.create(options)
    turns = []
    for text in SAID:
        pieces = [piece async for piece in voice.synthesize(Phrase(text))]
        audio = np.concatenate([piece.samples for piece in pieces])
        audio = resample(audio, pieces[0].rate, HEARING_RATE)
        turns.append((audio * (0.3 / np.abs(audio).max())).astype(np.float32))
    await voice.close()
    return turns


def plain(text: str) -> str:
    return "".join(each for each in text.lower() if each.isalpha() or each == " ")


async def talk(
    agent: Agent, speech: Samples, out: Path
) -> tuple[TurnRecord, Samples, list[SessionEvent]]:
    """One turn of a conversation: its record, the reply's audio, and what happened."""
    out.mkdir()  # noqa: ASYNC240
    soundfile.write(out / "turn.wav", speech, HEARING_RATE)
    events: list[SessionEvent] = []
    conversation = await FileConversation.open(agent, out=out, fast=True, watch=events.append)
    (answer,) = [each async for each in conversation.play(out / "turn.wav")]
    await conversation.close()
    samples, rate = soundfile.read(answer.audio, dtype="float32")
    assert rate == SPEAKING_RATE
    assert answer.note == ""
    return answer.record, samples, events


async def test_a_recorded_turn_is_heard_thought_about_and_answered(agent, spoken, tmp_path):
    record, audio, events = await talk(agent, spoken[0], tmp_path / "out")
    assert plain(record.user.text) == plain(SAID[0])
    captions = [event.hypothesis.text for event in events if isinstance(event, Caption)]
    assert len(captions) > 2
    assert max(record.user.how.emotion, key=record.user.how.emotion.get) == "sad"
    assert record.reply == record.heard == REPLY
    assert record.thought.linguistic == "They tell of their day"
    assert record.thought.reply_emotion == "comfort"
    assert record.engines == ENGINES
    assert record.status is ReplyStatus.COMPLETED
    assert audio.size > SPEAKING_RATE
    assert -40 < level_db(audio) < -12
    words = [w.text for e in events if isinstance(e, ReplyAudio) for w in e.speech.words]
    assert "".join(words) == REPLY


async def test_two_conversations_at_once_do_not_mix(agent, spoken, tmp_path):
    alone = [await talk(agent, turn, tmp_path / f"alone {n}") for n, turn in enumerate(spoken)]
    assert [plain(record.user.text) for record, *_ in alone] == [plain(text) for text in SAID]
    together = await asyncio.gather(
        *(talk(agent, turn, tmp_path / f"together {n}") for n, turn in enumerate(spoken))
    )
    for (before, audio, _), (record, same, _) in zip(alone, together, strict=True):
        assert record.user.text == before.user.text
        assert record.reply == REPLY
        assert np.array_equal(same, audio)


async def test_what_is_kept_of_a_conversation_goes_with_it(agent):
    (model, *_) = agent.started["language_model"].engines
    conversation = await FileConversation.open(agent, fast=True)
    async for _ in conversation.say("hello you"):
        pass
    during = set(model.kept_sessions)
    await conversation.close()
    assert len(during - set(model.kept_sessions)) == 1


async def test_speaking_over_it_stops_the_voice_within_a_step(agent, spoken):
    (synthesizer, *_) = agent.started["synthesizer"].engines
    language_model = synthesizer._voice._model.gpt.gpt
    steps: list[int] = []
    permits = threading.Semaphore(0)

    def hold(*_: object) -> None:
        steps.append(1)
        permits.acquire(timeout=30)

    events: list[SessionEvent] = []
    session = await agent.open(events.append)
    handle = language_model.register_forward_pre_hook(hold)
    try:
        await session.say("hello you")
        await session.respond()
        async with asyncio.timeout(30):
            while not any(isinstance(event, ReplyAudio) for event in events):
                permits.release()
                await session.feed(np.zeros(160, np.float32))
                await asyncio.sleep(0.002)
            # The reply is on its way, and its voice is in the midst of a sentence.
            for start in range(0, len(spoken[0]), 320):
                await session.feed(spoken[0][start : start + 320])
                await session._listener.quiet()
                if any(isinstance(event, ReplyEnded) for event in events):
                    break
            (ended,) = [event for event in events if isinstance(event, ReplyEnded)]
            assert ended.status is ReplyStatus.INTERRUPTED
            assert REPLY.startswith(ended.heard.strip())
            assert ended.heard.strip() != REPLY
            taken = len(steps)
            permits.release(1000)
            while synthesizer._turns._jobs:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        assert len(steps) - taken <= 1
    finally:
        handle.remove()
        permits.release(1000)
        await session.close()


async def test_a_stock_client_talks_with_it(agent, spoken):
    samples = resample(spoken[0], HEARING_RATE, SPEAKING_RATE)
    samples = np.concatenate([samples, np.zeros(2 * SPEAKING_RATE, np.float32)])
    listener = listen("127.0.0.1", 0)
    started = asyncio.Event()
    server = asyncio.create_task(run(agent, listener, started.set))
    await started.wait()
    base = f"127.0.0.1:{listener.getsockname()[1]}/v1"
    client = AsyncOpenAI(
        api_key="none", base_url=f"http://{base}", websocket_base_url=f"ws://{base}"
    )
    events: dict[str, list[Any]] = {}
    async with asyncio.timeout(60), client.realtime.connect(model="any") as connection:
        for start in range(0, samples.size, 2400):
            piece = b64encode(to_pcm16(samples[start : start + 2400])).decode()
            await connection.input_audio_buffer.append(audio=piece)
        while "response.done" not in events:
            event = await connection.recv()
            events.setdefault(event.type, []).append(event)
    server.cancel()
    await asyncio.gather(server, return_exceptions=True)
    assert "error" not in events
    assert events["voice_agent.session"][0].engines == ENGINES
    (heard,) = events["conversation.item.input_audio_transcription.completed"]
    assert plain(heard.transcript) == plain(SAID[0])
    (said,) = events["response.output_audio_transcript.done"]
    assert said.transcript == REPLY
    assert events["response.done"][0].response.status == "completed"
    data = b"".join(b64decode(one.delta) for one in events["response.output_audio.delta"])
    assert from_pcm16(data).size > SPEAKING_RATE


async def test_a_voice_that_is_lost_is_replaced_and_nothing_of_the_models_stays(models, tmp_path):
    import ctranslate2

    kinds = (torch.nn.Module, torch.Tensor, ctranslate2.models.Whisper)
    before = {id(each) for each in gc.get_objects() if issubclass(type(each), kinds)}
    agent = await Agent.create(load(settings(tmp_path, models, "vits")))
    made = [
        weakref.ref(each)
        for each in gc.get_objects()
        if issubclass(type(each), (torch.nn.Module, ctranslate2.models.Whisper))
        and id(each) not in before
    ]
    assert len(made) > 50

    events: list[SessionEvent] = []
    conversation = await FileConversation.open(agent, out=tmp_path, fast=True, watch=events.append)
    (synthesizer, *_) = agent.started["synthesizer"].engines
    first = [answer async for answer in conversation.say("hello you")]
    assert first[0].record.engines == ENGINES
    await synthesizer.close()
    second = [answer async for answer in conversation.say("hello you")]
    assert second[0].record.status is ReplyStatus.COMPLETED
    assert second[0].record.heard == REPLY
    assert second[0].record.engines["synthesizer"] == "espeak"
    (switched,) = [event for event in events if isinstance(event, EngineSwitched)]
    assert (switched.failed, switched.instead) == ("coqui", "espeak")
    levels = [level_db(soundfile.read(one.audio)[0]) for one in (*first, *second)]
    assert levels[0] == pytest.approx(levels[1], abs=4)
    await conversation.close()
    await agent.close()

    del agent, conversation, synthesizer, first, second, events, switched
    gc.collect()
    assert [each() for each in made if each() is not None] == []


SIDE_BY_SIDE = """
import asyncio
from voice_agent.agent import Agent
from voice_agent.config import load

async def main():
    agent = await Agent.create(load({settings!r}))
    print(*agent.engines.values(), *(len(line.engines) for line in agent.started.values()))
    await agent.close()

asyncio.run(main())
"""


async def test_all_load_side_by_side_in_a_fresh_process(models, tmp_path):
    path = settings(tmp_path, models, "vits")
    script = SIDE_BY_SIDE.format(settings=str(path))
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", script], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [*ENGINES.values(), "2", "3", "1", "2", "2"], done.stderr
