"""Which keys each token may look at, where rows of different lengths are computed together.

Imports torch; imported only where a model is loaded.
"""

from typing import Any

import torch

FULL, SLIDING = "full_attention", "sliding_attention"


def can_be_made(config: Any) -> bool:
    """Whether all layers of a model look back in a way that is known here."""
    return set(_layer_kinds(config)) <= {FULL, SLIDING} and (
        getattr(config, "attention_chunk_size", None) is None
    )


def make(config: Any, positions: torch.Tensor, used: int, dtype: torch.dtype) -> Any:
    """The masks in the form that the model takes: as ``generate`` makes them for static caches.

    Args:
        config: The model's, of its text part.
        positions: Where each token stands in its row, [rows, tokens].
        used: Keys that there are in each row.
        dtype: The model's number format.

    Returns:
        A mask of [rows, 1, tokens, keys], or one for each kind of layer by its name.
    """
    keys = torch.arange(used, device=positions.device)
    here = positions[:, None, :, None]
    masks = {FULL: keys <= here}
    window = getattr(config, "sliding_window", None)
    if window is not None:
        masks[SLIDING] = masks[FULL] & (keys > here - window)
    if config._attn_implementation == "eager":
        lowest = torch.finfo(dtype).min
        masks = {
            kind: torch.zeros_like(mask, dtype=dtype).masked_fill(~mask, lowest)
            for kind, mask in masks.items()
        }
    kinds = _layer_kinds(config)
    if hasattr(config, "layer_types"):
        return {kind: masks[kind] for kind in kinds}
    return masks[kinds[0]]


def _layer_kinds(config: Any) -> list[str]:
    if hasattr(config, "layer_types"):
        return sorted(set(config.layer_types))
    return [FULL if getattr(config, "sliding_window", None) is None else SLIDING]
