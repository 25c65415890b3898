"""Which conversation's beginning lies where: the bookkeeping of the model's memory.

The model's memory is divided into slots of one length. A slot holds a sequence of tokens with the
attention keys and values that the model computed for them: what it has read of a conversation.
What the next prompt shares with it is taken over; the rest is forgotten and read anew.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

Copy = Callable[[int, int, int], None]
"""Copies from a slot to another what was computed for so many tokens."""


@dataclass(eq=False, slots=True)
class Slot:
    """A place in the model's memory.

    Attributes:
        index: Where it lies.
        session: The conversation; empty for one of which nothing is kept.
        tokens: What was read, in order.
        in_use: Whether work goes on with it.
    """

    index: int
    session: str = ""
    tokens: list[int] = field(default_factory=list)
    in_use: bool = False

    def shared(self, tokens: Sequence[int]) -> int:
        """How many of some tokens it begins with."""
        return next(
            (at for at, (own, other) in enumerate(zip(self.tokens, tokens, strict=False))
             if own != other),
            min(len(self.tokens), len(tokens)),
        )  # fmt: skip


class Slots:
    """The slots, of which the one longest unused is given away first.

    Used by the model's thread; only what is kept may be asked from anywhere.
    """

    def __init__(self, number: int, copy: Copy) -> None:
        self._copy = copy
        # The longest unused first.
        self._all = [Slot(index) for index in range(number)]

    @property
    def tokens(self) -> int:
        """Tokens that are kept, those in use included."""
        return sum(len(slot.tokens) for slot in tuple(self._all))

    @property
    def sessions(self) -> list[str]:
        """The conversations that are kept, the longest unused first."""
        return [slot.session for slot in tuple(self._all) if slot.session and not slot.in_use]

    def take(self, session: str, tokens: Sequence[int]) -> Slot | None:
        """A slot with as many of some tokens as there are, to go on with; give it back after use.

        It is the conversation's own where that is free, else another with a copy of what any has
        read: conversations begin with the same instructions. At least one token is left to read.

        Returns:
            The slot; None while all are in use.
        """
        tokens = tokens[:-1]
        free = [slot for slot in self._all if not slot.in_use]
        if not free:
            return None
        own = next((slot for slot in free if session and slot.session == session), None)
        best = max(self._all, key=lambda slot: slot.shared(tokens))
        length = best.shared(tokens)
        slot = own or next((slot for slot in free if not slot.tokens), free[0])
        # Other conversations' slots are kept as they are: the longest unused loses its own.
        if slot.shared(tokens) < length:
            self._copy(best.index, slot.index, length)
        slot.session, slot.tokens, slot.in_use = session, list(tokens[:length]), True
        return slot

    def give_back(self, slot: Slot) -> None:
        """Keeps what was read for the conversation's next prompt."""
        slot.in_use = False
        if not slot.session:
            slot.tokens = []
        else:
            # What was read for an earlier prompt of it is out of date.
            for other in self._all:
                if other is not slot and other.session == slot.session and not other.in_use:
                    other.session, other.tokens = "", []
        self._all.remove(slot)
        self._all.append(slot)

    def forget(self, session: str) -> None:
        """Lets go of a conversation; what of it is in use goes when it is given back."""
        for slot in self._all:
            if session and slot.session == session:
                slot.session = ""
                if not slot.in_use:
                    slot.tokens = []
