"""Rows that are computed together, and the few fixed sizes to which they are filled up on a GPU."""

from collections.abc import Sequence
from dataclasses import dataclass

SPARE = 64
"""Positions at the end of each slot that are written to by what only fills up a batch."""


@dataclass(frozen=True, slots=True)
class Row:
    """Tokens that are to be read.

    Attributes:
        slot: Where what stands before them is kept.
        at: How many stand before them.
        tokens: What is read.
    """

    slot: int
    at: int
    tokens: Sequence[int]


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows with as many tokens each, in the form that the model takes.

    Attributes:
        slots: One of each row.
        tokens: What each reads.
        positions: Where each of them stands.
        used: Keys that are read in each row.
        last: Which token's scores are wanted: the last that is not there to fill up.
    """

    slots: tuple[int, ...]
    tokens: tuple[tuple[int, ...], ...]
    positions: tuple[tuple[int, ...], ...]
    used: int
    last: int

    @classmethod
    def of(cls, rows: Sequence[Row]) -> "Batch":
        """The rows as they are."""
        return cls(
            tuple(row.slot for row in rows),
            tuple(tuple(row.tokens) for row in rows),
            tuple(tuple(range(row.at, row.at + len(row.tokens))) for row in rows),
            max(row.at + len(row.tokens) for row in rows),
            len(rows[0].tokens) - 1,
        )

    @classmethod
    def in_order(cls, rows: Sequence[Row]) -> tuple["Batch", list[int]]:
        """The rows in the order of their slots, and which rows of the batch they became.

        Those that lie side by side in memory are then read where they lie.
        """
        order = sorted(range(len(rows)), key=lambda number: rows[number].slot)
        batch = cls.of([rows[number] for number in order])
        return batch, sorted(range(len(order)), key=order.__getitem__)


@dataclass(frozen=True, slots=True)
class Size:
    """A fixed size of a forward pass.

    Attributes:
        rows: Rows.
        tokens: Tokens that each reads.
        used: Keys that are read in each.
    """

    rows: int
    tokens: int
    used: int


class Sizes:
    """The fixed sizes for a memory of so many slots: few, since each costs time and memory.

    A batch of more than half of the slots is filled up to all of them in their order, so that the
    keys are read where they lie; a smaller one is gathered.

    Args:
        slots: Rows that the memory holds.
        length: Positions of each.
        parts: Tokens of a row alone that are read in one pass, where there can be several.
    """

    def __init__(self, slots: int, length: int, parts: Sequence[int] = (16, SPARE)) -> None:
        self._slots = slots
        # Positions that only fill up come after all that a row can have.
        self._fill_at = length - SPARE
        self._rows = [*_doubling(1, slots), slots]
        self._used = [*_doubling(512, length - SPARE), length]
        self._parts = parts

    def all(self) -> list[Size]:
        """All that ``fit`` can give, the largest first: the others then fit into its room."""
        sizes = [Size(rows, 1, used) for rows in self._rows for used in self._used]
        sizes += [Size(1, tokens, used) for tokens in self._parts for used in self._used]
        return sorted(sizes, key=lambda size: -size.rows * size.tokens * size.used)

    def fit(self, rows: Sequence[Row]) -> Size | None:
        """The smallest size that rows of one length can be filled up to; None if there is none."""
        tokens = len(rows[0].tokens)
        if tokens > 1:
            if len(rows) > 1 or tokens > max(self._parts, default=0):
                return None
            tokens = next(one for one in self._parts if one >= tokens)
        used = max(row.at for row in rows) + tokens
        return Size(
            next(one for one in self._rows if one >= len(rows)),
            tokens,
            next(one for one in self._used if one >= used),
        )

    def filled(self, rows: Sequence[Row], size: Size) -> tuple[Batch, list[int]]:
        """The rows filled up to a size, and which rows of the batch they became.

        What fills up reads nothing of use and writes where nobody reads.
        """
        if size.rows == self._slots:
            own = {row.slot: row for row in rows}
            order = [own.get(slot, Row(slot, self._fill_at, (0,))) for slot in range(self._slots)]
        else:
            fill = Row(rows[0].slot, self._fill_at, (0,))
            order = [*rows, *[fill] * (size.rows - len(rows))]
        padded = [
            Row(row.slot, row.at, (*row.tokens, *[0] * (size.tokens - len(row.tokens))))
            for row in order
        ]
        batch = Batch.of(padded)
        found = [row.slot for row in order]
        return (
            Batch(batch.slots, batch.tokens, batch.positions, size.used, len(rows[0].tokens) - 1),
            [found.index(row.slot) for row in rows],
        )


def _doubling(first: int, end: int) -> list[int]:
    sizes = []
    while first < end:
        sizes.append(first)
        first *= 2
    return sizes
