"""What words tell of a feeling: a linear model over single words and pairs of words."""

import json
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voice_agent.errors import EngineUnavailable

CLASSES = (
    "anger",
    "disgust",
    "fear",
    "sadness",
    "remorse",
    "joy",
    "love",
    "gratitude",
    "admiration",
    "hope",
    "surprise",
    "confusion",
    "neutral",
)


def features(words: Sequence[str]) -> list[str]:
    """The features of a text: its words and its pairs of neighbours."""
    return [*words, *(f"{a} {b}" for a, b in pairwise(words))]


class TextEmotion:
    """Weights of features for each of ``CLASSES``.

    Args:
        vocabulary: Features in the order of the rows of ``weights``.
        weights: float32, features x classes.
        bias: float32, classes.
        known: Words that people commonly use, whatever they tell of feelings.
    """

    def __init__(
        self,
        vocabulary: Sequence[str],
        weights: NDArray[np.float32],
        bias: NDArray[np.float32],
        known: Collection[str] = (),
    ) -> None:
        self.known = frozenset(known)
        self._rows = {feature: row for row, feature in enumerate(vocabulary)}
        self._weights = weights
        self._bias = bias

    @classmethod
    def load(cls, folder: Path) -> "TextEmotion":
        """Reads ``weights.npz``, ``vocabulary.json`` and ``known_words.txt``.

        Raises:
            EngineUnavailable: The files are missing.
        """
        try:
            stored = np.load(folder / "weights.npz")
            vocabulary = json.loads((folder / "vocabulary.json").read_text(encoding="utf-8"))
            known = (folder / "known_words.txt").read_text(encoding="utf-8").split()
        except OSError as error:
            raise EngineUnavailable(
                f"the lexicon of emotion words is missing in {folder}: install the package again"
            ) from error
        weights = stored["weights"].astype(np.float32) * stored["scale"]
        return cls(vocabulary, weights, stored["bias"], known)

    def probabilities(self, words: Sequence[str]) -> Mapping[str, float]:
        """Probability of each class for a text in plain words."""
        rows = [self._rows[feature] for feature in features(words) if feature in self._rows]
        scores = self._bias + self._weights[rows].sum(axis=0)
        exponentials = np.exp(scores - scores.max())
        return dict(zip(CLASSES, (exponentials / exponentials.sum()).tolist(), strict=True))
