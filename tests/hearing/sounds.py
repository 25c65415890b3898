"""Sounds for tests, and a voice activity model that goes by level alone."""

import numpy as np

from voice_agent.audio.pcm import HEARING_RATE, Samples, level_db
from voice_agent.hearing.prosody import Row, TurnProsody


def seconds(count: float) -> int:
    return round(count * HEARING_RATE)


def hum(length: float, hz: float = 120.0, level: float = 0.1) -> Samples:
    """A buzzing tone, rich in harmonics as a voice is."""
    at = np.arange(seconds(length)) / HEARING_RATE
    sound = sum(np.sin(2 * np.pi * hz * n * at) / n for n in range(1, 12))
    return (level * sound / np.sqrt(np.mean(np.square(sound)))).astype(np.float32)


def hush(length: float, level: float = 1e-4, seed: int = 0) -> Samples:
    """The noise of a quiet room."""
    return np.random.default_rng(seed).normal(0, level, seconds(length)).astype(np.float32)


def turn(*parts: tuple[float, float, float]) -> TurnProsody:
    """A turn of stretches (seconds, level, pitch); what is below -50 dB is a pause."""
    prosody = TurnProsody()
    for length, level, pitch in parts:
        rows = round(length * 62.5)
        prosody.add([Row(level, pitch, level > -50, level, -15.0)] * rows)
    return prosody


class LevelModel:
    """Calls speech what is louder than -40 dBFS."""

    def __init__(self) -> None:
        self.session = self

    def run(self, outputs: None, inputs: dict) -> tuple:
        loud = level_db(inputs["input"][0, 64:]) > -40
        return np.array([0.99 if loud else 0.01]), inputs["h"], inputs["c"]


class Detector:
    """Answers what it is told to, and keeps what it was asked."""

    def __init__(self, completion: float = 0.5) -> None:
        self.answer = completion
        self.asked: list = []

    def completion(self, pause) -> float:
        self.asked.append(pause)
        return self.answer
