"""Options that several commands have."""

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from voice_agent.person import Person

Source = Annotated[
    str,
    typer.Option(
        "--config",
        "-c",
        metavar="PROFILE|FILE",
        help="Profile (auto: the best that is installed and runs here) or configuration file.",
    ),
]

EngineName = Annotated[
    str | None,
    typer.Option("--engine", metavar="NAME", help="Another engine than the configuration's."),
]

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")]


UserName = Annotated[
    str | None,
    typer.Option("--user", metavar="NAME", help="Who is talking, to be remembered by that name."),
]


class LogLevel(StrEnum):
    """From which level on the log is written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


Logging = Annotated[
    LogLevel, typer.Option("--log-level", case_sensitive=False, help="How much to log, on stderr.")
]


def person(name: str) -> "Person":
    """The person of a name.

    Raises:
        typer.BadParameter: It is no name.
    """
    from voice_agent.person import Person

    try:
        return Person.here(name)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--user") from error


def rows_by_column(conditions: Sequence[str], option: str) -> dict[str, list[str]]:
    """Reads ``COLUMN=VALUE[,VALUE]`` conditions on the rows of a manifest.

    Raises:
        typer.BadParameter: One of them has another form.
    """
    rows: dict[str, list[str]] = {}
    for condition in conditions:
        column, equals, values = condition.partition("=")
        if not (column and equals):
            raise typer.BadParameter(
                f"{condition!r} is not COLUMN=VALUE[,VALUE]", param_hint=option
            )
        rows.setdefault(column.strip(), []).extend(value.strip() for value in values.split(","))
    return rows
