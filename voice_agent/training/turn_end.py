"""Trains the word model of the turn detector: which words end a sentence or an answer.

``python -m voice_agent.training.turn_end --data FOLDER`` reads the dialogue texts below FOLDER,
writes ``models/turn_end/words.npz`` and prints how well it tells ends from cuts on dialogues that
it was not trained on.
"""

import argparse
import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from voice_agent.hearing.turn_detectors.words import BUCKETS, WordModel, features, tokens
from voice_agent.shipped import shipped

_SENTENCE = re.compile(r"[^.!?\n]+[.!?]*")
_CLAUSE = re.compile(r"[,;:–—]")
_MISHEARD = 0.2
_REMEMBERED = 24
_OPENING = 2
_OPENING_SHARE = 0.2
_FILLERS = frozenset(["um", "uh", "er", "hmm", "well", "so", "oh", "and", "but", "like"])


@dataclass(frozen=True, slots=True)
class Utterance:
    """A written utterance with its punctuation, and the dialogue that it belongs to."""

    corpus: str
    dialogue: str
    text: str


@dataclass(frozen=True, slots=True)
class Examples:
    """Prefixes of utterances as indices of weights, padded with ``BUCKETS``, and their truth."""

    indices: NDArray[np.int32]
    ends: NDArray[np.bool_]
    corpora: NDArray[np.str_]


def utterances(folder: Path) -> Iterator[Utterance]:
    """All utterances of the corpora found below ``folder``, each in a folder of its name.

    Known are EmpatheticDialogues, GoEmotions, counsel-chat and AnnoMI.
    """
    for path in sorted((folder / "empathetic_dialogues").glob("*.csv")):
        for row in _rows(path):
            if row["Type"] == "utterance":
                yield Utterance("empathetic_dialogues", row["Dialog_ID"], row["Text"])
    for path in sorted((folder / "goemotions").glob("*.tsv")):
        for line in path.read_text(encoding="utf-8").splitlines():
            text, _, key = line.split("\t")
            yield Utterance("goemotions", key, text)
    for path in sorted((folder / "counsel_chat").glob("*.csv")):
        for row in _rows(path):
            for key in ("questionText", "answerText"):
                if row[key]:
                    yield Utterance("counsel_chat", row["questionID"], row[key])
    for path in sorted((folder / "annomi").glob("*.csv")):
        for row in _rows(path):
            yield Utterance("annomi", row["transcript_id"], row["utterance_text"])


def _rows(path: Path) -> Iterator[dict[str, str]]:
    # A stray quotation mark in a file can make one field of many rows.
    csv.field_size_limit(1 << 24)
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def prefixes(utterance: Utterance, random: Random) -> Iterator[tuple[list[str], bool]]:
    """The words up to each end of a sentence (True), and up to some places inside (False).

    Places at a comma are always among them: there people pause. Not so after the first words:
    "yes" or "good" followed by silence is an answer, though in writing most often more follows.
    """
    said: list[str] = []
    for sentence in _SENTENCE.findall(utterance.text):
        clauses = [words for part in _CLAUSE.split(sentence) if (words := tokens(part))]
        words = [word for clause in clauses for word in clause]
        if not words:
            continue
        commas = [int(n) for n in np.cumsum([len(clause) for clause in clauses])[:-1]]
        inside = range(1, len(words))
        cuts = {
            cut
            for cut in [*random.sample(inside, min(2, len(inside))), *commas]
            if len(said) + cut > _OPENING
            or words[cut - 1] in _FILLERS
            or (cut not in commas and random.random() < _OPENING_SHARE)
        }
        for cut in [*sorted(cuts), len(words)]:
            yield said + words[:cut], cut == len(words)
        said = (said + words)[-_REMEMBERED:]


def examples(source: Iterator[Utterance], seed: int = 0) -> tuple[Examples, Examples]:
    """Examples for training and, from every tenth dialogue, for testing.

    Some of the last words are replaced by others, as a recognizer mishears them.
    """
    random = Random(seed)
    rows: tuple[list[list[int]], list[list[int]]] = ([], [])
    truths: tuple[list[bool], list[bool]] = ([], [])
    corpora: tuple[list[str], list[str]] = ([], [])
    lexicon = ["the"]
    for utterance in source:
        held_out = crc32(f"{utterance.corpus} {utterance.dialogue}".encode()) % 10 == 0
        for words, end in prefixes(utterance, random):
            if len(lexicon) < 20_000:
                lexicon.append(words[-1])
            heard = [
                random.choice(lexicon) if random.random() < _MISHEARD else word
                for word in words[-4:]
            ]
            rows[held_out].append(features(words[:-4] + heard))
            truths[held_out].append(end)
            corpora[held_out].append(utterance.corpus)
    if not rows[0] or not rows[1]:
        raise ValueError("no texts found: the folder must hold one of the known corpora")
    train, test = (
        Examples(_padded(r), np.array(t, bool), np.array(c))
        for r, t, c in zip(rows, truths, corpora, strict=True)
    )
    return train, test


def _padded(rows: list[list[int]]) -> NDArray[np.int32]:
    width = max(len(row) for row in rows)
    return np.array([row + [BUCKETS] * (width - len(row)) for row in rows], np.int32)


def train(data: Examples, passes: int = 4, seed: int = 0) -> WordModel:
    """Logistic regression by AdaGrad; both classes weigh the same."""
    random = np.random.default_rng(seed)
    weights = np.zeros(BUCKETS + 1)
    squares = np.full(BUCKETS + 1, 1e-2)
    share = data.ends.mean()
    balance = np.where(data.ends, 0.5 / share, 0.5 / (1 - share))
    for _ in range(passes):
        for batch in np.array_split(random.permutation(data.ends.size), data.ends.size // 512 + 1):
            rows = data.indices[batch]
            error = _sigmoid(weights[rows].sum(axis=1)) - data.ends[batch]
            gradient = np.bincount(
                rows.ravel(), np.repeat(error * balance[batch], rows.shape[1]), BUCKETS + 1
            )
            touched = np.flatnonzero(gradient[:-1])
            step = gradient[touched] + 0.02 * weights[touched]
            squares[touched] += step**2
            weights[touched] -= 0.15 * step / np.sqrt(squares[touched])
    scale = float(np.abs(weights).max()) / 127
    return WordModel(np.round(weights[:-1] / scale).astype(np.int8), scale, 0.0)


def evaluate(model: WordModel, data: Examples) -> dict[str, float]:
    """Area under the ROC curve of ends against cuts, per corpus and in all."""
    weights = np.append(model.weights, 0).astype(np.int64)
    scores = weights[data.indices].sum(axis=1) * model.scale + model.bias
    areas = {
        str(corpus): _roc_area(scores[data.corpora == corpus], data.ends[data.corpora == corpus])
        for corpus in np.unique(data.corpora)
    }
    return areas | {"all": _roc_area(scores, data.ends)}


def _sigmoid(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(x, -30, 30))))


def _roc_area(scores: NDArray[np.floating], truth: NDArray[np.bool_]) -> float:
    ranks = np.empty(scores.size)
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    positive = int(truth.sum())
    above = ranks[truth].sum() - positive * (positive + 1) / 2
    return float(above / (positive * (truth.size - positive)))


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the text corpora")
    parser.add_argument("--out", type=Path, default=shipped("models") / "turn_end")
    arguments = parser.parse_args()
    learn, test = examples(utterances(arguments.data))
    model = train(learn)
    arguments.out.mkdir(parents=True, exist_ok=True)
    model.save(arguments.out / "words.npz")
    print(f"{learn.ends.size} examples, {learn.ends.mean():.2f} of them ends")
    for corpus, area in evaluate(model, test).items():
        print(f"{corpus:>22}  ROC area {area:.3f}")


if __name__ == "__main__":
    main()
