"""Real recordings, heard through the real ear."""

from pathlib import Path

import numpy as np
import soundfile
from sounds import Detector, hush

from voice_agent.audio.pcm import HEARING_RATE, Samples
from voice_agent.hearing.ear import Ear
from voice_agent.hearing.prosody import TurnProsody
from voice_agent.hearing.vad import VadModel
from voice_agent.settings import Endpointing, Vad


def read(path: Path) -> Samples:
    samples, rate = soundfile.read(path, dtype="float32")
    assert rate == HEARING_RATE
    return samples


def heard(samples: Samples) -> TurnProsody:
    """What is measured of a recording that is one turn, in a quiet room."""
    ear = Ear(VadModel(), Detector(), Vad(), Endpointing())
    ear.automatic = False
    ear.process(np.concatenate([hush(0.5), samples, hush(0.2)]), "")
    return ear.prosody


def whispered(samples: Samples, seed: int = 0) -> Samples:
    """Takes the voice out of speech: its linear prediction, driven by noise.

    The speech is raised by 6 dB an octave before, which makes up for the fall of the voice's
    spectrum that a whisper does not have.
    """
    size, order = 512, 18
    hop, window = size // 2, np.hanning(size + 1)[:-1]
    noise = np.random.default_rng(seed)
    raised = np.diff(samples.astype(float), prepend=0.0)
    lags = np.arange(order + 1)
    toeplitz = np.abs(np.subtract.outer(lags[:-1], lags[:-1]))
    out = np.zeros(len(samples) + size)
    for start in range(0, len(samples) - size, hop):
        frame = raised[start : start + size] * window
        correlation = np.correlate(frame, frame, "full")[size - 1 : size + order]
        # A bandwidth of 40 Hz at least, and a floor that keeps the equations solvable.
        correlation *= np.exp(-0.5 * (2 * np.pi * 40 / HEARING_RATE * lags) ** 2)
        correlation[0] = correlation[0] * 1.00001 + 1e-9
        predictor = np.linalg.solve(correlation[toeplitz], correlation[1:])
        energy = max(correlation[0] - predictor @ correlation[1:], 0.0) / (window @ window)
        breath = np.fft.rfft(noise.normal(0, np.sqrt(energy), size), 2 * size)
        shaped = np.fft.irfft(breath / np.fft.rfft(np.r_[1.0, -predictor], 2 * size))[:size]
        out[start : start + size] += shaped * window
    out = out[: len(samples)]
    # A whisper is about 10 dB softer than the voice.
    softer = 0.3 * np.sqrt(np.mean(samples**2) / max(np.mean(out**2), 1e-12))
    return (softer * out).astype(np.float32)
