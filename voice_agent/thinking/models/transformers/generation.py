"""One answer in the making: what of its prompt is read, and what was written."""

import random
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from voice_agent.events import Prompt
from voice_agent.thinking.models.transformers.answer import Answer
from voice_agent.thinking.models.transformers.chat import Reading
from voice_agent.thinking.models.transformers.slots import Slot
from voice_agent.thinking.models.transformers.tool_calls import THOUGHT_BEGINS, THOUGHT_ENDS
from voice_agent.thinking.models.transformers.turns import Piece, Rank

if TYPE_CHECKING:
    from voice_agent.thinking.models.transformers.runtime import Runtime

_TURN_BEGINS = "<words>"
"""What a turn of the person begins with in our own messages."""

_SENTENCE_ENDS = re.compile(r"\w[.!?…]+\W?\s|[。！？]")


class Preparation:
    """Reads a prompt, so that a generation need not.

    Attributes:
        session: The conversation.
        begun: Whether the prompt is in tokens.
        tokens: All that is before the model: the prompt, then the answer.
        slot: Where what was read of them is kept; None while it has none, or was taken away.
        writes: Whether an answer is wanted.
    """

    writes = False

    def __init__(self, runtime: "Runtime", prompt: Prompt) -> None:
        self._runtime = runtime
        self._prompt = prompt
        self.session = prompt.session
        self.begun = False
        self.tokens: list[int] = []
        self.slot: Slot | None = None

    @property
    def rank(self) -> Rank:
        """What goes first."""
        return Rank.PREPARATION

    @property
    def unread(self) -> list[int]:
        """What is still to be read."""
        assert self.slot is not None
        return self.tokens[len(self.slot.tokens) :]

    @property
    def over(self) -> bool:
        """Whether all of the prompt has been read."""
        return self.slot is not None and not self.unread

    def begin(self) -> Sequence[Piece]:
        """Puts the prompt into tokens; returns what is known of the answer."""
        self._read_prompt()
        return ()

    def chance(self) -> float:
        """A random number in [0, 1) for the choice of the next token."""
        raise NotImplementedError

    def write(self, token: int) -> Sequence[Piece]:
        """Takes the next token of the answer; returns what it brings."""
        raise NotImplementedError

    def close(self) -> None:
        """Leaves what was read to the conversation's next prompt."""
        self._runtime.end(self)

    def _read_prompt(self) -> Reading:
        runtime = self._runtime
        most = max(1, runtime.context - runtime.options.max_new_tokens)
        reading = runtime.chat.read(self._prompt, most)
        self.tokens = list(reading.tokens)
        self.begun = True
        return reading


class Generation(Preparation):
    """Reads a prompt and writes the answer to it."""

    writes = True

    def __init__(self, runtime: "Runtime", prompt: Prompt) -> None:
        super().__init__(runtime, prompt)
        self._written = 0
        self._over = False
        self._random = random.Random(prompt.seed)
        self._rank = Rank.THOUGHT if prompt.aim == "thought" else Rank.FIRST_SENTENCE
        self._said = ""

    @property
    def rank(self) -> Rank:
        """A reply goes first until its first sentence is there."""
        return self._rank

    @property
    def over(self) -> bool:
        """Whether the answer is complete."""
        return self._over

    def begin(self) -> Sequence[Piece]:
        """Puts the prompt into tokens; returns the beginning put into the model's mouth."""
        reading, chat = self._read_prompt(), self._runtime.chat
        self._call_begun = reading.call_begun
        self._answer = Answer(
            chat.tokenizer,
            thought_alone=self._prompt.aim == "thought" or bool(reading.call_begun),
            next_turn=(_TURN_BEGINS, chat.next_turn),
            tools=reading.names,
        )
        return self._noted(self._answer.say(reading.begun))

    def chance(self) -> float:
        """A random number in [0, 1); the same seed gives the same row of them."""
        return self._random.random()

    def write(self, token: int) -> Sequence[Piece]:
        """Takes the next token of the answer; returns what it brings."""
        self._written += 1
        if token in self._runtime.ends:
            return self._finish()
        self.tokens.append(token)
        pieces = self._answer.feed(token)
        if self._answer.over and self._call_begun:
            return self._noted([*pieces, *self._begin_call()])
        if self._answer.over or self._written >= self._runtime.options.max_new_tokens:
            return [*pieces, *self._finish()]
        return self._noted(pieces)

    def _begin_call(self) -> list[Piece]:
        """After the thought, puts the beginning of a call that must come into the model's mouth."""
        begun, self._call_begun = self._call_begun, ""
        tokens = self._runtime.chat.tokens(begun)
        self._written += len(tokens)
        if self._written >= self._runtime.options.max_new_tokens:
            return self._finish()
        self.tokens.extend(tokens)
        self._answer.go_on()
        return self._answer.say(begun)

    def _finish(self) -> list[Piece]:
        self._over = True
        return self._answer.finish()

    def _noted(self, pieces: list[Piece]) -> list[Piece]:
        """Sees whether the first sentence is out: the voice has something to say by then."""
        if self._rank is Rank.FIRST_SENTENCE:
            self._said += "".join(piece for piece in pieces if isinstance(piece, str))
            _, ended, reply = self._said.rpartition(THOUGHT_ENDS)
            if (ended or THOUGHT_BEGINS not in self._said) and _SENTENCE_ENDS.search(reply):
                self._rank, self._said = Rank.REPLY, ""
        return pieces
