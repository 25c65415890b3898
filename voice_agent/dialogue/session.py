"""One conversation: listens, thinks and speaks at the same time, and decides whose turn it is."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from voice_agent.audio.pcm import HEARING_RATE, Samples
from voice_agent.config import Config, Endpointing, Vad
from voice_agent.dialogue.conversation import Conversation, Turn
from voice_agent.dialogue.delivery import Delivery
from voice_agent.dialogue.interruption import Verdict, judge
from voice_agent.dialogue.latency import Stopwatch
from voice_agent.dialogue.reply import Reply
from voice_agent.dialogue.speculation import Speculation
from voice_agent.errors import Overloaded, VoiceAgentError
from voice_agent.events import (
    Caption,
    Exchange,
    HeardHow,
    Hypothesis,
    ReplyStatus,
    SessionEvent,
    SessionFailed,
    SpeechIgnored,
    SpeechStarted,
    SpeechStopped,
    TurnEnded,
    TurnRecord,
    UserItem,
    UserTurn,
)
from voice_agent.hearing.listener import (
    Draft,
    Failed,
    Finished,
    HearingEvent,
    Listener,
    Partial,
    Reading,
    Resumed,
    Started,
    Utterance,
)
from voice_agent.speaking.playback import Playback
from voice_agent.speaking.speaker import Speaker
from voice_agent.store import Store
from voice_agent.thinking.thinker import Thinker

log = logging.getLogger(__name__)

MISHEARD_S = 1.2
"""Voiced speech from which on the agent says that it understood no word, rather than ignore it."""


@dataclass(slots=True)
class TurnTaking:
    """Who decides when it is whose turn.

    Attributes:
        automatic: The agent hears when a turn is over; else ``commit`` says so.
        create_response: A finished turn is answered at once; else ``respond`` asks for it.
        interrupt_response: Speech takes the floor from the agent.
        aloud: Answers are spoken; else they are text only.
    """

    automatic: bool = True
    create_response: bool = True
    interrupt_response: bool = True
    aloud: bool = True


@dataclass(frozen=True, slots=True)
class Wings:
    """What a session is made of: one listener, one thinker, one speaker, and where turns go."""

    listen: Callable[[Callable[[HearingEvent], None]], Listener]
    thinker: Thinker
    speaker: Speaker
    store: Store
    engines: Mapping[str, str]


class Session:
    """One conversation.

    ``feed`` takes what the person says, ``emit`` is told what happens. Nothing here waits for an
    engine: hearing, thinking and speaking report when they have something. Time is the audio
    received; only the playback of a transport in real time goes by that transport's clock.

    All methods belong to the event loop that made the session.

    Attributes:
        id: Id of the conversation, also in the store.
        turn_taking: Who decides when it is whose turn.
        instructions: Who the agent is in this conversation; empty for what the configuration says.
    """

    def __init__(
        self,
        id: str,
        wings: Wings,
        config: Config,
        emit: Callable[[SessionEvent], None],
        clock: Callable[[], float] | None,
        on_closed: Callable[[str], Awaitable[None]],
    ) -> None:
        self.id = id
        self.turn_taking = TurnTaking()
        self.instructions = ""
        self._wings = wings
        self._config = config
        self._emit = emit
        self._received = 0
        self._playback_clock = clock or (lambda: self.clock)
        # A listener on the sample clock stops playing when it is told to; a stock client does not.
        self._holds = clock is None
        self._conversation = Conversation()
        self._speculation = Speculation(self._make_reply)
        self._delivery: Delivery | None = None
        self._next: tuple[Turn, Stopwatch, float | None] | None = None
        self._item = ""
        self._started_at = 0.0
        self._speaking = False
        self._suspect = False
        self._words = ""
        self._asr_final: float | None = None
        self._on_closed = on_closed
        self._closed = False
        self._tasks: set[asyncio.Task[Any]] = set()
        self._storing = asyncio.Lock()
        self._listener = wings.listen(self._on_hearing)
        self._floor_taken = asyncio.Event()
        if clock is not None:
            self._start(self._pace())

    # --- what the transport calls ---------------------------------------------------------------

    @property
    def clock(self) -> float:
        """Seconds of audio received."""
        return self._received / HEARING_RATE

    def set_hearing(self, vad: Vad, endpointing: Endpointing) -> None:
        """Changes when speech counts as speech and a silence as the end of a turn."""
        self._listener.ear.configure(vad, endpointing)

    @property
    def answering(self) -> bool:
        """Whether a reply has the floor."""
        return self._delivery is not None

    async def feed(self, samples: Samples) -> None:
        """Takes 16 kHz mono audio of any length.

        Raises:
            Overloaded: The conversation has reached the length it may have.
        """
        limits = self._config.limits
        if self.clock > limits.session_minutes * 60:
            raise Overloaded(
                f"a conversation may last {limits.session_minutes:g} minutes; begin a new one"
            )
        self._received += len(samples)
        self._listener.ear.automatic = self.turn_taking.automatic
        await self._listener.feed(samples)
        self._judge(over=False)
        if self._speaking and self.clock - self._started_at > limits.turn_seconds:
            await self._listener.finish()
        self._advance()

    async def commit(self) -> str | None:
        """Ends the person's turn by hand; returns its item, None if nothing was said."""
        if not self._speaking:
            return None
        item = self._item
        await self._listener.finish()
        last = self._conversation.last
        return item if last is not None and last.item == item else None

    async def clear(self) -> None:
        """Forgets the turn that is under way."""
        if self._speaking:
            self._ignore()

    async def say(self, text: str) -> str:
        """Adds a typed turn of the person and returns its item; ``respond`` answers it."""
        turn = self._add_turn(_new_id("item"), UserTurn(text))
        assert turn.item is not None
        return turn.item

    async def respond(self, instructions: str | None = None) -> str:
        """Answers the last turn; returns the id of the reply.

        Raises:
            VoiceAgentError: A reply is under way already.
        """
        if self._delivery is not None:
            raise VoiceAgentError("a reply is under way; cancel it first or wait for its end")
        turn = self._conversation.last
        if turn is None or turn.status is not None:
            turn = self._conversation.add(None, None)
        return self._answer(turn, Stopwatch(0.0), None, instructions)

    async def cancel(self) -> None:
        """Stops the running reply."""
        self._next = None
        self._end_reply(ReplyStatus.CANCELLED)

    async def truncate(self, item: str, heard_ms: int) -> None:
        """Takes over from the client how much of a reply was heard.

        Raises:
            ValueError: There is no such reply, or it has less audio than that.
        """
        turn = self._conversation.answered_by(item)
        if turn is None or turn.playback is None:
            raise ValueError(f"there is no spoken item {item!r}")
        heard_s = heard_ms / 1000
        if heard_s > turn.playback.length_s:
            length_ms = round(1000 * turn.playback.length_s)
            raise ValueError(f"audio_end_ms is {heard_ms}, but the audio has {length_ms} ms")
        if self._delivery is not None and self._delivery.turn is turn:
            self._end_reply(ReplyStatus.INTERRUPTED, heard_s)
        elif turn.status is not ReplyStatus.COMPLETED or heard_s < turn.playback.length_s:
            turn.heard, turn.heard_s = turn.playback.heard(heard_s), heard_s
            self._start(self._keep(turn))

    async def delete(self, item: str) -> None:
        """Takes an item out of the conversation.

        Raises:
            KeyError: There is no such item.
        """
        if self._delivery is not None and self._delivery.item == item:
            self._end_reply(ReplyStatus.CANCELLED)
        self._conversation.delete(item)

    async def quiet(self) -> None:
        """Returns when no engine is at work: with that, time may go on faster than real."""
        while True:
            await self._listener.quiet()
            delivery = self._delivery
            if not (self._speculation.working or (delivery is not None and delivery.reply.working)):
                return
            # Polled, since the work of several wings has to come to rest at the same moment.
            await asyncio.sleep(0.001)

    async def close(self) -> None:
        """Ends the conversation; what was said is kept. Harmless when called twice."""
        if self._closed:
            return
        self._closed = True
        self._next = None
        self._end_reply(ReplyStatus.INTERRUPTED)
        await self._listener.close()
        await self._speculation.close()
        async with self._storing:
            pass
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._on_closed(self.id)

    # --- hearing --------------------------------------------------------------------------------

    def _on_hearing(self, event: HearingEvent) -> None:
        match event:
            case Started(at):
                self._on_started(at)
            case Partial(hypothesis):
                self._on_words(hypothesis, over=False)
            case Reading(how):
                if not self._suspect:
                    self._emit(HeardHow(self._item, how, final=False))
            case Draft(utterance):
                self._on_draft(utterance)
            case Resumed():
                self._speculation.drop()
            case Finished(utterance):
                self._on_finished(utterance)
            case Failed(error):
                self._fail(error)

    def _on_started(self, at: float) -> None:
        self._item, self._started_at = _new_id("item"), at
        self._speaking, self._words, self._asr_final = True, "", None
        delivery = self._delivery
        if delivery is not None and self.turn_taking.interrupt_response:
            delivery.pause()
            self._suspect = True
        else:
            self._emit(SpeechStarted(self._item, at))

    def _on_words(self, hypothesis: Hypothesis, over: bool) -> None:
        self._words = hypothesis.text
        self._judge(over)
        if self._speaking and not self._suspect and hypothesis.text:
            self._emit(Caption(self._item, hypothesis))

    def _judge(self, over: bool) -> None:
        """Decides whether what interrupts the agent is meant to."""
        if not self._suspect:
            return
        ear = self._listener.ear
        verdict = judge(self._words, ear.speech_s, ear.voiced_share, over)
        if self._delivery is None:
            verdict = Verdict.INTERRUPTION
        if verdict is Verdict.INTERRUPTION:
            self._suspect = False
            self._end_reply(ReplyStatus.INTERRUPTED)
            self._emit(SpeechStarted(self._item, self._started_at))
        elif verdict is Verdict.NOTHING:
            self._ignore()

    def _ignore(self) -> None:
        """What began as speech was none, or is not wanted: the agent goes on as before."""
        self._listener.forget()
        self._speculation.drop()
        self._speaking = self._suspect = False
        self._emit(SpeechIgnored(self._item))
        if self._delivery is not None:
            self._delivery.resume()

    def _on_draft(self, utterance: Utterance) -> None:
        self._asr_final = time.perf_counter()
        self._on_words(utterance.hypothesis, over=True)
        text = utterance.hypothesis.text
        if self._speaking and text and self.turn_taking.create_response and not self._delivery:
            asked = self._conversation.asked(_heard(utterance))
            self._speculation.prepare(asked, self._history())

    def _on_finished(self, utterance: Utterance) -> None:
        self._words = utterance.hypothesis.text
        self._judge(over=True)
        if not self._speaking:
            return
        self._speaking = False
        item = self._item
        mumbled = utterance.speech_s * utterance.voiced_share >= MISHEARD_S
        self._emit(SpeechStopped(item, utterance.end))
        if not self._words and not mumbled:
            self._speculation.drop()
            self._emit(SpeechIgnored(item))
            return
        stopwatch = Stopwatch(utterance.decided - utterance.end, utterance.decided_at)
        turn = self._add_turn(item, _heard(utterance))
        self._emit(HeardHow(item, utterance.how, final=True))
        if not self.turn_taking.create_response:
            self._speculation.drop()
        elif self._delivery is not None:
            self._next = turn, stopwatch, self._asr_final
        else:
            self._answer(turn, stopwatch, self._asr_final or time.perf_counter())

    # --- answering ------------------------------------------------------------------------------

    def _add_turn(self, item: str, user: UserTurn) -> Turn:
        turn = self._conversation.add(item, user)
        self._emit(UserItem(item, user))
        return turn

    def _history(self, before: Turn | None = None) -> tuple[Exchange, ...]:
        return self._conversation.history(self._config.limits.history_turns, before)

    def _make_reply(
        self, asked: UserTurn, history: tuple[Exchange, ...], instructions: str | None = None
    ) -> Reply:
        playback = Playback(self._playback_clock, self._config.speaking.lead_ms / 1000)
        reply = Reply(asked, history, playback, self._on_progress)
        aloud = self.turn_taking.aloud
        reply.start(
            self._wings.thinker,
            self._wings.speaker if aloud else None,
            instructions or self.instructions or None,
        )
        return reply

    def _answer(
        self,
        turn: Turn,
        stopwatch: Stopwatch,
        asr_final: float | None,
        instructions: str | None = None,
    ) -> str:
        asked = self._conversation.asked(turn.user or UserTurn(""), turn)
        history = self._history(turn)
        if instructions is None:
            reply = self._speculation.take(asked, history)
        else:
            self._speculation.drop()
            reply = self._make_reply(asked, history, instructions)
        turn.reply_item = _new_id("item")
        self._delivery = Delivery(
            _new_id("resp"), reply, turn, stopwatch, asr_final, self._emit, self._holds
        )
        self._floor_taken.set()
        id = self._delivery.id
        self._delivery.begin()
        self._advance()
        return id

    def _on_progress(self, reply: Reply) -> None:
        if self._delivery is not None and self._delivery.reply is reply:
            self._advance()

    def _advance(self) -> None:
        """Lets the reply that has the floor go on, and takes leave of it when it is over."""
        delivery = self._delivery
        if delivery is None:
            return
        hush = self.turn_taking.interrupt_response and self._listener.ear.stirring
        delivery.advance(hush)
        if delivery.over is not None:
            self._leave(delivery)

    def _end_reply(self, status: ReplyStatus, heard_s: float | None = None) -> None:
        delivery = self._delivery
        if delivery is not None:
            delivery.end(status, heard_s)
            self._start(delivery.reply.cancel())
            self._leave(delivery)

    def _leave(self, delivery: Delivery) -> None:
        self._delivery = None
        self._floor_taken.clear()
        if delivery.reply.error is not None:
            self._fail(delivery.reply.error)
        self._start(self._keep(delivery.turn))
        self._emit(TurnEnded(self._record(delivery.turn)))
        if self._next is not None:
            turn, stopwatch, asr_final = self._next
            self._next = None
            self._answer(turn, stopwatch, asr_final)

    async def _pace(self) -> None:
        """Sends audio as its time comes, where no samples tell the time."""
        while True:
            await self._floor_taken.wait()
            self._advance()
            delivery = self._delivery
            due = delivery.reply.playback.next_due() if delivery is not None else None
            await asyncio.sleep(0.05 if due is None else min(max(due, 0.005), 0.05))

    # --- keeping --------------------------------------------------------------------------------

    def _record(self, turn: Turn) -> TurnRecord:
        return TurnRecord(
            turn=turn.number,
            user=turn.user or UserTurn(""),
            thought=turn.thought,
            reply=turn.reply,
            heard=turn.heard,
            status=turn.status or ReplyStatus.CANCELLED,
            latency=turn.latency,
            engines=self._wings.engines,
        )

    async def _keep(self, turn: Turn) -> None:
        """Writes a turn down; a second time where more became known about it."""
        async with self._storing:
            try:
                await self._wings.store.add(self.id, self._record(turn))
            except VoiceAgentError as error:
                self._fail(error)

    def _fail(self, error: Exception) -> None:
        code = error.code if isinstance(error, VoiceAgentError) else "internal_error"
        log.warning("engine failed", extra={"session": self.id, "code": code}, exc_info=error)
        self._emit(SessionFailed(code, str(error)))

    def _start(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _heard(utterance: Utterance) -> UserTurn:
    hypothesis = utterance.hypothesis
    return UserTurn(hypothesis.text, utterance.how, hypothesis.confidence)


def _new_id(kind: str) -> str:
    return f"{kind}_{uuid4().hex[:20]}"
