"""What every paralinguistic analyzer promises, checked on all that are installed and can run."""

import asyncio
import math
from collections.abc import AsyncIterator
from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from voice_agent import engines
from voice_agent.audio.pcm import HEARING_RATE, Samples
from voice_agent.errors import EngineUnavailable
from voice_agent.events import EMOTIONS, VOCAL_EVENTS, Manner, Paralinguistics

MANNER = Manner(
    speech_s=2.0,
    pitch_hz=210.0,
    pitch_range_st=6.0,
    pitch_shift_st=2.0,
    level_db=-24.0,
    level_shift_db=3.0,
    syllable_rate=4.5,
    rate_shift=1.2,
    pause_share=0.1,
    voiced_share=0.7,
)
NOISE = np.random.default_rng(0).normal(0, 0.05, 2 * HEARING_RATE).astype(np.float32)
ODD_AUDIO = {
    "none": np.zeros(0, np.float32),
    "one sample": np.zeros(1, np.float32),
    "silence": np.zeros(HEARING_RATE, np.float32),
    "too loud": np.ones(HEARING_RATE, np.float32),
    "half a minute": np.tile(NOISE, 15),
}


@pytest.fixture(params=engines.available("paralinguistics"))
async def analyzer(request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    engine = engines.find("paralinguistics", request.param)
    try:
        instance = await engine.create(engine.Options())
    except EngineUnavailable as error:
        pytest.skip(str(error))
    assert instance.name == request.param
    yield instance
    await instance.close()


def check(how: Paralinguistics) -> None:
    assert set(how.emotion) <= set(EMOTIONS)
    for labels, known in (
        (how.gender, {"female", "male"}),
        (how.age, {"child", "adult", "old"}),
        (how.emotion, set(EMOTIONS)),
    ):
        assert set(labels) <= known
        assert all(0 <= share <= 1 for share in labels.values())
        if labels:
            assert sum(labels.values()) == pytest.approx(1, abs=1e-6)
    for estimate in (how.valence, how.arousal, how.dominance):
        if estimate is not None:
            assert -1 <= estimate.value <= 1
            assert 0 <= estimate.confidence <= 1
    for event in how.events:
        assert event.label in VOCAL_EVENTS
        assert 0 <= event.start <= event.end
        assert 0 <= event.confidence <= 1


async def test_carries_the_measurements_on(analyzer: Any) -> None:
    how = await analyzer.analyze(NOISE, MANNER)
    check(how)
    assert how.manner == MANNER


@pytest.mark.parametrize("audio", ODD_AUDIO.values(), ids=ODD_AUDIO)
@pytest.mark.parametrize("manner", [Manner(), MANNER], ids=["nothing measured", "measured"])
async def test_reads_anything(analyzer: Any, audio: Samples, manner: Manner) -> None:
    check(await analyzer.analyze(audio, manner))


@pytest.mark.parametrize("name", [field.name for field in fields(Manner)])
@pytest.mark.parametrize("extreme", [-1e3, 0.0, 1e4])
async def test_reads_extreme_measurements(analyzer: Any, name: str, extreme: float) -> None:
    values = {field.name: getattr(MANNER, field.name) for field in fields(Manner)}
    how = await analyzer.analyze(NOISE, Manner(**(values | {name: extreme})))
    check(how)
    assert all(math.isfinite(share) for share in how.emotion.values())


async def test_is_not_sure_of_anything_where_nothing_was_said(analyzer: Any) -> None:
    how = await analyzer.analyze(ODD_AUDIO["silence"], Manner())
    assert how.uncertain


async def test_the_same_turn_gets_the_same_reading(analyzer: Any) -> None:
    first = await analyzer.analyze(NOISE, MANNER)
    together = await asyncio.gather(*(analyzer.analyze(NOISE, MANNER) for _ in range(8)))
    assert all(how == first for how in together)


async def test_leaves_the_audio_as_it_was(analyzer: Any) -> None:
    audio = NOISE.copy()
    await analyzer.analyze(audio, MANNER)
    np.testing.assert_array_equal(audio, NOISE)


async def test_can_be_closed_twice(analyzer: Any) -> None:
    await analyzer.close()
    await analyzer.close()
