import numpy as np
import pytest
from sounds import Detector

from voice_agent.hearing.endpointing import Endpointer
from voice_agent.settings import Endpointing

ROWS = 2
ROW_MS = 16.0


def endpointer(completion: float = 0.5, **settings) -> Endpointer:
    return Endpointer(Endpointing(**settings), Detector(completion))


def ends_after(endpointer: Endpointer, levels_db) -> float:
    """Milliseconds of a pause with these row levels after which the turn is over."""
    endpointer.begin(-20.0)
    for at in range(0, len(levels_db), ROWS):
        silence = (at + ROWS) * ROW_MS
        endpointer.hear(levels_db[at : at + ROWS], silence)
        if endpointer.over("so", silence, lambda: None):
            return silence
    raise AssertionError("the turn never ended")


def quiet(seconds: float, level: float = -80.0, seed: int = 0) -> np.ndarray:
    rows = round(seconds * 1000 / ROW_MS / ROWS) * ROWS
    return level + np.random.default_rng(seed).normal(0, 0.5, rows)


def test_waits_less_the_surer_it_is():
    waits = [endpointer().wait_ms(p) for p in np.linspace(0, 1, 101)]
    assert waits == sorted(waits, reverse=True)
    assert waits[0] > waits[50] > waits[-1]


def test_waits_less_the_more_eager_it_is():
    waits = [endpointer(eagerness=e).wait_ms(0.7) for e in (0, 0.25, 0.5, 0.75, 1)]
    assert waits == sorted(waits, reverse=True)
    assert len(set(waits)) == 5


@pytest.mark.parametrize("completion", [0.0, 1e-12, 0.5, 1.0])
def test_keeps_within_its_bounds(completion):
    wait = endpointer(min_wait_ms=350, max_wait_ms=600).wait_ms(completion)
    assert 350 <= wait <= 600


def test_a_fixed_wait_asks_nobody_and_hears_nothing():
    fixed = endpointer(min_wait_ms=640, max_wait_ms=640)
    levels = quiet(1.0)
    levels[20:36] = -40
    assert ends_after(fixed, levels) == 640
    assert fixed._detector.asked == []


def test_asks_again_only_when_the_words_change():
    pausing = endpointer(0.001)
    for words in ("i", "i", "i think", "i think", "i think so"):
        pausing.over(words, 200, lambda: None)
    assert len(pausing._detector.asked) == 3
    pausing.begin(-20)
    pausing.over("i think so", 200, lambda: None)
    assert len(pausing._detector.asked) == 4


def test_a_breath_puts_the_end_off():
    calm = ends_after(endpointer(0.8), quiet(2))
    breath = quiet(2)
    breath[16:28] = -45
    assert ends_after(endpointer(0.8), breath) >= max(calm, 28 * ROW_MS + 200)


def test_a_breath_puts_it_off_by_no_more_than_the_longest_wait():
    panting = np.where(np.arange(300) // 15 % 2, -45.0, -80.0)
    assert ends_after(endpointer(0.8, max_wait_ms=900), panting) <= 900 + ROWS * ROW_MS


@pytest.mark.parametrize("level", [-120.0, -90.0, -70.0, -50.0, -35.0])
def test_the_level_of_steady_noise_makes_no_difference(level):
    assert ends_after(endpointer(0.8), quiet(2, level)) == ends_after(endpointer(0.8), quiet(2))


@pytest.mark.parametrize(("before", "after"), [(-120.0, -70.0), (-70.0, -120.0), (-60.0, -65.0)])
def test_a_recording_that_ends_in_the_pause_makes_no_difference(before, after):
    """Neither digital silence nor the noise that replaces it is a sign of anything."""
    spliced = np.concatenate([quiet(0.16, before), quiet(2, after)])
    assert ends_after(endpointer(0.8), spliced) == ends_after(endpointer(0.8), quiet(2))
