"""What was said on both sides, as far as it was heard."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from uuid import uuid4

from voice_agent.events import (
    Exchange,
    Latency,
    ReplyStatus,
    Thought,
    ToolCall,
    ToolUse,
    UserTurn,
)
from voice_agent.speaking.playback import Playback

TAKEN_IN_S = 0.6
"""Audio of an answer below which the person who speaks into it is going on rather than replying."""

PLAYBACKS = 8
"""Newest turns of which it is still known which word was played when."""


@dataclass(slots=True)
class Called:
    """A tool that an answer has called.

    Attributes:
        item: Id of the call's item.
        call: The call, under an id that no other has.
        output, output_item: What came back and the id of its item; None until then.
    """

    item: str
    call: ToolCall
    output: str | None = None
    output_item: str | None = None


@dataclass(slots=True)
class Turn:
    """A turn of the person and the answer to it.

    Attributes:
        number: Counts from 1.
        item: Id of the person's item; None if the agent spoke unasked.
        user: What the person said; None if nothing, or if it was deleted.
        reply_item: Id of the answer's item, once there is one.
        reply, heard: The whole answer, and what the person heard of it.
        heard_s: Seconds of its audio that the person heard.
        playback: Knows which word of the answer was played when.
        called: The tools that the answer has called, in order. They and what came back stay,
            whatever becomes of the answer's words.
    """

    number: int
    item: str | None
    user: UserTurn | None
    reply_item: str | None = None
    thought: Thought = field(default_factory=Thought)
    reply: str = ""
    heard: str = ""
    heard_s: float = 0.0
    status: ReplyStatus | None = None
    latency: Latency = field(default_factory=Latency)
    playback: Playback | None = None
    called: list[Called] = field(default_factory=list)

    @property
    def tools(self) -> tuple[ToolUse, ...]:
        """The calls with what came back."""
        return tuple(ToolUse(called.call, called.output) for called in self.called)

    @property
    def exchange(self) -> Exchange:
        """The turn as it is thought back to: with what was heard of the answer."""
        interrupted = self.status is ReplyStatus.INTERRUPTED
        return Exchange(self.user, self.heard, self.thought, interrupted, self.tools)


class Conversation:
    """The turns of one session, in order."""

    def __init__(self) -> None:
        self._turns: list[Turn] = []

    def add(self, item: str | None, user: UserTurn | None) -> Turn:
        """Begins a turn."""
        turn = Turn(len(self._turns) + 1, item, user)
        self._turns.append(turn)
        if len(self._turns) > PLAYBACKS:
            self._turns[-1 - PLAYBACKS].playback = None
        return turn

    @property
    def last(self) -> Turn | None:
        """The newest turn."""
        return self._turns[-1] if self._turns else None

    def answered_by(self, item: str) -> Turn | None:
        """The turn whose answer has this item id."""
        return next((turn for turn in self._turns if turn.reply_item == item), None)

    def add_call(self, turn: Turn, call: ToolCall) -> Called:
        """A turn's answer calls a tool. An id that is empty or taken is replaced."""
        if not call.id or any(other.call.id == call.id for other in self._called()):
            call = replace(call, id=new_id("call"))
        called = Called(new_id("item"), call)
        turn.called.append(called)
        return called

    def add_output(self, call: str, output: str) -> tuple[Turn, Called]:
        """What a tool brought goes to its call, however far the conversation has come since.

        Raises:
            KeyError: There is no such call.
            ValueError: It has its output already.
        """
        for turn in reversed(self._turns):
            for called in turn.called:
                if called.call.id == call:
                    if called.output is not None:
                        raise ValueError(f"the call {call!r} has its output already")
                    called.output, called.output_item = output, new_id("item")
                    return turn, called
        raise KeyError(call)

    def asked(self, user: UserTurn, before: Turn | None = None) -> UserTurn:
        """What is to be answered when ``user`` is said next (or was said in the turn ``before``).

        What the person said in the turns just before, of whose answers nothing was heard, belongs
        to it: the agent took a pause for the end and was not heard yet when they went on.
        """
        for turn in reversed(self._until(before)):
            if not _unheard(turn):
                break
            assert turn.user is not None
            user = UserTurn(f"{turn.user.text} {user.text}".strip(), user.how)
        return user

    def history(self, limit: int, before: Turn | None = None) -> tuple[Exchange, ...]:
        """The newest exchanges, cut at what was heard, without what ``asked`` took.

        At most ``limit`` of them. The oldest leave several at a time, so that a model which keeps
        what it has read does not read the whole conversation anew at every turn.
        """
        past = self._until(before)
        while past and _unheard(past[-1]):
            past.pop()
        return tuple(
            turn.exchange
            for turn in past[_forgotten(len(past), limit) :]
            if turn.user is not None or turn.heard or turn.called
        )

    def _until(self, before: Turn | None) -> list[Turn]:
        return self._turns[:] if before is None else self._turns[: before.number - 1]

    def delete(self, item: str) -> None:
        """Takes an item out of what is remembered.

        Raises:
            KeyError: There is no such item.
        """
        for turn in self._turns:
            if turn.item == item:
                turn.item, turn.user = None, None
                return
            if turn.reply_item == item:
                turn.reply_item, turn.reply, turn.heard = None, "", ""
                return
            for called in turn.called:
                if called.item == item:
                    turn.called.remove(called)
                    return
                if called.output_item == item:
                    called.output, called.output_item = None, None
                    return
        raise KeyError(item)

    def _called(self) -> Iterator[Called]:
        return (called for turn in self._turns for called in turn.called)


def _forgotten(turns: int, limit: int) -> int:
    """How many of the oldest turns are out of sight."""
    step = max(1, limit // 5)
    return -(-max(0, turns - limit) // step) * step


def _unheard(turn: Turn) -> bool:
    """Whether a turn of the person was left without an answer that could be taken in."""
    if turn.user is None or turn.called or turn.status in (None, ReplyStatus.COMPLETED):
        return False
    return not turn.heard or 0 < turn.heard_s < TAKEN_IN_S


def new_id(kind: str) -> str:
    """A fresh id, such as ``item_1f…``."""
    return f"{kind}_{uuid4().hex[:20]}"
