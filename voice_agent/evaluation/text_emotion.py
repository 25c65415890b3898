"""How well emotion in words is read, on GoEmotions (Demszky et al. 2020) as Ekman's emotions."""

import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from voice_agent.errors import ManifestError
from voice_agent.evaluation.metrics import (
    ClassFigures,
    Confusion,
    accuracy,
    class_figures,
    confusion,
    macro_f1,
)
from voice_agent.thinking.plain_words import words
from voice_agent.thinking.text_emotion import EKMAN, LABELS, TextEmotion

_MASK = re.compile(r"\[(NAME|RELIGION)\]")
_NOT_HEARD = re.compile(r"[^\w\s'’]|_")


@dataclass(frozen=True, slots=True)
class Comment:
    """A text and the labels that raters gave it, some of ``LABELS``."""

    text: str
    labels: frozenset[str]

    @property
    def ekman(self) -> frozenset[str]:
        """The labels as emotions of ``EKMAN``."""
        return frozenset(name for name, group in EKMAN.items() if self.labels.intersection(group))


def read(data: Path, split: str = "test") -> list[Comment]:
    """Reads a split of GoEmotions.

    Args:
        data: The folder with ``<split>.tsv``, or such a file: in each row a text and its labels by
            commas, as names or as numbers in the order of ``LABELS``, with a tab between; what
            follows does not count.
        split: Which file of a folder.

    Raises:
        ManifestError: The file is missing, empty or has another form.
    """
    path = data / f"{split}.tsv" if data.is_dir() else data
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestError(f"{path} cannot be read: {error}") from error
    comments = [_comment(path, number, line) for number, line in enumerate(lines, 1) if line]
    if not comments:
        raise ManifestError(f"{path} holds no texts")
    return comments


def _comment(path: Path, number: int, line: str) -> Comment:
    text, *rest = line.split("\t")
    labels = [label.strip() for label in rest[0].split(",")] if rest else []
    named = {LABELS[int(n)] if n.isdecimal() and int(n) < len(LABELS) else n for n in labels}
    if not named or not named.issubset(LABELS):
        raise ManifestError(
            f"{path}, line {number}: must be a text, a tab and labels by commas, each a number "
            f"below {len(LABELS)} or one of {', '.join(LABELS)}"
        )
    return Comment(_MASK.sub("", text), frozenset(named))


def as_recognised(text: str) -> str:
    """A text as speech recognition gives it: no capitals, punctuation or emoji."""
    return _NOT_HEARD.sub(" ", text.lower())


@dataclass(frozen=True, slots=True)
class Scored:
    """Figures over emotions of which a text may have several.

    Attributes:
        macro_f1: Mean F1 of ``EKMAN``; None where no text has any but one of them.
        per_class: Figures of each.
    """

    macro_f1: float | None
    per_class: Mapping[str, ClassFigures]


@dataclass(frozen=True, slots=True)
class SingleLabel:
    """Figures over the texts of exactly one emotion.

    Attributes:
        n: How many they are.
        macro_f1, accuracy: Of the likeliest emotion.
        confusion: What was taken for what.
    """

    n: int
    macro_f1: float | None
    accuracy: float | None
    confusion: Confusion


@dataclass(frozen=True, slots=True)
class TextReport:
    """How well emotion in words is read.

    Attributes:
        texts: Number of texts.
        several: How many of them have more than one emotion.
        as_written: All texts; an emotion is told where its probability reaches the threshold that
            was chosen on the dev split in training.
        as_recognised: The same without capitals, punctuation and emoji.
        single_label: Only texts of one emotion; the one is told that is most above or least below
            its threshold, as a ratio.
        ms_per_text: Mean time to read a text.
    """

    texts: int
    several: int
    as_written: Scored
    as_recognised: Scored
    single_label: SingleLabel
    ms_per_text: float

    def as_json(self) -> dict[str, Any]:
        """Plain data; ``macro_f1`` is that of the texts as written."""
        return {"macro_f1": self.as_written.macro_f1, **asdict(self)}


def evaluate(model: TextEmotion, comments: Sequence[Comment]) -> TextReport:
    """Compares what the model reads in texts with their labels."""
    truth = [comment.ekman for comment in comments]
    began = time.perf_counter()
    written = [model.ekman(words(comment.text)) for comment in comments]
    seconds = time.perf_counter() - began
    heard = [model.ekman(words(as_recognised(comment.text))) for comment in comments]
    singles = [at for at, emotions in enumerate(truth) if len(emotions) == 1]
    matrix = confusion(
        [next(iter(truth[at])) for at in singles],
        [_likeliest(model, written[at]) for at in singles],
        tuple(EKMAN),
    )
    return TextReport(
        texts=len(comments),
        several=len(comments) - len(singles),
        as_written=_scored(model, written, truth),
        as_recognised=_scored(model, heard, truth),
        single_label=SingleLabel(len(singles), macro_f1(matrix), accuracy(matrix), matrix),
        ms_per_text=1000 * seconds / len(comments),
    )


def _likeliest(model: TextEmotion, found: Mapping[str, float]) -> str:
    return max(EKMAN, key=lambda name: found[name] / model.thresholds[name])


def _scored(
    model: TextEmotion,
    found: Iterable[Mapping[str, float]],
    truth: Sequence[frozenset[str]],
) -> Scored:
    told = [{name for name in EKMAN if one[name] >= model.thresholds[name]} for one in found]
    figures = {}
    for name in EKMAN:
        matrix = confusion(
            [_yes(name in one) for one in truth], [_yes(name in one) for one in told], ("yes", "no")
        )
        figures[name] = class_figures(matrix)["yes"]
    present = [one.f1 or 0.0 for one in figures.values() if one.n]
    return Scored(fmean(present) if len(present) > 1 else None, figures)


def _yes(holds: bool) -> str:
    return "yes" if holds else "no"
