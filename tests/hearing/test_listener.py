"""The listener, with the real ear and engines that do as they are told."""

import asyncio
from collections.abc import AsyncIterator, Callable

import numpy as np
import pytest
from sounds import Detector, LevelModel, hum, hush, seconds

from voice_agent.audio.pcm import HEARING_RATE, Samples
from voice_agent.errors import EngineError
from voice_agent.events import EMOTIONS, Hypothesis, Manner, Paralinguistics, VocalEvent
from voice_agent.hearing.ear import Ear
from voice_agent.hearing.events import Draft, Failed, Finished, Reading
from voice_agent.hearing.listener import Listener
from voice_agent.settings import Endpointing, Vad
from voice_agent.workers import Worker


class Words:
    """Recognises no words."""

    async def feed(self, samples: Samples) -> Hypothesis:
        return Hypothesis("")

    async def settle(self) -> Hypothesis:
        return Hypothesis("", final=True)

    async def reset(self) -> None:
        pass

    async def close(self) -> None:
        pass


class Voice:
    """Reads one emotion, and hears a cough wherever the audio is very loud."""

    def __init__(self) -> None:
        self.emotion = "sad"
        self.learnt: list[Samples] = []
        self.may_learn = asyncio.Event()
        self.may_learn.set()
        self.closed = False

    async def analyze(self, samples: Samples, manner: Manner) -> Paralinguistics:
        rest = 0.2 / (len(EMOTIONS) - 1)
        loud = np.flatnonzero(np.abs(samples) > 0.9) / HEARING_RATE
        coughs = (VocalEvent("cough", loud[0], loud[-1], 0.9),) if loud.size else ()
        return Paralinguistics(
            manner,
            emotion={label: 0.8 if label == self.emotion else rest for label in EMOTIONS},
            events=coughs,
            uncertain=False,
        )

    async def learn(self, samples: Samples) -> None:
        await self.may_learn.wait()
        if samples.size > seconds(8):
            raise EngineError("too much to learn")
        self.learnt.append(samples)

    async def close(self) -> None:
        self.closed = True


class Heard:
    """A listener, and everything that it has told."""

    def __init__(self, worker: Worker) -> None:
        self.voice = Voice()
        self.events: list = []
        ear = Ear(LevelModel(), Detector(), Vad(), Endpointing(min_wait_ms=500, max_wait_ms=500))
        self.listener = Listener(ear, Words(), self.voice, worker, self.events.append)

    async def feed(self, *sounds: Samples) -> None:
        audio = np.concatenate(sounds)
        for start in range(0, len(audio), 1600):
            await self.listener.feed(audio[start : start + 1600])
            if self.voice.may_learn.is_set():
                await self.listener.quiet()

    def of(self, kind: type) -> list:
        return [event for event in self.events if isinstance(event, kind)]

    async def finished(self, turns: int) -> None:
        while len(self.of(Finished)) < turns:  # noqa: ASYNC110 - it is told through a callback
            await asyncio.sleep(0)

    @property
    def last(self) -> Finished:
        return self.of(Finished)[-1]


@pytest.fixture
async def open() -> AsyncIterator[Callable[[], Heard]]:
    worker = Worker.thread("ears")
    opened: list[Heard] = []

    def new() -> Heard:
        opened.append(Heard(worker))
        return opened[-1]

    yield new
    for heard in opened:
        await heard.listener.close()
    worker.close()


def cough() -> Samples:
    return np.clip(hum(0.2, 150, level=0.8), -1, 1)


async def test_sounds_are_dated_from_the_beginning_of_the_session(open):
    heard = open()
    for silence in (1.0, 2.0):
        await heard.feed(hush(silence), hum(1), cough(), hum(1), hush(1))
    first, second = (event.utterance.how.events for event in heard.of(Finished))
    assert [event.start for event in first] == pytest.approx([2.0], abs=0.01)
    assert [event.start for event in second] == pytest.approx([7.2], abs=0.01)
    assert second[0].end == pytest.approx(7.4, abs=0.01)


async def test_a_sound_early_in_a_long_turn_stays_with_it(open):
    heard = open()
    await heard.feed(hush(1), hum(3), cough(), hum(45), hush(1))
    assert heard.last.utterance.audio.size == seconds(30)
    (event,) = heard.last.utterance.how.events
    assert event.start == pytest.approx(4.0, abs=0.01)
    assert event.end == pytest.approx(4.2, abs=0.01)


async def test_a_turn_is_learnt_from_only_when_told_so(open):
    heard = open()
    await heard.feed(hush(1), hum(1), hush(1))
    assert heard.voice.learnt == []
    heard.listener.remember(heard.last.utterance)
    await heard.listener.quiet()
    (learnt,) = heard.voice.learnt
    np.testing.assert_array_equal(learnt, heard.last.utterance.audio)


async def test_learning_delays_nothing(open):
    heard = open()
    heard.voice.may_learn.clear()
    await heard.feed(hush(1), hum(1), hush(1))
    await heard.finished(1)
    heard.listener.remember(heard.last.utterance)
    await heard.feed(hum(1), hush(1))
    await heard.finished(2)
    assert heard.voice.learnt == []


async def test_learning_that_fails_is_told(open):
    heard = open()
    await heard.feed(hush(1), hum(9), hush(1))
    heard.listener.remember(heard.last.utterance)
    await heard.listener.quiet()
    assert [str(event.error) for event in heard.of(Failed)] == ["too much to learn"]


async def test_what_was_heard_before_is_weighed_in(open):
    heard = open()
    for _ in range(3):
        await heard.feed(hush(1), hum(3), hush(1))
        heard.listener.remember(heard.last.utterance)
    heard.voice.emotion = "anger"
    await heard.feed(hush(1), hum(3), hush(1))
    how = heard.last.utterance.how
    assert how.evidence["anger"] == pytest.approx(0.8)
    assert how.emotion["sad"] > 0.3
    heard.listener.remember(heard.last.utterance)
    await heard.feed(hush(1), hum(3), hush(1))
    assert heard.last.utterance.how.emotion["anger"] > 0.6


async def test_what_was_not_taken_as_a_turn_is_not_weighed_in(open):
    heard, fresh = open(), open()
    await heard.feed(hush(1), hum(3), hush(1))
    await heard.feed(hush(1), hum(3))
    heard.listener.forget()
    await heard.feed(hush(1))
    for each in (heard, fresh):
        each.voice.emotion = "anger"
        await each.feed(hush(1), hum(3), hush(1))
    ignored, never = heard.last.utterance.how, fresh.last.utterance.how
    assert ignored.emotion == pytest.approx(never.emotion)


async def test_readings_on_the_way_come_to_that_of_the_whole_turn(open):
    heard = open()
    await heard.feed(hush(1), hum(3), hush(1))
    heard.listener.remember(heard.last.utterance)
    heard.voice.emotion = "anger"
    heard.events.clear()
    await heard.feed(hush(1), hum(4), hush(1))
    whole = heard.last.utterance.how.emotion["anger"]
    shares = [event.how.emotion["anger"] for event in heard.of(Reading)]
    assert len(shares) >= 6
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(whole)
    assert heard.of(Draft)[-1].utterance.how == heard.last.utterance.how


async def test_the_stream_is_closed_with_it(open):
    heard = open()
    await heard.listener.close()
    assert heard.voice.closed
