"""Figures of a classifier: recall, F1, calibration and how sure they are.

Labels are strings; a prediction of None says that the classifier could not tell. It is right in
nothing and wrong in everything, but is nobody's false alarm.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

UNKNOWN = "unknown"
"""Column of a confusion matrix for what got no prediction."""

BINS = 15
"""Equal-width bins of confidence for calibration."""

_DRAWS = 1000

Confusion = Mapping[str, Mapping[str, int]]
"""How many of each true class (outer key) were taken for which (inner key), or ``UNKNOWN``."""


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """How well one class is told; None where there is nothing to divide by.

    Attributes:
        n: Items of this class.
        precision: Share of what was taken for it that is it.
        recall: Share of it that was found.
        f1: Harmonic mean of the two: 2·hits / (items + predictions).
    """

    n: int
    precision: float | None
    recall: float | None
    f1: float | None


@dataclass(frozen=True, slots=True)
class Bin:
    """Predictions of about the same confidence.

    Attributes:
        low, high: The bin holds confidences in (low, high]; the lowest holds 0 too.
        n: Predictions in it.
        confidence: Their mean confidence; None where there are none.
        accuracy: Share of them that is right; None where there are none.
    """

    low: float
    high: float
    n: int
    confidence: float | None
    accuracy: float | None


def confusion(
    truth: Sequence[str], predicted: Sequence[str | None], classes: Sequence[str]
) -> Confusion:
    """Counts which class was taken for which.

    Raises:
        ValueError: A label is none of the classes, or the lengths differ.
    """
    counts = {true: dict.fromkeys((*classes, UNKNOWN), 0) for true in classes}
    for true, guess in zip(truth, predicted, strict=True):
        guess = UNKNOWN if guess is None else guess
        if true not in counts or guess not in counts[true]:
            raise ValueError(f"{true!r} taken for {guess!r}: the classes are {list(classes)}")
        counts[true][guess] += 1
    return counts


def class_figures(matrix: Confusion) -> dict[str, ClassFigures]:
    """Precision, recall and F1 of each class."""
    figures = {}
    for label, row in matrix.items():
        hits = row[label]
        items = sum(row.values())
        guesses = sum(other[label] for other in matrix.values())
        figures[label] = ClassFigures(
            n=items,
            precision=_ratio(hits, guesses),
            recall=_ratio(hits, items),
            f1=_ratio(2 * hits, items + guesses),
        )
    return figures


def uar(matrix: Confusion) -> float | None:
    """Unweighted average recall: the mean over the classes that occur; None without items."""
    recalls = [row[label] / n for label, row in matrix.items() if (n := sum(row.values()))]
    return float(np.mean(recalls)) if recalls else None


def accuracy(matrix: Confusion) -> float | None:
    """Share of all items that is right; None without items."""
    return _ratio(
        sum(row[label] for label, row in matrix.items()),
        sum(sum(row.values()) for row in matrix.values()),
    )


def macro_f1(matrix: Confusion) -> float | None:
    """Mean F1 of the classes that occur; None where fewer than two do."""
    scores = [figures.f1 for figures in class_figures(matrix).values() if figures.n]
    return float(np.mean([score or 0.0 for score in scores])) if len(scores) > 1 else None


def reliability(confidences: Sequence[float], right: Sequence[bool]) -> tuple[Bin, ...]:
    """Sorts predictions by their confidence into ``BINS`` bins of equal width.

    Args:
        confidences: Probability given to the predicted class, in [0, 1].
        right: Whether each prediction is right.
    """
    sure = np.asarray(confidences, float)
    correct = np.asarray(right, bool)
    if sure.shape != correct.shape:
        raise ValueError(f"{sure.size} confidences for {correct.size} predictions")
    edges = np.linspace(0.0, 1.0, BINS + 1)
    place = np.clip(np.ceil(sure * BINS).astype(int) - 1, 0, BINS - 1)
    bins = []
    for at in range(BINS):
        inside = place == at
        n = int(inside.sum())
        bins.append(
            Bin(
                low=float(edges[at]),
                high=float(edges[at + 1]),
                n=n,
                confidence=float(sure[inside].mean()) if n else None,
                accuracy=float(correct[inside].mean()) if n else None,
            )
        )
    return tuple(bins)


def ece(bins: Sequence[Bin]) -> float | None:
    """Expected calibration error (Guo et al. 2017): mean gap of confidence and accuracy."""
    total = sum(b.n for b in bins)
    gaps = [
        b.n * abs(b.confidence - b.accuracy)
        for b in bins
        if b.confidence is not None and b.accuracy is not None
    ]
    return sum(gaps) / total if total else None


def bootstrap_uar(
    truth: Sequence[str],
    predicted: Sequence[str | None],
    groups: Sequence[str],
    classes: Sequence[str],
    seed: int = 0,
) -> tuple[float, float] | None:
    """95 % interval of the UAR, by drawing whole groups (speakers) with replacement.

    Items of one speaker resemble one another, so that drawing items would give too narrow an
    interval. A class that a draw lacks is left out of its mean.

    Returns:
        The 2.5th and 97.5th percentile of 1000 draws; None with fewer than two groups.
    """
    names = sorted(set(groups))
    if len(names) < 2:
        return None
    hits = np.zeros((len(names), len(classes)))
    items = np.zeros_like(hits)
    row = {name: at for at, name in enumerate(names)}
    column = {label: at for at, label in enumerate(classes)}
    for true, guess, group in zip(truth, predicted, groups, strict=True):
        at = row[group], column[true]
        items[at] += 1
        hits[at] += true == guess
    draws = np.random.default_rng(seed).integers(len(names), size=(_DRAWS, len(names)))
    drawn_hits, drawn_items = hits[draws].sum(axis=1), items[draws].sum(axis=1)
    recalls = np.where(drawn_items > 0, drawn_hits / np.maximum(drawn_items, 1), np.nan)
    low, high = np.percentile(np.nanmean(recalls, axis=1), (2.5, 97.5))
    return float(low), float(high)


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
