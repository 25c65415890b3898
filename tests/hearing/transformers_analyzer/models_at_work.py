"""What the tests of the transformers analyzer share: sounds, scores, and passes held up."""

import asyncio
import math
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np

from voice_agent.audio.pcm import HEARING_RATE, Samples
from voice_agent.events import Manner
from voice_agent.hearing.paralinguistics.transformers import TransformersAnalyzer
from voice_agent.hearing.paralinguistics.transformers.classifier import Classifier

FOUR = ["neu", "hap", "ang", "sad"]
MANNER = Manner(speech_s=1.0)

Create = Callable[..., Awaitable[TransformersAnalyzer]]


def sound(seconds: float, seed: int = 0) -> Samples:
    random = np.random.default_rng(seed)
    return random.normal(0, 0.1, round(seconds * HEARING_RATE)).astype(np.float32)


def log(*shares: float) -> list[float]:
    """Scores of which the softmax gives these shares."""
    return [math.log(share) for share in shares]


class Passes:
    """The forward passes of all models: how many pieces each read. A gate can hold them up."""

    def __init__(self, monkeypatch) -> None:
        self.sizes: list[int] = []
        self.warming: list[int] = []
        self.begun = threading.Event()
        self.gate = threading.Event()
        self.gate.set()
        original = Classifier.read

        def read(classifier: Classifier, pieces: list[Samples]) -> Any:
            self.sizes.append(len(pieces))
            self.begun.set()
            assert self.gate.wait(30)
            return original(classifier, pieces)

        monkeypatch.setattr(Classifier, "read", read)

    def forget_since(self, count: int) -> None:
        """Forgets the passes after so many, by which models were warmed up."""
        self.warming = self.sizes[count:]
        del self.sizes[count:]
        self.begun.clear()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0)
