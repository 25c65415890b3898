"""Numbers in the languages of num2words; all else is left to the voice."""

import re

from voice_agent.speaking.normalization import numbers
from voice_agent.speaking.normalization.reading import Reading

_NUMBER = re.compile(
    r"(?<![\d.,])(\d{1,3}(?:[., '’\u00a0\u202f]\d{3})+|\d+)(?:([.,])(\d+))?(?![\d.,]*\d)"
)
_DIGITS = re.compile(r"\d+|(?<=\d):(?=\d)")
_POINT = ("ja", "ko", "th", "he", "zh")
"""Languages that write decimals with a point, as English does; the others write a comma."""


def readings(text: str, language: str) -> list[Reading]:
    """Reads the numbers of a text; none where the language is not known."""
    found = []
    at = 0
    while match := _DIGITS.search(text, at):
        whole = _NUMBER.match(text, match.start())
        said = _decimal(whole, language) if whole else None
        if whole is None or said is None:
            whole, said = match, _whole(match.group(), language) if match.group() != ":" else " "
        if said is not None:
            found.append(Reading(whole.start(), whole.end(), _apart(text, whole, said)))
        at = whole.end()
    return found


def _decimal(match: re.Match[str], language: str) -> str | None:
    """The number if its marks are the language's own."""
    whole, mark, part = match.groups()
    point = "." if language.partition("-")[0].lower() in _POINT else ","
    if point in whole or (mark and mark != point):
        return None
    digits = re.sub(r"\D", "", whole)
    if part is not None:
        return numbers.decimal(f"{digits}.{part}", language)
    return _whole(digits, language) if digits == whole else numbers.cardinal(digits, language)


def _whole(digits: str, language: str) -> str | None:
    if (digits[0] == "0" and len(digits) > 1) or len(digits) > 9:
        return numbers.one_by_one(digits, language)
    if len(digits) == 4 and 1100 <= int(digits) <= 2099:
        return numbers.year(digits, language)
    return numbers.cardinal(digits, language)


def _apart(text: str, match: re.Match[str], said: str) -> str:
    """A number that touches letters or digits is still a word by itself."""
    before, after = text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1]
    return f"{' ' * before.isalnum()}{said}{' ' * after.isalnum()}"
