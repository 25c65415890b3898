"""What the tests of coqui-tts have in common: a sentence, and how a voice says it."""

from pathlib import Path
from typing import Any

import numpy as np

from voice_agent.audio.pcm import Samples
from voice_agent.speaking.synthesizers.coqui import CoquiOptions
from voice_agent.speaking.synthesizers.coqui.sentences import Sentence, sentences
from voice_agent.speaking.synthesizers.coqui.voice import Sound

TEXT = "I hear you, and that sounds really hard for you."
OTHER = "Take all the time you need, there is no hurry."


def options(folder: Path, **more: Any) -> CoquiOptions:
    return CoquiOptions(model=str(folder), **{"device": "cpu", **more})


def sentence(text: str = TEXT) -> Sentence:
    (found,) = sentences(text, "en", 250)
    return found


def audio(sounds: list[Sound | None]) -> Samples:
    return np.concatenate([sound.samples for sound in sounds if sound])


def said(
    voice: Any, text: str = TEXT, emotion: str = "neutral", speed: float = 1.0, seed: int = 3
) -> Samples:
    return audio(list(voice.say(sentence(text), emotion, speed, seed)))
