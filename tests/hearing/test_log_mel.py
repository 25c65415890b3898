"""The acoustic front end of the trained models."""

import numpy as np
import pytest

from voice_agent.audio.pcm import HEARING_RATE
from voice_agent.hearing.paralinguistics.log_mel import BANDS, FRAMES_PER_S, log_mel


def tone(hz: float, level: float = 0.1) -> np.ndarray:
    at = np.arange(HEARING_RATE) / HEARING_RATE
    return (level * np.sin(2 * np.pi * hz * at)).astype(np.float32)


@pytest.mark.parametrize("size", [0, 1, 399])
def test_less_than_a_window_has_no_frame(size):
    assert log_mel(np.zeros(size, np.float32)).shape == (0, BANDS)


def test_gives_a_frame_every_ten_milliseconds():
    mel = log_mel(np.zeros(HEARING_RATE, np.float32))
    assert mel.shape == (FRAMES_PER_S - 2, BANDS)
    assert mel.dtype == np.float32
    assert np.isfinite(mel).all()


def test_higher_tones_lie_in_higher_bands():
    bands = [int(log_mel(tone(hz)).mean(0).argmax()) for hz in (100, 300, 1000, 3000, 7000)]
    assert bands == sorted(set(bands))


def test_twice_the_amplitude_adds_the_logarithm_of_four():
    louder = log_mel(tone(1000, 0.2)).mean(0).max() - log_mel(tone(1000, 0.1)).mean(0).max()
    assert louder == pytest.approx(np.log(4), abs=0.01)


def test_what_is_heard_does_not_depend_on_what_comes_later():
    sound = np.random.default_rng(0).normal(0, 0.1, HEARING_RATE).astype(np.float32)
    half = log_mel(sound[: HEARING_RATE // 2])
    np.testing.assert_allclose(log_mel(sound)[:40], half[:40], atol=1e-4)
