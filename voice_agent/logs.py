"""Logs: one JSON object a line for a server, plain lines for a person at a terminal.

What people said is never logged; ids, engines, counts and times are.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Literal

Level = Literal["debug", "info", "warning", "error"]

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}
"""What every record has; all else was given as ``extra``."""


class JsonFormatter(logging.Formatter):
    """Writes a record and what was given as ``extra`` as one JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """Returns the line."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {key: value for key, value in vars(record).items() if key not in _OWN}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class PlainFormatter(logging.Formatter):
    """Writes a record as a line for a person."""

    def format(self, record: logging.LogRecord) -> str:
        """Returns the line, with the traceback only where somebody looks for faults."""
        line = f"{record.levelname.lower()}: {record.getMessage()}"
        if record.exc_info and logging.getLogger().isEnabledFor(logging.DEBUG):
            line += f"\n{self.formatException(record.exc_info)}"
        return line


def configure(level: Level, *, structured: bool) -> None:
    """Sends all logs to stderr.

    Args:
        level: From which level on.
        structured: JSON lines for machines, else plain lines for a person.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if structured else PlainFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # Below that libraries speak of every request and frame, and tell what is in them.
    for name in (
        *("httpx", "httpcore", "httpx2", "httpcore2", "openai"),
        *("websockets", "asyncio", "uvicorn"),
    ):
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))
