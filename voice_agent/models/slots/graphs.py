"""Forward passes of fixed sizes, captured as CUDA graphs: a GPU then starts them by one call.

Not verified on a GPU; what can be is tested on the processor, where nothing is captured and each
pass is computed out of the same buffers. Imports torch; imported only where a model is loaded.
"""

import gc
from collections.abc import Sequence
from typing import Any, Protocol

import torch

from voice_agent.models.slots.batches import Batch, Row, Size, Sizes
from voice_agent.models.slots.cache import SlotCache, Span


class Masked(Protocol):
    """What is captured: a forward pass over rows, each with a length of its own."""

    def masked(self, tokens: torch.Tensor, span: Span, last: torch.Tensor) -> torch.Tensor:
        """Scores of the tokens that may follow each row's token number ``last``."""
        ...


class Graphs:
    """The captured passes of a model, by their sizes."""

    def __init__(self, forward: Masked, cache: SlotCache, device: torch.device) -> None:
        self._sizes = Sizes(cache.slots, cache.length)
        self._passes: dict[Size, _Pass] = {}
        self._forward = forward
        self._slots = cache.slots
        self._device = device

    def capture(self) -> None:
        """Captures all sizes."""
        pool = torch.cuda.graph_pool_handle() if self._device.type == "cuda" else None
        # A tensor that is freed during a capture would spoil it.
        gc.collect()
        for size in self._sizes.all():
            self._passes[size] = _Pass(size, self._forward, self._slots, self._device)
            if pool is not None:
                self._passes[size].capture(pool)

    def run(self, rows: Sequence[Row]) -> torch.Tensor | None:
        """The scores of rows, [rows, vocabulary]; None if there is no size for them."""
        size = self._sizes.fit(rows)
        if size is None:
            return None
        batch, which = self._sizes.filled(rows, size)
        scores = self._passes[size].run(batch)
        return scores[torch.tensor(which, device=scores.device)]


class _Pass:
    """A forward pass of one size: what it reads lies in buffers that stay where they are."""

    def __init__(self, size: Size, forward: Masked, slots: int, device: torch.device) -> None:
        def room(*shape: int) -> torch.Tensor:
            return torch.zeros(shape, dtype=torch.long, device=device)

        self._forward = forward
        self._tokens = room(size.rows, size.tokens)
        self._last = room(1)
        self._index = room(size.rows)
        rows: Any = slice(0, slots) if size.rows == slots else self._index
        self._span = Span(rows, room(size.rows, size.tokens), size.used)
        self._graph: Any = None
        self._scores: torch.Tensor | None = None

    def capture(self, pool: Any) -> None:
        # Libraries choose their algorithms and make room in the first passes, aside.
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            self._compute()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        # Other engines' threads may use the GPU meanwhile.
        with torch.cuda.graph(graph, pool=pool, capture_error_mode="thread_local"):
            self._scores = self._compute()
        self._graph = graph

    def run(self, batch: Batch) -> torch.Tensor:
        self._tokens.copy_(torch.tensor(batch.tokens))
        self._span.positions.copy_(torch.tensor(batch.positions))
        self._index.copy_(torch.tensor(batch.slots))
        self._last.fill_(batch.last)
        if self._graph is None:
            return self._compute()
        self._graph.replay()
        assert self._scores is not None
        return self._scores

    def _compute(self) -> torch.Tensor:
        return self._forward.masked(self._tokens, self._span, self._last)
