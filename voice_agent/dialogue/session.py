"""One conversation: listens, thinks and speaks at the same time, and decides whose turn it is."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from voice_agent.audio.pcm import HEARING_RATE, Samples
from voice_agent.dialogue.answering import Answering
from voice_agent.dialogue.conversation import new_id
from voice_agent.dialogue.disclosure import Disclosure
from voice_agent.dialogue.events import (
    Caption,
    Considering,
    Disclosed,
    HeardHow,
    SessionEvent,
    SpeechIgnored,
    SpeechStarted,
    SpeechStopped,
)
from voice_agent.dialogue.interruption import (
    EXPRESSIVE,
    Verdict,
    judge,
)
from voice_agent.dialogue.latency import Stopwatch
from voice_agent.dialogue.reply import Terms
from voice_agent.dialogue.turn import Speaking, TurnTaking, deserves_answer, heard
from voice_agent.errors import Overloaded, VoiceAgentError
from voice_agent.events import (
    Hypothesis,
    Paralinguistics,
    ReplyStatus,
    Thought,
    Tool,
    ToolCall,
    UserTurn,
)
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
from voice_agent.hearing.listener import Listener
from voice_agent.settings import Config, Endpointing, Vad
from voice_agent.speaking.speaker import Speaker
from voice_agent.store import Store
from voice_agent.thinking.thinker import Thinker


@dataclass(frozen=True, slots=True)
class Wings:
    """What a session is made of: one listener, one thinker, one speaker, and where turns go.

    ``engines`` names the engines by kind that are at work now.
    """

    listen: Callable[[Callable[[HearingEvent], None]], Listener]
    thinker: Thinker
    speaker: Speaker
    store: Store
    engines: Callable[[], Mapping[str, str]]


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
        self._tools: tuple[Tool, ...] = ()
        self._tool_choice = "auto"
        self._limits = config.limits
        self._emit = emit
        self._received = 0
        self._user: Speaking | None = None
        self._listener = wings.listen(self._on_hearing)
        self._answering = Answering(
            id,
            wings.thinker,
            wings.speaker,
            wings.store,
            wings.engines,
            clock or (lambda: self.clock),
            # On the sample clock playback stops when told to; a stock client plays on.
            holds=clock is None,
            emit=emit,
            stirring=self._stirring,
            speaking=self._speaking,
        )
        self._answering.history_turns = config.limits.history_turns
        self._answering.lead_s = config.speaking.lead_ms / 1000
        self._disclosure = Disclosure(config.safety)
        self._now = clock or (lambda: self.clock)
        self._began = self._now()
        self._pacing = asyncio.create_task(self._answering.pace()) if clock else None
        self._on_closed = on_closed
        self._closed = False

    # --- what the transport calls ---------------------------------------------------------------

    @property
    def clock(self) -> float:
        """Seconds of audio received."""
        return self._received / HEARING_RATE

    @property
    def answering(self) -> bool:
        """Whether a reply has the floor."""
        return self._answering.delivery is not None

    def set_hearing(self, vad: Vad, endpointing: Endpointing) -> None:
        """Changes when speech counts as speech and a silence as the end of a turn."""
        self._listener.ear.configure(vad, endpointing)

    def set_tools(self, tools: tuple[Tool, ...], choice: str = "auto") -> None:
        """What the model may call from now on; ``choice`` as in ``events.Prompt``."""
        self._tools, self._tool_choice = tools, choice

    async def feed(self, samples: Samples) -> None:
        """Takes 16 kHz mono audio of any length.

        Raises:
            Overloaded: The conversation has reached the length it may have.
        """
        if self.clock > self._limits.session_minutes * 60:
            raise Overloaded(
                f"a conversation may last {self._limits.session_minutes:g} minutes; begin a new one"
            )
        self._disclose()
        self._received += len(samples)
        self._listener.ear.automatic = self.turn_taking.automatic
        await self._listener.feed(samples)
        self._judge()
        if self._user is not None and self.clock - self._user.at > self._limits.turn_seconds:
            await self._listener.finish()
        self._answering.advance()

    async def commit(self) -> str | None:
        """Ends the person's turn by hand; returns its item, None if nothing was said."""
        if self._user is None:
            return None
        item = self._user.item
        await self._listener.finish()
        last = self._answering.conversation.last
        return item if last is not None and last.item == item else None

    async def clear(self) -> None:
        """Forgets the turn that is under way."""
        if self._user is not None:
            self._ignore(self._user)

    async def say(self, text: str) -> str:
        """Adds a typed turn of the person and returns its item; ``respond`` answers it."""
        self._disclose()
        item = new_id("item")
        self._answering.add_turn(item, UserTurn(text))
        return item

    async def add_tool_call(self, call: ToolCall) -> tuple[str, ToolCall]:
        """Takes in a call of an earlier conversation; returns its item and the call as kept."""
        called = self._answering.add_call(call)
        return called.item, called.call

    async def add_tool_output(self, call: str, output: str) -> str:
        """Takes in what a tool brought and returns its item; ``respond`` goes on with it.

        Raises:
            KeyError: There is no call of that id.
            ValueError: It has its output already.
        """
        item = self._answering.add_output(call, output).output_item
        assert item is not None
        return item

    async def respond(
        self,
        instructions: str | None = None,
        tools: tuple[Tool, ...] | None = None,
        tool_choice: str | None = None,
    ) -> str | None:
        """Answers the last turn, or goes on where that was answered.

        A reply that has called tools may be followed at once: its end is waited for, and that of
        what the person is saying.

        Args:
            instructions: For this reply instead of the session's.
            tools: What the model may call in it; None for the session's.
            tool_choice: As in ``events.Prompt``; None for the session's.

        Returns:
            The id of the reply; None where it waits.

        Raises:
            VoiceAgentError: A reply that called no tool is under way.
        """
        delivery = self._answering.delivery
        if delivery is not None and not delivery.turn.called:
            raise VoiceAgentError("a reply is under way; cancel it first or wait for its end")
        return self._answering.go_on(self._terms(instructions, tools, tool_choice))

    async def cancel(self) -> None:
        """Stops the running reply."""
        self._answering.dequeue()
        self._answering.end(ReplyStatus.CANCELLED)

    async def truncate(self, item: str, heard_ms: int) -> None:
        """Takes over from the client how much of a reply was heard.

        Raises:
            ValueError: There is no such reply, or it has less audio than that.
        """
        self._answering.truncate(item, heard_ms)

    async def delete(self, item: str) -> None:
        """Takes an item out of the conversation.

        Raises:
            KeyError: There is no such item.
        """
        delivery = self._answering.delivery
        if delivery is not None and delivery.item == item:
            self._answering.end(ReplyStatus.CANCELLED)
        self._answering.conversation.delete(item)

    async def quiet(self) -> None:
        """Returns when no engine is at work: with that, time may go on faster than real."""
        await self._listener.quiet()
        while self._answering.working:
            # Polled, since the work of several wings has to come to rest at the same moment.
            await asyncio.sleep(0.001)
            await self._listener.quiet()

    async def close(self) -> None:
        """Ends the conversation; what was said is kept. Harmless when called twice."""
        if self._closed:
            return
        self._closed = True
        if self._pacing is not None:
            self._pacing.cancel()
        await self._listener.close()
        await self._answering.close()
        await self._on_closed(self.id)

    # --- what hearing tells ---------------------------------------------------------------------

    def _on_hearing(self, event: HearingEvent) -> None:
        match event:
            case Started(at):
                self._on_started(at)
            case Failed(error):
                self._answering.fail(error)
            case Finished(utterance):
                self._on_finished(utterance)
            case Resumed():
                self._answering.drop_prepared()
            case Partial(hypothesis):
                self._on_words(hypothesis, paused=False)
            case Draft(utterance):
                self._on_draft(utterance)
            case Reading(how):
                self._on_reading(how)

    def _on_started(self, at: float) -> None:
        delivery = self._answering.delivery
        suspect = delivery is not None and self.turn_taking.interrupt_response
        self._user = Speaking(new_id("item"), at, suspect)
        if delivery is not None and suspect:
            delivery.pause()
        else:
            self._emit(SpeechStarted(self._user.item, at))
            self._answering.warm()

    def _on_words(self, hypothesis: Hypothesis, paused: bool) -> None:
        if self._user is not None:
            self._user.words, self._user.confidence = hypothesis.text, hypothesis.confidence
        self._judge(paused=paused)
        if self._user is not None and not self._user.suspect and hypothesis.text:
            self._emit(Caption(self._user.item, hypothesis))
            if hypothesis.stable != self._user.stable and not paused:
                self._user.stable = hypothesis.stable
                self._consider(self._user)

    def _on_reading(self, how: Paralinguistics) -> None:
        if self._user is not None:
            self._user.how = how
            if not self._user.suspect:
                self._emit(HeardHow(self._user.item, how, final=False))
                self._consider(self._user)

    def _consider(self, user: Speaking) -> None:
        """Thinks about the words that will stay, and how they are said."""

        def tell(thought: Thought) -> None:
            if user is self._user and thought != user.thought:
                user.thought = thought
                self._emit(Considering(user.item, thought))

        if user.stable and self.turn_taking.create_response:
            self._answering.consider(UserTurn(user.stable, user.how), tell)

    def _on_draft(self, utterance: Utterance) -> None:
        if self._user is not None:
            self._user.how = utterance.how
        self._on_words(utterance.hypothesis, paused=True)
        if self._user is None:
            return
        self._user.asr_final = time.perf_counter()
        if self._user.words and self.turn_taking.create_response:
            self._set_terms()
            self._answering.prepare(heard(utterance))

    def _on_finished(self, utterance: Utterance) -> None:
        if self._user is not None:
            hypothesis = utterance.hypothesis
            self._user.words, self._user.confidence = hypothesis.text, hypothesis.confidence
            self._user.how = utterance.how
        self._judge(over=True)
        user, self._user = self._user, None
        if user is None:
            return
        self._emit(SpeechStopped(user.item, utterance.end))
        if not deserves_answer(user, utterance):
            self._answering.drop_prepared()
            self._tell_ignored(user)
            return
        stopwatch = Stopwatch(utterance.decided - utterance.end, utterance.decided_at)
        turn = self._answering.add_turn(user.item, heard(utterance))
        self._emit(HeardHow(user.item, utterance.how, final=True))
        if self.turn_taking.create_response:
            self._set_terms()
            self._answering.answer(turn, stopwatch, user.asr_final or time.perf_counter())
        else:
            self._answering.drop_prepared()
        self._listener.remember(utterance, spoken=user.sound is None)

    # --- whose turn is it -----------------------------------------------------------------------

    def _judge(self, paused: bool = False, over: bool = False) -> None:
        """Decides whether what began while the agent spoke is meant to take the floor."""
        user = self._user
        if user is None or not user.suspect:
            return
        ear = self._listener.ear
        verdict = judge(
            user.words, ear.speech_s, ear.voiced_share, paused, over, user.confidence, user.sound
        )
        if verdict is Verdict.INTERRUPTION or not self.answering:
            user.suspect = False
            self._answering.end(ReplyStatus.INTERRUPTED)
            self._emit(SpeechStarted(user.item, user.at))
        elif verdict is Verdict.NOTHING:
            self._ignore(user)

    def _ignore(self, user: Speaking) -> None:
        """What began as speech was none, or is not wanted: the agent goes on as before."""
        self._user = None
        self._listener.forget()
        self._answering.drop_prepared()
        self._tell_ignored(user)
        if self._answering.delivery is not None:
            self._answering.delivery.resume()
            self._answering.advance()

    def _tell_ignored(self, user: Speaking) -> None:
        if user.how is not None and user.sound in EXPRESSIVE:
            self._emit(HeardHow(user.item, user.how, final=True))
        self._emit(SpeechIgnored(user.item))

    def _disclose(self) -> None:
        if self._disclosure.due(self._now() - self._began):
            self._emit(Disclosed(self._disclosure.text))
            if self._disclosure.aloud:
                self._answering.say_first(self._disclosure.text)

    def _stirring(self) -> bool:
        return self.turn_taking.interrupt_response and self._listener.ear.stirring

    def _speaking(self) -> bool:
        user = self._user
        return user is not None and not user.suspect and self.turn_taking.create_response

    def _set_terms(self) -> None:
        self._answering.set_terms(self._terms())

    def _terms(
        self,
        instructions: str | None = None,
        tools: tuple[Tool, ...] | None = None,
        tool_choice: str | None = None,
    ) -> Terms:
        return Terms(
            self.turn_taking.aloud,
            instructions or self.instructions,
            self._tools if tools is None else tools,
            tool_choice or self._tool_choice,
        )
