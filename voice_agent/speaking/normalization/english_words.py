"""The words that the rules of English know, out of ``english.yaml``."""

import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any

import yaml


@cache
def known() -> dict[str, Any]:
    """What ``english.yaml`` holds."""
    source = files(__package__) / "english.yaml"
    data: dict[str, Any] = yaml.safe_load(source.read_text(encoding="utf-8"))
    return data


def one_of(names: Iterable[str]) -> str:
    """A pattern for any of the names, the longest that fits."""
    return "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))


@cache
def months() -> dict[str, str]:
    """Months by their names and abbreviations."""
    return _by_any_name("months")


@cache
def days() -> dict[str, str]:
    """Days of the week by their abbreviations."""
    return {name: day for name, day in _by_any_name("days").items() if name != day}


def _by_any_name(group: str) -> dict[str, str]:
    entries: dict[str, list[str]] = known()[group]
    return {name: full for full, short in entries.items() for name in (full, *short)}
