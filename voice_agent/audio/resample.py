"""Sample rate conversion, of whole recordings and of streams.

Both use soxr. Its fixed-rate engine hands out a stream in bursts and up to 110 ms late, so streams
use its variable-rate engine: 10 ms late from 24 to 16 kHz, 30 ms from 8 to 16 kHz, steadily, with
distortion and aliasing 90 dB down.
"""

import numpy as np
import soxr

from voice_agent.audio.pcm import Samples

_NOTHING: Samples = np.zeros(0, dtype=np.float32)


def resample(samples: Samples, from_rate: int, to_rate: int) -> Samples:
    """Converts a whole recording.

    Args:
        samples: Mono float32.
        from_rate: Its rate in Hz.
        to_rate: The rate wanted in Hz.

    Returns:
        Mono float32 of the same duration.
    """
    if from_rate == to_rate or samples.size == 0:
        return samples
    converted: Samples = soxr.resample(samples.astype(np.float32, copy=False), from_rate, to_rate)
    return converted


class StreamResampler:
    """Converts a stream of mono float32 pieces of any length, without seams between them.

    What goes in comes out a little later; ``flush`` gives the rest and makes the resampler ready
    for a new stream. All pieces out together have the duration of all pieces in, within a sample.
    """

    def __init__(self, from_rate: int, to_rate: int) -> None:
        if from_rate <= 0 or to_rate <= 0:
            raise ValueError(f"sample rates must be positive, got {from_rate} and {to_rate}")
        self.from_rate = from_rate
        self.to_rate = to_rate
        self._stream = (
            None
            if from_rate == to_rate
            else soxr.ResampleStream(from_rate, to_rate, 1, dtype="float32", vr=True)
        )

    def process(self, samples: Samples) -> Samples:
        """Takes more of the stream; returns what is ready, which may be nothing."""
        if self._stream is None or samples.size == 0:
            return samples
        ready: Samples = self._stream.resample_chunk(samples.astype(np.float32, copy=False))
        return ready

    def flush(self) -> Samples:
        """Ends the stream and returns what was still on its way."""
        if self._stream is None:
            return _NOTHING
        rest: Samples = self._stream.resample_chunk(_NOTHING, last=True)
        self._stream.clear()
        return rest
