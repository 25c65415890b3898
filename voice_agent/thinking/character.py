"""What makes one thinker think as it does: its settings, and what it remembers of the person."""

from dataclasses import dataclass, field
from typing import Protocol

from voice_agent.events import Conduct, Exchange, Memory, UserTurn


class Recollecting(Protocol):
    """What the agent remembers of the person it talks to."""

    async def recall(self, turn: UserTurn, history: tuple[Exchange, ...]) -> tuple[Memory, ...]:
        """What bears on a turn, the most fitting first. Never raises."""
        ...

    async def take_in(self, exchange: Exchange) -> None:
        """Remembers what a finished turn told. Never raises."""
        ...

    async def close(self) -> None:
        """The conversation is over."""
        ...


@dataclass(frozen=True, slots=True)
class Character:
    """How one thinker thinks.

    Attributes:
        instructions: Who the agent is and how it should answer.
        conduct: How it is to behave.
        while_listening: Whether it thinks before the turn is over.
        seed: Makes a model that chooses among answers repeatable.
        session: Which conversation it is.
    """

    instructions: str = ""
    conduct: Conduct = field(default_factory=Conduct)
    while_listening: bool = True
    seed: int = 0
    session: str = ""
