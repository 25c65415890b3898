import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest
from pydantic import ValidationError

from voice_agent.audio.pcm import HEARING_RATE, level_db
from voice_agent.audio.resample import resample
from voice_agent.errors import EngineError, EngineUnavailable
from voice_agent.events import Phrase, Speech, Tone
from voice_agent.hearing.prosody import HOP, PitchTracker
from voice_agent.speaking.synthesizers import espeak_library
from voice_agent.speaking.synthesizers.espeak import EspeakOptions, EspeakSynthesizer

SENTENCE = "I hear you, and that sounds really hard. It makes sense that you feel worn out today."


@pytest.fixture
async def voice() -> AsyncIterator[EspeakSynthesizer]:
    synthesizer = await EspeakSynthesizer.create(EspeakOptions())
    yield synthesizer
    await synthesizer.close()


async def say(voice: EspeakSynthesizer, text: str = SENTENCE, **tone: float) -> list[Speech]:
    return [speech async for speech in voice.synthesize(Phrase(text, Tone(**tone)))]


def audio(pieces: list[Speech]) -> np.ndarray:
    return np.concatenate([piece.samples for piece in pieces])


def pitches(pieces: list[Speech]) -> np.ndarray:
    """Pitch of the voiced stretches in semitones."""
    samples = resample(audio(pieces), pieces[0].rate, HEARING_RATE)
    tracker = PitchTracker()
    found = [
        pitch
        for end in range(1024, samples.size, 2 * HOP)
        for pitch in tracker.pitch(samples[end - 1024 : end])
        if pitch > 0
    ]
    return 12 * np.log2(np.array(found))


@pytest.mark.parametrize("shift", [-3.0, -1.0, 1.0, 3.0])
async def test_pitch_moves_by_the_semitones_asked_for(
    voice: EspeakSynthesizer, shift: float
) -> None:
    moved = np.median(pitches(await say(voice, pitch_st=shift))) - np.median(
        pitches(await say(voice))
    )
    assert moved == pytest.approx(shift, abs=0.35)


@pytest.mark.parametrize("factor", [0.5, 1.5])
async def test_range_widens_the_melody_and_leaves_its_middle(
    voice: EspeakSynthesizer, factor: float
) -> None:
    plain, changed = pitches(await say(voice)), pitches(await say(voice, range=factor))
    spread = np.subtract(*np.percentile(changed, [90, 10]))
    assert spread / np.subtract(*np.percentile(plain, [90, 10])) == pytest.approx(factor, rel=0.3)
    assert np.median(changed) == pytest.approx(np.median(plain), abs=0.5)


@pytest.mark.parametrize("factor", [0.8, 1.25])
async def test_rate_changes_the_duration(voice: EspeakSynthesizer, factor: float) -> None:
    change = audio(await say(voice)).size / audio(await say(voice, rate=factor)).size
    assert change == pytest.approx(factor, rel=0.08)


@pytest.mark.parametrize("db", [-6.0, 3.0])
async def test_volume_changes_the_level_and_nothing_else(
    voice: EspeakSynthesizer, db: float
) -> None:
    plain, changed = audio(await say(voice)), audio(await say(voice, volume_db=db))
    assert level_db(changed) - level_db(plain) == pytest.approx(db, abs=0.3)
    assert changed.size == pytest.approx(plain.size, rel=0.01)
    assert np.abs(changed).max() < 1


async def test_words_begin_where_the_silence_between_them_ends(voice: EspeakSynthesizer) -> None:
    pieces = await say(voice, "Stop. Stop. Stop.")
    assert [w.text for p in pieces for w in p.words] == ["Stop. ", "Stop. ", "Stop."]
    for piece in pieces:
        sounding = np.flatnonzero(np.abs(piece.samples) > 0.01)
        assert sounding[0] < 0.08 * piece.rate


async def test_speed_is_the_pace_of_the_voice() -> None:
    slow = await EspeakSynthesizer.create(EspeakOptions(speed=120))
    fast = await EspeakSynthesizer.create(EspeakOptions(speed=240))
    assert audio(await say(slow)).size > 1.6 * audio(await say(fast)).size
    await slow.close()
    await fast.close()


async def test_two_voices_speak_at_the_same_time_each_in_its_own() -> None:
    male = await EspeakSynthesizer.create(EspeakOptions(voice="en-us"))
    female = await EspeakSynthesizer.create(EspeakOptions(voice="en-us+f2"))
    spoken = await asyncio.gather(*(say(v) for v in (male, female) * 3))
    low, high = (np.median(pitches(spoken[index])) for index in (0, 1))
    assert high > low + 8
    for index in range(2, 6):
        assert np.median(pitches(spoken[index])) == pytest.approx((low, high)[index % 2], abs=0.3)
    await male.close()
    await female.close()


@pytest.mark.parametrize("name", ["nobody", "en-us+nobody", "en-us+", ""])
async def test_an_unknown_voice_is_refused_with_a_hint(name: str) -> None:
    with pytest.raises(EngineUnavailable, match=r"no voice.*en-us\+f2"):
        await EspeakSynthesizer.create(EspeakOptions(voice=name))


@pytest.mark.parametrize("options", [{"speed": 10}, {"speed": 1000}, {"pitch": 3}])
def test_options_out_of_bounds_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        EspeakOptions(**options)


async def test_a_missing_library_is_told_with_what_brings_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("espeakng_loader.get_library_path", lambda: "/nowhere/libespeak-ng.so")
    with pytest.raises(EngineUnavailable, match="pip install espeakng-loader"):
        espeak_library.Library()


async def test_cancelling_stops_espeak_itself(voice: EspeakSynthesizer) -> None:
    taken = 0

    def count(samples: np.ndarray, words: list[tuple[int, int]]) -> bool:
        nonlocal taken
        taken += samples.size
        return taken < 22_050

    library = espeak_library.load()
    library.speak(SENTENCE * 3, espeak_library.Voice("en-us"), count)
    assert 22_050 <= taken < 30_000


async def test_an_error_in_the_callback_comes_out(voice: EspeakSynthesizer) -> None:
    def fail(samples: np.ndarray, words: list[tuple[int, int]]) -> bool:
        raise EngineError("cannot take it")

    library = espeak_library.load()
    with pytest.raises(EngineError, match="cannot take it"):
        library.speak(SENTENCE, espeak_library.Voice("en-us"), fail)
    assert len(await say(voice)) > 5


def test_a_loop_that_ends_while_espeak_speaks_does_no_harm() -> None:
    async def begin() -> None:
        synthesizer = await EspeakSynthesizer.create(EspeakOptions())
        pieces = synthesizer.synthesize(Phrase(SENTENCE * 3))
        await anext(pieces)

    async def again() -> int:
        synthesizer = await EspeakSynthesizer.create(EspeakOptions())
        count = len(await say(synthesizer))
        await synthesizer.close()
        return count

    asyncio.run(begin())
    assert asyncio.run(again()) > 5
