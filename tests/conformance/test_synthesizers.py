"""What every synthesizer promises, whatever its voice is like.

The voices of coqui-tts here are small: the VITS has learnt to buzz letters (``tiny_voice``), and
the XTTS, with random weights, hums for about a second whatever it is to say.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import numpy as np
import pytest

from voice_agent import engines
from voice_agent.audio.pcm import HEARING_RATE, level_db
from voice_agent.audio.resample import resample
from voice_agent.errors import EngineError
from voice_agent.events import Phrase, Speech, Tone
from voice_agent.hearing.prosody import HOP, PitchTracker

SENTENCE = "I hear you, and that sounds really hard for you."
LONG = " ".join([SENTENCE] * 20)
ODD_PHRASES = [
    "Hi",
    "  leading and trailing white space \n",
    "one\ttwo\nthree  four",
    "😀 well 🎉 then 👨‍👩‍👧",
    "tags <b>x</b> & 5 < 6 > 4 ]]> <speak> &amp; &#0;",
    "control \x01p90 \x02 \x1b[0m \x7f done",
    "phonemes [[h@l'oU]] and %s %n {} $(x) `y`",
    "lone surrogate \ud800 here",
    "漢字 Привет مرحبا हैलो ελλάδα",
    "x" * 3000,
    "9" * 400,
    "word " * 400,
    "— ... !!! well ??? —",
    "https://example.com/a?b=c#d and Dr. Smith's $3.50, 12:30, 1/2",
    "“Quoted,” she said; ‘really’…",
]
SILENT_PHRASES = ["", " ", "\n\t  \n", "\u200b \x00"]


VOICES = ["espeak", "coqui vits", "coqui xtts"]


@pytest.fixture(scope="session")
def coqui(tmp_path_factory) -> Any:
    """Folders of coqui-tts voices by their kind."""
    pytest.importorskip("TTS", reason="needs the extra 'neural'")
    import tiny_voices

    with tiny_voices.narrow_decoders():
        xtts = tiny_voices.save_xtts(tmp_path_factory.mktemp("voices") / "xtts")
        yield {"vits": tiny_voices.BUZZING_VITS, "xtts": xtts}


@pytest.fixture(scope="session", params=VOICES)
def choice(request: pytest.FixtureRequest) -> tuple[Any, Any]:
    """The engine under test and its options."""
    name, _, kind = request.param.partition(" ")
    engine = engines.find("synthesizer", name)
    options = {}
    if name == "coqui":
        options = {"model": str(request.getfixturevalue("coqui")[kind]), "device": "cpu"}
    return engine, engine.Options(**options)


@pytest.fixture(scope="session")
def synthesizer(choice: tuple[Any, Any]) -> Iterator[Any]:
    """One instance for all tests, each with an event loop of its own: none may spoil it."""
    engine, options = choice
    instance = asyncio.run(engine.create(options))
    yield instance
    asyncio.run(instance.close())


@pytest.fixture
async def create(choice: tuple[Any, Any]) -> AsyncIterator[Callable[[], Any]]:
    """Creates further instances."""
    engine, options = choice
    created = []

    async def new() -> Any:
        created.append(await engine.create(options))
        return created[-1]

    yield new
    for instance in created:
        await instance.close()


def seconds(pieces: list[Speech]) -> float:
    """Length; not in samples, since a voice may take another sample rate for another tone."""
    return audio(pieces).size / pieces[0].rate


async def spoken(synthesizer: Any, text: str, tone: Tone | None = None) -> list[Speech]:
    phrase = Phrase(text, tone or Tone())
    return [speech async for speech in synthesizer.synthesize(phrase)]


def words(pieces: list[Speech]) -> str:
    return "".join(word.text for piece in pieces for word in piece.words)


def audio(pieces: list[Speech]) -> np.ndarray:
    return np.concatenate([piece.samples for piece in pieces])


def median_pitch(pieces: list[Speech]) -> float:
    samples = resample(audio(pieces), pieces[0].rate, HEARING_RATE)
    tracker = PitchTracker()
    window = 1024
    pitches = [
        pitch
        for end in range(window, samples.size, 2 * HOP)
        for pitch in tracker.pitch(samples[end - window : end])
        if pitch > 0
    ]
    return float(np.median(pitches))


async def test_gives_audio_for_text(synthesizer: Any, request: pytest.FixtureRequest) -> None:
    pieces = await spoken(synthesizer, SENTENCE)
    assert all(piece.samples.dtype == np.float32 and piece.samples.ndim == 1 for piece in pieces)
    assert all(piece.samples.size > 0 for piece in pieces)
    assert len({piece.rate for piece in pieces}) == 1
    samples = audio(pieces)
    assert np.isfinite(samples).all()
    assert np.abs(samples).max() <= 1
    assert level_db(samples) > -45
    if "xtts" not in request.node.name:  # its length tells nothing of the text
        assert 1.5 < seconds(pieces) < 6


async def test_begins_to_sound_at_once_and_ends_soon(synthesizer: Any) -> None:
    pieces = await spoken(synthesizer, "Peter, please.")
    samples, rate = np.abs(audio(pieces)), pieces[0].rate
    loud = np.flatnonzero(samples > 0.02 * samples.max())
    assert loud[0] <= 0.005 * rate
    assert samples.size - loud[-1] <= 0.25 * rate


async def test_the_first_piece_comes_before_the_last_is_made(synthesizer: Any) -> None:
    pieces = await spoken(synthesizer, LONG)
    assert len(pieces) > 1
    assert pieces[0].samples.size < 0.25 * audio(pieces).size


@pytest.mark.parametrize("text", [SENTENCE, LONG, *ODD_PHRASES], ids=lambda text: text[:12])
async def test_the_words_are_the_phrase_and_lie_in_its_audio(synthesizer: Any, text: str) -> None:
    pieces = await spoken(synthesizer, text)
    assert words(pieces) == text
    before, at = 0, 0
    total = audio(pieces).size
    for piece in pieces:
        for word in piece.words:
            assert word.text
            assert 0 <= word.start <= word.end
            assert word.start < piece.samples.size
            assert before <= at + word.start
            assert at + word.end <= total
            before = at + word.start
        at += piece.samples.size


async def test_each_word_of_a_sentence_is_told_apart(synthesizer: Any) -> None:
    told = [w for piece in await spoken(synthesizer, SENTENCE) for w in piece.words]
    assert len(told) >= 0.7 * len(SENTENCE.split())


@pytest.mark.parametrize("text", SILENT_PHRASES, ids=repr)
async def test_nothing_to_say_gives_no_audio(synthesizer: Any, text: str) -> None:
    assert await spoken(synthesizer, text) == []


async def test_the_same_phrase_sounds_alike_again_after_another_tone(synthesizer: Any) -> None:
    before = audio(await spoken(synthesizer, SENTENCE)).size
    await spoken(synthesizer, SENTENCE, Tone("sad", rate=0.8, pitch_st=-3, range=0.5, volume_db=-6))
    assert audio(await spoken(synthesizer, SENTENCE)).size == pytest.approx(before, rel=0.1)


@pytest.mark.parametrize("after", [0, 1, 2, 5, 20])
async def test_can_be_cancelled_at_any_piece(synthesizer: Any, after: int) -> None:
    pieces = synthesizer.synthesize(Phrase(LONG))
    for _ in range(after):
        await anext(pieces)
    await pieces.aclose()
    assert words(await spoken(synthesizer, SENTENCE)) == SENTENCE


async def test_cancelled_tasks_leave_it_usable(synthesizer: Any) -> None:
    tasks = [asyncio.create_task(spoken(synthesizer, LONG)) for _ in range(4)]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert words(await spoken(synthesizer, SENTENCE)) == SENTENCE


async def test_who_listens_slowly_keeps_nobody_waiting(synthesizer: Any) -> None:
    slow = synthesizer.synthesize(Phrase(LONG))
    first = await anext(slow)
    assert words(await spoken(synthesizer, SENTENCE)) == SENTENCE
    assert words([first, *[piece async for piece in slow]]) == LONG


async def test_requests_of_two_sessions_do_not_mix(synthesizer: Any) -> None:
    texts = [f"This is session {name}, and it says its own words." for name in "one two".split()]
    alone = [audio(await spoken(synthesizer, text)).size for text in texts]
    low = Tone("sad", rate=0.8, pitch_st=-3)
    results = await asyncio.gather(
        *(spoken(synthesizer, text) for text in texts), spoken(synthesizer, texts[0], low)
    )
    assert [words(result) for result in results] == [*texts, texts[0]]
    together = [audio(result).size for result in results[:2]]
    assert together == pytest.approx(alone, rel=0.1)


async def test_tones_change_the_voice_in_their_direction(synthesizer: Any) -> None:
    bright = await spoken(
        synthesizer, SENTENCE, Tone("joyful", rate=1.15, pitch_st=2, range=1.4, volume_db=2)
    )
    dull = await spoken(
        synthesizer, SENTENCE, Tone("sad", rate=0.85, pitch_st=-2, range=0.6, volume_db=-4)
    )
    assert seconds(dull) > 1.15 * seconds(bright)
    assert level_db(audio(bright)) > level_db(audio(dull)) + 2
    assert median_pitch(bright) > 1.05 * median_pitch(dull)


async def test_closing_twice_is_harmless_and_then_it_says_so(create: Callable[[], Any]) -> None:
    synthesizer, other = await create(), await create()
    await synthesizer.close()
    await synthesizer.close()
    with pytest.raises(EngineError):
        await spoken(synthesizer, SENTENCE)
    assert words(await spoken(other, SENTENCE)) == SENTENCE


async def test_closing_while_it_speaks_ends_the_speech(create: Callable[[], Any]) -> None:
    synthesizer = await create()
    pieces = synthesizer.synthesize(Phrase(LONG))
    await anext(pieces)
    await synthesizer.close()
    with pytest.raises(EngineError):
        async for _ in pieces:
            pass
