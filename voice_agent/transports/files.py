"""Recordings and typed lines as one side of a conversation; the replies as WAV files.

The same session as for a live person, only that its audio comes out of files: in real time, or as
fast as the engines go.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from voice_agent.agent import Agent
from voice_agent.audio.files import read_blocks, write_wav
from voice_agent.audio.pcm import HEARING_RATE, SPEAKING_RATE, Samples
from voice_agent.dialogue.events import (
    ReplyAudio,
    ReplyEnded,
    ReplyStarted,
    SessionEvent,
    SessionFailed,
    SpeechIgnored,
    SpeechStarted,
    SpeechStopped,
    TurnEnded,
)
from voice_agent.dialogue.session import Session
from voice_agent.errors import AudioError, EngineError, VoiceAgentError
from voice_agent.events import ReplyStatus, TurnRecord
from voice_agent.person import Person

log = logging.getLogger(__name__)

CHUNK_S = 0.02
"""Audio is fed in pieces of this length, as a live transport does."""

SETTLE_S = 0.5
"""Silence after a recording until speech at its very end has been noticed."""


@dataclass(frozen=True, slots=True)
class FileTurn:
    """A turn that has come to its end.

    Attributes:
        number: Counts from 1 in this conversation, turns without speech included.
        record: What was heard, thought and said; None where there was no speech to answer.
        audio: The reply as WAV, as far as it was played; None where none was made or asked for.
        note: What a reader should know about this turn; empty if nothing.
    """

    number: int
    record: TurnRecord | None
    audio: Path | None
    note: str = ""


class RealTime:
    """Lets audio time go no faster than a clock, counted from where it is first asked to wait."""

    def __init__(self, now: Callable[[], float], sleep: Callable[[float], Awaitable[None]]) -> None:
        self._now = now
        self._sleep = sleep
        self._begun: float | None = None

    async def reach(self, seconds: float) -> None:
        """Waits until ``seconds`` of audio would have come from a microphone."""
        if self._begun is None:
            self._begun = self._now() - seconds
        # Also when late, so that a slow machine lets the rest of the loop work.
        await self._sleep(max(0.0, self._begun + seconds - self._now()))


class FileConversation:
    """A conversation whose person is a row of files, or lines of text."""

    def __init__(self, out: Path | None, fast: bool, watch: Callable[[SessionEvent], None]) -> None:
        """Use ``open``."""
        self._out = out
        self._fast = fast
        self._watch = watch
        self._session: Session
        self._number = 0
        self._finished: deque[FileTurn] = deque()
        self._speaking = False
        self._reply: list[Samples] = []
        # A turn is told as ended when it is kept, by when the next reply may have begun.
        self._unkept: deque[Samples] = deque()
        self._kept = asyncio.Event()
        self._troubles: list[str] = []
        self._failure: VoiceAgentError | None = None
        self._pace = RealTime(asyncio.get_running_loop().time, asyncio.sleep)

    @classmethod
    async def open(
        cls,
        agent: Agent,
        *,
        out: Path | None = None,
        fast: bool = False,
        endpointing: bool = False,
        aloud: bool = True,
        watch: Callable[[SessionEvent], None] = lambda event: None,
        person: Person | None = None,
    ) -> Self:
        """Opens a conversation.

        Args:
            agent: Whom to talk to.
            out: Folder for the replies (``turn-01.wav``…, 24 kHz, 16-bit); None for none.
            fast: Whether time goes as fast as the engines do, rather than by the clock on the wall.
            endpointing: Whether the agent decides where turns end; else the end of a file does.
            aloud: Whether replies are spoken at all.
            watch: Told of each event of the session as it happens.
            person: Who talks, where known.

        Raises:
            AudioError: The folder cannot be made.
            Overloaded: The agent has no place for another conversation.
        """
        if out is not None:
            _make_folder(out)
        conversation = cls(out, fast, watch)
        conversation._session = await agent.open(conversation._on_event, user=person)
        conversation._session.turn_taking.automatic = endpointing
        conversation._session.turn_taking.aloud = aloud
        return conversation

    async def play(
        self, path: Path, progress: Callable[[float], None] = lambda seconds: None
    ) -> AsyncIterator[FileTurn]:
        """Plays a file to the agent and waits until the agent has answered.

        Args:
            path: The audio file.
            progress: Told how many seconds of the file have been played.

        Yields:
            Each turn as it comes to its end; one without a record if nobody spoke in the file.

        Raises:
            AudioError: The file is no audio, or a reply cannot be written.
            EngineError: The conversation cannot go on.
        """
        turns = 0
        begun = self._session.clock
        async for turn in self._hear(path, begun, progress):
            turns += 1
            yield turn
        if not self._session.turn_taking.automatic:
            await self._session.commit()
        async for turn in self._listen():
            turns += 1
            yield turn
        if not turns:
            self._number += 1
            yield FileTurn(self._number, None, None, self._note(f"no speech found in {path}"))

    async def say(self, text: str) -> AsyncIterator[FileTurn]:
        """Says something in writing and waits until the agent has answered.

        Yields:
            The turn.

        Raises:
            AudioError: The reply cannot be written.
            EngineError: The conversation cannot go on.
        """
        await self._session.say(text)
        await self._session.respond()
        async for turn in self._listen():
            yield turn

    async def close(self) -> None:
        """Ends the conversation."""
        await self._session.close()

    async def _hear(
        self, path: Path, begun: float, progress: Callable[[float], None]
    ) -> AsyncIterator[FileTurn]:
        for chunk in read_blocks(path, CHUNK_S):
            await self._feed(chunk)
            progress(self._session.clock - begun)
            while self._finished:
                yield self._finished.popleft()

    async def _listen(self) -> AsyncIterator[FileTurn]:
        """Is silent until the agent has nothing more to say."""
        silence = np.zeros(round(CHUNK_S * HEARING_RATE), np.float32)
        session = self._session
        settled = session.clock + SETTLE_S if session.turn_taking.automatic else 0.0
        while session.answering or self._speaking or session.clock < settled:
            await self._feed(silence)
            while self._finished:
                yield self._finished.popleft()
        while self._unkept:
            self._kept.clear()
            await self._kept.wait()
        while self._finished:
            yield self._finished.popleft()

    async def _feed(self, chunk: Samples) -> None:
        if self._failure is not None:
            raise self._failure
        if self._fast:
            await self._session.quiet()
        else:
            await self._pace.reach(self._session.clock)
        await self._session.feed(chunk)

    def _on_event(self, event: SessionEvent) -> None:
        match event:
            case SpeechStarted():
                self._speaking = True
            case SpeechStopped() | SpeechIgnored():
                self._speaking = False
            case ReplyStarted():
                self._reply = []
            case ReplyAudio(speech=speech) if self._out is not None:
                self._reply.append(speech.samples)
            case ReplyEnded(status=status, heard_ms=heard_ms):
                whole = status is ReplyStatus.COMPLETED
                self._unkept.append(_joined(self._reply, None if whole else heard_ms))
            case TurnEnded(record):
                self._finish(record, self._unkept.popleft())
                self._kept.set()
            case SessionFailed(message=message, fatal=fatal):
                self._troubles.append(message)
                if fatal:
                    self._failure = EngineError(message)
        self._watch(event)

    def _finish(self, record: TurnRecord, reply: Samples) -> None:
        self._number += 1
        audio = None
        if self._out is not None and reply.size:
            audio = self._out / f"turn-{self._number:02}.wav"
            try:
                write_wav(audio, reply, SPEAKING_RATE)
            except AudioError as error:
                # Raised at the next step: this is called from inside the session.
                self._failure = error
        note = ""
        if record.status is ReplyStatus.INTERRUPTED:
            note = f"interrupted; heard of the reply: {record.heard!r}"
        self._finished.append(FileTurn(self._number, record, audio, self._note(note)))

    def _note(self, note: str) -> str:
        troubles, self._troubles = self._troubles, []
        return "; ".join(filter(None, (note, *troubles)))


def _joined(pieces: list[Samples], heard_ms: int | None) -> Samples:
    """The audio of a reply, as far as it was heard."""
    samples = np.concatenate(pieces) if pieces else np.zeros(0, np.float32)
    return samples if heard_ms is None else samples[: heard_ms * SPEAKING_RATE // 1000]


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AudioError(f"{path} cannot be made a folder: {error.strerror}") from error
