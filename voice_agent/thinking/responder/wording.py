"""Puts a plan into words: picks lines that were not said yet and fills their slots."""

import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from voice_agent.events import Exchange, Strategy
from voice_agent.thinking.plain_words import plain, sentences
from voice_agent.thinking.responder.phrasebook import Line, Lines

_MOST_SENTENCES = 3
_SENTENCE_START = re.compile(r"(?:^|(?<=[.!?] ))[a-z]")


@dataclass(frozen=True, slots=True)
class Bounds:
    """What every answer must keep to.

    Attributes:
        words: Its longest length.
        asks: Whether it may end with a question.
        avoids: Matches words that must not be said; None where all may.
    """

    words: int = 40
    asks: bool = True
    avoids: re.Pattern[str] | None = None


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
        bounds: What the answer must keep to.
    """

    def __init__(
        self,
        history: Sequence[Exchange],
        slots: Mapping[str, str],
        seed: int,
        bounds: Bounds = Bounds(),
    ) -> None:
        heard = [sentence for past in history for sentence in sentences(past.reply)]
        self._heard = dict.fromkeys(plain(sentence) for sentence in heard)
        self._all_heard = "\n".join(self._heard)
        self._slots = {name: value for name, value in slots.items() if value}
        self._chooser = random.Random(f"{seed} {len(history)}")
        self._bounds = bounds

    def compose(self, options: Iterable[Option], allowed: frozenset[Strategy]) -> Worded | None:
        """The first option that can be put into new words; None where there is none."""
        for option in options:
            parts = self._parts(option)
            if parts is None:
                continue
            parts = self._shortened(parts)
            strategy = _strategy(parts)
            if strategy in allowed:
                return Worded(" ".join(self.fill(line) for _, line in parts), strategy)
        return None

    def any_of(self, pools: Sequence[Lines]) -> Line:
        """A new line where there is one, else the one that was said longest ago."""
        line = self._pick(pools, set())
        if line is not None:
            return line
        fillable = [line for pool in pools for line in pool if line.slots <= self._slots.keys()]
        order = {sentence: position for position, sentence in enumerate(self._heard)}
        short = [line for line in fillable if self._length(line) <= self._bounds.words]
        return min(
            short or [min(fillable, key=self._length)],
            key=lambda line: max(order.get(sentence, -1) for sentence in line.said),
        )

    def fill(self, line: Line) -> str:
        """The line with its slots filled and each sentence begun with a capital."""
        text = line.say.format_map(self._slots) if line.slots else line.say
        return _SENTENCE_START.sub(lambda first: first[0].upper(), text)

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
            taken.update(line.said)
            if parts and _first_word(parts[-1][1]) == _first_word(line) and not parts[-1][0].needed:
                parts.pop()  # "Ah. Ah, so …"
            parts.append((move, line))
        return parts or None

    def _pick(self, pools: Sequence[Lines], taken: set[str]) -> Line | None:
        for pool in pools:
            fresh = [line for line in pool if self._fits(line, taken)]
            if fresh:
                return self._chooser.choice(fresh)
        return None

    def _fits(self, line: Line, taken: set[str]) -> bool:
        if not line.slots <= self._slots.keys() or (line.asks and not self._bounds.asks):
            return False
        if taken.intersection(slot.lower() for slot in line.slots):
            return False
        if taken.intersection(line.said) or self._said(line):
            return False
        if self._length(line) > self._bounds.words:
            return False
        return self._bounds.avoids is None or not self._bounds.avoids.search(plain(self.fill(line)))

    def _said(self, line: Line) -> bool:
        said = line.said
        if line.slots:
            said = tuple(plain(sentence) for sentence in sentences(self.fill(line)))
        if any(sentence in self._heard for sentence in said):
            return True
        return any(
            formula.fixed in self._all_heard and any(map(formula.made, self._heard))
            for formula in line.formulas
        )

    def _length(self, line: Line) -> int:
        return len((self.fill(line) if line.slots else line.say).split())

    def _shortened(self, parts: list[tuple[Move, Line]]) -> list[tuple[Move, Line]]:
        """Leaves out what is not needed, from the end on, until the answer is short enough."""

        def too_long(kept: Sequence[tuple[Move, Line]]) -> bool:
            text = " ".join(self.fill(line) for _, line in kept)
            return len(text.split()) > self._bounds.words or len(sentences(text)) > _MOST_SENTENCES

        for index in _dispensable(parts):
            if not too_long(parts):
                break
            parts = [part for position, part in enumerate(parts) if position != index]
        if too_long(parts) and len(parts) > 1:
            parts = [part for part in parts if part[0].strategy] or parts[-1:]
        return parts


def _dispensable(parts: list[tuple[Move, Line]]) -> Iterator[int]:
    for index in range(len(parts) - 1, -1, -1):
        if not parts[index][0].needed:
            yield index


def _first_word(line: Line) -> str:
    return line.said[0].split(" ")[0]


def _strategy(parts: Sequence[tuple[Move, Line]]) -> Strategy:
    decided = next((move.strategy for move, _ in parts if move.strategy), None)
    return decided or (Strategy.QUESTION if parts[-1][1].asks else Strategy.OTHERS)
