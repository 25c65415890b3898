"""Trains the model of emotion in words on GoEmotions (Demszky et al. 2020) and self-reports.

``voice-agent train text-emotion GOEMOTIONS_FOLDER models/text_emotion``
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voice_agent.evaluation.text_emotion import Comment, TextReport, evaluate, read
from voice_agent.thinking.plain_words import words
from voice_agent.thinking.text_emotion import EKMAN, LABELS, TextEmotion, Weights, features
from voice_agent.training.self_reports import self_reports

_LEAST_COUNT = 5
_KEPT = 20_000
_KNOWN_FROM = 4
_PASSES = 10
_BATCH = 256
_STEP = 0.05
_DECAY = 6e-6


def train(comments: Sequence[Comment], dev: Sequence[Comment], seed: int = 0) -> Weights:
    """Softmax regression by Adam with L2; a comment with many labels is shared among them.

    Args:
        comments: To learn from.
        dev: To choose the thresholds of ``EKMAN`` on.
        seed: The same seed and comments give the same weights.
    """
    found = [features(words(comment.text)) for comment in comments]
    counts = Counter(feature for one in found for feature in one)
    names = sorted(name for name, count in counts.items() if count >= _LEAST_COUNT)
    rows = {name: row for row, name in enumerate(names)}
    occurring = np.array([counts[name] for name in names], np.float32)
    rarity = 1 + np.log(len(comments) / occurring)
    inputs = [np.array(sorted(rows[f] for f in one if f in rows), np.int64) for one in found]
    targets = np.array([_shares(comment) for comment in comments], np.float32)
    weights, bias = _fit(inputs, targets, rarity.astype(np.float32), seed)
    weights -= weights.mean(axis=1, keepdims=True)
    kept = np.sort(np.argsort(-np.abs(weights).max(axis=1), kind="stable")[:_KEPT])
    scale = float(np.abs(weights[kept]).max() / 127)
    trained = Weights(
        features=tuple(names[row] for row in kept),
        rarity=rarity[kept].astype(np.float16).astype(np.float32),
        weights=np.round(weights[kept] / scale).astype(np.int8),
        scale=scale,
        bias=bias,
        prior=targets.mean(axis=0),
        thresholds=np.zeros(len(EKMAN), np.float32),
    )
    return _with_thresholds(trained, dev)


def _shares(comment: Comment) -> list[float]:
    return [(label in comment.labels) / len(comment.labels) for label in LABELS]


def _fit(
    inputs: list[NDArray[np.int64]],
    targets: NDArray[np.float32],
    rarity: NDArray[np.float32],
    seed: int,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weights (features x labels) and bias."""
    shape = rarity.size + 1, targets.shape[1]  # the last row is the bias
    weights, mean, square = (np.zeros(shape, np.float32) for _ in range(3))
    chooser = np.random.default_rng(seed)
    batches = len(inputs) // _BATCH + 1
    steps = _PASSES * batches
    done = 0
    for _ in range(_PASSES):
        for batch in np.array_split(chooser.permutation(len(inputs)), batches):
            flat, owner, amount = _laid_out(inputs, batch, rarity)
            scores = np.tile(weights[-1], (len(batch), 1))
            _add_rows(scores, owner, amount[:, None] * weights[flat])
            scores = np.exp(scores - scores.max(axis=1, keepdims=True))
            error = (scores / scores.sum(axis=1, keepdims=True) - targets[batch]) / len(batch)
            gradient = _DECAY * weights
            gradient[-1] = error.sum(axis=0)
            _add_rows(gradient, flat, amount[:, None] * error[owner])
            done += 1
            mean += 0.1 * (gradient - mean)
            square += 0.001 * (gradient**2 - square)
            rate = _STEP * (1 - (done - 1) / steps) * np.sqrt(1 - 0.999**done) / (1 - 0.9**done)
            weights -= np.float32(rate) * mean / (np.sqrt(square) + np.float32(1e-8))
    return weights[:-1], weights[-1]


def _laid_out(
    inputs: list[NDArray[np.int64]], batch: NDArray[np.int64], rarity: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """Features of a batch one after another, the text of each, and how much each counts."""
    flat = np.concatenate([inputs[i] for i in batch])
    owner = np.repeat(np.arange(len(batch)), [inputs[i].size for i in batch])
    amount = rarity[flat]
    length = np.sqrt(np.bincount(owner, amount**2, len(batch)))
    return flat, owner, (amount / length[owner]).astype(np.float32)


def _add_rows(
    target: NDArray[np.float32], rows: NDArray[np.int64], values: NDArray[np.float32]
) -> None:
    """Adds each row of values to its row of the target."""
    order = np.argsort(rows, kind="stable")
    touched, starts = np.unique(rows[order], return_index=True)
    target[touched] += np.add.reduceat(values[order], starts)


def _with_thresholds(trained: Weights, dev: Sequence[Comment]) -> Weights:
    """The weights with the thresholds that give each emotion its best F1 on the comments."""
    model = TextEmotion(trained)
    found = [model.ekman(words(comment.text)) for comment in dev]
    thresholds = [
        _best_threshold(
            np.array([one[name] for one in found]),
            np.array([name in comment.ekman for comment in dev]),
        )
        for name in EKMAN
    ]
    return replace(trained, thresholds=np.array(thresholds, np.float32))


def _best_threshold(probability: NDArray[np.float64], holds: NDArray[np.bool_]) -> float:
    """Where F1 is best, smoothed, since the very best place is one by chance."""
    values = np.unique(np.quantile(probability, np.linspace(0.3, 0.998, 300)))
    candidates = (values[1:] + values[:-1]) / 2 if values.size > 1 else values
    told = probability[:, None] >= candidates
    score = 2 * (told & holds[:, None]).sum(axis=0) / np.maximum(told.sum(axis=0) + holds.sum(), 1)
    smooth = np.convolve(np.pad(score, 2, "edge"), np.full(5, 0.2), "valid")
    return float(candidates[int(np.argmax(smooth))])


def run(data: Path, out: Path) -> TextReport:
    """Trains on the folder ``data`` and writes the model to ``out``.

    Returns:
        The figures on the test split.

    Raises:
        ManifestError: A split is missing or has another form.
    """
    comments, dev, test = (read(data, split) for split in ("train", "dev", "test"))
    trained = train([*comments, *self_reports()], dev)
    counts = Counter(word for comment in comments for word in words(comment.text))
    known = sorted(word for word, count in counts.items() if count >= _KNOWN_FROM)
    out.mkdir(parents=True, exist_ok=True)
    trained.save(out / "weights.npz")
    (out / "known_words.txt").write_text(" ".join(known) + "\n", encoding="utf-8")
    return evaluate(TextEmotion.load(out), test)
