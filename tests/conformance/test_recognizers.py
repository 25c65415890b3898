"""What every recognizer promises, whatever it understands."""

import asyncio
from collections.abc import AsyncIterator, Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soxr
import tiny_whisper

from voice_agent import engines
from voice_agent.audio.pcm import HEARING_RATE, Samples
from voice_agent.engines import Recognizer, RecognizerStream
from voice_agent.errors import EngineError, Overloaded
from voice_agent.events import Hypothesis, Phrase
from voice_agent.speaking.synthesizers.espeak import EspeakOptions, EspeakSynthesizer

CHUNK = HEARING_RATE // 10
TEXT = "Good morning. I have been waiting for the letter."

Create = Callable[..., "asyncio.Future[Recognizer]"]


@pytest.fixture(scope="session")
def speech() -> Samples:
    """Three seconds of speech; how well it is understood does not matter here."""

    async def speak() -> Samples:
        voice = await EspeakSynthesizer.create(EspeakOptions())
        pieces = [piece async for piece in voice.synthesize(Phrase(TEXT))]
        await voice.close()
        audio = np.concatenate([piece.samples for piece in pieces])
        return soxr.resample(audio, pieces[0].rate, HEARING_RATE).astype(np.float32)

    return asyncio.run(speak())


@pytest.fixture(scope="session")
def whisper(tmp_path_factory) -> Path:
    return tiny_whisper.save(tmp_path_factory.mktemp("models") / "whisper")


@pytest.fixture(params=["pocketsphinx", "faster_whisper"])
async def create(request, whisper) -> AsyncIterator[Create]:
    """Creates the engine under test."""
    created: list[Recognizer] = []
    engine = engines.find("recognizer", request.param)
    always = {"model": str(whisper), "device": "cpu"} if request.param == "faster_whisper" else {}

    async def new(**options: object) -> Recognizer:
        created.append(await engine.create(engine.Options(**always, **options)))
        return created[-1]

    yield new
    for recognizer in created:
        await recognizer.close()


@pytest.fixture
async def recognizer(create: Create) -> Recognizer:
    return await create()


@pytest.fixture
async def stream(recognizer: Recognizer) -> RecognizerStream:
    return await recognizer.open()


async def feed(stream: RecognizerStream, samples: Samples) -> list[Hypothesis]:
    return [
        await stream.feed(samples[start : start + CHUNK]) for start in range(0, len(samples), CHUNK)
    ]


def check_reading(reading: Hypothesis, heard_s: float) -> None:
    assert reading.final
    assert reading.text == " ".join(word.text for word in reading.words)
    assert reading.stable == reading.text
    for word in reading.words:
        assert word.text
        assert word.text.split() == [word.text]
        assert 0 <= word.start <= word.end <= heard_s + 0.05
        assert word.confidence is None or 0 <= word.confidence <= 1
    for before, after in pairwise(reading.words):
        assert before.start <= after.start
    if reading.confidence is not None:
        assert 0 <= reading.confidence <= 1


def test_it_is_found_by_its_name(create: Create):
    assert {"pocketsphinx", "faster_whisper"} <= set(engines.available("recognizer"))


async def test_it_is_what_the_protocol_says(recognizer, stream):
    assert engines.find("recognizer", recognizer.name) is type(recognizer)
    assert isinstance(stream, RecognizerStream)


async def test_speech_gives_partials_and_then_a_reading(stream, speech):
    partials = await feed(stream, speech)

    assert not any(partial.final for partial in partials)
    assert any(partial.text for partial in partials[: len(partials) // 2 + 1])
    for partial in partials:
        assert not set(partial.text) & set("<>[]()")
        assert partial.text == " ".join(partial.text.split())
    reading = await stream.settle()
    assert reading.words
    check_reading(reading, len(speech) / HEARING_RATE)


async def test_settling_again_changes_nothing(stream, speech):
    await feed(stream, speech)

    assert await stream.settle() == await stream.settle()


async def test_more_audio_after_a_reading_is_the_same_turn(stream, speech):
    await feed(stream, speech)
    first = await stream.settle()
    partials = await feed(stream, speech)

    sure = ""
    for partial in partials:
        assert partial.text
        assert partial.text.startswith(partial.stable)
        assert partial.stable.startswith(sure)
        sure = partial.stable
    second = await stream.settle()
    check_reading(second, 2 * len(speech) / HEARING_RATE)
    assert second.text.startswith(sure)
    assert second.words[-1].end > first.words[-1].end


async def test_a_turn_after_a_reset_begins_anew(stream, speech):
    await feed(stream, speech)
    await stream.settle()
    await feed(stream, speech[: 5 * CHUNK])
    await stream.reset()

    assert (await stream.settle()).text == ""
    await feed(stream, speech)
    check_reading(await stream.settle(), len(speech) / HEARING_RATE)


async def test_a_reset_with_nothing_fed_is_harmless(stream, speech):
    await stream.reset()
    await stream.reset()
    await feed(stream, speech)

    assert (await stream.settle()).text


async def test_streams_do_not_hear_each_other(recognizer, speech):
    turns = [speech, speech[::-1].copy(), speech[HEARING_RATE:]]
    alone = []
    for turn in turns:
        stream = await recognizer.open()
        await feed(stream, turn)
        alone.append(await stream.settle())
        await stream.close()

    streams = [await recognizer.open() for _ in turns]
    for start in range(0, len(speech), CHUNK):
        for stream, turn in zip(streams, turns, strict=True):
            await stream.feed(turn[start : start + CHUNK])
    together = [await stream.settle() for stream in streams]

    assert [reading.text for reading in together] == [reading.text for reading in alone]


async def test_streams_may_be_used_at_the_same_time(recognizer, speech):
    async def turn(stream: RecognizerStream) -> Hypothesis:
        await feed(stream, speech)
        return await stream.settle()

    readings = await asyncio.gather(*[turn(await recognizer.open()) for _ in range(3)])

    assert len({reading.text for reading in readings}) == 1


async def test_nothing_heard_gives_nothing(stream):
    empty = np.zeros(0, np.float32)

    reading = await stream.settle()
    assert (reading.text, reading.words, reading.final) == ("", (), True)
    assert (await stream.feed(empty)).text == ""
    assert (await stream.settle()).text == ""


@pytest.mark.parametrize("samples", [1, 159, 161, 400])
async def test_a_few_samples_are_not_too_few(stream, samples):
    await stream.feed(np.full(samples, 0.1, np.float32))

    check_reading(await stream.settle(), samples / HEARING_RATE)


@pytest.mark.parametrize("level", [0.0, 1e-4, 1.0, 30.0])
async def test_any_level_is_taken(stream, level):
    noise = np.random.default_rng(0).standard_normal(HEARING_RATE).astype(np.float32)
    await feed(stream, noise * np.float32(level))

    check_reading(await stream.settle(), 1.0)


async def test_a_long_turn_in_one_piece_is_read_to_its_end(stream, speech):
    turn = np.tile(speech, -(-35 * HEARING_RATE // len(speech)))

    await stream.feed(turn)

    reading = await stream.settle()
    check_reading(reading, len(turn) / HEARING_RATE)
    assert reading.words[-1].end > 30


async def test_audio_of_a_cancelled_call_counts(recognizer, stream, speech):
    call = asyncio.create_task(stream.feed(speech))
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call

    reading = await stream.settle()
    check_reading(reading, len(speech) / HEARING_RATE)
    undisturbed = await recognizer.open()
    await undisturbed.feed(speech)
    assert reading == await undisturbed.settle()


async def test_a_cancelled_reading_can_be_asked_for_again(stream, speech):
    await feed(stream, speech)
    call = asyncio.create_task(stream.settle())
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call

    reading = await stream.settle()
    assert reading.text
    check_reading(reading, len(speech) / HEARING_RATE)


async def test_the_event_loop_goes_on_meanwhile(stream, speech):
    call = asyncio.create_task(stream.feed(np.tile(speech, 3)))
    turns = 0
    while not call.done():
        await asyncio.sleep(0.001)
        turns += 1
    await stream.settle()

    # An engine that works on the loop itself is done within the first.
    assert turns > 3


async def test_one_stream_too_many_is_refused_until_another_ends(create):
    recognizer = await create(streams=1)
    stream = await recognizer.open()

    with pytest.raises(Overloaded):
        await recognizer.open()
    await stream.close()
    await (await recognizer.open()).close()


async def test_closing_twice_is_harmless_and_ends_all_work(recognizer, speech):
    stream, other = await recognizer.open(), await recognizer.open()
    await stream.feed(speech[:CHUNK])
    await stream.close()
    await stream.close()
    with pytest.raises(EngineError):
        await stream.feed(speech)

    await recognizer.close()
    await recognizer.close()
    with pytest.raises(EngineError):
        await other.feed(speech)
    with pytest.raises(EngineError):
        await recognizer.open()
