"""Forward passes of fixed sizes, captured as CUDA graphs: a GPU then starts them by one call.

Not verified on a GPU; what can be is tested on the processor, where nothing is captured and each
pass is computed out of the same buffers. Imports torch; imported only where a model is loaded.
"""

import gc
import logging
from collections.abc import Sequence
from typing import Any, Protocol

import torch

from voice_agent.models.slots.batches import SPARE, Batch, Row, Size, Sizes
from voice_agent.models.slots.cache import SlotCache, Span

log = logging.getLogger(__name__)


class Masked(Protocol):
    """What is captured: a forward pass over rows, each with a length of its own."""

    def masked(self, tokens: torch.Tensor, span: Span, last: torch.Tensor) -> torch.Tensor:
        """What follows each row's token number ``last``, of [rows, …]: scores, or a state."""
        ...


class Graphs:
    """The captured passes of a model, by their sizes.

    Args:
        forward: Computes them.
        cache: Its memory.
        device: Where it computes.
        parts: As for ``Sizes``.
    """

    def __init__(
        self,
        forward: Masked,
        cache: SlotCache,
        device: torch.device,
        parts: Sequence[int] = (16, SPARE),
    ) -> None:
        self._sizes = Sizes(cache.slots, cache.length, parts)
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
        """What is computed of rows, [rows, …]; None if there is no size for them."""
        size = self._sizes.fit(rows)
        if size is None:
            return None
        batch, which = self._sizes.filled(rows, size)
        result = self._passes[size].run(batch)
        return result[torch.tensor(which, device=result.device)]


def captured(
    what: str,
    forward: Masked,
    cache: SlotCache,
    device: torch.device,
    parts: Sequence[int] = (16, SPARE),
) -> Graphs | None:
    """The passes of a model on a GPU, captured; None where there is no GPU, or it failed.

    Once a pass was computed as it is, since that makes room in the memory.

    Args:
        what: What is computed, for the log: ``"the language model"``.
        forward: Computes the passes.
        cache: Its memory.
        device: Where it computes.
        parts: As for ``Sizes``.
    """
    if device.type != "cuda":
        return None
    graphs = Graphs(forward, cache, device, parts)
    try:
        with torch.inference_mode():
            graphs.capture()
    except Exception as error:
        log.warning("%s runs without CUDA graphs, more slowly: %s", what, error)
        return None
    return graphs


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
        self._result: torch.Tensor | None = None

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
            self._result = self._compute()
        self._graph = graph

    def run(self, batch: Batch) -> torch.Tensor:
        self._tokens.copy_(torch.tensor(batch.tokens))
        self._span.positions.copy_(torch.tensor(batch.positions))
        self._index.copy_(torch.tensor(batch.slots))
        self._last.fill_(batch.last)
        if self._graph is None:
            return self._compute()
        self._graph.replay()
        assert self._result is not None
        return self._result

    def _compute(self) -> torch.Tensor:
        return self._forward.masked(self._tokens, self._span, self._last)
