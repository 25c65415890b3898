"""What the model makes of tokens: one prompt read on, or a token written in each of many rows.

Imports torch and transformers; imported only where a model is loaded.
"""

import inspect
from collections.abc import Sequence
from typing import Any

import torch

from voice_agent.models.slots import masks
from voice_agent.models.slots.batches import SPARE, Batch, Row
from voice_agent.models.slots.cache import SlotCache, Span
from voice_agent.models.slots.graphs import Graphs, captured


class Forward:
    """A causal language model with its memory; used by one thread.

    On the processor each pass has just the size that it needs. On a GPU, where starting a pass
    takes longer than computing it, passes of a few fixed sizes are captured as CUDA graphs.

    Attributes:
        cache: Its memory.
        batches: Whether rows can be computed together; else one after another.
    """

    def __init__(self, model: Any, vocabulary: int, slots: int, length: int) -> None:
        """Wraps a model; nothing is computed yet.

        Args:
            model: A causal language model of transformers, on its device.
            vocabulary: Tokens that there are; weights are often padded beyond them.
            slots: Rows that the memory holds.
            length: Tokens of each.
        """
        self._model = model.eval()
        self._config = model.config.get_text_config()
        self._vocabulary = vocabulary
        self._one_alone = "logits_to_keep" in inspect.signature(model.forward).parameters
        self.cache = SlotCache(slots, length + SPARE)
        self.batches = masks.can_be_made(self._config)
        self._graphs: Graphs | None = None

    @property
    def device(self) -> torch.device:
        """Where it runs."""
        device: torch.device = self._model.device
        return device

    def read(self, row: Row) -> torch.Tensor:
        """Reads on in a row, and adds to what is kept of it; blocks.

        Returns:
            A score for each token that may follow: float32, [1, vocabulary].
        """
        with torch.inference_mode():
            if self._graphs is not None and (scores := self._graphs.run([row])) is not None:
                return scores
            used = row.at + len(row.tokens)
            span = Span(slice(row.slot, row.slot + 1), self._tensor([range(row.at, used)]), used)
            # Of a row alone the library knows best how it is computed.
            return self._compute(self._tensor([row.tokens]), span)

    def write(self, rows: Sequence[Row]) -> torch.Tensor:
        """Reads one token in each row; blocks.

        Returns:
            Scores for the tokens that may follow: float32, [rows, vocabulary].
        """
        if len(rows) == 1:
            return self.read(rows[0])
        if not self.batches:
            return torch.cat([self.read(row) for row in rows])
        with torch.inference_mode():
            if self._graphs is not None and (scores := self._graphs.run(rows)) is not None:
                return scores
            batch, which = Batch.in_order(rows)
            span = Span.of(batch, self.device)
            return self.masked(self._tensor(batch.tokens), span)[self._tensor(which)]

    def straight(self, tokens: Sequence[int]) -> torch.Tensor:
        """The scores after some tokens, computed without the memory."""
        with torch.inference_mode():
            scores = self._model(input_ids=self._tensor([tokens]), use_cache=False).logits
            result: torch.Tensor = scores[:, -1, : self._vocabulary].float()
            return result

    def masked(
        self, tokens: torch.Tensor, span: Span, last: torch.Tensor | None = None
    ) -> torch.Tensor:
        """As ``_compute``, with masks of our own: each row has a length of its own."""
        mask = masks.make(self._config, span.positions, span.used, self._model.dtype)
        return self._compute(tokens, span, last, attention_mask=mask)

    def copy(self, source: int, target: int, length: int) -> None:
        """Copies what was computed for the first tokens of a slot to another."""
        with torch.inference_mode():
            self.cache.copy(source, target, length)

    def clear(self, slot: int) -> None:
        """Empties a slot whose numbers are no longer any."""
        with torch.inference_mode():
            self.cache.clear(slot)

    def capture(self) -> bool:
        """Prepares a GPU for passes of fixed sizes, which are used from then on.

        Once a pass was computed as it is, since that makes room in the memory.

        Returns:
            Whether there is a GPU, and it could be done.
        """
        self._graphs = captured("the language model", self, self.cache, self.device)
        return self._graphs is not None

    def release(self) -> None:
        """Lets go of the captured passes: each is computed as it is again."""
        self._graphs = None

    def _tensor(self, numbers: Any) -> torch.Tensor:
        if numbers and not isinstance(numbers[0], int):
            numbers = [list(row) for row in numbers]
        return torch.tensor(numbers, device=self.device)

    def _compute(
        self, tokens: torch.Tensor, span: Span, last: torch.Tensor | None = None, **more: Any
    ) -> torch.Tensor:
        """One forward pass; ``last`` tells which token's scores are wanted, if not the last's."""
        self.cache.span = span
        if self._one_alone:
            more["logits_to_keep"] = 1 if last is None else last
        scores = self._model(
            input_ids=tokens,
            position_ids=span.positions,
            past_key_values=self.cache,
            use_cache=True,
            **more,
        ).logits
        if not self._one_alone:
            scores = scores[:, -1:] if last is None else scores[:, last]
        result: torch.Tensor = scores[:, -1, : self._vocabulary].float()
        return result
