"""The face of hearing: audio in, what was said and how out."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from voice_agent.audio.pcm import HEARING_RATE, Samples
from voice_agent.engines import ParalinguisticStream, RecognizerStream
from voice_agent.errors import VoiceAgentError
from voice_agent.events import Hypothesis, Manner, Paralinguistics, VocalEvent
from voice_agent.hearing.ear import Ear, EarEvent, End, LikelyEnd, Onset, Voice
from voice_agent.hearing.ear import Resumed as EarResumed
from voice_agent.hearing.events import (
    Draft,
    Failed,
    Finished,
    HearingEvent,
    Partial,
    Reading,
    Resumed,
    Started,
    Utterance,
)
from voice_agent.hearing.recognition import Recognition
from voice_agent.hearing.tracking import Tracking
from voice_agent.hearing.vad import FRAME
from voice_agent.workers import Worker

READING_S = 0.5
"""Speech between two readings of how something is said."""


@dataclass(slots=True)
class _Turn:
    """The running turn.

    ``revision`` counts how often the person went on after a likely end: what was asked for before
    comes to nothing. ``dropped`` does the same for the whole turn.
    """

    start: int = 0
    words: str = ""
    read_at: float = 0.0
    revision: int = 0
    settling: bool = False
    draft: Utterance | None = None
    end: End | None = None
    ended_at: float = 0.0
    dropped: bool = False
    sounds: tuple[VocalEvent, ...] = ()
    finished: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """The turn as it is: its audio, where that starts (in seconds of received audio), manner."""

    start: float
    audio: Samples
    manner: Manner


class Listener:
    """Hears one person.

    The ear works in a thread and recognition in its own worker, so that ``feed`` returns within
    a few milliseconds. A turn whose reading is still being made does not hold up the next one.
    """

    def __init__(
        self,
        ear: Ear,
        words: RecognizerStream,
        voice: ParalinguisticStream,
        worker: Worker,
        on_event: Callable[[HearingEvent], None],
    ) -> None:
        self._ear = ear
        self._voice = voice
        self._worker = worker
        self._tell = on_event
        self._recognition = Recognition(words, self._on_partial, self._on_error)
        self._turn = _Turn()
        self._tracking = Tracking()
        self._learning = asyncio.Lock()
        self._unheard: list[Samples] = []
        self._forgetting = False
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def ear(self) -> Ear:
        """The ear, for what it measures right now and for its settings."""
        return self._ear

    async def feed(self, samples: Samples) -> None:
        """Takes 16 kHz mono audio of any length."""
        self._unheard.append(samples)
        # Less than a frame tells the ear nothing, but that a silence has lasted longer.
        if self._ear.waiting or sum(map(len, self._unheard)) >= FRAME:
            await self._hear()

    async def finish(self) -> bool:
        """Ends the running turn by hand and waits for its reading; False if nobody had spoken."""
        await self._hear()
        turn = self._turn
        end = await self._worker.call(self._end_turn)
        if end is None or turn.dropped:
            return False
        await self._on_ear(end)
        await turn.finished.wait()
        return not turn.dropped

    def remember(self, utterance: Utterance, *, spoken: bool = True) -> None:
        """Takes a finished turn into what is known of the person.

        Args:
            utterance: What was really meant as a turn.
            spoken: It was speech, so that the person's usual voice can be learnt from it.
        """
        self._tracking.remember(utterance.how, utterance.end)
        if spoken:
            self._start(self._learn(utterance))

    def forget(self) -> None:
        """Drops the running turn."""
        self._forgetting = True
        self._turn.dropped = True
        self._turn.finished.set()
        self._next_turn()

    async def quiet(self) -> None:
        """Returns when nothing is under way."""
        while self._tasks or not self._recognition.idle:  # noqa: ASYNC110
            # Polled, since the work of several workers has to come to rest at the same moment.
            await asyncio.sleep(0.001)

    async def close(self) -> None:
        """Stops all work."""
        self.forget()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._recognition.close()
        await self._voice.close()

    async def _hear(self) -> None:
        """Has the ear work through what has come."""
        samples = np.concatenate(self._unheard) if self._unheard else np.zeros(0, np.float32)
        self._unheard.clear()
        for event in await self._worker.call(self._process, samples):
            if self._forgetting:
                return
            await self._on_ear(event)

    # --- in the worker ---

    def _process(self, samples: Samples) -> list[EarEvent]:
        self._forget_now()
        return self._ear.process(samples, self._turn.words)

    def _end_turn(self) -> End | None:
        self._forget_now()
        return self._ear.end_turn()

    def _forget_now(self) -> None:
        if self._forgetting:
            self._ear.forget()
            self._forgetting = False

    def _snapshot(self) -> _Snapshot:
        start = self._ear.turn_audio_start / HEARING_RATE
        return _Snapshot(start, self._ear.turn_audio(), self._ear.manner())

    # --- on the event loop ---

    async def _on_ear(self, event: EarEvent) -> None:
        turn = self._turn
        match event:
            case Onset(at, audio):
                turn.start = at
                self._tell(Started(at / HEARING_RATE))
                self._recognition.add(audio)
            case Voice(audio):
                self._recognition.add(audio)
                if self._ear.speech_s - turn.read_at >= READING_S:
                    turn.read_at = self._ear.speech_s
                    await self._read(turn)
            case LikelyEnd(at):
                await self._settle(turn, at, at)
            case End(at, decided):
                turn.end, turn.ended_at = event, time.perf_counter()
                if turn.draft is not None:
                    self._finish(turn)
                elif not turn.settling:
                    await self._settle(turn, at, decided)
                self._next_turn()
            case EarResumed():
                turn.revision += 1
                turn.draft, turn.settling = None, False
                self._tell(Resumed())

    def _next_turn(self) -> None:
        self._turn = _Turn()
        self._recognition.reset()

    async def _settle(self, turn: _Turn, end: int, decided: int) -> None:
        """Starts to make the turn's reading as if it were over."""
        turn.settling = True
        words = self._recognition.settle()
        heard = await self._worker.call(self._snapshot)
        sketch = Utterance(
            Hypothesis(turn.words, final=True),
            Paralinguistics(manner=heard.manner),
            start=turn.start / HEARING_RATE,
            end=end / HEARING_RATE,
            decided=decided / HEARING_RATE,
            decided_at=time.perf_counter(),
            speech_s=self._ear.speech_s,
            voiced_share=self._ear.voiced_share,
            audio=heard.audio,
        )
        self._start(self._make_draft(turn, turn.revision, sketch, words, heard))

    async def _make_draft(
        self,
        turn: _Turn,
        revision: int,
        sketch: Utterance,
        words: asyncio.Future[Hypothesis],
        heard: _Snapshot,
    ) -> None:
        try:
            how = await self._analyze(turn, heard)
            draft = replace(sketch, hypothesis=await words, how=how)
        except VoiceAgentError as error:
            self._on_error(error)
            draft = sketch
        if turn.dropped or revision != turn.revision:
            return
        turn.draft = draft
        if turn.end is not None:
            self._finish(turn)
        else:
            turn.words = draft.hypothesis.text
            self._tell(Draft(draft))

    def _finish(self, turn: _Turn) -> None:
        assert turn.draft is not None
        assert turn.end is not None
        decided = turn.end.decided / HEARING_RATE
        self._tell(Finished(replace(turn.draft, decided=decided, decided_at=turn.ended_at)))
        turn.finished.set()

    async def _read(self, turn: _Turn) -> None:
        self._start(self._make_reading(turn, await self._worker.call(self._snapshot)))

    async def _make_reading(self, turn: _Turn, heard: _Snapshot) -> None:
        try:
            how = await self._analyze(turn, heard)
        except VoiceAgentError as error:
            self._on_error(error)
            return
        if turn is self._turn:
            self._tell(Reading(how))

    async def _analyze(self, turn: _Turn, heard: _Snapshot) -> Paralinguistics:
        how = await self._voice.analyze(heard.audio, heard.manner)
        turn.sounds = joined_sounds(turn.sounds, how.events, heard.start)
        return replace(self._tracking.weigh(how, turn.start / HEARING_RATE), events=turn.sounds)

    async def _learn(self, utterance: Utterance) -> None:
        async with self._learning:
            try:
                await self._voice.learn(utterance.audio)
            except VoiceAgentError as error:
                self._on_error(error)

    def _on_partial(self, hypothesis: Hypothesis) -> None:
        self._turn.words = hypothesis.text
        self._tell(Partial(hypothesis))

    def _on_error(self, error: Exception) -> None:
        self._tell(Failed(error))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def joined_sounds(
    before: tuple[VocalEvent, ...], read: tuple[VocalEvent, ...], start: float
) -> tuple[VocalEvent, ...]:
    """The sounds of a turn: what was read in its newest audio, and what came before that.

    Args:
        before: Sounds of earlier readings, in seconds of received audio.
        read: Sounds of the newest reading, in seconds from the beginning of its audio.
        start: Where that audio begins.
    """
    earlier = tuple(event for event in before if event.start < start)
    newest = (replace(event, start=start + event.start, end=start + event.end) for event in read)
    # Of a sound that the beginning of the audio cuts, the whole is known already.
    return earlier + tuple(
        event
        for event in newest
        if not any(old.label == event.label and old.end > event.start for old in earlier)
    )
