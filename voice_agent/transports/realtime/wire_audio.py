"""Audio in base64 on the wire, samples inside."""

import asyncio
import binascii
from base64 import b64encode
from collections.abc import AsyncIterator

from voice_agent.audio import g711
from voice_agent.audio.low_delay import LowDelayResampler
from voice_agent.audio.pcm import HEARING_RATE, SPEAKING_RATE, Samples, from_pcm16, to_pcm16
from voice_agent.audio.resample import StreamResampler
from voice_agent.transports.realtime.options import AudioFormat, Pcm, Pcmu
from voice_agent.transports.realtime.protocol import RequestError

_SLICE = 65_536
"""Characters that are decoded in one go; others get their turn in between. A multiple of four."""

_STEP_S = 0.2
"""Audio that is handed on in one go; others get their turn in between."""


def rate(format: AudioFormat) -> int:
    """Samples a second of a format."""
    return SPEAKING_RATE if isinstance(format, Pcm) else g711.RATE


class Decoder:
    """Turns a client's messages into the one stream of samples that the agent hears."""

    def __init__(self, format: AudioFormat) -> None:
        self._format = format
        self._resampler = LowDelayResampler(rate(format), HEARING_RATE)

    async def decode(self, audio: str) -> AsyncIterator[Samples]:
        """Reads one message: 16 kHz samples in pieces of at most 0.2 s.

        All of it is checked before any of it is handed on.

        Raises:
            RequestError: It is not base64, or half a sample too long.
        """
        data = await _from_base64(audio)
        width = 2 if isinstance(self._format, Pcm) else 1
        if len(data) % width:
            raise RequestError(
                "invalid_audio", "audio: 16-bit PCM needs an even number of bytes", "audio"
            )
        step = round(_STEP_S * rate(self._format)) * width
        for start in range(0, len(data), step):
            if start:
                await asyncio.sleep(0)
            yield self._resampler.push(self._read(data[start : start + step]))

    def finish(self) -> Samples:
        """The last milliseconds that the resampler still holds; then a new stream begins."""
        return self._resampler.finish()

    def _read(self, data: bytes) -> Samples:
        if isinstance(self._format, Pcm):
            return from_pcm16(data)
        if isinstance(self._format, Pcmu):
            return g711.from_ulaw(data)
        return g711.from_alaw(data)


class Encoder:
    """Turns the samples of one reply into what the client plays."""

    def __init__(self, format: AudioFormat) -> None:
        self._format = format
        self._resampler = StreamResampler(SPEAKING_RATE, rate(format))

    def encode(self, samples: Samples) -> str:
        """Codes more of the reply (mono float32 at ``SPEAKING_RATE``) as base64."""
        return self._write(self._resampler.process(samples))

    def finish(self) -> str:
        """The last milliseconds of the reply; empty where none are left."""
        if isinstance(self._format, Pcm):
            return ""
        return self._write(self._resampler.flush())

    def _write(self, samples: Samples) -> str:
        if samples.size == 0:
            return ""
        if isinstance(self._format, Pcm):
            data = to_pcm16(samples)
        else:
            data = (g711.to_ulaw if isinstance(self._format, Pcmu) else g711.to_alaw)(samples)
        return b64encode(data).decode("ascii")


async def _from_base64(text: str) -> bytes:
    pieces = []
    for start in range(0, len(text), _SLICE):
        if start:
            await asyncio.sleep(0)
        try:
            pieces.append(binascii.a2b_base64(text[start : start + _SLICE], strict_mode=True))
        except ValueError as error:
            raise RequestError("invalid_audio", f"audio: not base64: {error}", "audio") from None
        if len(pieces[-1]) * 4 != _SLICE * 3 and start + _SLICE < len(text):
            raise RequestError("invalid_audio", "audio: not base64: ends too early", "audio")
    return b"".join(pieces)
