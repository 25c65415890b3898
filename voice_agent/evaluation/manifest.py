"""Manifests: tables of labelled recordings, as CSV with a header.

Columns are ``path`` (relative to the manifest) and any of ``emotion``, ``gender``, ``age``,
``label`` (a sound), ``speaker`` and ``corpus``; others can be selected by. Comma, semicolon and
tab may separate them.
"""

import csv
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from voice_agent.audio.files import describe
from voice_agent.errors import AudioError, ManifestError
from voice_agent.evaluation import labels

Where = Mapping[str, Sequence[str]]
"""Rows to take: by column, the values one of which a row must have there."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A labelled recording; a label is None where the manifest does not give it.

    Attributes:
        row: Line of the manifest, counted from 1 for the header.
        path: The audio file.
        speaker: Who speaks.
        emotion: One of ``EMOTIONS`` or ``calm``.
        gender: ``female`` or ``male``.
        age: ``child``, ``adult`` or ``old``.
        event: One of ``VOCAL_EVENTS``, ``other`` for every sound that is none.
        split: What the manifest's column of that name says, such as ``train`` or ``test``.
    """

    row: int
    path: Path
    speaker: str | None = None
    emotion: str | None = None
    gender: str | None = None
    age: str | None = None
    event: str | None = None
    split: str | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """What was selected of a manifest.

    Attributes:
        clips: The recordings, in the order of the file.
        emotions: The emotions that the corpora of these recordings have, whether or not one of
            the recordings shows them.
        warnings: What was left out and why, for a person to read.
    """

    clips: tuple[Clip, ...]
    emotions: frozenset[str]
    warnings: tuple[str, ...] = ()


Row = tuple[int, Mapping[str, str]]


def read(
    path: Path,
    where: Where | None = None,
    limit: int | None = None,
    seed: int = 0,
    leave: Where | None = None,
) -> Manifest:
    """Reads a manifest.

    Args:
        path: The CSV file.
        where: Which rows to take; all if None.
        limit: Take a random choice of this many of them.
        seed: What that choice depends on.
        leave: Which rows to leave out; a manifest without such a column loses none.

    Raises:
        ManifestError: The file, a row or an audio file cannot be read, or nothing is left. Names
            the row.
    """
    columns, rows = _table(path)
    rows = [
        (line, row)
        for line, row in rows
        if not any(row.get(column) in values for column, values in (leave or {}).items())
    ]
    selected = _selected(path, columns, rows, where or {})
    if limit is not None and limit < len(selected):
        selected = sorted(random.Random(seed).sample(selected, limit), key=lambda row: row[0])
    corpora = {row.get("corpus") for _, row in selected}
    task = [row for _, row in rows if row.get("corpus") in corpora]
    emotions = frozenset(
        mapped for row in task if (mapped := labels.emotion(row.get("emotion", "")))
    )
    return Manifest(
        clips=tuple(_clip(path, line, row) for line, row in selected),
        emotions=emotions,
        warnings=tuple(_warnings([row for _, row in selected])),
    )


def _table(path: Path) -> tuple[list[str], list[Row]]:
    """The columns and the rows that are not empty, each with its line."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            head = file.readline()
            file.seek(0)
            separator = max(",;\t", key=head.count)
            reader = csv.reader(file, delimiter=separator, strict=True)
            columns = [name.strip() for name in next(reader, [])]
            _check_columns(path, columns)
            rows: list[Row] = []
            for values in reader:
                if not any(value.strip() for value in values):
                    continue
                if len(values) != len(columns):
                    raise ManifestError(
                        f"{path}, row {reader.line_num}: {len(values)} values for "
                        f"{len(columns)} columns ({', '.join(columns)})"
                    )
                stripped = (value.strip() for value in values)
                rows.append((reader.line_num, dict(zip(columns, stripped, strict=True))))
    except OSError as error:
        raise ManifestError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ManifestError(f"{path} is not UTF-8 text: {error.reason}") from error
    except csv.Error as error:
        raise ManifestError(f"{path}, row {reader.line_num}: is not CSV: {error}") from error
    if not rows:
        raise ManifestError(f"{path} has a header and no rows")
    return columns, rows


def _check_columns(path: Path, columns: list[str]) -> None:
    if "path" not in columns:
        found = ", ".join(filter(None, columns)) or "none"
        raise ManifestError(
            f"{path} has no column 'path'; its first row must name the columns, found: {found}"
        )
    twice = [name for name, count in Counter(columns).items() if count > 1]
    if twice:
        raise ManifestError(f"{path} has the column {twice[0]!r} twice")


def _selected(path: Path, columns: list[str], rows: list[Row], where: Where) -> list[Row]:
    for column, values in where.items():
        if column not in columns:
            raise ManifestError(
                f"{path} has no column {column!r} to select by; it has: {', '.join(columns)}"
            )
        known = Counter(row[column] for _, row in rows)
        for value in values:
            if value not in known:
                common = ", ".join(repr(name) for name, _ in known.most_common(12))
                raise ManifestError(f"{path}: no row has {column}={value}; there are {common}")
    selected = [
        (line, row)
        for line, row in rows
        if all(row[column] in values for column, values in where.items())
    ]
    if not selected:
        raise ManifestError(f"{path}: no row fulfils all that is asked for")
    return selected


def _clip(manifest: Path, line: int, row: Mapping[str, str]) -> Clip:
    if not row["path"]:
        raise ManifestError(f"{manifest}, row {line}: the path is empty")
    path = manifest.parent / row["path"]
    try:
        describe(path)
    except AudioError as error:
        raise ManifestError(f"{manifest}, row {line}: {error}") from error
    return Clip(
        row=line,
        path=path,
        speaker=row.get("speaker") or None,
        emotion=labels.emotion(row.get("emotion", "")),
        gender=labels.gender(row.get("gender", "")),
        age=labels.age(row.get("age", "")),
        event=labels.event(row["label"]) if row.get("label") else None,
        split=row.get("split") or None,
    )


_READ_AS: Mapping[str, Callable[[str], str | None]] = {
    "emotion": labels.emotion,
    "gender": labels.gender,
    "age": labels.age,
}


def _warnings(rows: list[Mapping[str, str]]) -> list[str]:
    """Says which labels are not understood; rows without a label are no surprise."""
    warnings = []
    for column, understand in _READ_AS.items():
        given = Counter(row[column] for row in rows if row.get(column))
        unknown = {name: n for name, n in given.items() if understand(name) is None}
        if unknown:
            names = ", ".join(f"{name!r} ({n})" for name, n in unknown.items())
            warnings.append(f"{column}: not known and left out: {names}")
    return warnings
