"""Answers prepared before it is known that the turn is over."""

import asyncio
from collections.abc import Callable

from voice_agent.dialogue.reply import Reply
from voice_agent.events import Exchange, UserTurn


class Speculation:
    """Holds at most one answer in the making.

    It is used only if, at the end of the turn, it answers exactly what was said after exactly
    what went before; whatever else was prepared comes to nothing.
    """

    def __init__(self, make: Callable[[UserTurn, tuple[Exchange, ...]], Reply]) -> None:
        self._make = make
        self._reply: Reply | None = None
        self._dropped: set[asyncio.Task[None]] = set()

    @property
    def prepared(self) -> bool:
        """Whether there is an answer, or one in the making."""
        return self._reply is not None

    @property
    def working(self) -> bool:
        """Whether an engine is at work on it right now."""
        return bool(self._dropped) or (self._reply is not None and self._reply.working)

    def prepare(self, turn: UserTurn, history: tuple[Exchange, ...]) -> None:
        """Starts an answer, unless just this one is being prepared already."""
        if not self._fits(turn, history):
            self.drop()
            self._reply = self._make(turn, history)

    def take(self, turn: UserTurn, history: tuple[Exchange, ...]) -> Reply:
        """The answer to a turn: the prepared one if it fits, else a new one."""
        self.prepare(turn, history)
        reply, self._reply = self._reply, None
        assert reply is not None
        return reply

    def drop(self) -> None:
        """The turn goes on: what was prepared is stale."""
        if self._reply is not None:
            task = asyncio.create_task(self._reply.cancel())
            self._dropped.add(task)
            task.add_done_callback(self._dropped.discard)
            self._reply = None

    async def close(self) -> None:
        """Waits until all dropped work has stopped."""
        self.drop()
        await asyncio.gather(*self._dropped, return_exceptions=True)

    def _fits(self, turn: UserTurn, history: tuple[Exchange, ...]) -> bool:
        reply = self._reply
        return reply is not None and reply.turn == turn and reply.history == history
