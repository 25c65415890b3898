"""Options that several commands have."""

from enum import StrEnum
from typing import Annotated

import typer

Source = Annotated[
    str,
    typer.Option("--config", "-c", metavar="PROFILE|FILE", help="Profile or configuration file."),
]

EngineName = Annotated[
    str | None,
    typer.Option("--engine", metavar="NAME", help="Another engine than the configuration's."),
]

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")]


class LogLevel(StrEnum):
    """From which level on the log is written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


Logging = Annotated[
    LogLevel, typer.Option("--log-level", case_sensitive=False, help="How much to log, on stderr.")
]
