"""Recordings made worse in known ways: through a telephone, in noise."""

import numpy as np

from voice_agent.audio import g711
from voice_agent.audio.pcm import HEARING_RATE, Samples
from voice_agent.audio.resample import resample


def telephone(samples: Samples) -> Samples:
    """Sends 16 kHz mono float32 audio through a telephone line: 8 kHz, µ-law, and back."""
    narrow = resample(samples, HEARING_RATE, g711.RATE)
    heard = resample(g711.from_ulaw(g711.to_ulaw(narrow)), g711.RATE, HEARING_RATE)
    return np.clip(heard, -1.0, 1.0)


def add_noise(samples: Samples, snr_db: float, rng: np.random.Generator) -> Samples:
    """Adds the noise of a room, equal parts (in power) of white and pink noise.

    White noise hides the consonants, pink noise the pitch and the vowels.

    Args:
        samples: 16 kHz mono float32. Silence stays as it is: no noise is in proportion to it.
        snr_db: Level of the whole recording over that of the noise, in dB.
        rng: Where the noise comes from.

    Returns:
        The mixture; turned down as a whole where it would exceed [-1, 1].
    """
    power = float(np.mean(np.square(samples, dtype=np.float64))) if samples.size else 0.0
    if power == 0.0:
        return samples
    noise = rng.standard_normal(samples.size) + _pink(samples.size, rng)
    noise *= np.sqrt(power / 10 ** (snr_db / 10) / np.mean(np.square(noise)))
    mixture = samples + noise
    return (mixture / max(1.0, float(np.abs(mixture).max()))).astype(np.float32)


def _pink(size: int, rng: np.random.Generator) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Noise of unit power whose power falls by 3 dB an octave from 50 Hz on."""
    spectrum = np.fft.rfft(rng.standard_normal(size))
    hz = np.fft.rfftfreq(size, 1 / HEARING_RATE)
    noise = np.fft.irfft(spectrum / np.sqrt(np.maximum(hz, 50.0)), size)
    power = np.mean(np.square(noise))
    return noise / np.sqrt(power) if power > 0 else noise
