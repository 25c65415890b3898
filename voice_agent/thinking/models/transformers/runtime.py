"""A step of the model for all conversations: a token in each answer, or a part of a prompt."""

import logging
from collections.abc import Sequence
from typing import Any

from voice_agent.errors import EngineError
from voice_agent.models import devices
from voice_agent.models.slots.batches import Row
from voice_agent.thinking.models.transformers.chat import Chat
from voice_agent.thinking.models.transformers.generation import Preparation
from voice_agent.thinking.models.transformers.options import Options
from voice_agent.thinking.models.transformers.sampling import NO_NUMBERS, choose
from voice_agent.thinking.models.transformers.slots import Slots
from voice_agent.thinking.models.transformers.turns import Outcome, Rank

log = logging.getLogger(__name__)

AT_ONCE = {"cpu": 64, "cuda": 512}
"""Tokens of a prompt that are read in one step: what others wait for at most."""

_DEVICE_RANK = {
    Rank.FIRST_SENTENCE: devices.Rank.REPLY,
    Rank.REPLY: devices.Rank.REPLY,
    Rank.THOUGHT: devices.Rank.THOUGHT,
    Rank.PREPARATION: devices.Rank.PREPARATION,
}


class Runtime:
    """What all answers share: the model, how it is spoken to, and what it has read.

    Used by the model's thread alone.

    Attributes:
        tokens_read: Tokens that have gone through the model, for all conversations.
        context: Tokens that a prompt and its answer may have together.
    """

    def __init__(
        self, options: Options, forward: Any, chat: Chat, ends: frozenset[int], context: int
    ) -> None:
        """Takes over a loaded model.

        Args:
            options: The engine's settings.
            forward: The model, a ``forward.Forward``.
            chat: How it is spoken to.
            ends: Tokens by which it says by its own account that it has finished.
            context: Tokens that it can have before it.
        """
        self.options = options
        self.forward = forward
        self.chat = chat
        self.ends = ends | chat.ends
        self.context = context
        self.slots = Slots(forward.cache.slots, self._copy)
        self.tokens_read = 0
        self._device = devices.device(forward.device.type)
        self._bytes_per_token: int = forward.cache.bytes_per_token
        self._begun: list[Preparation] = []

    @property
    def all_together(self) -> bool:
        """Whether another row costs next to nothing, as on a GPU."""
        return self._device.name == "cuda"

    @property
    def cache_bytes(self) -> int:
        """Memory of what was read and is kept, in bytes."""
        return self.slots.tokens * self._bytes_per_token

    def unload(self) -> None:
        """Gives the memory back; nothing can be done afterwards."""
        import torch

        del self.forward, self.chat
        if torch.cuda.is_initialized():
            torch.cuda.empty_cache()

    def step(self, works: Sequence[Preparation]) -> list[Outcome]:
        """Goes on with some works, the best ranked first.

        All that have a single token before them go through the model together; of the others the
        first reads a part of its prompt.
        """
        outcomes: dict[Preparation, Outcome] = {}
        for work in works:
            if not work.begun:
                outcomes[work] = self._begin(work)
        ready = [work for work in works if work not in outcomes and self._has_seat(work)]
        writers = [work for work in ready if len(work.unread) == 1]
        reader = next((work for work in ready if len(work.unread) > 1), None)
        steps = sorted(
            [*([writers] if writers else []), *([[reader]] if reader else [])], key=_rank
        )
        for step in steps:
            with self._device.turn(_DEVICE_RANK[_rank(step)]):
                try:
                    outcomes.update(zip(step, self._read(step), strict=True))
                except Exception as error:
                    outcomes.update(dict.fromkeys(step, error))
        return [outcomes.get(work) for work in works]

    def end(self, work: Preparation) -> None:
        """A work is over, or nobody wants it any more."""
        if work in self._begun:
            self._begun.remove(work)
        self._unseat(work)

    def forget(self, session: str) -> None:
        """Lets go of a conversation: of what was read, and of what is still being read."""
        self.slots.forget(session)
        for work in self._begun:
            if work.session == session:
                work.session = ""

    def _copy(self, source: int, target: int, length: int) -> None:
        self.forward.copy(source, target, length)

    def _begin(self, work: Preparation) -> Outcome:
        try:
            self._begun.append(work)
            return work.begin()
        except Exception as error:
            return error

    def _has_seat(self, work: Preparation) -> bool:
        """Finds a slot for a work; if need be, takes it from one of a later rank."""
        if work.slot is not None:
            return True
        slot = self.slots.take(work.session, work.tokens)
        if slot is None:
            seated = [other for other in self._begun if other.slot is not None]
            last = max(seated, key=lambda other: other.rank)
            if last.rank <= work.rank:
                return False
            self._unseat(last)
            slot = self.slots.take(work.session, work.tokens)
            assert slot is not None
        log.debug(
            "prompt of a language model",
            extra={
                "session": work.session,
                "tokens": len(work.tokens),
                "kept": len(slot.tokens),
                "cache_bytes": self.cache_bytes,
            },
        )
        work.slot = slot
        return True

    def _unseat(self, work: Preparation) -> None:
        """Takes a work's slot away; what it has read stays for as long as nobody needs the room."""
        if work.slot is not None:
            self.slots.give_back(work.slot)
            work.slot = None

    def _read(self, works: Sequence[Preparation]) -> list[Outcome]:
        """Has works read on; those that have read everything write a token."""
        rows = []
        for work in works:
            assert work.slot is not None
            tokens = work.unread[: AT_ONCE[self._device.name]]
            rows.append(Row(work.slot.index, len(work.slot.tokens), tokens))
        scores = self._scores(rows)
        outcomes: dict[Preparation, Outcome] = dict.fromkeys(works, ())
        for work, row in zip(works, rows, strict=True):
            assert work.slot is not None
            work.slot.tokens.extend(row.tokens)
            self.tokens_read += len(row.tokens)
        writing = [at for at, work in enumerate(works) if work.writes and not work.unread]
        if writing:
            chosen = choose(
                scores if len(writing) == len(works) else scores[writing],
                [works[at].chance() for at in writing],
                self.options.temperature,
                self.options.top_p,
            )
            for at, token in zip(writing, chosen, strict=True):
                outcomes[works[at]] = self._written(works[at], token)
        elif self._device.name == "cuda":
            self._wait()
        return list(outcomes.values())

    def _written(self, work: Preparation, token: int) -> Outcome:
        try:
            if token == NO_NUMBERS:
                assert work.slot is not None
                self.forward.clear(work.slot.index)
                work.slot.tokens.clear()
                raise EngineError(
                    "the language model gave no numbers; another thinking.language_model.dtype may "
                    "help: float32 or bfloat16"
                )
            return work.write(token)
        except Exception as error:
            return error

    def _scores(self, rows: Sequence[Row]) -> Any:
        import torch

        try:
            return self.forward.write(rows)
        except torch.cuda.OutOfMemoryError as error:
            torch.cuda.empty_cache()
            raise EngineError(
                "the memory of the GPU is full; lower thinking.language_model.sessions or "
                "context_tokens, or choose a smaller model"
            ) from error

    def _wait(self) -> None:
        import torch

        torch.cuda.current_stream().synchronize()


def _rank(works: Sequence[Preparation]) -> Rank:
    return min(work.rank for work in works)
