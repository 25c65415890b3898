"""Recordings made worse in known ways."""

import numpy as np
import pytest

from voice_agent.audio.pcm import HEARING_RATE, level_db
from voice_agent.evaluation.degradation import add_noise, telephone

AT = np.arange(2 * HEARING_RATE) / HEARING_RATE


def tone(hz: float, level: float = 0.3) -> np.ndarray:
    return (level * np.sin(2 * np.pi * hz * AT)).astype(np.float32)


def noise_of(samples, snr_db, seed=0):
    return add_noise(samples, snr_db, np.random.default_rng(seed)) - samples


def test_a_telephone_passes_the_low_half_of_the_spectrum_only():
    assert level_db(telephone(tone(1_000))) == pytest.approx(level_db(tone(1_000)), abs=0.5)
    assert level_db(telephone(tone(6_000))) < level_db(tone(6_000)) - 40


@pytest.mark.parametrize("size", [0, 1, 2, 159, 16_001])
def test_a_telephone_keeps_the_length(size):
    heard = telephone(tone(300)[:size])

    assert heard.dtype == np.float32
    assert abs(heard.size - size) <= 1


def test_a_telephone_hums_with_quantization():
    """µ-law leaves about 38 dB between a tone and its noise."""
    heard = telephone(tone(1_013))
    rest = heard[2_000:-2_000] - tone(1_013)[2_000:-2_000]

    assert 25 < level_db(tone(1_013)) - level_db(rest) < 45


@pytest.mark.parametrize("snr_db", [-5, 0, 10, 30])
def test_noise_is_as_loud_as_asked_for(snr_db):
    samples = tone(200, 0.05)

    noise = noise_of(samples, snr_db)

    assert level_db(samples) - level_db(noise) == pytest.approx(snr_db, abs=0.1)


def test_the_noise_has_a_pink_part_and_a_white_one():
    power = np.square(np.abs(np.fft.rfft(noise_of(tone(200, 0.01), 0))))
    hz = np.fft.rfftfreq(AT.size, 1 / HEARING_RATE)

    def density(low, high):
        return 10 * np.log10(power[(hz >= low) & (hz < high)].mean())

    assert density(60, 120) > density(600, 1_200) + 4
    assert density(600, 1_200) > density(6_000, 7_900) - 1
    assert density(4_000, 6_000) == pytest.approx(density(6_000, 7_900), abs=1)


def test_the_same_seed_gives_the_same_noise_and_another_one_other():
    samples = tone(200, 0.05)

    np.testing.assert_array_equal(noise_of(samples, 5), noise_of(samples, 5))
    assert np.abs(noise_of(samples, 5) - noise_of(samples, 5, seed=1)).max() > 0.01


def test_a_mixture_stays_within_bounds():
    assert np.abs(add_noise(tone(200, 1.0), -10, np.random.default_rng(0))).max() <= 1.0


def test_silence_gets_no_noise():
    silence = np.zeros(1_000, np.float32)

    np.testing.assert_array_equal(add_noise(silence, 0, np.random.default_rng(0)), silence)
    assert add_noise(silence[:0], 0, np.random.default_rng(0)).size == 0
    assert np.isfinite(add_noise(silence[:1] + 0.5, 0, np.random.default_rng(0))).all()
