"""Trains the lexicon of emotion words on GoEmotions (Apache-2.0).

``voice-agent train text-emotion GOEMOTIONS_FOLDER models/text_emotion``
"""

import json
from collections import Counter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voice_agent.thinking.plain_words import words
from voice_agent.thinking.responder.text_emotion import CLASSES, TextEmotion, features

_GROUPS = {
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
_KEPT = 6000
_KNOWN_FROM = 4

Examples = list[tuple[tuple[str, ...], int]]


def read(folder: Path, split: str) -> Examples:
    """The comments of a split that carry exactly one of our classes, as words and class."""
    names = (folder / "labels.txt").read_text(encoding="utf-8").split()
    group = {name: CLASSES.index(key) for key, line in _GROUPS.items() for name in line.split()}
    examples: Examples = []
    for line in (folder / f"{split}.tsv").read_text(encoding="utf-8").splitlines():
        text, labels, _ = line.split("\t")
        classes = {group[names[int(label)]] for label in labels.split(",")}
        if len(classes) > 1:
            classes.discard(CLASSES.index("neutral"))
        if len(classes) == 1:
            examples.append((words(text.replace("[NAME]", "")), classes.pop()))
    return examples


def train(
    examples: Examples, epochs: int = 12, decay: float = 2e-5, seed: int = 0
) -> tuple[list[str], NDArray[np.float32], NDArray[np.float32]]:
    """Softmax regression with Adagrad and L2; rare classes count more.

    Returns:
        Features, their weights (features x classes) and the bias, all float32.
    """
    counts = Counter(feature for said, _ in examples for feature in set(features(said)))
    vocabulary = [f for f, n in counts.items() if n >= (5 if " " not in f else 8)]
    rows = {feature: row for row, feature in enumerate(vocabulary)}
    inputs = [np.array([rows[f] for f in features(s) if f in rows], np.int64) for s, _ in examples]
    targets = np.array([label for _, label in examples])
    frequency = np.bincount(targets, minlength=len(CLASSES)) / len(targets)
    importance = (1 / (frequency * len(CLASSES))) ** 0.5
    weights = np.zeros((len(vocabulary), len(CLASSES)), np.float32)
    bias = np.zeros(len(CLASSES), np.float32)
    squares = np.full_like(weights, 1e-6)
    bias_squares = np.full_like(bias, 1e-6)
    chooser = np.random.default_rng(seed)
    for _ in range(epochs):
        order = chooser.permutation(len(examples))
        for start in range(0, len(order), 128):
            batch = order[start : start + 128]
            flat = np.concatenate([inputs[i] for i in batch])
            owner = np.repeat(np.arange(len(batch)), [len(inputs[i]) for i in batch])
            scores = np.tile(bias, (len(batch), 1))
            np.add.at(scores, owner, weights[flat])
            scores = np.exp(scores - scores.max(axis=1, keepdims=True))
            scores /= scores.sum(axis=1, keepdims=True)
            scores[np.arange(len(batch)), targets[batch]] -= 1
            scores *= importance[targets[batch]][:, None]
            touched, where = np.unique(flat, return_inverse=True)
            gradient = np.zeros((len(touched), len(CLASSES)), np.float32)
            np.add.at(gradient, where, scores[owner].astype(np.float32))
            gradient = gradient / len(batch) + decay * weights[touched]
            squares[touched] += gradient**2
            weights[touched] -= 0.08 * gradient / np.sqrt(squares[touched])
            bias_gradient = scores.mean(axis=0)
            bias_squares += bias_gradient**2
            bias -= (0.05 * bias_gradient / np.sqrt(bias_squares)).astype(np.float32)
    return vocabulary, weights, bias


def save(
    vocabulary: list[str],
    weights: NDArray[np.float32],
    bias: NDArray[np.float32],
    folder: Path,
) -> None:
    """Writes the weightiest features, each weight in a byte."""
    weights = weights - weights.mean(axis=1, keepdims=True)
    kept = np.sort(np.argsort(-np.abs(weights).max(axis=1))[:_KEPT])
    scale = np.float32(np.abs(weights[kept]).max() / 127)
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        folder / "weights.npz",
        weights=np.round(weights[kept] / scale).astype(np.int8),
        scale=scale,
        bias=bias,
    )
    text = json.dumps([vocabulary[row] for row in kept], separators=(",", ":"))
    (folder / "vocabulary.json").write_text(text + "\n", encoding="utf-8")


def evaluate(model: TextEmotion, examples: Examples) -> dict[str, float]:
    """F1 of each class, their mean (``macro``) and the accuracy."""
    confusion = np.zeros((len(CLASSES), len(CLASSES)), np.int64)
    for said, label in examples:
        scores = model.probabilities(said)
        confusion[label, CLASSES.index(max(scores, key=lambda key: scores[key]))] += 1
    hits = np.diag(confusion)
    f1 = 2 * hits / np.maximum(confusion.sum(axis=0) + confusion.sum(axis=1), 1)
    figures = dict(zip(CLASSES, f1.tolist(), strict=True))
    return figures | {"macro": float(f1.mean()), "accuracy": float(hits.sum() / confusion.sum())}


def run(data: Path, out: Path) -> None:
    """Trains on the folder ``data``, saves to ``out``, prints the figures on the test split."""
    examples = read(data, "train")
    save(*train(examples), out)
    counts = Counter(word for said, _ in examples for word in said)
    known = sorted(word for word, count in counts.items() if count >= _KNOWN_FROM)
    (out / "known_words.txt").write_text(" ".join(known) + "\n", encoding="utf-8")
    figures = evaluate(TextEmotion.load(out), read(data, "test"))
    for name, figure in figures.items():
        print(f"{name:12} {figure:.3f}")
