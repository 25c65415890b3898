"""One client's conversation: its session, and what each of the client's messages does to it."""

import asyncio
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Protocol, Self

from voice_agent.agent import Agent
from voice_agent.audio.pcm import HEARING_RATE, Samples
from voice_agent.dialogue.events import ReplyAudio, SessionEvent
from voice_agent.dialogue.session import Session
from voice_agent.dialogue.turn import TurnTaking
from voice_agent.events import ToolCall
from voice_agent.transports.realtime.guest import Guest
from voice_agent.transports.realtime.items import (
    FunctionCall,
    FunctionCallOutput,
    Item,
    Message,
    Wire,
)
from voice_agent.transports.realtime.options import ResponseParams
from voice_agent.transports.realtime.protocol import (
    AppendAudio,
    CancelResponse,
    ClearAudio,
    ClientEvent,
    CommitAudio,
    CreateItem,
    CreateResponse,
    DeleteConversation,
    DeleteItem,
    InputAudio,
    InputText,
    NewFunctionCall,
    NewFunctionCallOutput,
    NewMessage,
    RequestError,
    RetrieveItem,
    TruncateItem,
    UpdateSession,
)
from voice_agent.transports.realtime.replies import truncated
from voice_agent.transports.realtime.responses import Wish
from voice_agent.transports.realtime.settings import Settings, check_choice
from voice_agent.transports.realtime.translation import Translation
from voice_agent.transports.realtime.wire_audio import Decoder

AHEAD_S = 10.0
"""Audio that may come ahead of time before the engines are waited for."""

PATIENCE_S = 20.0
"""The longest wait for them."""


class Tell(Protocol):
    """Sends an event of the protocol to the client."""

    def __call__(self, event: Wire, audio_s: float = 0.0) -> None:
        """Sends it, with so many seconds of audio in it. Never waits."""
        ...


class Call:
    """A conversation with one client.

    Messages are handled one after another. What the session has to tell goes to ``tell`` at once,
    from wherever it happens.

    Attributes:
        session: The conversation; another one after it was deleted.
    """

    session: Session

    def __init__(
        self,
        agent: Agent,
        tell: Tell,
        on_event: Callable[[SessionEvent], None],
        secret: Callable[[str], str],
        guest: Guest,
    ) -> None:
        """Use ``open``."""
        self._agent = agent
        self._tell = tell
        self._on_event = on_event
        self._secret = secret
        self._guest = guest
        self._settings = Settings()
        self._decoder = Decoder(self._settings.input_format)
        self._translation: Translation
        self._ahead_s, self._fed_at = 0.0, time.monotonic()
        self._expires_at = round(time.time() + 60 * agent.config.limits.session_minutes)

    @classmethod
    async def open(
        cls,
        agent: Agent,
        tell: Tell,
        on_event: Callable[[SessionEvent], None],
        secret: Callable[[str], str],
        guest: Guest,
    ) -> Self:
        """Begins a conversation.

        Args:
            agent: Opens the sessions.
            tell: Sends an event of the protocol to the client.
            on_event: Told each event of the session before the client is.
            secret: The secret that gives the client access to a stored conversation.
            guest: Who is at the client.

        Raises:
            VoiceAgentError: There is no room for it, or an engine cannot take it.
        """
        call = cls(agent, tell, on_event, secret, guest)
        await call._begin()
        tell({"type": "session.created", "session": call._describe()})
        call._greet()
        return call

    async def close(self) -> None:
        """Ends the conversation. Harmless when called twice."""
        await self.session.close()

    async def handle(self, event: ClientEvent) -> None:
        """Does what a message asks for.

        Raises:
            RequestError: It cannot be done; nothing was changed.
            VoiceAgentError: The agent failed to do it.
        """
        match event:
            case AppendAudio(audio=audio):
                async for samples in self._decoder.decode(audio):
                    await self._feed(samples)
            case CommitAudio():
                await self._commit()
            case ClearAudio():
                await self.session.clear()
                self._decoder = Decoder(self._settings.input_format)
                self._tell({"type": "input_audio_buffer.cleared"})
            case UpdateSession():
                self._update(event)
            case CreateItem():
                await self._create_item(event)
            case RetrieveItem(item_id=item_id):
                item = self._item(item_id)
                self._tell({"type": "conversation.item.retrieved", "item": item.wire()})
            case TruncateItem():
                await self._truncate(event)
            case DeleteItem(item_id=item_id):
                await self._delete_item(item_id)
            case CreateResponse():
                await self._respond(event)
            case CancelResponse():
                await self._cancel(event)
            case DeleteConversation():
                await self._delete_conversation()

    # --- the session ----------------------------------------------------------------------------

    async def _begin(self) -> None:
        # A session tells nothing before it hears something, so its id is known by then.
        def receive(event: SessionEvent) -> None:
            self._on_event(event)
            audio_s = 0.0
            if isinstance(event, ReplyAudio):
                audio_s = event.speech.samples.size / event.speech.rate
            for message in translation.tell(event):
                self._tell(message, audio_s)

        session = await self._agent.open(receive, clock=time.monotonic, user=self._guest.person)
        translation = Translation(
            session.id, self._settings, self._agent.engines, lambda: session.clock
        )
        self.session, self._translation = session, translation
        self._apply()

    def _greet(self) -> None:
        self._tell(
            {
                "type": "voice_agent.session",
                "session_id": self.session.id,
                "secret": self._secret(self.session.id),
                "engines": dict(self._agent.engines),
                "disclosure": self._agent.config.safety.disclosure,
                "profile": self._agent.config.profile,
                **self._guest.wire(),
            }
        )

    def _describe(self) -> Wire:
        return self._settings.describe(self.session.id, self._expires_at, self._agent.engines)

    def _update(self, event: UpdateSession) -> None:
        settings = self._settings.updated(event.session)
        if settings.input_format != self._settings.input_format:
            self._decoder = Decoder(settings.input_format)
        self._settings = settings
        self._apply()
        self._tell({"type": "session.updated", "session": self._describe()})

    def _apply(self) -> None:
        settings, hearing = self._settings, self._agent.config.hearing
        self._translation.settings = settings
        self.session.turn_taking = settings.turn_taking()
        self.session.instructions = settings.instructions
        choice = check_choice(settings.tools, settings.tool_choice, "session.tool_choice")
        self.session.set_tools(tuple(tool.tool() for tool in settings.tools), choice)
        self.session.set_hearing(
            settings.vad(hearing.vad), settings.endpointing(hearing.endpointing)
        )

    async def _delete_conversation(self) -> None:
        deleted = self.session.id
        await self.session.close()
        await self._agent.store.delete(deleted)
        self._tell({"type": "voice_agent.conversation.deleted", "session_id": deleted})
        self._decoder = Decoder(self._settings.input_format)
        await self._begin()
        self._tell({"type": "session.updated", "session": self._describe()})
        self._greet()

    # --- the person's side ----------------------------------------------------------------------

    async def _feed(self, samples: Samples) -> None:
        """Hands audio on. A client that sends faster than can be heard is slowed down."""
        await self.session.feed(samples)
        now = time.monotonic()
        self._ahead_s = max(0.0, self._ahead_s - (now - self._fed_at)) + len(samples) / HEARING_RATE
        self._fed_at = now
        if self._ahead_s > AHEAD_S:
            self._ahead_s = 0.0
            with suppress(TimeoutError):
                await asyncio.wait_for(self.session.quiet(), PATIENCE_S)

    async def _commit(self) -> None:
        await self._feed(self._decoder.finish())
        if await self.session.commit() is None:
            raise RequestError(
                "input_audio_buffer_commit_empty",
                "nothing was said since the last commit; append speech first",
            )

    async def _create_item(self, event: CreateItem) -> None:
        item, items = event.item, self._translation.items
        if event.previous_item_id not in (None, items.newest):
            raise RequestError(
                "unsupported_value",
                "previous_item_id: items can only be added at the end",
                "previous_item_id",
            )
        if items.get(item.id) is not None:
            raise RequestError("item_exists", f"item.id: there is an item {item.id}", "item.id")
        match item:
            case NewMessage():
                await self._create_message(item)
            case NewFunctionCall():
                call = ToolCall(item.call_id or "", item.name, item.arguments)
                key, call = await self.session.add_tool_call(call)
                self._added(FunctionCall(item.id or key, key, call, "completed"))
            case NewFunctionCallOutput():
                await self._create_output(item)

    def _added(self, item: Item) -> None:
        for event in self._translation.items.add(item):
            self._tell(event)

    async def _create_output(self, item: NewFunctionCallOutput) -> None:
        try:
            key = await self.session.add_tool_output(item.call_id, item.output)
        except KeyError:
            raise RequestError(
                "invalid_tool_call_id",
                f"item.call_id: there is no call {item.call_id[:64]!r} in the conversation",
                "item.call_id",
            ) from None
        except ValueError as error:
            raise RequestError("invalid_value", f"item.call_id: {error}", "item.call_id") from None
        self._added(FunctionCallOutput(item.id or key, key, item.call_id, item.output))

    async def _create_message(self, item: NewMessage) -> None:
        translation = self._translation
        texts = [part.text for part in item.content if isinstance(part, InputText)]
        sounds = [part.audio for part in item.content if isinstance(part, InputAudio)]
        if texts and sounds:
            raise RequestError(
                "unsupported_value", "item.content: give words or audio, not both", "item.content"
            )
        translation.item_id = item.id
        try:
            if texts:
                await self.session.say("\n".join(texts))
            else:
                await self._hear_item(sounds)
        finally:
            translation.item_id = None

    async def _hear_item(self, sounds: Iterable[str]) -> None:
        """Takes recorded words as a turn of their own, wherever pauses lie in them."""
        if self._translation.hearing:
            raise RequestError(
                "input_audio_buffer_busy",
                "somebody is speaking; commit or clear the input audio buffer first",
            )
        decoder = Decoder(self._settings.input_format)
        pieces = [piece for sound in sounds async for piece in decoder.decode(sound)]
        before = self.session.turn_taking
        self.session.turn_taking = TurnTaking(False, False, False, before.aloud)
        self._translation.creating = True
        try:
            for piece in [*pieces, decoder.finish()]:
                await self._feed(piece)
            committed = await self.session.commit()
        finally:
            self.session.turn_taking = before
            self._translation.creating = False
        if committed is None:
            raise RequestError(
                "invalid_audio", "item.content: there is no speech in the audio", "item.content"
            )

    async def _truncate(self, event: TruncateItem) -> None:
        item, replies = self._item(event.item_id), self._translation.replies
        if not isinstance(item, Message):
            raise RequestError("invalid_value", "item_id: that item has no audio", "item_id")
        # A reply that this cuts short is told of as truncated by its end.
        told = replies.playing and replies.newest is not None and replies.newest.message is item
        try:
            await self.session.truncate(item.key, event.audio_end_ms)
        except ValueError as error:
            raise RequestError("invalid_value", str(error), "audio_end_ms") from error
        if not told:
            item.text = None
            self._tell(truncated(item, event.audio_end_ms))

    async def _delete_item(self, item_id: str) -> None:
        item = self._item(item_id)
        try:
            await self.session.delete(item.key)
        except KeyError:
            raise _unknown(item_id) from None
        self._translation.items.forget(item)
        self._tell({"type": "conversation.item.deleted", "item_id": item_id})

    def _item(self, item_id: str) -> Item:
        item = self._translation.items.get(item_id)
        if item is None:
            raise _unknown(item_id)
        return item

    # --- the agent's side -----------------------------------------------------------------------

    async def _respond(self, event: CreateResponse) -> None:
        replies, settings = self._translation.replies, self._settings
        response, asked = replies.newest, event.response or ResponseParams()
        calling = response is not None and response.calls
        if response is not None and response.open and not calling:
            raise RequestError(
                "conversation_already_has_active_response",
                f"the response {response.id} is in progress; wait for it or cancel it",
            )
        tools, choice = settings.tools, asked.tool_choice or settings.tool_choice
        if asked.tools is not None:
            tools, choice = tuple(asked.tools), asked.tool_choice or "auto"
        chosen = check_choice(tools, choice, "response.tool_choice")
        spoken = asked.audio.output if asked.audio else None
        wish = Wish(
            asked.output_modalities[0] if asked.output_modalities else settings.modality,
            spoken.format if spoken and spoken.format else settings.output_format,
            asked.metadata,
        )
        before, waits = self.session.turn_taking, False
        self._translation.wish = wish
        self.session.turn_taking = replace(before, aloud=wish.modality == "audio")
        try:
            if replies.playing and not calling:
                # All of the last reply was sent, but it is still being heard.
                await self.session.cancel()
            offered = tuple(tool.tool() for tool in tools)
            waits = await self.session.respond(asked.instructions, offered, chosen) is None
        finally:
            self.session.turn_taking = before
            self._translation.wish = wish if waits else None

    async def _cancel(self, event: CancelResponse) -> None:
        response = self._translation.replies.newest
        if response is None or not self._translation.replies.playing:
            raise RequestError("response_cancel_not_active", "no response is in progress")
        if event.response_id not in (None, response.id):
            raise RequestError(
                "response_cancel_not_active",
                f"the response in progress is {response.id}",
                "response_id",
            )
        self._translation.wish = None
        await self.session.cancel()


def _unknown(item_id: str) -> RequestError:
    return RequestError("item_not_found", f"there is no item {item_id[:64]!r}", "item_id")
