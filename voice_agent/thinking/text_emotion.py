"""What words tell of feelings: a linear model over words, their stems and pairs of neighbours.

Its 28 labels are those of GoEmotions (Demszky et al. 2020). Features carry the weight of their
rarity and are brought to length one per text, then softmax regression tells the labels apart.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from math import sqrt
from pathlib import Path
from types import MappingProxyType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from voice_agent.errors import EngineUnavailable
from voice_agent.shipped import shipped

Grouping = Mapping[str, tuple[str, ...]]
"""Names of groups and the labels in each."""


def _grouping(lines: Mapping[str, str]) -> Grouping:
    return MappingProxyType({name: tuple(line.split()) for name, line in lines.items()})


LABELS = tuple(
    "admiration amusement anger annoyance approval caring confusion curiosity desire "
    "disappointment disapproval disgust embarrassment excitement fear gratitude grief joy love "
    "nervousness optimism pride realization relief remorse sadness surprise neutral".split()
)
"""Labels of GoEmotions, in its order."""

EKMAN = _grouping(
    {
        "anger": "anger annoyance disapproval",
        "disgust": "disgust",
        "fear": "fear nervousness",
        "joy": "joy amusement approval excitement gratitude love optimism relief pride admiration "
        "desire caring",
        "sadness": "sadness disappointment embarrassment grief remorse",
        "surprise": "surprise realization confusion curiosity",
        "neutral": "neutral",
    }
)
"""Ekman's six emotions and neutral: the mapping that comes with GoEmotions."""

TOLD = _grouping(
    {
        "anger": "anger annoyance",
        "disgust": "disgust",
        "fear": "fear nervousness",
        "sadness": "sadness grief disappointment",
        "remorse": "remorse embarrassment",
        "joy": "joy excitement amusement relief",
        "love": "love caring",
        "gratitude": "gratitude",
        "admiration": "admiration pride",
        "hope": "optimism desire",
        "surprise": "surprise",
        "confusion": "confusion curiosity",
        "neutral": "neutral approval disapproval realization",
    }
)
"""Groups that call for different answers."""

_REPEATED = re.compile(r"(.)\1{2,}")
_NEGATIONS = frozenset("not never no nothing nobody hardly without nor neither".split())
_NEGATED_WORDS = 2
_NEW_CLAUSE = frozenset("but because and or i you he she we they it that what how who".split())
_ENDINGS = ("ingly", "edly", "ness", "ful", "ing", "ed", "es", "ly", "er", "est", "s", "y", "e")
_LEAST_STEM = 4
_LONGEST_LENGTH = 8
_RARITY_OF_LABELS = 0.5


def features(words: Sequence[str]) -> set[str]:
    """The features of a text in plain words.

    These are its words, pairs of neighbours, stems (``~``), beginning (``<``), end (``>``) and
    rough length (``#``). Words after a negation are others than those without (``!``).
    """
    words = _negated([_REPEATED.sub(r"\1\1", word) for word in words])
    found = {*words, *(f"{a} {b}" for a, b in pairwise(words))}
    found.update(f"~{_stem(word)}" for word in words if len(word) >= _LEAST_STEM)
    if words:
        found |= {f"< {words[0]}", f"< {' '.join(words[:2])}", f"{words[-1]} >"}
        found.add(f"#{min(_LONGEST_LENGTH, len(words) // 3)}")
    return found


def _negated(words: Sequence[str]) -> list[str]:
    marked = []
    left = 0
    for word in words:
        if word in _NEW_CLAUSE:
            left = 0
        marked.append(f"!{word}" if left else word)
        left = _NEGATED_WORDS if word in _NEGATIONS else max(0, left - 1)
    return marked


def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _LEAST_STEM:
            return word[: -len(ending)]
    return word


@dataclass(frozen=True)
class Weights:
    """What training finds.

    Attributes:
        features: Features, in the order of the rows below.
        rarity: float32, how much each feature counts, whatever it tells.
        weights: int8, features x ``LABELS``, in units of ``scale``.
        scale: Score of one unit.
        bias: float32, one for each label.
        prior: float32, share of each label in the texts of the training.
        thresholds: float32, probability from which on each of ``EKMAN`` holds.
    """

    features: tuple[str, ...]
    rarity: NDArray[np.float32]
    weights: NDArray[np.int8]
    scale: float
    bias: NDArray[np.float32]
    prior: NDArray[np.float32]
    thresholds: NDArray[np.float32]

    def save(self, path: Path) -> None:
        """Writes them, compressed."""
        names = np.frombuffer("\n".join(self.features).encode(), np.uint8)
        np.savez_compressed(
            path,
            features=names,
            rarity=self.rarity.astype(np.float16),
            weights=self.weights,
            scale=np.float32(self.scale),
            bias=self.bias,
            prior=self.prior,
            thresholds=self.thresholds,
        )

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads what ``save`` wrote.

        Raises:
            OSError: There is no such file.
            ValueError, KeyError: It is not a model.
        """
        with np.load(path, allow_pickle=False) as stored:
            return cls(
                features=tuple(stored["features"].tobytes().decode().split("\n")),
                rarity=stored["rarity"].astype(np.float32),
                weights=stored["weights"],
                scale=float(stored["scale"]),
                bias=stored["bias"],
                prior=stored["prior"],
                thresholds=stored["thresholds"],
            )


class TextEmotion:
    """Reads emotions in English words. Safe to share.

    Args:
        trained: The weights.
        known: Words that people commonly use, whatever they tell of feelings.
    """

    def __init__(self, trained: Weights, known: Collection[str] = ()) -> None:
        self.known = frozenset(known)
        self.thresholds = dict(zip(EKMAN, trained.thresholds.tolist(), strict=True))
        self._trained = trained
        self._rows = {feature: row for row, feature in enumerate(trained.features)}
        self._commonness = dict(
            zip(LABELS, (trained.prior**_RARITY_OF_LABELS).tolist(), strict=True)
        )

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Reads ``weights.npz`` and ``known_words.txt``.

        Raises:
            EngineUnavailable: The files are missing or damaged.
        """
        try:
            trained = Weights.load(folder / "weights.npz")
            known = (folder / "known_words.txt").read_text(encoding="utf-8").split()
        except (OSError, ValueError, KeyError) as error:
            raise EngineUnavailable(
                f"the model of emotion in words cannot be read from {folder} ({error}): "
                "install the package again"
            ) from error
        return cls(trained, known)

    def probabilities(self, words: Sequence[str]) -> Mapping[str, float]:
        """Probability of each of ``LABELS`` for a text in plain words."""
        trained = self._trained
        rows = [row for feature in features(words) if (row := self._rows.get(feature)) is not None]
        rarity = trained.rarity[rows]
        length = sqrt(float(rarity @ rarity)) or 1.0
        scores = trained.bias + trained.scale / length * (rarity @ trained.weights[rows])
        exponentials = np.exp(scores - scores.max())
        return dict(zip(LABELS, (exponentials / exponentials.sum()).tolist(), strict=True))

    def ekman(self, words: Sequence[str]) -> Mapping[str, float]:
        """Probability of each of ``EKMAN``; they hold from ``thresholds`` on."""
        return grouped(self.probabilities(words), EKMAN)

    def told(self, words: Sequence[str]) -> Mapping[str, float]:
        """Probability of each of ``TOLD``, were rare labels less rare than in the training.

        People who talk about themselves show feelings more often than people who write comments.
        """
        return grouped(self.among_feelings(words), TOLD)

    def among_feelings(self, words: Sequence[str]) -> Mapping[str, float]:
        """Probability of each of ``LABELS``, each divided by the root of how common it is."""
        found = self.probabilities(words)
        weighed = {label: found[label] / self._commonness[label] for label in LABELS}
        total = sum(weighed.values())
        return {label: value / total for label, value in weighed.items()}


def grouped(probabilities: Mapping[str, float], groups: Grouping) -> dict[str, float]:
    """Sums the probabilities of the labels in each group."""
    return {name: sum(probabilities[one] for one in labels) for name, labels in groups.items()}


@cache
def carried() -> TextEmotion:
    """The model that the agent carries, loaded once.

    Raises:
        EngineUnavailable: Its files are missing or damaged.
    """
    return TextEmotion.load(shipped("models") / "text_emotion")
