"""The streaming resampler keeps what can be heard, adds nothing, and hardly delays."""

import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from voice_agent.audio.low_delay import LowDelayResampler

RATES = [(24_000, 16_000), (24_000, 8_000), (8_000, 16_000)]


def tone(hz: float, rate: int, seconds: float = 0.5) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(int(seconds * rate)) / rate)).astype(np.float32)


def level(samples: np.ndarray) -> float:
    middle = samples[samples.size // 4 : -samples.size // 4]
    return 20 * np.log10(np.sqrt(np.mean(middle.astype(float) ** 2)) + 1e-12)


def whole(source: int, target: int, samples: np.ndarray) -> np.ndarray:
    resampler = LowDelayResampler(source, target)
    return np.concatenate([resampler.push(samples), resampler.finish()])


@pytest.mark.parametrize(("source", "target"), RATES)
@pytest.mark.parametrize("share", [0.02, 0.2, 0.5, 0.8])
def test_speech_band_passes_unchanged(source, target, share):
    hz = share * min(source, target) / 2
    out = whole(source, target, tone(hz, source))
    assert out.size == pytest.approx(0.5 * target, abs=1)
    expected = tone(hz, target)[: out.size]
    middle = slice(out.size // 8, -out.size // 8)
    assert np.abs(out[: expected.size] - expected)[middle].max() < 0.005


@pytest.mark.parametrize(("source", "target"), [(24_000, 16_000), (24_000, 8_000)])
def test_what_the_lower_rate_cannot_hold_does_not_fold_back(source, target):
    for hz in (target / 2 + 100, target / 2 + 2_000, source / 2 - 200):
        assert level(whole(source, target, tone(hz, source))) < level(tone(hz, source)) - 60


def test_images_of_the_lower_rate_are_not_heard():
    out = whole(8_000, 16_000, tone(1_000, 8_000))
    spectrum = np.abs(np.fft.rfft(out * np.hanning(out.size)))
    images = spectrum[int(5_000 / 8_000 * spectrum.size) :].max()
    assert 20 * np.log10(images / spectrum.max()) < -60


def test_agrees_with_soxr_on_wideband_noise():
    noise = np.random.default_rng(1).normal(0, 0.1, 24_000).astype(np.float32)
    # Compared below both filters' slopes.
    low = soxr.resample(soxr.resample(noise, 24_000, 12_000), 12_000, 24_000).astype(np.float32)
    ours, theirs = whole(24_000, 16_000, low), soxr.resample(low, 24_000, 16_000)
    size = min(ours.size, theirs.size)
    difference = ours[:size] - theirs[:size]
    assert level(difference) < level(theirs) - 50


@pytest.mark.parametrize(("source", "target"), RATES)
def test_holds_back_32_samples_of_the_lower_rate(source, target):
    resampler = LowDelayResampler(source, target)
    given_s = got_s = 0.0
    for _ in range(50):
        given_s += 0.02
        got_s += resampler.push(np.zeros(source // 50, np.float32)).size / target
        assert 0 <= given_s - got_s < 33 / min(source, target)
    assert resampler.delay_s == 32 / min(source, target)


@settings(max_examples=50, deadline=None)
@given(
    cuts=st.lists(st.integers(0, 700), max_size=12),
    rates=st.sampled_from(RATES),
    seed=st.integers(0, 99),
)
def test_pieces_joined_are_the_whole(cuts, rates, seed):
    samples = np.random.default_rng(seed).normal(0, 0.1, sum(cuts)).astype(np.float32)
    resampler, pieces, at = LowDelayResampler(*rates), [], 0
    for cut in cuts:
        pieces.append(resampler.push(samples[at : at + cut]))
        at += cut
    pieces.append(resampler.finish())
    np.testing.assert_allclose(np.concatenate(pieces), whole(*rates, samples), atol=1e-6)


def test_a_finished_stream_leaves_nothing_to_the_next():
    resampler = LowDelayResampler(24_000, 16_000)
    resampler.push(np.ones(1_000, np.float32))
    resampler.finish()
    assert not resampler.push(np.zeros(1_000, np.float32)).any()


def test_equal_rates_pass_through():
    samples = tone(440, 16_000)
    assert LowDelayResampler(16_000, 16_000).push(samples) is samples
