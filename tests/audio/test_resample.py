import numpy as np
import pytest

from voice_agent.audio.resample import StreamResampler, resample

RATES = [(22_050, 24_000), (24_000, 16_000), (8_000, 16_000), (48_000, 16_000), (24_000, 8_000)]


def sine(hz: float, rate: int, seconds: float = 1.0) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(round(rate * seconds)) / rate)).astype("f4")


def amplitude(samples: np.ndarray, hz: float, rate: int) -> tuple[float, float]:
    """Amplitude of a sine in the middle of the samples, and power of all else in dB below it."""
    middle = samples[len(samples) // 4 : -len(samples) // 4].astype(float)
    t = np.arange(len(middle)) / rate
    basis = np.stack([np.sin(2 * np.pi * hz * t), np.cos(2 * np.pi * hz * t)], axis=1)
    weights = np.linalg.lstsq(basis, middle, rcond=None)[0]
    rest = middle - basis @ weights
    return float(np.hypot(*weights)), float(10 * np.log10(rest.var() / 0.125 + 1e-15))


def stream(samples: np.ndarray, resampler: StreamResampler, sizes: list[int]) -> np.ndarray:
    pieces, at = [], 0
    while at < len(samples):
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(resampler.process(samples[at : at + size]))
        at += size
    return np.concatenate([*pieces, resampler.flush()])


@pytest.mark.parametrize(("source", "target"), RATES)
def test_keeps_a_tone_and_the_duration(source: int, target: int) -> None:
    for converted in (
        resample(sine(1000, source), source, target),
        stream(sine(1000, source), StreamResampler(source, target), [source // 50]),
    ):
        assert abs(len(converted) - target) <= 1
        assert converted.dtype == np.float32
        level, rest_db = amplitude(converted, 1000, target)
        assert level == pytest.approx(0.5, abs=0.002)
        assert rest_db < -80


@pytest.mark.parametrize(("source", "target"), [(24_000, 16_000), (48_000, 16_000)])
def test_what_the_lower_rate_cannot_hold_is_taken_out(source: int, target: int) -> None:
    converted = stream(sine(10_000, source), StreamResampler(source, target), [480])
    assert np.abs(converted[500:-500]).max() < 1e-3


@pytest.mark.parametrize(("source", "target"), RATES)
def test_pieces_of_any_length_give_the_same_stream(source: int, target: int) -> None:
    samples = np.random.default_rng(1).standard_normal(source // 2).astype("f4") * 0.1
    whole = stream(samples, StreamResampler(source, target), [len(samples)])
    odd = stream(samples, StreamResampler(source, target), [1, 317, 0, 1024, 5])
    assert len(whole) == len(odd)
    assert np.abs(whole - odd).max() < 1e-4


@pytest.mark.parametrize(("source", "target"), RATES)
def test_a_stream_stays_at_most_30_ms_behind(source: int, target: int) -> None:
    resampler = StreamResampler(source, target)
    chunk = source // 50
    samples = sine(300, source)
    given = 0
    for at in range(0, len(samples), chunk):
        given += len(resampler.process(samples[at : at + chunk]))
        behind = (at + chunk) / source - given / target
        assert behind <= 0.031


def test_after_flush_a_new_stream_begins() -> None:
    resampler = StreamResampler(22_050, 24_000)
    first = stream(sine(440, 22_050), resampler, [1000])
    second = stream(sine(440, 22_050), resampler, [1000])
    np.testing.assert_allclose(first, second, atol=1e-6)


def test_equal_rates_pass_through() -> None:
    samples = sine(440, 16_000)
    assert resample(samples, 16_000, 16_000) is samples
    resampler = StreamResampler(16_000, 16_000)
    assert resampler.process(samples) is samples
    assert resampler.flush().size == 0


def test_nothing_in_nothing_out() -> None:
    nothing = np.zeros(0, dtype=np.float32)
    assert resample(nothing, 8_000, 16_000).size == 0
    resampler = StreamResampler(8_000, 16_000)
    assert resampler.process(nothing).size == 0
    assert resampler.flush().size == 0


def test_impossible_rates_are_refused() -> None:
    with pytest.raises(ValueError, match="positive"):
        StreamResampler(0, 16_000)
