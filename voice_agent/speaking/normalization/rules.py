"""What a rule is, and what several rules share."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from voice_agent.speaking.normalization import numbers

NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+"
"""A number as English writes it, with commas or a point."""

_LONG_CODE = 5
"""Digits from which on a bare number without commas is a code, unless it is round."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Reads what a pattern matches.

    Attributes:
        pattern: Tried where a word, a number or a sign begins.
        say: What is said for a match; None where the rule does not apply after all.
    """

    pattern: re.Pattern[str]
    say: Callable[[re.Match[str]], str | None]


def rule(pattern: str, say: Callable[[re.Match[str]], str | None]) -> Rule:
    """A rule out of a verbose pattern."""
    return Rule(re.compile(pattern, re.VERBOSE), say)


def number(written: str) -> str:
    """A number as written; with a leading zero it is a code, read digit by digit."""
    plain = written.replace(",", "")
    if "." in plain:
        return numbers.decimal(plain) or ""
    if len(plain) > 1 and int(plain[0]) == 0:
        return numbers.one_by_one(plain) or ""
    return numbers.cardinal(plain) or ""


def bare_number(written: str) -> str:
    """A number of which nothing tells what it counts: it may be a year or a code."""
    if not written.isdecimal():
        return number(written)
    if len(written) == 4 and 1100 <= int(written) <= 2099:
        return numbers.year(written) or ""
    if len(written) >= _LONG_CODE and not written.endswith("00"):
        return numbers.one_by_one(written) or ""
    return number(written)


def is_one(written: str) -> bool:
    """Whether what is counted is in the singular."""
    return written.isdecimal() and int(written) == 1


def ends_sentence(match: re.Match[str]) -> bool:
    """Whether the point that ends a match ends the sentence, too."""
    return bool(re.match(r"[\"'”’)]*(?:\s*$|\s+[A-Z])", match.string[match.end() :]))
