"""The choice of the next tokens, for all rows of a step at once."""

from collections.abc import Sequence
from typing import Any

NO_NUMBERS = -1
"""Stands for the token of a row whose scores are no numbers."""

_LIKELIEST = 256
"""Tokens among which the likeliest share is looked for before all of them are sorted."""


def choose(scores: Any, chances: Sequence[float], temperature: float, top_p: float) -> list[int]:
    """The next token of each row; the same scores and chance give the same token.

    Args:
        scores: Logits, a float32 tensor of [rows, vocabulary].
        chances: A random number in [0, 1) for each row.
        temperature: Divides the scores; 0 for the likeliest token.
        top_p: Share of the likeliest tokens among which is chosen (nucleus sampling, Holtzman et
            al. 2020).

    Returns:
        Tokens; ``NO_NUMBERS`` for a row whose scores are none.
    """
    import torch

    broken = ~scores.isfinite().any(-1) | scores.isnan().any(-1)
    if temperature == 0:
        tokens = scores.argmax(-1)
    else:
        shares = (scores / temperature).softmax(-1)
        if top_p < 1:
            shares = shares.where(shares >= _least(shares, top_p), 0)
        # In the order of the vocabulary: scores that change places by a rounding change nothing.
        sums = shares.cumsum(-1)
        chance = torch.tensor(chances, dtype=sums.dtype, device=sums.device)[:, None]
        whole = sums[:, -1:]
        # Rounding must not lead beyond the last token that has a share.
        aim = (chance * whole).minimum(whole.nextafter(torch.zeros_like(whole)))
        tokens = torch.searchsorted(sums, aim, right=True)[:, 0]
    chosen: list[int] = tokens.masked_fill(broken, NO_NUMBERS).tolist()
    return chosen


def _least(shares: Any, top_p: float) -> Any:
    """The share of the least likely token that belongs to the likeliest, of [rows, 1]."""
    size = shares.shape[-1]
    most = shares.topk(min(_LIKELIEST, size)).values
    if most.shape[-1] < size and bool((most.sum(-1) < top_p).any()):
        most = shares.sort(-1, descending=True).values
    before = most.cumsum(-1) - most
    return most.where(before < top_p, 2).amin(-1, keepdim=True)
