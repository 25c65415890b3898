"""Puts a plan into words: picks lines that were not said yet and fills their slots."""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from voice_agent.events import Exchange, Strategy
from voice_agent.thinking.plain_words import plain, sentences
from voice_agent.thinking.responder.phrasebook import Line, Lines

_MOST_WORDS = 40
_MOST_SENTENCES = 3


@dataclass(frozen=True, slots=True)
class Move:
    """A part of an answer: lines to choose from, the fitting pool first.

    Attributes:
        pools: Pools of lines; a later one is used where the earlier have nothing new left.
        needed: Without it the option cannot be worded.
        strategy: What the answer does for the person, where this part decides it.
    """

    pools: tuple[Lines, ...]
    needed: bool = False
    strategy: Strategy | None = None


Option = tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class Worded:
    """An answer in words, and the strategy that it follows."""

    text: str
    strategy: Strategy


class Wording:
    """Words one answer.

    Args:
        history: The conversation, whose sentences are not said again.
        slots: What the slots of lines are filled with; an empty one cannot be filled.
        seed: The same seed and history give the same words.
    """

    def __init__(self, history: Sequence[Exchange], slots: Mapping[str, str], seed: int) -> None:
        heard = [sentence for past in history for sentence in sentences(past.reply)]
        self._heard = list(dict.fromkeys(plain(sentence) for sentence in heard))
        self._heard_set = set(self._heard)
        self._slots = {name: value for name, value in slots.items() if value}
        self._chooser = random.Random(f"{seed} {len(history)}")

    def compose(self, options: Iterable[Option], allowed: frozenset[Strategy]) -> Worded | None:
        """The first option that can be put into new words; None where there is none."""
        for option in options:
            parts = self._parts(option)
            if parts is None:
                continue
            parts = _shortened(parts)
            strategy = _strategy(parts)
            if strategy in allowed:
                return Worded(" ".join(self.fill(line) for _, line in parts), strategy)
        return None

    def any_of(self, pools: Sequence[Lines]) -> Line:
        """A new line where there is one, else one that was said longest ago."""
        line = self._pick(pools, set())
        if line is not None:
            return line
        fillable = [line for pool in pools for line in pool if line.slots <= self._slots.keys()]
        order = {sentence: position for position, sentence in enumerate(self._heard)}
        return min(fillable, key=lambda line: order.get(line.first, -1))

    def fill(self, line: Line) -> str:
        """The line with its slots filled and its first letter a capital."""
        text = line.say.format_map(self._slots)
        return text[:1].upper() + text[1:]

    def _parts(self, option: Option) -> list[tuple[Move, Line]] | None:
        parts: list[tuple[Move, Line]] = []
        taken: set[str] = set()
        for move in option:
            line = self._pick(move.pools, taken)
            if line is None:
                if move.needed:
                    return None
                continue
            taken |= {slot.lower() for slot in line.slots}
            taken.add(line.say)
            if parts and parts[-1][1].first.split()[0] == line.first.split(" ")[0]:
                parts.pop()  # "Ah. Ah, so …"
            parts.append((move, line))
        return parts or None

    def _pick(self, pools: Sequence[Lines], taken: set[str]) -> Line | None:
        for pool in pools:
            fresh = [
                line
                for line in pool
                if line.say not in taken
                and line.slots <= self._slots.keys()
                and not taken.intersection(slot.lower() for slot in line.slots)
                and not self._said(line)
            ]
            if fresh:
                return self._chooser.choice(fresh)
        return None

    def _said(self, line: Line) -> bool:
        if not line.slots:
            return line.first in self._heard_set
        return any(line.formula.fullmatch(sentence) for sentence in self._heard)


def _shortened(parts: list[tuple[Move, Line]]) -> list[tuple[Move, Line]]:
    """Leaves out what is not needed, from the middle on, until the answer is short enough."""

    def too_long() -> bool:
        text = " ".join(line.say for _, line in parts)
        return len(text.split()) > _MOST_WORDS - 6 or len(sentences(text)) > _MOST_SENTENCES

    for index in _dispensable(parts):
        if not too_long():
            break
        parts = [part for position, part in enumerate(parts) if position != index]
    return parts


def _dispensable(parts: list[tuple[Move, Line]]) -> Iterator[int]:
    for index in range(len(parts) - 1, -1, -1):
        if not parts[index][0].needed:
            yield index


def _strategy(parts: Sequence[tuple[Move, Line]]) -> Strategy:
    decided = next((move.strategy for move, _ in parts if move.strategy), None)
    return decided or (Strategy.QUESTION if parts[-1][1].asks else Strategy.OTHERS)
