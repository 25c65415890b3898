"""The life of a turn in a Whisper stream, with readings that the tests decide on."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice_agent.audio.pcm import HEARING_RATE, Samples
from voice_agent.errors import EngineError
from voice_agent.hearing.recognizers.faster_whisper import trimming
from voice_agent.hearing.recognizers.faster_whisper.loudness import Loudness
from voice_agent.hearing.recognizers.faster_whisper.reading import Reading, Request
from voice_agent.hearing.recognizers.faster_whisper.stream import FasterWhisperStream
from voice_agent.hearing.recognizers.faster_whisper.words import ReadWord

WORD_S = 0.5
"""Length of each spoken word: sound for 0.4 s, then none."""


def speech(seconds: float) -> Samples:
    """Words that sound, one every half second."""
    samples = np.sin(np.arange(round(seconds * HEARING_RATE)) / 5).astype(np.float32) * 0.3
    at = np.arange(len(samples)) / HEARING_RATE % WORD_S
    return np.where(at < 0.4, samples, 0).astype(np.float32)


class ScriptedEngine:
    """Reads the words of a text, one for each half second from where the audio begins.

    The first sample of the turn is known by what was settled before: ``read`` counts words.
    """

    full_partials = True

    def __init__(self, text: str) -> None:
        self.words = text.split()
        self.requests: list[tuple[Request, bool]] = []
        self.languages: list[str | None] = []
        self.heard: Callable[[int, list[str]], list[str]] = lambda _, words: words
        self.gate: asyncio.Event | None = None
        self.error: Exception | None = None
        self.told: tuple[str, float] = ("en", 1.0)

    def forget(self, stream: FasterWhisperStream) -> None:
        pass

    async def read(self, request: Request, language: str | None, *, partial: bool) -> Reading:
        self.requests.append((request, partial))
        self.languages.append(language)
        if self.gate is not None and partial:
            await self.gate.wait()
        if self.error is not None:
            raise self.error
        before = len(request.prompt.split())
        count = int(len(request.samples) / HEARING_RATE / WORD_S + 0.4)
        words = self.heard(len(self.requests), self.words[before : before + count])
        read = tuple(
            ReadWord(f" {word}", k * WORD_S, k * WORD_S + 0.4, 0.9) for k, word in enumerate(words)
        )
        return Reading(read, Loudness.of(request.samples), language or self.told[0], self.told[1])


def numbered(words: int, sentence: int = 6) -> str:
    """Words w0, w1…, with a full stop after every few."""
    return " ".join(f"w{k}." if k % sentence == sentence - 1 else f"w{k}" for k in range(words))


async def listen(stream: FasterWhisperStream, samples: Samples, chunk_s: float = 0.1):
    size = round(chunk_s * HEARING_RATE)
    return [await stream.feed(samples[at : at + size]) for at in range(0, len(samples), size)]


async def test_a_short_turn_is_read_whole_at_the_pause():
    engine = ScriptedEngine(numbered(20))
    stream = FasterWhisperStream(engine, "en")
    await listen(stream, speech(9.9))

    reading = await stream.settle()

    assert reading.text == numbered(20)
    request, _ = engine.requests[-1]
    assert (len(request.samples), request.prompt) == (round(9.9 * HEARING_RATE), "")


async def test_finished_sentences_of_a_long_turn_are_settled_and_told_of_to_the_rest():
    engine = ScriptedEngine(numbered(80))
    stream = FasterWhisperStream(engine, "en")

    partials = await listen(stream, speech(40))
    reading = await stream.settle()

    assert reading.text == numbered(80)
    assert partials[-1].stable.endswith(".")
    prompt = engine.requests[-1][0].prompt
    assert prompt == partials[-1].stable
    longest = max(len(request.samples) for request, _ in engine.requests)
    assert longest < (trimming.SENTENCES_S + 2) * HEARING_RATE
    starts = [word.start for word in reading.words]
    assert starts == pytest.approx([k * WORD_S for k in range(80)], abs=0.1)


async def test_a_long_sentence_is_cut_between_words():
    engine = ScriptedEngine(numbered(80, sentence=1000))
    stream = FasterWhisperStream(engine, "en")

    await listen(stream, speech(40))
    reading = await stream.settle()

    assert reading.text == numbered(80, sentence=1000)
    longest = max(len(request.samples) for request, _ in engine.requests)
    assert longest < (trimming.WORDS_S + 2) * HEARING_RATE


async def test_a_minute_at_once_is_read_in_pieces_that_whisper_takes():
    engine = ScriptedEngine(numbered(120))
    stream = FasterWhisperStream(engine, "en")

    await stream.feed(speech(60))
    reading = await stream.settle()

    assert reading.text == numbered(120)
    assert all(len(request.samples) <= 28 * HEARING_RATE for request, _ in engine.requests)


async def test_a_pause_is_not_read_twice():
    engine = ScriptedEngine(numbered(20))
    stream = FasterWhisperStream(engine, "en")
    await listen(stream, speech(3.2))
    first = await stream.settle()
    readings = len(engine.requests)

    assert await stream.settle() == first
    assert len(engine.requests) == readings


async def test_a_partial_reading_of_all_that_was_heard_is_not_made_anew_at_the_pause():
    engine = ScriptedEngine(numbered(20))
    stream = FasterWhisperStream(engine, "en")
    await stream.feed(speech(2))

    reading = await stream.settle()

    assert reading.text == numbered(4)
    assert len(engine.requests) == 1


async def test_a_partial_reading_with_fewer_beams_is_no_reading_at_a_pause():
    engine = ScriptedEngine(numbered(20))
    engine.full_partials = False
    stream = FasterWhisperStream(engine, "en")
    await stream.feed(speech(2))

    await stream.settle()

    assert [partial for _, partial in engine.requests] == [True, False]


async def test_a_pause_does_not_wait_for_a_partial_reading():
    engine = ScriptedEngine(numbered(20))
    engine.gate = asyncio.Event()
    stream = FasterWhisperStream(engine, "en")
    await stream.feed(speech(2))
    await stream.feed(speech(1))

    reading = await stream.settle()

    assert reading.text == numbered(6)
    assert engine.requests[0][0].dropped


async def test_new_audio_does_not_wait_long_for_a_partial_reading_and_another_call_brings_it():
    engine = ScriptedEngine(numbered(20))
    engine.gate = asyncio.Event()
    stream = FasterWhisperStream(engine, "en")

    assert (await stream.feed(speech(2))).text == ""
    engine.gate.set()
    assert (await stream.feed(speech(0.1))).text == numbered(4)


async def test_a_reset_drops_what_is_being_read():
    engine = ScriptedEngine(numbered(20))
    engine.gate = asyncio.Event()
    stream = FasterWhisperStream(engine, "en")
    await stream.feed(speech(2))

    await stream.reset()
    engine.gate.set()

    assert engine.requests[0][0].dropped
    assert (await stream.feed(speech(0.1))).text == ""


async def test_a_partial_reading_that_fails_is_told_and_the_audio_is_kept():
    engine = ScriptedEngine(numbered(20))
    stream = FasterWhisperStream(engine, "en")
    engine.error = EngineError("the model failed")

    with pytest.raises(EngineError, match="the model failed"):
        await stream.feed(speech(2))
    engine.error = None

    assert (await stream.settle()).text == numbered(4)


async def test_a_reading_that_fails_at_a_pause_can_be_asked_for_again():
    engine = ScriptedEngine(numbered(20))
    stream = FasterWhisperStream(engine, "en")
    await stream.feed(speech(0.4))
    engine.error = EngineError("the model failed")

    with pytest.raises(EngineError, match="the model failed"):
        await stream.settle()
    engine.error = None

    assert (await stream.settle()).text == numbered(1)


async def test_a_language_is_found_out_once_there_is_enough_speech_to_tell():
    engine = ScriptedEngine(numbered(40))
    stream = FasterWhisperStream(engine, None)
    engine.told = ("nl", 0.4)
    await listen(stream, speech(3.5))
    engine.told = ("de", 0.9)
    await listen(stream, speech(2))
    engine.told = ("fr", 0.9)
    await stream.settle()
    await stream.reset()
    await listen(stream, speech(1))

    known = [language for language in engine.languages if language]
    assert set(known) == {"de"}
    assert engine.languages[0] is None
    assert engine.languages[-1] == "de"


vocabulary = st.sampled_from(["yes", "no.", "maybe", "Yes,", "rain", "rain."])
changes = st.lists(st.tuples(st.integers(0, 60), vocabulary), max_size=6)


@settings(max_examples=25, deadline=None)
@given(st.lists(vocabulary, min_size=60, max_size=100), st.lists(changes, max_size=60))
async def test_stable_text_is_only_added_to_however_readings_change_their_mind(words, minds):
    engine = ScriptedEngine(" ".join(words))

    def change(reading: int, heard: list[str]) -> list[str]:
        for place, word in minds[reading] if reading < len(minds) else ():
            if place < len(heard):
                heard = [*heard[:place], word, *heard[place + 1 :]]
        return heard

    engine.heard = change
    stream = FasterWhisperStream(engine, "en")
    stable = ""
    for partial in [*await listen(stream, speech(len(words) / 2), 0.5), await stream.settle()]:
        assert partial.stable.startswith(stable)
        assert partial.text.startswith(partial.stable)
        stable = partial.stable


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(vocabulary, max_size=100), min_size=1, max_size=12))
async def test_no_reading_however_odd_breaks_a_turn(readings):
    engine = ScriptedEngine("")
    engine.heard = lambda reading, _: readings[reading % len(readings)]
    stream = FasterWhisperStream(engine, "en")
    stable = ""
    for partial in [*await listen(stream, speech(45), 1.0), await stream.settle()]:
        assert partial.stable.startswith(stable)
        stable = partial.stable
    assert partial.text == " ".join(word.text for word in partial.words)
    assert [word.start for word in partial.words] == sorted(word.start for word in partial.words)


async def test_what_whisper_says_in_a_language_without_spaces_is_joined_without_them():
    engine = ScriptedEngine("")
    stream = FasterWhisperStream(engine, "ja")
    read = engine.read

    async def japanese(request: Request, language: str | None, *, partial: bool) -> Reading:
        reading = await read(request, language, partial=partial)
        words = tuple(ReadWord(letter, 0.0, 0.3, 0.9) for letter in "今日は雨です。")
        return replace(reading, words=words)

    engine.read = japanese
    await stream.feed(speech(2))

    reading = await stream.settle()

    assert reading.text == "今日は雨です。"
    assert "".join(word.text for word in reading.words) == reading.text
