"""The model's memory: attention keys and values of all slots, in the form of transformers' caches.

Imports torch and transformers; imported only where a model is loaded.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from transformers import Cache

from voice_agent.models.slots.batches import Batch


@dataclass(frozen=True, slots=True)
class Span:
    """What of the memory a forward pass writes and reads.

    Attributes:
        rows: Slots of the rows, a tensor of [rows]; or a slice where they lie side by side, so that
            nothing has to be gathered.
        positions: Where each row's tokens are written, a tensor of [rows, tokens].
        used: Positions that are read: all before this one.
    """

    rows: torch.Tensor | slice
    positions: torch.Tensor
    used: int

    @classmethod
    def of(cls, batch: Batch, device: torch.device) -> "Span":
        """What a batch writes and reads."""
        slots = batch.slots
        side_by_side = slots == tuple(range(slots[0], slots[0] + len(slots)))
        return cls(
            slice(slots[0], slots[-1] + 1) if side_by_side else torch.tensor(slots, device=device),
            torch.tensor(batch.positions, device=device),
            batch.used,
        )


class SlotCache(Cache):  # type: ignore[misc]
    """Keys and values in one tensor a layer, of [slots, heads, length, size of a head].

    Each forward pass works on a ``span`` of it: every row writes at positions of its own, so that
    rows of different lengths go through the model together. Nothing is moved as an answer grows.

    Attributes:
        span: What the next forward pass works on.
    """

    span: Span

    def __init__(self, slots: int, length: int) -> None:
        super().__init__(layers=[])
        self.slots = slots
        self.length = length
        self._layers: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

    def update(
        self,
        key_states: torch.Tensor,
        value_states: torch.Tensor,
        layer_idx: int,
        *_: Any,
        **__: Any,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Writes new keys and values of [rows, heads, tokens, size]; returns all that is read."""
        if layer_idx not in self._layers:
            self._layers[layer_idx] = self._room(key_states), self._room(value_states)
        keys, values = self._layers[layer_idx]
        return self._written(keys, key_states), self._written(values, value_states)

    def get_seq_length(self, layer_idx: int = 0) -> int:
        """Tokens before those that are being read; of several rows the most."""
        tokens: int = self.span.positions.shape[1]
        return self.span.used - tokens

    def get_mask_sizes(self, query_length: int, layer_idx: int) -> tuple[int, int]:
        """How many keys there are, and the position of the first."""
        return self.span.used, 0

    @property
    def bytes_per_token(self) -> int:
        """Memory of the keys and values of one token."""
        whole: int = sum(tensor.nbytes for tensor in self._tensors())
        return whole // (self.slots * self.length)

    def copy(self, source: int, target: int, length: int) -> None:
        """Copies the first positions of a slot to another."""
        for tensor in self._tensors():
            tensor[target, :, :length] = tensor[source, :, :length]

    def clear(self, slot: int) -> None:
        """Empties a slot: what is no number in it would spoil what is computed beside it."""
        for tensor in self._tensors():
            tensor[slot].zero_()

    def _tensors(self) -> list[torch.Tensor]:
        return [tensor for layer in self._layers.values() for tensor in layer]

    def _room(self, states: torch.Tensor) -> torch.Tensor:
        shape = (self.slots, states.shape[1], self.length, states.shape[3])
        if states.device.type != "cpu":
            return torch.zeros(shape, dtype=states.dtype, device=states.device)
        # Zeros that the system hands out as they are first written: a slot costs what is in it.
        room = np.zeros(math.prod(shape) * states.element_size(), np.uint8)
        return torch.from_numpy(room).view(states.dtype).view(shape)

    def _written(self, room: torch.Tensor, states: torch.Tensor) -> torch.Tensor:
        rows, positions, used = self.span.rows, self.span.positions, self.span.used
        if isinstance(rows, slice):
            room = room[rows]
            index = torch.arange(len(room), device=room.device)
        else:
            index = rows
        if len(states) == 1 and isinstance(rows, slice) and states.device.type == "cpu":
            room[:, :, used - states.shape[2] : used] = states
        else:
            room[index[:, None], :, positions] = states.transpose(1, 2)
        read = room[:, :, :used]
        return read if isinstance(rows, slice) else read.index_select(0, rows)
