"""What the embedded recognizer promises beyond the conformance suite."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np
import psutil
import pytest
import soundfile

from voice_agent.audio.pcm import HEARING_RATE, Samples
from voice_agent.engines import RecognizerStream
from voice_agent.errors import EngineError
from voice_agent.events import Hypothesis
from voice_agent.hearing.recognizers.pocketsphinx import PocketsphinxRecognizer
from voice_agent.hearing.recognizers.pocketsphinx_process import MEMORY, Channel

CHUNK = HEARING_RATE // 10


@pytest.fixture
async def recognizer() -> AsyncIterator[PocketsphinxRecognizer]:
    engine = await PocketsphinxRecognizer.create(PocketsphinxRecognizer.Options())
    yield engine
    await engine.close()


@pytest.fixture
def recording(data: Path) -> Callable[[str], Samples]:
    return lambda name: soundfile.read(data / "speech_read" / name, dtype="float32")[0]


def buzz(seconds: float) -> Samples:
    time = np.arange(round(seconds * HEARING_RATE)) / HEARING_RATE
    return (0.2 * np.sign(np.sin(2 * np.pi * 140 * time))).astype(np.float32)


def decoders() -> set[int]:
    """The processes that decode; the server that they are forked from is not one of them."""
    children = psutil.Process().children()
    return {grandchild.pid for child in children for grandchild in child.children()}


async def hear(stream: RecognizerStream, audio: Samples) -> Hypothesis:
    for start in range(0, len(audio), CHUNK):
        await stream.feed(audio[start : start + CHUNK])
    return await stream.settle()


async def test_a_decoder_killed_costs_one_reading_and_nobody_elses(recognizer):
    before = decoders()
    stream, other = await recognizer.open(), await recognizer.open()
    await stream.feed(buzz(0.3))
    (mine,) = decoders() & before
    await other.feed(buzz(0.3))

    os.kill(mine, signal.SIGKILL)

    with pytest.raises(EngineError, match="died"):
        await stream.settle()
    assert (await other.settle()).final
    await stream.reset()
    await stream.feed(buzz(0.3))
    assert (await stream.settle()).final


async def test_a_decoder_that_dies_while_idle_is_not_missed(recognizer):
    (idle,) = decoders()
    os.kill(idle, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(idle)] if psutil.pid_exists(idle) else [], timeout=5)

    stream = await recognizer.open()
    await stream.feed(buzz(0.3))

    assert (await stream.settle()).final


async def test_conversations_that_take_turns_share_a_decoder(recognizer):
    (before,) = decoders()
    for _ in range(3):
        stream = await recognizer.open()
        await stream.feed(buzz(0.2))
        await stream.settle()
        await stream.reset()

    assert decoders() == {before}


async def test_decoders_share_the_memory_of_the_model(recognizer):
    if sys.platform != "linux":
        pytest.skip("memory shared by forked processes is told apart on Linux only")
    streams = [await recognizer.open() for _ in range(3)]
    for stream in streams:
        await stream.feed(buzz(0.5))

    own = [psutil.Process(pid).memory_full_info().uss / 1e6 for pid in decoders()]

    assert len(own) == 3
    assert max(own) < 60


def test_decoders_end_with_a_process_that_is_killed(tmp_path):
    program = """
import asyncio, time
import psutil
from voice_agent.hearing.recognizers.pocketsphinx import PocketsphinxRecognizer

async def main():
    engine = await PocketsphinxRecognizer.create(PocketsphinxRecognizer.Options())
    print(*(child.pid for child in psutil.Process().children(recursive=True)), flush=True)
    time.sleep(60)

if __name__ == "__main__":
    asyncio.run(main())
"""
    script = tmp_path / "agent.py"
    script.write_text(program)
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as agent:
        assert agent.stdout is not None
        children = [psutil.Process(int(pid)) for pid in agent.stdout.readline().split()]
        assert children
        agent.kill()

    _, alive = psutil.wait_procs(children, timeout=10)
    assert not alive


async def test_silence_is_no_words(recognizer):
    stream = await recognizer.open()

    assert (await hear(stream, np.zeros(2 * HEARING_RATE, np.float32))).text == ""


async def test_noise_is_less_sure_than_speech(recognizer, recording, data):
    speech, noise = await recognizer.open(), await recognizer.open()
    cough, _ = soundfile.read(next((data / "sound_events").rglob("coughing/*")), dtype="float32")

    command = await hear(speech, recording("perfect/turn_on_the_living_room_lamp.flac"))
    coughing = await hear(noise, cough)

    assert command.confidence is not None
    assert command.confidence > 0.5
    assert (coughing.confidence or 0) < 0.35


async def test_a_command_is_understood(recognizer, recording):
    stream = await recognizer.open()

    reading = await hear(stream, recording("perfect/turn_on_the_living_room_lamp.flac"))

    assert reading.text == "turn on the living room lamp"
    assert [round(word.start, 1) for word in reading.words] == sorted(
        round(word.start, 1) for word in reading.words
    )
    assert reading.words[-1].end == pytest.approx(1.5, abs=0.1)
    assert reading.confidence is not None


async def test_readings_at_pauses_add_up(recognizer, recording):
    stream = await recognizer.open()
    command = recording("perfect/turn_on_the_living_room_lamp.flac")

    first = await hear(stream, command)
    second = await hear(stream, command)

    assert second.text.startswith("turn on the living room lamp turn on the living room")
    assert second.words[: len(first.words)] == first.words
    again = [word.start - len(command) / HEARING_RATE for word in second.words[6:]]
    assert again[:5] == pytest.approx([word.start for word in first.words[:5]], abs=0.1)


async def test_text_is_plain_lower_case_words(recognizer, recording):
    stream = await recognizer.open()
    audio = recording("librivox/sense_and_sensibility_01_austen_64kb-0920.flac")

    for start in range(0, len(audio), CHUNK):
        partial = await stream.feed(audio[start : start + CHUNK])
        assert re.fullmatch(r"[a-z'. ]*", partial.text)
    for word in (await stream.settle()).words:
        assert re.fullmatch(r"[a-z'.]+", word.text)


async def test_what_is_known_of_a_voice_helps_its_next_turn(recognizer, recording):
    names = [f"voxforge/ar-0{number}.flac" for number in (1, 2, 5, 6)]
    stream = await recognizer.open()
    for name in names:
        await hear(stream, recording(name))
        await stream.reset()

    reading = await hear(stream, recording("voxforge/ar-07.flac"))

    words = "one rainy day the rats heard a great noise in the loft".split()
    assert sum(word in reading.text.split() for word in words) >= 9


def test_the_mean_of_a_channel_is_weighed_by_frames():
    channel = Channel((0.0, 10.0), 20).heard((4.0, 10.0), 20)
    assert channel == Channel((2.0, 10.0), 40)

    later = Channel((0.0,), 10_000).remembered().heard((6.0,), MEMORY)
    assert later.mean == (3.0,)
