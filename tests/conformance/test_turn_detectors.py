"""What every turn detector promises, checked on every one that is installed and can run here."""

import math
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from voice_agent import engines
from voice_agent.audio.pcm import HEARING_RATE
from voice_agent.errors import EngineUnavailable
from voice_agent.events import Pause

PAUSE = Pause(
    silence_s=0.2,
    speech_s=2.0,
    longest_pause_s=0.3,
    text="i went to the doctor",
    pitch_slope_st=-6.0,
    pitch_end_st=-3.0,
    level_slope_db=-20.0,
    level_end_db=-6.0,
    last_syllable_s=0.2,
    audio=np.random.default_rng(0).normal(0, 0.05, 3 * HEARING_RATE).astype(np.float32),
)
NO_AUDIO = np.zeros(0, np.float32)
ODD = [
    replace(PAUSE, text=""),
    replace(PAUSE, text="   \n"),
    replace(PAUSE, text="漢字 Привет 😀 ..."),
    replace(PAUSE, text="word " * 5000),
    replace(PAUSE, speech_s=0.0, silence_s=0.0, longest_pause_s=0.0, last_syllable_s=0.0),
    replace(PAUSE, speech_s=3600.0, silence_s=60.0, longest_pause_s=60.0),
    replace(PAUSE, pitch_slope_st=1e4, pitch_end_st=-1e4, level_slope_db=-1e4, level_end_db=1e4),
    replace(PAUSE, audio=NO_AUDIO),
    replace(PAUSE, audio=np.zeros(8 * HEARING_RATE, np.float32)),
]


@pytest.fixture(params=engines.available("turn_detector"))
async def detector(request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    engine = engines.find("turn_detector", request.param)
    try:
        instance = await engine.create(engine.Options())
    except EngineUnavailable as error:
        pytest.skip(str(error))
    assert instance.name == request.param
    yield instance
    await instance.close()


def test_gives_a_probability(detector: Any) -> None:
    assert 0 <= detector.completion(PAUSE) <= 1


@pytest.mark.parametrize("pause", ODD, ids=range(len(ODD)))
def test_gives_a_probability_for_anything(detector: Any, pause: Pause) -> None:
    completion = detector.completion(pause)
    assert isinstance(completion, float)
    assert math.isfinite(completion)
    assert 0 <= completion <= 1


def test_the_same_pause_gets_the_same_answer(detector: Any) -> None:
    first = detector.completion(PAUSE)
    for pause in ODD:
        detector.completion(pause)
    assert detector.completion(PAUSE) == first


def test_sessions_can_ask_at_the_same_time(detector: Any) -> None:
    alone = [detector.completion(pause) for pause in ODD]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(detector.completion, ODD * 20))
    assert together == alone * 20


def test_leaves_the_audio_as_it_was(detector: Any) -> None:
    before = PAUSE.audio.copy()
    detector.completion(PAUSE)
    np.testing.assert_array_equal(PAUSE.audio, before)


def test_does_not_go_by_what_follows_the_recording(detector: Any) -> None:
    """A recording padded with zeros is no more complete than one padded with room noise."""
    tail = HEARING_RATE // 5
    noise = np.random.default_rng(1).normal(0, 3e-4, tail).astype(np.float32)
    quiet = np.concatenate([PAUSE.audio, noise])
    silent = np.concatenate([PAUSE.audio, np.zeros(tail, np.float32)])
    answers = [detector.completion(replace(PAUSE, audio=audio)) for audio in (quiet, silent)]
    assert answers[0] == pytest.approx(answers[1], abs=0.2)


def test_answers_in_time(detector: Any) -> None:
    detector.completion(PAUSE)
    began = time.perf_counter()
    for _ in range(5):
        detector.completion(PAUSE)
    assert (time.perf_counter() - began) / 5 < 0.1


def test_words_that_ask_for_more_keep_the_turn_open(detector: Any) -> None:
    finished = detector.completion(replace(PAUSE, text="i went to the doctor"))
    unfinished = detector.completion(replace(PAUSE, text="i went to the doctor because the"))
    assert unfinished <= finished


async def test_can_be_closed_twice(detector: Any) -> None:
    await detector.close()
    await detector.close()
