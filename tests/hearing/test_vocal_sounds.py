"""Windows over a turn, and the sounds that are found in them."""

import numpy as np
import pytest

from voice_agent.audio.pcm import HEARING_RATE
from voice_agent.events import VocalEvent
from voice_agent.hearing.paralinguistics.transformers.sounds import (
    HOP,
    WINDOW,
    Grid,
    continued,
    events,
    moved,
)

TURN = np.random.default_rng(0).normal(0, 0.1, 20 * HEARING_RATE).astype(np.float32)


def test_windows_lie_half_over_each_other_and_end_with_the_turn():
    assert Grid().windows(TURN[: 2 * WINDOW]) == [0, HOP, WINDOW]
    assert Grid().windows(TURN[: 2 * WINDOW + 100]) == [0, HOP, WINDOW, WINDOW + 100]
    assert Grid().windows(TURN[: WINDOW // 2]) == [0]


def test_windows_stay_where_they_were_when_a_turn_goes_on_or_loses_its_beginning():
    grid = Grid()
    grid.windows(TURN[: 5 * WINDOW])

    assert set(grid.windows(TURN[: 6 * WINDOW])) >= {0, HOP, 9 * HOP}
    assert {start + 512 for start in grid.windows(TURN[512 : 7 * WINDOW])} >= {HOP, 10 * HOP}
    assert {start + 9000 for start in grid.windows(TURN[9000 : 8 * WINDOW])} >= {2 * HOP, 14 * HOP}


def test_another_turn_has_windows_of_its_own():
    grid = Grid()
    grid.windows(TURN[: 5 * WINDOW])
    grid.windows(TURN[700 : 5 * WINDOW])

    assert grid.windows(TURN[9 * WINDOW : 11 * WINDOW]) == [0, HOP, WINDOW]


def found(*shares: float) -> list[dict[str, float]]:
    return [{"laugh": share} for share in shares]


@pytest.mark.parametrize(
    ("shares", "heard"),
    [
        (found(0.1, 0.2, 0.1, 0.1, 0.1), []),
        (found(0.1, 0.9, 0.1, 0.1, 0.1), [(0.75, 1.25, 0.9)]),
        (found(0.1, 0.6, 0.8, 0.1, 0.1), [(0.75, 1.75, 0.8)]),
        (found(0.9, 0.1, 0.1, 0.1, 0.7), [(0.0, 0.75, 0.9), (2.25, 3.0, 0.7)]),
        (found(0.5, 0.5, 0.5, 0.5, 0.5), [(0.0, 3.0, 0.5)]),
    ],
)
def test_neighbouring_windows_make_one_sound(shares, heard):
    starts = [0, HOP, 2 * HOP, 3 * HOP, 4 * HOP]

    assert events(starts, 3 * WINDOW, shares, 0.5) == tuple(
        VocalEvent("laugh", *times) for times in heard
    )


def test_different_sounds_may_come_together():
    shares = [{"laugh": 0.6}, {"laugh": 0.7, "cough": 0.8}, {"cough": 0.1}]

    assert events([0, HOP, WINDOW], 2 * WINDOW, shares, 0.5) == (
        VocalEvent("laugh", 0.0, 1.25, 0.7),
        VocalEvent("cough", 0.75, 1.25, 0.8),
    )


def test_a_turn_that_went_on_is_known_again():
    turn = TURN[: 3 * WINDOW]

    assert continued(turn, TURN[: 4 * WINDOW]) == 0
    assert continued(turn, TURN[512 : 4 * WINDOW]) == 512
    assert continued(turn, turn) == 0
    assert continued(turn, TURN[: 2 * WINDOW]) is None
    assert continued(turn, TURN[4 * WINDOW :]) is None
    assert continued(turn, np.concatenate([turn[:WINDOW], TURN[:WINDOW]])) is None
    silence = np.zeros(WINDOW, np.float32)
    assert continued(silence, np.concatenate([silence, turn])) == 0


def test_sounds_of_later_audio_fit_the_earlier():
    heard = (VocalEvent("laugh", 0.5, 1.0, 0.9), VocalEvent("cough", 1.5, 3.0, 0.8))

    assert moved(heard, 0, 2 * WINDOW) == (
        VocalEvent("laugh", 0.5, 1.0, 0.9),
        VocalEvent("cough", 1.5, 2.0, 0.8),
    )
    assert moved(heard, HOP, WINDOW + HOP) == (VocalEvent("laugh", 1.0, 1.5, 0.9),)
