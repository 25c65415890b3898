"""Numbers as words, in every language that num2words knows."""

from decimal import Decimal
from functools import cache
from typing import Any, Literal

from voice_agent.errors import EngineUnavailable
from voice_agent.packages import install_command

_MOST_DIGITS = 15
"""Digits from which on a number is read one by one: nobody follows quadrillions."""


def cardinal(digits: str, language: str = "en") -> str | None:
    """A whole number in words: ``"21"`` as ``twenty-one``; None where the language is unknown."""
    if len(digits) > _MOST_DIGITS:
        return one_by_one(digits, language)
    return _words(int(digits), language, "cardinal")


def ordinal(digits: str) -> str:
    """An English ordinal number: ``"21"`` as ``twenty-first``."""
    if len(digits) > _MOST_DIGITS:
        return f"{one_by_one(digits)}th"
    return _words(int(digits), "en", "ordinal") or digits


def year(digits: str, language: str = "en") -> str | None:
    """A year: ``"1984"`` as ``nineteen eighty-four``."""
    return _words(int(digits), language, "year") or cardinal(digits, language)


def decimal(digits: str, language: str = "en") -> str | None:
    """A number with a decimal point: ``"2.50"`` as ``two point five zero``."""
    whole, _, part = digits.partition(".")
    if language == "en":
        return f"{cardinal(whole) if whole else ''} point {one_by_one(part)}".strip()
    return _words(Decimal(digits), language, "cardinal") if len(part) <= 6 else None


def one_by_one(digits: str, language: str = "en") -> str | None:
    """Digits each by itself."""
    said = [_words(int(digit), language, "cardinal") for digit in digits]
    return " ".join(word for word in said if word) if all(said) else None


def ensure() -> Any:
    """Imports num2words.

    Raises:
        EngineUnavailable: It is not installed.
    """
    try:
        import num2words
    except ImportError as error:
        raise EngineUnavailable(
            f"num2words is not installed; it comes with: {install_command('neural')}"
        ) from error
    return num2words


@cache
def _known(language: str) -> str | None:
    """The language's name in num2words: with its region if that has its own numbers."""
    parts = language.replace("_", "-").split("-")
    names = (f"{parts[0].lower()}_{parts[-1].upper()}", parts[0].lower())
    return next((name for name in names if name in ensure().CONVERTER_CLASSES), None)


def _words(
    number: int | Decimal, language: str, kind: Literal["cardinal", "ordinal", "year"]
) -> str | None:
    name = _known(language)
    if name is None:
        return None
    try:
        said: str = ensure().num2words(number, lang=name, to=kind)
    except (NotImplementedError, OverflowError, IndexError, KeyError, TypeError, ValueError):
        return None  # some languages know small numbers or cardinals alone
    return said.replace(",", "")
