"""The agent's part of the dialogue: prepares answers, lets one have the floor, keeps the turns."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from voice_agent.dialogue.conversation import Called, Conversation, Turn, new_id
from voice_agent.dialogue.delivery import Delivery
from voice_agent.dialogue.events import SessionEvent, SessionFailed, TurnEnded, UserItem
from voice_agent.dialogue.latency import Stopwatch
from voice_agent.dialogue.reply import Reply, Terms
from voice_agent.dialogue.speculation import Speculation
from voice_agent.errors import VoiceAgentError
from voice_agent.events import Exchange, ReplyStatus, Thought, ToolCall, TurnRecord, UserTurn
from voice_agent.speaking.playback import Playback
from voice_agent.speaking.speaker import Speaker
from voice_agent.store import Store
from voice_agent.thinking.thinker import Thinker

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Queued:
    """A turn that waits until the floor is free."""

    turn: Turn
    stopwatch: Stopwatch
    asr_final: float | None


class Answering:
    """Answers turns, one at a time.

    Args:
        session: Id of the conversation.
        thinker, speaker, store: Who thinks, who speaks, and where turns are kept.
        engines: Tells the names of the engines by kind, for the records.
        clock: Seconds, by which audio is played.
        holds: Whether the listener's player holds its buffer when it is told to.
        emit: Told what happens.
        stirring: Tells whether somebody may just be beginning to speak.
        speaking: Tells whether the person is in the middle of a turn that will be answered.

    Attributes:
        conversation: What was said on both sides.
        delivery: The answer that has the floor.
        history_turns: Past turns that are thought about.
        lead_s: How far ahead of playback audio is sent, in seconds.
    """

    def __init__(
        self,
        session: str,
        thinker: Thinker,
        speaker: Speaker,
        store: Store,
        engines: Callable[[], Mapping[str, str]],
        clock: Callable[[], float],
        holds: bool,
        emit: Callable[[SessionEvent], None],
        stirring: Callable[[], bool],
        speaking: Callable[[], bool],
    ) -> None:
        self.history_turns = 40
        self.lead_s = 0.4
        self.conversation = Conversation()
        self.delivery: Delivery | None = None
        self._session = session
        self._thinker = thinker
        self._speaker = speaker
        self._store = store
        self._engines = engines
        self._clock = clock
        self._holds = holds
        self._emit = emit
        self._stirring = stirring
        self._speaking = speaking
        self._terms = Terms()
        self._speculation = Speculation(self._make)
        self._queued: _Queued | None = None
        self._owed: Terms | None = None
        self._opening = ""
        self._floor_taken = asyncio.Event()
        self._storing = asyncio.Lock()
        self._tasks: set[asyncio.Task[Any]] = set()

    # --- turns ----------------------------------------------------------------------------------

    def set_terms(self, terms: Terms) -> None:
        """What answers are to be like from now on."""
        if terms != self._terms:
            self._terms = terms
            self._speculation.drop()

    def add_turn(self, item: str, user: UserTurn) -> Turn:
        """The person has said something."""
        turn = self.conversation.add(item, user)
        self._thinker.note(user)
        self._emit(UserItem(item, user))
        self._keep(turn)
        return turn

    def warm(self) -> None:
        """The person begins to speak."""
        self._thinker.warm(self._history(), self._terms.instructions or None)

    def consider(self, user: UserTurn, tell: Callable[[Thought], None]) -> None:
        """Thinks about what the person has said so far; ``tell`` is told what, as it grows.

        Not while an answer is being prepared: the model is busy with that, and has the thought.
        """
        if self._speculation.prepared:
            return
        asked, history = self.conversation.asked(user), self._history()
        self._thinker.consider(asked, history, tell, self._terms.instructions or None)

    def prepare(self, user: UserTurn) -> None:
        """Begins to answer what the person may have finished saying."""
        if self.delivery is None:
            self._speculation.prepare(self.conversation.asked(user), self._history())

    def say_first(self, words: str) -> None:
        """The next answer begins with these words."""
        self._opening = words
        self._speculation.drop()

    def drop_prepared(self) -> None:
        """The person goes on, or is not to be answered."""
        self._speculation.drop()

    def answer(
        self,
        turn: Turn,
        stopwatch: Stopwatch,
        asr_final: float | None = None,
        terms: Terms | None = None,
    ) -> str | None:
        """Answers a turn now; None, and later, where another answer has the floor.

        It is the answer, too, that was asked for with ``go_on`` and could not begin yet.

        Args:
            turn: The turn.
            stopwatch: Started when the turn was known to be over.
            asr_final: ``time.perf_counter()`` when its words were known.
            terms: For this answer only.

        Returns:
            The id of the reply.
        """
        if self.delivery is not None:
            self._queued = _Queued(turn, stopwatch, asr_final)
            return None
        asked = self.conversation.asked(turn.user or UserTurn(""), turn)
        history = self._history(turn)
        terms, self._owed = terms or self._owed or self._terms, None
        if terms == self._terms:
            reply = self._speculation.take(asked, history)
        else:
            self._speculation.drop()
            reply = self._make(asked, history, terms)
        self._opening = ""
        turn.reply_item = new_id("item")
        id = new_id("resp")
        self.delivery = Delivery(
            id, reply, turn, self.conversation, stopwatch, asr_final, self._emit, self._holds
        )
        self._floor_taken.set()
        self.delivery.begin()
        self.advance()
        return id

    def go_on(self, terms: Terms) -> str | None:
        """Answers the last turn, or goes on by itself where that was answered.

        While another answer has the floor it waits. To go on by itself it waits for the person to
        finish, too, and then the answer to what they said is this one, so that nothing is said
        twice.

        Returns:
            The id of the reply; None where it waits.
        """
        turn = self.conversation.last
        answered = turn is None or turn.status is not None
        if self.delivery is not None or (answered and self._speaking()):
            self._owed = terms
            return None
        if turn is None or answered:
            turn = self.conversation.add(None, None)
        return self.answer(turn, Stopwatch(0.0), None, terms)

    # --- tools ----------------------------------------------------------------------------------

    def add_call(self, call: ToolCall) -> Called:
        """Takes in a call of an earlier conversation that is being restored."""
        turn = self.conversation.add(None, None)
        turn.status = ReplyStatus.COMPLETED
        called = self.conversation.add_call(turn, call)
        self._keep(turn)
        return called

    def add_output(self, call: str, output: str) -> Called:
        """Takes in what a tool brought.

        Raises:
            KeyError: There is no such call.
            ValueError: It has its output already.
        """
        turn, called = self.conversation.add_output(call, output)
        self._keep(turn)
        return called

    # --- the floor ------------------------------------------------------------------------------

    def advance(self) -> None:
        """Lets the reply that has the floor go on, and takes leave of it when it is over."""
        delivery = self.delivery
        if delivery is None:
            if self._owed is not None:
                self.go_on(self._owed)
            return
        spoken = delivery.spoken
        delivery.advance(hush=self._stirring())
        if delivery.over is not None:
            self._leave(delivery)
        elif delivery.spoken and not spoken:
            delivery.note()
            self._keep(delivery.turn)

    def end(self, status: ReplyStatus, heard_s: float | None = None) -> None:
        """Takes the floor from the reply that has it, if any; nothing waits for it any more."""
        delivery = self.delivery
        if delivery is not None:
            delivery.end(status, heard_s)
            self._start(delivery.reply.cancel())
            self._leave(delivery)

    def dequeue(self) -> None:
        """Forgets what waits for the floor."""
        self._queued = self._owed = None

    def truncate(self, item: str, heard_ms: int) -> None:
        """Takes over from the client how much of a reply was heard.

        Raises:
            ValueError: There is no such reply, or it has less audio than that.
        """
        turn = self.conversation.answered_by(item)
        if turn is None or turn.playback is None:
            raise ValueError(f"there is no spoken item {item!r}")
        heard_s, length_s = heard_ms / 1000, turn.playback.length_s
        if heard_s > length_s:
            raise ValueError(
                f"audio_end_ms is {heard_ms}, but the audio has {round(1000 * length_s)} ms"
            )
        if self.delivery is not None and self.delivery.turn is turn:
            self.end(ReplyStatus.INTERRUPTED, heard_s)
        else:
            turn.heard, turn.heard_s = turn.playback.heard(heard_s), heard_s
            self._keep(turn)

    async def pace(self) -> None:
        """Sends audio as its time comes, where no samples tell the time. Runs until cancelled."""
        while True:
            await self._floor_taken.wait()
            self.advance()
            due = self.delivery.reply.playback.next_due() if self.delivery is not None else None
            await asyncio.sleep(0.05 if due is None else min(max(due, 0.005), 0.05))

    # --- work -----------------------------------------------------------------------------------

    @property
    def working(self) -> bool:
        """Whether an answer is being made or a turn being kept right now."""
        delivery = self.delivery
        making = delivery is not None and delivery.reply.working
        thinking = self._speculation.working or self._thinker.working
        return making or thinking or bool(self._tasks)

    def fail(self, error: Exception) -> None:
        """Something went wrong; the conversation goes on."""
        code = error.code if isinstance(error, VoiceAgentError) else "internal_error"
        log.warning("engine failed", extra={"session": self._session, "code": code})
        log.debug("engine failed", exc_info=error)
        self._emit(SessionFailed(code, str(error)))

    async def close(self) -> None:
        """Ends the running reply and waits until all turns are kept."""
        self.dequeue()
        self.end(ReplyStatus.INTERRUPTED)
        await self._speculation.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._thinker.close()

    def _make(
        self, asked: UserTurn, history: tuple[Exchange, ...], terms: Terms | None = None
    ) -> Reply:
        playback = Playback(self._clock, self.lead_s)
        reply = Reply(asked, history, playback, self._on_progress, self._opening)
        reply.start(self._thinker, self._speaker, terms or self._terms)
        return reply

    def _history(self, before: Turn | None = None) -> tuple[Exchange, ...]:
        return self.conversation.history(self.history_turns, before)

    def _on_progress(self, reply: Reply) -> None:
        if self.delivery is not None and self.delivery.reply is reply:
            self.advance()

    def _leave(self, delivery: Delivery) -> None:
        self.delivery = None
        self._floor_taken.clear()
        if delivery.reply.error is not None:
            self.fail(delivery.reply.error)
        self._keep(delivery.turn, ended=True)
        if self._queued is not None:
            queued, self._queued = self._queued, None
            self.answer(queued.turn, queued.stopwatch, queued.asr_final)
        elif self._owed is not None:
            self.go_on(self._owed)

    def _keep(self, turn: Turn, ended: bool = False) -> None:
        """Writes down what is known of a turn by now."""
        record = TurnRecord(
            turn=turn.number,
            user=turn.user or UserTurn(""),
            thought=turn.thought,
            reply=turn.reply,
            heard=turn.heard,
            status=turn.status or ReplyStatus.UNFINISHED,
            latency=turn.latency,
            engines=self._engines(),
            tools=turn.tools,
        )
        self._start(self._store_record(record, turn.exchange if ended else None))

    async def _store_record(self, record: TurnRecord, ended: Exchange | None) -> None:
        async with self._storing:
            try:
                await self._store.add(self._session, record)
            except VoiceAgentError as error:
                self.fail(error)
        if ended is not None:
            self._emit(TurnEnded(record))
            await self._thinker.take_in(ended)

    def _start(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
