"""Makes recordings sound as if made elsewhere: rooms, noises, microphones, telephones.

Waveforms are changed here; levels, microphones and what else shows in the spectrogram alone are
changed there, by ``spectra``.
"""

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator

from voice_agent.audio.pcm import HEARING_RATE, Samples
from voice_agent.audio.resample import resample
from voice_agent.evaluation.degradation import telephone
from voice_agent.training.paralinguistics.recipe import Chances


def vary(
    samples: Samples, chances: Chances, noises: Sequence[Samples], random: Generator
) -> Samples:
    """Makes one variant of a recording.

    Args:
        samples: 16 kHz mono float32.
        chances: What may be done to it.
        noises: Recordings to take noise from, besides coloured noise.
        random: Source of chance; the same state gives the same variant.

    Returns:
        The variant, in [-1, 1], of about the same length.
    """
    if random.random() < chances.speed:
        samples = change_speed(samples, random.uniform(*chances.speed_range))
    padding = [
        np.zeros(int(random.uniform(0, chances.padding_s) * HEARING_RATE), np.float32)
        for _ in range(2)
    ]
    samples = np.concatenate((padding[0], samples, padding[1]))
    if random.random() < chances.reverberation:
        samples = put_in_room(samples, random.uniform(0.1, 0.7), random)
    if random.random() < chances.noise:
        chosen = int(random.integers(len(noises) + 2))
        noise = (
            noises[chosen]
            if chosen < len(noises)
            else coloured_noise(samples.size, random.uniform(0, 1.2), random)
        )
        samples = add_noise(samples, noise, random.uniform(*chances.noise_db), random)
    if random.random() < chances.clipping:
        peak = float(np.abs(samples).max(initial=1e-9))
        samples = np.clip(samples / peak * random.uniform(1.5, 5.0), -1, 1)
    if random.random() < chances.telephone:
        samples = telephone(samples)
    return np.clip(samples, -1, 1).astype(np.float32)


def change_speed(samples: Samples, factor: float) -> Samples:
    """Plays a recording faster (factor above 1) or slower; pitch and formants move along."""
    return resample(samples, round(HEARING_RATE * factor), HEARING_RATE)


def add_noise(samples: Samples, noise: Samples, snr_db: float, random: Generator) -> Samples:
    """Adds a stretch of noise, repeated where it is too short, at a signal-to-noise ratio."""
    begin = int(random.integers(noise.size))
    noise = np.resize(np.roll(noise, -begin), samples.size)
    wanted = np.mean(samples**2) / 10 ** (snr_db / 10)
    mixed: Samples = samples + noise * np.sqrt(wanted / max(float(np.mean(noise**2)), 1e-12))
    return mixed


def coloured_noise(length: int, slope: float, random: Generator) -> Samples:
    """Noise whose power falls with frequency to the power of ``slope``: 0 white, 1 pink."""
    spectrum = np.fft.rfft(random.standard_normal(length))
    shape = np.arange(spectrum.size, dtype=float)
    shape[0] = 1.0
    return np.fft.irfft(spectrum * shape ** (-slope / 2), length).astype(np.float32)


def put_in_room(samples: Samples, decay_s: float, random: Generator) -> Samples:
    """Adds the reverberation of a room: exponentially decaying noise after the direct sound.

    Args:
        samples: The dry recording.
        decay_s: Seconds in which the reverberation falls by 60 dB.
        random: Source of chance.
    """
    times = np.arange(int(decay_s * HEARING_RATE)) / HEARING_RATE
    tail = random.standard_normal(times.size) * 10 ** (-3 * times / decay_s)
    tail *= 10 ** (random.uniform(-14, 0) / 20) / np.sqrt(np.sum(tail**2))
    tail[: HEARING_RATE // 500] = 0
    tail[0] = 1.0
    size = 1 << (samples.size + tail.size).bit_length()
    wet = np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(tail, size), size)
    return wet[: samples.size].astype(np.float32)
