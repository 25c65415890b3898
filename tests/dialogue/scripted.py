"""Engines that do what a script says, and a person who talks to a session on the sample clock."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import numpy as np
from pydantic import BaseModel

from voice_agent.audio.pcm import HEARING_RATE, SPEAKING_RATE, Samples
from voice_agent.dialogue.events import ReplyAudio, SessionEvent
from voice_agent.dialogue.session import Session
from voice_agent.errors import EngineError
from voice_agent.events import (
    Hypothesis,
    Manner,
    Paralinguistics,
    Phrase,
    Prompt,
    Speech,
    SpokenWord,
    VocalEvent,
)

WORD_S = 0.3


class NoOptions(BaseModel):
    pass


class ScriptedRecognizer:
    """Hears the words of its script, turn by turn: one more with every 0.2 s of audio."""

    Options = NoOptions
    name = "scripted"

    def __init__(self, turns: list[str]) -> None:
        self.turns = turns

    async def open(self) -> "ScriptedStream":
        return ScriptedStream(self.turns)

    async def close(self) -> None:
        pass


class ScriptedStream:
    def __init__(self, turns: list[str]) -> None:
        self._turns = iter(turns)
        self._words: list[str] | None = None
        self._fed = 0

    async def feed(self, samples: Samples) -> Hypothesis:
        if self._words is None:
            self._words = next(self._turns, "").split()
        self._fed += len(samples)
        if self._words == ["FAIL"]:
            raise EngineError("the recognizer failed")
        return self._heard()

    async def settle(self) -> Hypothesis:
        return self._heard()

    async def reset(self) -> None:
        if self._fed:
            self._words = None
        self._fed = 0

    async def close(self) -> None:
        pass

    def _heard(self) -> Hypothesis:
        known = int(self._fed / HEARING_RATE / 0.2)
        return Hypothesis(" ".join((self._words or [])[:known]))


class Analyzer:
    """Hears the same sound, if any, all through every turn; keeps what it learnt from."""

    Options = NoOptions
    name = "scripted"

    def __init__(self, sound: str | None = None, confidence: float = 0.9) -> None:
        self.sound = sound
        self.confidence = confidence
        self.learnt: list[Samples] = []

    async def open(self) -> "Analyzer":
        return self

    async def analyze(self, samples: Samples, manner: Manner) -> Paralinguistics:
        events = ()
        if self.sound is not None:
            events = (VocalEvent(self.sound, 0.0, len(samples) / HEARING_RATE, self.confidence),)
        return Paralinguistics(manner=manner, events=events)

    async def learn(self, samples: Samples) -> None:
        self.learnt.append(samples)

    async def close(self) -> None:
        pass


@dataclass
class Model:
    """Answers with ten words, the last of which are the person's own; keeps what it was asked."""

    prompts: list[Prompt] = field(default_factory=list)
    fail_after: int | None = None

    Options = NoOptions
    name = "scripted"
    thinks_long = False

    async def prepare(self, prompt: Prompt) -> None:
        pass

    async def forget(self, session: str) -> None:
        pass

    async def generate(self, prompt: Prompt) -> AsyncIterator[str]:
        self.prompts.append(prompt)
        yield "<think><linguistic>words</linguistic><paralinguistic>voice</paralinguistic>"
        yield "<strategy>question</strategy><emotion>happy</emotion></think>"
        reply = f"Well now, one two three four five six seven: {prompt.turn.text}."
        for count, word in enumerate(reply.split(" ")):
            if self.fail_after is not None and count >= self.fail_after:
                raise EngineError("the model went away")
            yield word if count == 0 else " " + word

    async def close(self) -> None:
        pass


class ToneVoice:
    """Speaks every word as 0.3 s of a tone."""

    Options = NoOptions
    name = "tone"

    async def synthesize(self, phrase: Phrase) -> AsyncIterator[Speech]:
        length = int(WORD_S * SPEAKING_RATE)
        time = np.arange(length, dtype=np.float32) / SPEAKING_RATE
        for word in _words(phrase.text):
            tone = 0.2 * np.sin(2 * np.pi * 220 * time).astype(np.float32)
            yield Speech(tone, SPEAKING_RATE, (SpokenWord(word, 0, length),))

    async def close(self) -> None:
        pass


def _words(text: str) -> list[str]:
    words: list[str] = []
    for part in text.split(" "):
        if words:
            words[-1] += " "
        words.append(part)
    return [word for word in words if word]


class Person:
    """Talks to a session in chunks of 20 ms, as fast as the engines follow."""

    def __init__(self) -> None:
        self.events: list[SessionEvent] = []
        self.times: list[float] = []
        self.session: Session

    def hear(self, event: SessionEvent) -> None:
        self.events.append(event)
        self.times.append(self.session.clock)

    async def say(self, audio: Samples) -> None:
        chunk = HEARING_RATE // 50
        for start in range(0, len(audio), chunk):
            await self.session.feed(audio[start : start + chunk])
            await self.session.quiet()

    async def wait(self, seconds: float) -> None:
        await self.say(np.zeros(int(seconds * HEARING_RATE), dtype=np.float32))

    def of(self, kind: type) -> list:
        return [event for event in self.events if isinstance(event, kind)]

    def heard_audio(self) -> Samples:
        pieces = [event.speech.samples for event in self.of(ReplyAudio)]
        return np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.float32)

    def heard_words(self) -> str:
        return "".join(w.text for event in self.of(ReplyAudio) for w in event.speech.words)
