"""G.711 as the recommendation has it."""

import numpy as np
import pytest

from voice_agent.audio import g711


@pytest.mark.parametrize(
    ("code", "value"),
    [(0x00, -32124), (0x80, 32124), (0x7F, 0), (0xFF, 0), (0xFE, 8), (0x7E, -8), (0xF0, 120),
     (0xEF, 132), (0x0F, -16764), (0x8F, 16764)],
)  # fmt: skip
def test_ulaw_levels(code, value):
    assert round(float(g711.from_ulaw(bytes([code]))[0]) * 32768) == value


@pytest.mark.parametrize(
    ("code", "value"),
    [(0xD5, 8), (0x55, -8), (0xD4, 24), (0xAA, 32256), (0x2A, -32256), (0x80, 5504), (0xC5, 264)],
)
def test_alaw_levels(code, value):
    assert round(float(g711.from_alaw(bytes([code]))[0]) * 32768) == value


@pytest.mark.parametrize("law", ["ulaw", "alaw"])
def test_every_code_survives_a_round_trip(law):
    read, write = getattr(g711, f"from_{law}"), getattr(g711, f"to_{law}")
    samples = read(bytes(range(256)))
    np.testing.assert_array_equal(read(write(samples)), samples)


@pytest.mark.parametrize("law", ["ulaw", "alaw"])
def test_values_go_to_the_nearest_level(law):
    read, write = getattr(g711, f"from_{law}"), getattr(g711, f"to_{law}")
    levels = np.unique(read(bytes(range(256))))
    values = np.random.default_rng(3).uniform(-0.98, 0.98, 2_000).astype(np.float32)
    got = read(write(values))
    best = np.abs(values[:, None] - levels[None, :]).min(axis=1)
    np.testing.assert_allclose(np.abs(got - values), best, atol=2 / 32768)


@pytest.mark.parametrize("law", ["ulaw", "alaw"])
def test_too_loud_is_clipped_not_wrapped(law):
    read, write = getattr(g711, f"from_{law}"), getattr(g711, f"to_{law}")
    assert read(write(np.array([3.0, -3.0], np.float32))).tolist() == pytest.approx(
        [0.98, -0.98], abs=0.01
    )


def test_silence_is_the_usual_byte():
    assert g711.to_ulaw(np.zeros(3, np.float32)) == b"\xff\xff\xff"
    assert set(g711.to_alaw(np.zeros(3, np.float32))) <= {0xD5, 0x55}
