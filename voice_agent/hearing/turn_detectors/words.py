"""Whether words sound finished: a small model over the last words of a turn.

Logistic regression over hashed n-grams of the last four words, the first words and the number of
words, trained by ``voice_agent.training.turn_end`` on lower-cased text without punctuation, as a
recognizer gives it.
"""

import re
from dataclasses import dataclass
from math import exp
from pathlib import Path
from typing import Self
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from voice_agent.errors import EngineUnavailable

BUCKETS = 1 << 17
"""Number of weights; n-grams share them by hash."""

_WORD = re.compile(r"[a-z]+(?:'[a-z]+)*")
_LENGTHS = (1, 2, 3, 4, 6, 9, 13, 20)


def tokens(text: str) -> list[str]:
    """The words of a text: lower case, letters and inner apostrophes."""
    return _WORD.findall(text.lower())


def features(words: list[str]) -> list[int]:
    """The weights that speak about these words, as indices below ``BUCKETS``."""
    last = words[-4:]
    # The beginning of the turn is a word of its own, so that "yes" differs from "… yes".
    if len(words) < 4:
        last = ["<", *last]
    grams = [f"{n} {' '.join(last[-n:])}" for n in range(1, len(last) + 1)]
    if len(last) >= 3:
        grams += [f"skip {last[-3]} {last[-1]}", f"before {last[-2]}"]
    length = sum(len(words) > bound for bound in _LENGTHS)
    grams += [f"length {length}", f"first {words[0]} {min(length, 5)}"]
    grams.append(f"first two {' '.join(words[:2])} {min(length, 5)}")
    return [crc32(gram.encode()) % BUCKETS for gram in grams]


@dataclass(frozen=True, slots=True)
class WordModel:
    """The trained weights, in units of ``scale``.

    Attributes:
        weights: int8, one per bucket.
        scale: Log odds of one unit.
        bias: Log odds where nothing is known.
    """

    weights: NDArray[np.int8]
    scale: float
    bias: float

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads the file that ``save`` wrote.

        Raises:
            EngineUnavailable: There is no such file, or it is not a model.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                return cls(file["weights"], float(file["scale"]), float(file["bias"]))
        except (OSError, ValueError, KeyError) as error:
            raise EngineUnavailable(
                f"the word model of the turn detector cannot be read from {path} ({error}); "
                "train it with: python -m voice_agent.training.turn_end"
            ) from error

    def save(self, path: Path) -> None:
        """Writes the weights, compressed."""
        np.savez_compressed(
            path, weights=self.weights, scale=np.float64(self.scale), bias=np.float64(self.bias)
        )

    def log_odds(self, text: str) -> float:
        """Log odds that these words end a sentence or an answer; 0 without words."""
        words = tokens(text)
        if not words:
            return 0.0
        return self.bias + self.scale * float(self.weights[features(words)].sum(dtype=np.int64))

    def completeness(self, text: str) -> float:
        """``log_odds`` as a probability."""
        return 1.0 / (1.0 + exp(-max(-30.0, min(30.0, self.log_odds(text)))))
