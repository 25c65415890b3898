"""What the Whisper recognizer promises beyond the conformance suite."""

import asyncio
import gc
import logging
import socket
import subprocess
import sys
import threading
import weakref
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tiny_whisper

from voice_agent.audio.pcm import HEARING_RATE, Samples
from voice_agent.errors import EngineError, EngineUnavailable
from voice_agent.hearing.recognizers.faster_whisper import FasterWhisperRecognizer, engine
from voice_agent.hearing.recognizers.faster_whisper.reading import Kind, Reader, Request
from voice_agent.hearing.recognizers.faster_whisper.words import joined

Options = FasterWhisperRecognizer.Options
ENGLISH = Kind("en", 0, 1)


@pytest.fixture(autouse=True)
def nowhere(monkeypatch, tmp_path) -> Path:
    """A machine without models, on which a download would be noticed."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("it went to the network"))
    return tmp_path


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[str, Path]:
    """Models with random weights: an English one, and one of three languages."""
    folder = tmp_path_factory.mktemp("models")
    return {
        "en": tiny_whisper.save(folder / "en"),
        "many": tiny_whisper.save(folder / "many", languages=("en", "de", "ja")),
    }


@pytest.fixture
async def create(folders):
    """Creates the engine with a tiny model."""
    created = []

    async def new(model: str = "en", **options: object) -> FasterWhisperRecognizer:
        settings = Options(model=str(folders[model]), device="cpu", **options)
        created.append(await FasterWhisperRecognizer.create(settings))
        return created[-1]

    yield new
    for recognizer in created:
        await recognizer.close()


def babble(seconds: float, seed: int = 0) -> Samples:
    """Sound that comes and goes, for models that make words out of anything."""
    random = np.random.default_rng(seed)
    samples = random.standard_normal(round(seconds * HEARING_RATE)).astype(np.float32)
    loud = np.repeat(random.uniform(0.01, 0.3, round(seconds * 10)), HEARING_RATE // 10)
    return samples * loud.astype(np.float32)


@pytest.mark.parametrize("model", ["small.en", "Systran/faster-whisper-small.en", "enormous"])
async def test_a_missing_model_says_how_to_get_it(model):
    with pytest.raises(EngineUnavailable, match="voice-agent models") as error:
        await FasterWhisperRecognizer.create(Options(model=model))
    assert model.split("/")[-1] in str(error.value)
    with pytest.raises(EngineUnavailable, match="voice-agent models"):
        FasterWhisperRecognizer.check(Options(model=model))


async def test_nothing_that_is_missing_beside_a_model_is_fetched(tmp_path):
    (tmp_path / "model.bin").touch()

    with pytest.raises(EngineUnavailable, match=r"lacks tokenizer\.json"):
        await FasterWhisperRecognizer.create(Options(model=str(tmp_path)))


async def test_a_broken_model_is_told_by_its_folder(tmp_path):
    (tmp_path / "model.bin").write_bytes(b"no model")
    (tmp_path / "tokenizer.json").write_text("{}")

    with pytest.raises(EngineUnavailable, match=str(tmp_path)):
        await FasterWhisperRecognizer.create(Options(model=str(tmp_path), device="cpu"))


def test_checking_loads_nothing(folders):
    script = (
        "import sys\n"
        "from voice_agent.hearing.recognizers.faster_whisper import FasterWhisperRecognizer as E\n"
        f"E.check(E.Options(model={str(folders['en'])!r}))\n"
        "print({'torch', 'ctranslate2', 'faster_whisper'} & set(sys.modules))\n"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)

    assert said.stdout.strip() == "set()", said.stderr


@pytest.mark.parametrize("level", [0.0, 1e-3, 0.05, 0.5])
async def test_a_model_that_makes_words_of_anything_hears_none_in_silence_and_noise(create, level):
    recognizer = await create()
    stream = await recognizer.open()
    noise = np.random.default_rng(0).standard_normal(4 * HEARING_RATE).astype(np.float32)

    partial = await stream.feed(noise * np.float32(level))
    reading = await stream.settle()

    assert (partial.text, reading.text, reading.words) == ("", "", ())
    await stream.feed(babble(2))
    assert (await stream.settle()).text


async def test_a_pause_is_read_while_partial_readings_are_stuck(create):
    recognizer = await create()
    stuck, others = threading.Event(), await recognizer.open()
    waiting = asyncio.create_task(recognizer._workers[1].call(stuck.wait))
    await others.feed(babble(2))
    stream = await recognizer.open()
    await stream.feed(babble(2))

    try:
        reading = await asyncio.wait_for(stream.settle(), 30)
    finally:
        stuck.set()
        await waiting

    assert reading.text


async def test_conversations_are_read_in_one_batch_with_the_same_words(create, monkeypatch):
    monkeypatch.setitem(engine.BATCH, "cpu", 8)
    recognizer = await create()
    sounds = [babble(seconds, seed=round(seconds)) for seconds in (1.0, 3.0, 5.0, 9.0)]
    requests = [Request(sound) for sound in sounds]
    alone = [await recognizer.read(request, "en", partial=False) for request in requests]
    batches: list[int] = []
    read = recognizer._reader.read

    def counted(kind, items):
        batches.append(len(items))
        return read(kind, items)

    monkeypatch.setattr(recognizer._reader, "read", counted)
    together = await asyncio.gather(
        *[recognizer.read(request, "en", partial=False) for request in requests]
    )

    assert len(batches) < len(requests)
    assert sum(batches) == len(requests)
    for one, other in zip(alone, together, strict=True):
        assert [word.text for word in one.words] == [word.text for word in other.words]
        assert [word.start for word in one.words] == [word.start for word in other.words]


@pytest.mark.parametrize("words", [0, 3, 30, 3000])
async def test_what_was_said_before_is_told_to_the_model_in_few_lengths(create, words):
    recognizer = await create()
    request = Request(babble(2), "yes " * words)

    reading = await recognizer.read(request, "en", partial=False)

    assert reading.words
    tokens = recognizer._reader.prompt_tokens(request.prompt)
    assert tokens % 16 == 0
    assert tokens <= 64


async def test_a_reading_dropped_in_time_is_not_made(create):
    recognizer = await create()

    reading = await recognizer.read(Request(babble(2), dropped=True), "en", partial=True)

    assert reading.words == ()


async def test_words_to_expect_are_told_to_the_model(folders):
    plain = Reader(folders["en"], "cpu", "default", "")
    expecting = Reader(folders["en"], "cpu", "default", "salt rain")

    tokenizer = plain._tokenizer("en")
    prompt = expecting._prompt("en", "", 0)
    assert tokenizer.decode(prompt).strip() == "salt rain"
    assert prompt[0] == tokenizer.sot_prev
    assert plain._prompt("en", "", 0) == prompt[-2:]
    assert expecting.read(ENGLISH, [Request(babble(2))])[0].words


async def test_a_language_is_found_out_and_kept_for_the_conversation(create):
    recognizer = await create("many", language=None)
    stream = await recognizer.open()

    await stream.feed(babble(3))
    assert (await stream.settle()).text

    assert stream._language in {"en", "de", "ja"}


async def test_conversations_in_several_languages_are_read_in_one_batch(folders, monkeypatch):
    reader = Reader(folders["many"], "cpu", "default", "")
    find_out = reader._languages

    def told(encoded, kind, count):
        found = find_out(encoded, kind, count)
        spoken = "en ja de ja".split()
        return found if kind.language else [(spoken[i], 0.9) for i in range(count)]

    monkeypatch.setattr(reader, "_languages", told)
    sounds = [babble(3, seed) for seed in range(4)]

    together = reader.read(Kind(None, 0, 1), [Request(sound) for sound in sounds])

    assert [reading.language for reading in together] == ["en", "ja", "de", "ja"]
    for sound, reading in zip(sounds, together, strict=True):
        alone = reader.read(Kind(reading.language, 0, 1), [Request(sound)])[0]
        assert [word.text for word in alone.words] == [word.text for word in reading.words]
        starts = [word.start for word in reading.words]
        # Sums in a batch differ in their last digits, and so may the frames that words begin in.
        assert [word.start for word in alone.words] == pytest.approx(starts, abs=0.1)


async def test_a_gpu_that_is_asked_for_must_be_there(folders):
    with pytest.raises(EngineUnavailable, match=r"hearing\.recognizer\.device"):
        await FasterWhisperRecognizer.create(Options(model=str(folders["en"]), device="cuda"))


async def test_a_gpu_without_its_libraries_is_left_alone(folders, monkeypatch, caplog):
    @contextmanager
    def reserve(wanted, *_):
        yield "cpu" if wanted == "cpu" else "cuda"

    def load(folder, on, *settings):
        if on == "cuda":
            raise RuntimeError("Library libcublas.so.12 is not found or cannot be loaded")
        return Reader(folder, on, *settings)

    monkeypatch.setattr(engine.devices, "reserve", reserve)
    monkeypatch.setattr(engine, "Reader", load)
    with caplog.at_level(logging.WARNING):
        recognizer = await FasterWhisperRecognizer.create(Options(model=str(folders["en"])))

    stream = await recognizer.open()
    await stream.feed(babble(2))
    assert (await stream.settle()).text
    assert "libcublas" in caplog.text
    await recognizer.close()


async def test_closing_gives_the_model_back(create):
    recognizer = await create()
    stream = await recognizer.open()
    await stream.feed(babble(2))
    await stream.settle()
    model = weakref.ref(recognizer._reader)

    await recognizer.close()
    gc.collect()

    assert model() is None
    with pytest.raises(EngineError, match="closed"):
        await stream.feed(babble(2))


async def test_what_follows_a_pause_that_whisper_took_for_the_end_is_read_too(folders, monkeypatch):
    reader = Reader(folders["en"], "cpu", "default", "")
    read_once, heard = reader._read_once, []

    def ends_early(kind, requests):
        heard.extend((len(request.samples), request.prompt) for request in requests)
        seconds = len(requests[0].samples) / HEARING_RATE
        (reading,) = read_once(kind, requests)
        first = replace(
            reading.words[0], text=f" part{len(heard)}", start=0.1, end=min(2.0, seconds)
        )
        return [replace(reading, words=(first,))]

    monkeypatch.setattr(reader, "_read_once", ends_early)

    (reading,) = reader.read(ENGLISH, [Request(babble(5.5))])

    assert joined(reading.words) == "part1 part2 part3"
    assert [word.end for word in reading.words] == [2.0, 4.0, 5.5]
    assert [prompt.strip() for _, prompt in heard] == ["", "part1", "part1 part2"]
    assert [samples / HEARING_RATE for samples, _ in heard] == [5.5, 3.5, 1.5]
