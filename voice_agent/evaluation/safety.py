"""How well the safety gate tells risk of suicide and self-harm from other talk.

A text counts as flagged where the gate, asked about it as a first turn in writing, would give a
reviewed answer to suicide risk or self-harm: of the person, or of somebody they fear for. Other
dangers (a medical emergency, violence, abuse) are counted beside, and are neither hit nor alarm.
"""

import csv
import json
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from voice_agent.errors import ManifestError
from voice_agent.events import UserTurn
from voice_agent.thinking.safety import Danger, Level, Risk, SafetyGate

_FLAGGED = frozenset((Danger.HARM_DONE, Danger.SELF_HARM, Danger.OTHER_AT_RISK))
_YES, _NO = frozenset(("yes", "true", "1")), frozenset(("no", "false", "0"))
_NOT_HEARD = re.compile(r"[^\w\s'’]|_")


@dataclass(frozen=True, slots=True)
class Utterance:
    """Something that a person may say.

    Attributes:
        text: The words.
        risk: Whether it calls for an answer to suicide risk or self-harm; None where unlabelled.
        kind: What sort of utterance it is, by the label.
    """

    text: str
    risk: bool | None = None
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Flagged:
    """A text and what the gate makes of it."""

    text: str
    kind: str
    danger: str
    level: str
    signs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KindFigures:
    """How many utterances of one kind there are, and how many were flagged."""

    kind: str
    risk: bool
    n: int
    flagged: int


@dataclass(frozen=True, slots=True)
class SafetyReport:
    """How well risk is told.

    Attributes:
        risky, harmless: Number of utterances of each label.
        recall: Share of the risky ones that were flagged; None where there are none.
        false_alarms: Share of the harmless ones that were flagged; None where there are none.
        recall_recognised, false_alarms_recognised: The same without capitals and punctuation, as
            speech recognition writes.
        per_kind: Figures by kind.
        missed, alarmed: What was judged wrongly.
        ms_per_text: Mean time for a text.
    """

    risky: int
    harmless: int
    recall: float | None
    false_alarms: float | None
    recall_recognised: float | None
    false_alarms_recognised: float | None
    per_kind: tuple[KindFigures, ...]
    missed: tuple[Flagged, ...]
    alarmed: tuple[Flagged, ...]
    ms_per_text: float

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class FlaggedReport:
    """What is flagged of texts without labels.

    Attributes:
        texts: Number of texts.
        share: Share flagged.
        dangers: Texts by the danger that the gate would answer, all kinds.
        flagged: Those of suicide risk or self-harm.
        ms_per_text: Mean time for a text.
    """

    texts: int
    share: float
    dangers: Mapping[str, int]
    flagged: tuple[Flagged, ...]
    ms_per_text: float

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def read(
    path: Path,
    *,
    labelled: bool = True,
    column: str = "text",
    where: Mapping[str, Sequence[str]] | None = None,
) -> list[Utterance]:
    """Reads utterances from a file.

    A CSV, JSONL or YAML file holds rows with ``text``, ``risk`` (yes or no) and ``kind``; a row of
    YAML may have ``texts``, a list, instead. Any other file holds a text a line, without labels.

    Args:
        path: The file.
        labelled: Whether each row must say its risk.
        column: Name of the texts' column, in upper or lower case.
        where: Only rows with one of these values in these columns.

    Raises:
        ManifestError: The file cannot be read or has another form.
    """
    try:
        rows = list(_rows(path, column.lower()))
    except (OSError, UnicodeDecodeError, csv.Error, json.JSONDecodeError, yaml.YAMLError) as error:
        raise ManifestError(f"{path} cannot be read: {error}") from error
    chosen = [
        row
        for row in rows
        if all(str(row.get(name.lower(), "")) in values for name, values in (where or {}).items())
    ]
    utterances = [
        _utterance(path, number, row, column.lower(), labelled)
        for number, row in enumerate(chosen, 1)
    ]
    kept = [utterance for utterance in utterances if utterance.text.strip()]
    if not kept:
        raise ManifestError(f"{path} holds no texts")
    return kept


def _rows(path: Path, column: str) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8", newline="") as file:
        match path.suffix.lower():
            case ".csv":
                csv.field_size_limit(1 << 27)
                for row in csv.DictReader(file):
                    yield {str(name).lower(): value for name, value in row.items()}
            case ".jsonl":
                yield from (_row(path, json.loads(line)) for line in file if line.strip())
            case ".yaml" | ".yml":
                for entry in yaml.safe_load(file) or ():
                    group = _row(path, entry)
                    texts = group.pop("texts", [group.get(column, "")])
                    yield from ({**group, column: text} for text in texts)
            case _:
                yield from ({column: line.strip()} for line in file)


def _row(path: Path, entry: object) -> dict[str, Any]:
    if not isinstance(entry, dict):
        raise ManifestError(f"{path}: each row must hold keys and values, found {entry!r:.60}")
    return {str(name).lower(): value for name, value in entry.items()}


def _utterance(
    path: Path, number: int, row: Mapping[str, Any], column: str, labelled: bool
) -> Utterance:
    if column not in row:
        raise ManifestError(f"{path}, row {number}: has no column {column!r}, only {list(row)}")
    text, kind = str(row[column] or ""), str(row.get("kind") or "")
    if not labelled:
        return Utterance(text, None, kind)
    risk = str(row.get("risk", "")).strip().lower()
    if risk not in _YES | _NO:
        raise ManifestError(f"{path}, row {number}: risk must be yes or no, found {risk!r}")
    return Utterance(text, risk in _YES, kind)


def as_recognised(text: str) -> str:
    """A text as speech recognition gives it: no capitals, no punctuation."""
    return " ".join(_NOT_HEARD.sub(" ", text.lower()).split())


def evaluate(utterances: Sequence[Utterance]) -> SafetyReport:
    """Compares what the gate flags with the labels."""
    began = time.perf_counter()
    risks = [_assess(utterance.text) for utterance in utterances]
    seconds = time.perf_counter() - began
    heard = [is_flagged(_assess(as_recognised(utterance.text))) for utterance in utterances]
    told = [is_flagged(risk) for risk in risks]
    risky = [bool(utterance.risk) for utterance in utterances]
    wrong = [
        (utterance, _flagged(utterance, risk))
        for utterance, risk, flag in zip(utterances, risks, told, strict=True)
        if flag != utterance.risk
    ]
    return SafetyReport(
        risky=sum(risky),
        harmless=len(risky) - sum(risky),
        recall=_share(told, risky, True),
        false_alarms=_share(told, risky, False),
        recall_recognised=_share(heard, risky, True),
        false_alarms_recognised=_share(heard, risky, False),
        per_kind=_per_kind(utterances, told),
        missed=tuple(flagged for utterance, flagged in wrong if utterance.risk),
        alarmed=tuple(flagged for utterance, flagged in wrong if not utterance.risk),
        ms_per_text=1000 * seconds / len(utterances),
    )


def flag(utterances: Sequence[Utterance]) -> FlaggedReport:
    """What the gate flags of texts without labels."""
    began = time.perf_counter()
    risks = [(utterance, _assess(utterance.text)) for utterance in utterances]
    seconds = time.perf_counter() - began
    flagged = [_flagged(utterance, risk) for utterance, risk in risks if is_flagged(risk)]
    dangers = Counter(str(risk.danger) for _, risk in risks if risk.level >= Level.CONCERN)
    return FlaggedReport(
        texts=len(utterances),
        share=len(flagged) / len(utterances),
        dangers=dict(dangers.most_common()),
        flagged=tuple(flagged),
        ms_per_text=1000 * seconds / len(utterances),
    )


def is_flagged(risk: Risk) -> bool:
    """Whether the gate would answer to suicide risk or self-harm."""
    return risk.level >= Level.CONCERN and risk.danger in _FLAGGED


def _assess(text: str) -> Risk:
    # A gate of its own for each: nothing that went before counts.
    return SafetyGate().assess(UserTurn(text))


def _flagged(utterance: Utterance, risk: Risk) -> Flagged:
    danger = str(risk.danger) if risk.danger else "none"
    return Flagged(utterance.text, utterance.kind, danger, risk.level.name.lower(), risk.signs)


def _share(told: Iterable[bool], labels: Iterable[bool], of: bool) -> float | None:
    those = [flag for flag, label in zip(told, labels, strict=True) if label is of]
    return sum(those) / len(those) if those else None


def _per_kind(utterances: Sequence[Utterance], told: Sequence[bool]) -> tuple[KindFigures, ...]:
    kinds = dict.fromkeys((utterance.kind, bool(utterance.risk)) for utterance in utterances)
    figures = []
    for kind, risk in kinds:
        flags = [
            flag
            for utterance, flag in zip(utterances, told, strict=True)
            if (utterance.kind, utterance.risk) == (kind, risk)
        ]
        figures.append(KindFigures(kind, risk, len(flags), sum(flags)))
    return tuple(figures)
