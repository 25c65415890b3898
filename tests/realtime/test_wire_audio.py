"""Audio between the wire and the agent."""

from base64 import b64decode, b64encode

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice_agent.audio import g711
from voice_agent.audio.pcm import to_pcm16
from voice_agent.transports.realtime.options import Pcm, Pcma, Pcmu
from voice_agent.transports.realtime.protocol import RequestError
from voice_agent.transports.realtime.wire_audio import Decoder, Encoder, rate

FORMATS = [Pcm(), Pcmu(type="audio/pcmu"), Pcma(type="audio/pcma")]


def tone(rate: int, seconds: float = 1.0, hz: float = 440.0) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)).astype("f4")


def differs_from_tone(samples: np.ndarray, rate: int, hz: float = 440.0) -> float:
    """Largest difference from the tone; where in its period the stream begins does not matter."""
    angle = 2 * np.pi * hz * np.arange(samples.size) / rate
    waves = np.stack([np.sin(angle), np.cos(angle)], axis=1)
    parts = np.linalg.lstsq(waves[500:-500], samples[500:-500], rcond=None)[0]
    assert np.hypot(*parts) == pytest.approx(0.5, abs=0.01)
    return float(np.abs(samples - waves @ parts)[500:-500].max())


def coded(format, samples: np.ndarray) -> bytes:
    write = {"audio/pcm": to_pcm16, "audio/pcmu": g711.to_ulaw, "audio/pcma": g711.to_alaw}
    return write[format.type](samples)


async def decoded(decoder: Decoder, *messages: str) -> list[np.ndarray]:
    return [piece for message in messages async for piece in decoder.decode(message)]


@pytest.mark.parametrize("format", FORMATS, ids=lambda format: format.type)
async def test_what_is_sent_is_heard(format):
    data = coded(format, tone(rate(format)))
    messages = [b64encode(data[i : i + 960]).decode() for i in range(0, len(data), 960)]
    decoder = Decoder(format)
    heard = np.concatenate([*await decoded(decoder, *messages), decoder.finish()])
    assert heard.size == pytest.approx(16_000, abs=1)
    assert differs_from_tone(heard, 16_000) < 0.03


@pytest.mark.parametrize("format", FORMATS, ids=lambda format: format.type)
def test_what_is_said_is_sent(format):
    encoder = Encoder(format)
    said = tone(24_000)
    texts = [encoder.encode(said[i : i + 1_000]) for i in range(0, said.size, 1_000)]
    data = b"".join(b64decode(text) for text in [*texts, encoder.finish()])
    width = 2 if format.type == "audio/pcm" else 1
    assert len(data) / width / rate(format) == pytest.approx(1.0, abs=0.001)
    if format.type == "audio/pcm":
        assert data == to_pcm16(said)
    else:
        read = g711.from_ulaw if format.type == "audio/pcmu" else g711.from_alaw
        assert differs_from_tone(read(data), 8_000) < 0.03


async def test_long_audio_comes_in_short_pieces():
    message = b64encode(bytes(2 * 24_000 * 10)).decode()
    pieces = await decoded(Decoder(Pcm()), message)
    assert max(piece.size for piece in pieces) <= 0.21 * 16_000


@pytest.mark.parametrize("text", ["!!!!", "AAA", "AAAA=AAA", "ÄÄÄÄ", "AA==" * 20_000])
async def test_what_is_not_base64_is_refused(text):
    with pytest.raises(RequestError) as caught:
        await decoded(Decoder(Pcm()), text)
    assert caught.value.code == "invalid_audio"


async def test_half_a_sample_is_refused_before_any_of_it_is_heard():
    pieces = Decoder(Pcm()).decode(b64encode(bytes(48_001)).decode())
    with pytest.raises(RequestError, match="even"):
        await anext(pieces)


async def test_nothing_is_nothing():
    assert sum(piece.size for piece in await decoded(Decoder(Pcm()), "")) == 0


@settings(max_examples=50, deadline=None)
@given(data=st.binary(max_size=2_000))
async def test_any_bytes_are_audio_between_minus_one_and_one(data):
    decoder = Decoder(Pcmu(type="audio/pcmu"))
    for piece in await decoded(decoder, b64encode(data).decode()):
        assert np.isfinite(piece).all()
        assert np.abs(piece).max(initial=0) < 2.0
