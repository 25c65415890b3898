"""What the model has read of each conversation, kept so that it need not be read again.

A prefix is a sequence of tokens with the attention keys and values that the model computed for
them. What a later prompt shares with it is taken over; the rest is cut off and read anew. All of it
happens in the model's thread; only what is kept may be asked from anywhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(eq=False, slots=True)
class Prefix:
    """Tokens that were read, and what the model keeps of them.

    Attributes:
        session: The conversation; empty for one of which nothing is kept.
        tokens: What was read, in order.
        cache: The keys and values, in transformers' form; of as many tokens.
        in_use: Whether a generation goes on with it.
    """

    session: str
    tokens: list[int]
    cache: Any
    in_use: bool = True

    def shared(self, tokens: Sequence[int]) -> int:
        """How many of some tokens it begins with."""
        return next(
            (at for at, (own, other) in enumerate(zip(self.tokens, tokens, strict=False))
             if own != other),
            min(len(self.tokens), len(tokens)),
        )  # fmt: skip

    def cut(self, length: int) -> None:
        """Forgets all but the first ``length`` tokens."""
        if excess := len(self.tokens) - length:
            # Negative: so many off the end.
            self.cache.crop(-excess)
            del self.tokens[length:]

    @property
    def bytes(self) -> int:
        """Memory of keys and values."""
        return sum(
            tensor.nbytes
            for layer in self.cache.layers
            for tensor in (layer.keys, layer.values)
            if tensor is not None
        )


class Prefixes:
    """The prefixes of a bounded number of conversations; the one longest unused goes first.

    Args:
        most: Conversations that are kept while nobody uses them.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._all: list[Prefix] = []

    @property
    def bytes(self) -> int:
        """Memory of all keys and values, those in use included."""
        return sum(prefix.bytes for prefix in tuple(self._all))

    @property
    def sessions(self) -> list[str]:
        """The conversations that are kept, the longest unused first."""
        return [prefix.session for prefix in tuple(self._all) if not prefix.in_use]

    def take(self, session: str, tokens: Sequence[int]) -> Prefix:
        """The longest prefix there is of some tokens, to go on with; give it back after use.

        It is the conversation's own where that is free, else a copy of what another has read:
        conversations begin with the same instructions. At least one token is left to read.
        """
        tokens = tokens[:-1]
        own = next(
            (one for one in self._all if session and one.session == session and not one.in_use),
            None,
        )
        best = max(self._all, key=lambda prefix: prefix.shared(tokens), default=None)
        length = best.shared(tokens) if best else 0
        if own is not None and own.shared(tokens) >= length:
            own.in_use = True
            own.cut(length)
            return own
        if own is not None:
            self._all.remove(own)
        prefix = Prefix(session, list(tokens[:length]), _copy(best, length))
        self._all.append(prefix)
        return prefix

    def give_back(self, prefix: Prefix) -> None:
        """Keeps a prefix for the conversation's next prompt."""
        if prefix not in self._all:
            return
        self._all.remove(prefix)
        prefix.in_use = False
        if not prefix.session:
            return
        free = [one for one in self._all if not one.in_use]
        outdated = [one for one in free if one.session == prefix.session]
        self._all.append(prefix)
        free = [one for one in free if one not in outdated] + [prefix]
        for one in outdated + free[: max(0, len(free) - self._most)]:
            self._all.remove(one)

    def discard(self, prefix: Prefix) -> None:
        """Lets go of a prefix that is of no more use."""
        if prefix in self._all:
            self._all.remove(prefix)

    def forget(self, session: str) -> None:
        """Lets go of a conversation; what of it is in use goes when it is given back."""
        for prefix in [one for one in self._all if one.session == session]:
            prefix.session = ""
            if not prefix.in_use:
                self._all.remove(prefix)

    def clear(self) -> None:
        """Lets go of all that is not in use."""
        self._all = [prefix for prefix in self._all if prefix.in_use]


def _copy(prefix: Prefix | None, length: int) -> Any:
    from transformers import DynamicCache

    # Without the model's configuration: all tokens are kept, of which any number can be cut off,
    # also where the model looks back over a window only.
    cache = DynamicCache()
    if prefix is not None and length:
        for number, layer in enumerate(prefix.cache.layers):
            cache.update(
                layer.keys[..., :length, :].clone(), layer.values[..., :length, :].clone(), number
            )
    return cache
