"""A session made of scripted engines and the real ear, on the sample clock."""

from collections.abc import AsyncIterator, Awaitable, Callable

import numpy as np
import pytest
import scripted

from voice_agent.audio.pcm import HEARING_RATE, Samples
from voice_agent.audio.resample import resample
from voice_agent.config import engine_options
from voice_agent.dialogue.session import Session, Wings
from voice_agent.events import Phrase, Tone
from voice_agent.hearing.ear import Ear
from voice_agent.hearing.listener import Listener
from voice_agent.hearing.vad import VadModel
from voice_agent.settings import Config
from voice_agent.speaking.speaker import Speaker
from voice_agent.store import Store
from voice_agent.thinking.model_chain import ModelChain
from voice_agent.thinking.safety import SafetyGate
from voice_agent.thinking.thinker import Thinker
from voice_agent.workers import Worker

Call = Callable[..., Awaitable[scripted.Person]]


@pytest.fixture
async def voice() -> AsyncIterator[Callable[[str], Awaitable[Samples]]]:
    """Speech of a person: the embedded voice, as the microphone would bring it."""
    config = Config()
    engine, options = engine_options("synthesizer", config.speaking.synthesizer)
    synthesizer = await engine.create(options)

    async def speak(text: str) -> Samples:
        pieces = [piece async for piece in synthesizer.synthesize(Phrase(text, Tone()))]
        audio = np.concatenate([piece.samples for piece in pieces])
        audio = resample(audio, pieces[0].rate, HEARING_RATE)
        return (audio * (0.3 / np.abs(audio).max())).astype(np.float32)

    yield speak
    await synthesizer.close()


@pytest.fixture
async def call(tmp_path) -> AsyncIterator[Call]:
    """Opens a session whose recognizer hears the given turns."""
    config = Config()
    store = await Store.open(tmp_path / "conversations.db")
    ears = Worker.thread("ears")
    engine, options = engine_options("turn_detector", config.hearing.turn_detector)
    detector = await engine.create(options)
    people: list[scripted.Person] = []

    async def open(
        *turns: str,
        model: scripted.Model | None = None,
        settings: Config = config,
        analyzer: scripted.Analyzer | None = None,
    ) -> scripted.Person:
        person = scripted.Person()
        stream = await scripted.ScriptedRecognizer(list(turns)).open()
        ear = Ear(VadModel(), detector, settings.hearing.vad, settings.hearing.endpointing)
        wings = Wings(
            lambda tell: Listener(ear, stream, analyzer or scripted.Analyzer(), ears, tell),
            Thinker(ModelChain([model or scripted.Model()]), SafetyGate(settings.safety)),
            Speaker(scripted.ToneVoice(), settings.speaking.level_db),
            store,
            lambda: {"recognizer": "scripted"},
        )
        id = f"sess_{len(people)}"
        await store.begin(id, None, wings.engines())

        async def closed(_: str) -> None:
            pass

        person.session = Session(id, wings, settings, person.hear, None, closed)
        people.append(person)
        return person

    yield open
    for person in people:
        await person.session.close()
    ears.close()
    await store.close()
