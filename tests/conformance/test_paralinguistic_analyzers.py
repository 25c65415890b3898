"""What every paralinguistic analyzer promises, checked on all that are installed and can run."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from voice_agent import engines
from voice_agent.audio.pcm import HEARING_RATE, Samples
from voice_agent.engines import ParalinguisticAnalyzer, ParalinguisticStream
from voice_agent.errors import EngineUnavailable
from voice_agent.events import EMOTIONS, VOCAL_EVENTS, Manner, Paralinguistics

MANNER = Manner(
    speech_s=2.0,
    pitch_hz=210.0,
    pitch_low_hz=180.0,
    pitch_high_hz=255.0,
    pitch_range_st=6.0,
    pitch_shift_st=2.0,
    level_db=-24.0,
    level_shift_db=3.0,
    syllable_rate=4.5,
    rate_shift=1.2,
    pause_share=0.1,
    voiced_share=0.7,
    phonation={"whisper": 0.0, "normal": 0.9, "shout": 0.1},
    confidence={"pitch_hz": 0.9, "level_db": 0.9},
)
NUMBERS = [field.name for field in fields(Manner) if isinstance(getattr(MANNER, field.name), float)]
NOISE = np.random.default_rng(0).normal(0, 0.05, 2 * HEARING_RATE).astype(np.float32)


def voice(length: float, hz: float) -> Samples:
    """A buzz of syllables, four a second."""
    at = np.arange(round(length * HEARING_RATE)) / HEARING_RATE
    buzz = sum(np.sin(2 * np.pi * hz * n * at) / n for n in range(1, 20))
    return (0.05 * buzz * (0.6 - 0.4 * np.cos(8 * np.pi * at))).astype(np.float32)


AUDIO = {
    "none": np.zeros(0, np.float32),
    "one sample": np.zeros(1, np.float32),
    "a tenth of a second": voice(0.1, 150),
    "silence": np.zeros(HEARING_RATE, np.float32),
    "too loud": np.ones(HEARING_RATE, np.float32),
    "clipped": np.clip(50 * voice(2, 150), -1, 1),
    "hardly there": 1e-7 * NOISE,
    "noise": NOISE,
    "a voice": voice(2, 150),
    "half a minute": np.tile(NOISE, 15),
}


def transformers_options(folder: Path) -> dict[str, Any]:
    """Small models with random weights for all that the engine can read."""
    pytest.importorskip("torch", reason="needs the extra 'transformers'")
    pytest.importorskip("transformers", reason="needs the extra 'transformers'")
    import tiny_classifiers

    emotion = tiny_classifiers.wav2vec2(folder / "emotion", ["neu", "calm", "hap", "ang", "sad"])
    person = tiny_classifiers.wav2vec2(
        folder / "person", ["female", "male", "child", "adult", "old"], masked=False
    )
    events = tiny_classifiers.spectrogram(folder / "events", ["Speech", "Laughter", "Cough"])
    dimensions = tiny_classifiers.pooled(folder / "dimensions", ["arousal", "dominance", "valence"])
    models = [
        {"model": str(emotion), "reads": "emotion"},
        {"model": str(person), "reads": ["gender", "age"]},
        {"model": str(events), "reads": "events", "threshold": 0.3},
        {"model": str(dimensions), "reads": "dimensions"},
    ]
    return {"models": models, "device": "cpu", "threads": 1}


OPTIONS: dict[str, Callable[[Path], dict[str, Any]]] = {"transformers": transformers_options}
"""What an engine needs to be told in these tests; the others run as they come."""


@pytest.fixture(scope="module", params=engines.available("paralinguistics"))
def chosen(request: pytest.FixtureRequest, tmp_path_factory) -> tuple[str, dict[str, Any]]:
    """The name of an engine, and its options."""
    options = OPTIONS.get(request.param)
    return request.param, options(tmp_path_factory.mktemp("models")) if options else {}


@pytest.fixture
async def analyzer(chosen: tuple[str, dict[str, Any]]) -> AsyncIterator[ParalinguisticAnalyzer]:
    name, options = chosen
    engine = engines.find("paralinguistics", name)
    try:
        instance = await engine.create(engine.Options(**options))
    except EngineUnavailable as error:
        pytest.skip(str(error))
    assert instance.name == name
    yield instance
    await instance.close()


@pytest.fixture
async def stream(analyzer: ParalinguisticAnalyzer) -> AsyncIterator[ParalinguisticStream]:
    stream = await analyzer.open()
    assert isinstance(stream, ParalinguisticStream)
    yield stream
    await stream.close()


def check(how: Paralinguistics, audio: Samples) -> None:
    for labels, known in (
        (how.gender, {"female", "male"}),
        (how.age, {"child", "adult", "old"}),
        (how.emotion, set(EMOTIONS)),
    ):
        assert set(labels) <= known
        assert all(0 <= share <= 1 for share in labels.values())
        if labels:
            assert sum(labels.values()) == pytest.approx(1, abs=1e-6)
    assert how.evidence == {}
    assert 0 <= how.calm <= how.emotion.get("neutral", 0.0) + 1e-9
    for estimate in (how.valence, how.arousal, how.dominance):
        if estimate is not None:
            assert -1 <= estimate.value <= 1
            assert 0 <= estimate.confidence <= 1
    for event in how.events:
        assert event.label in VOCAL_EVENTS
        assert 0 <= event.start <= event.end <= len(audio) / HEARING_RATE
        assert 0 <= event.confidence <= 1


def alike(one: object, other: object) -> bool:
    """Whether two readings are the same but for rounding, which may differ among others."""
    if isinstance(one, Paralinguistics):
        assert isinstance(other, Paralinguistics)
        return alike(asdict(one), asdict(other))
    if isinstance(one, dict):
        assert isinstance(other, dict)
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, tuple):
        assert isinstance(other, tuple)
        return len(one) == len(other) and all(map(alike, one, other))
    return one == (pytest.approx(other, abs=1e-4) if isinstance(other, float) else other)


async def test_carries_the_measurements_on(stream):
    how = await stream.analyze(NOISE, MANNER)
    check(how, NOISE)
    assert how.manner == MANNER


@pytest.mark.parametrize("audio", AUDIO.values(), ids=AUDIO)
@pytest.mark.parametrize("manner", [Manner(), MANNER], ids=["nothing measured", "measured"])
async def test_reads_anything(stream, audio: Samples, manner: Manner):
    check(await stream.analyze(audio, manner), audio)


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("extreme", [-1e3, 0.0, 1e4])
async def test_reads_extreme_measurements(stream, name: str, extreme: float):
    values = {field.name: getattr(MANNER, field.name) for field in fields(Manner)}
    how = await stream.analyze(NOISE, Manner(**(values | {name: extreme})))
    check(how, NOISE)
    assert all(math.isfinite(share) for share in how.emotion.values())


async def test_is_not_sure_of_anything_where_nothing_was_said(stream):
    how = await stream.analyze(AUDIO["silence"], Manner())
    assert how.uncertain
    assert how.events == ()


async def test_readings_may_overlap(stream):
    voices = [voice(1 + n / 4, 100 + 20 * n) for n in range(8)]
    alone = [await stream.analyze(audio, MANNER) for audio in voices]
    together = await asyncio.gather(*(stream.analyze(audio, MANNER) for audio in voices))
    assert all(map(alike, together, alone))


async def test_leaves_the_audio_as_it_was(stream):
    audio = NOISE.copy()
    await stream.analyze(audio, MANNER)
    await stream.learn(audio)
    np.testing.assert_array_equal(audio, NOISE)


@pytest.mark.parametrize("audio", AUDIO.values(), ids=AUDIO)
async def test_learns_from_anything(stream, audio: Samples):
    await stream.learn(audio)
    check(await stream.analyze(AUDIO["a voice"], MANNER), AUDIO["a voice"])
    assert (await stream.analyze(AUDIO["silence"], Manner())).uncertain


async def test_one_person_is_not_measured_against_another(analyzer):
    listening, other = await analyzer.open(), await analyzer.open()
    before = await listening.analyze(AUDIO["a voice"], MANNER)
    for _ in range(3):
        await other.learn(voice(4, 260))
    await other.close()
    assert await listening.analyze(AUDIO["a voice"], MANNER) == before
    await listening.close()


async def test_can_be_closed_twice(analyzer):
    stream = await analyzer.open()
    await stream.close()
    await stream.close()
    await analyzer.close()
    await analyzer.close()
