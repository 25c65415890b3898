"""Written English as it is said: rules, tried in order wherever a word or a sign begins.

The words that the rules know are in ``english.yaml``.
"""

import re
import unicodedata
from functools import cache

from voice_agent.speaking.normalization.dates import TELEPHONE_RULES, TIME_RULES, date_rules
from voice_agent.speaking.normalization.english_words import known
from voice_agent.speaking.normalization.letters import (
    ABBREVIATION_RULES,
    ACRONYM_RULES,
    ROMAN_RULES,
)
from voice_agent.speaking.normalization.numbers import cardinal, one_by_one, ordinal, year
from voice_agent.speaking.normalization.quantities import MONEY_RULES, UNIT_RULES
from voice_agent.speaking.normalization.reading import Reading
from voice_agent.speaking.normalization.rules import (
    NUMBER,
    Rule,
    bare_number,
    number,
    rule,
)

_BEGINNING = re.compile(r"(?<![A-Za-z])[A-Za-z]|[^A-Za-z\s,!?;:\")]")
"""Where a rule may begin."""


def readings(text: str, day_first: bool = False) -> list[Reading]:
    """Reads what is not written as it is said.

    Args:
        text: The text.
        day_first: Whether 5/6/2024 is the fifth of June.
    """
    rules = _rules(day_first)
    found = []
    at = 0
    while beginning := _BEGINNING.search(text, at):
        at = beginning.start()
        for one in rules:
            match = one.pattern.match(text, at)
            said = one.say(match) if match and match.end() > at else None
            if match and said is not None:
                found.append(Reading(at, match.end(), _apart(match, said)))
                at = match.end()
                break
        else:
            at += 1
    return found


@cache
def _rules(day_first: bool) -> list[Rule]:
    return [
        *ABBREVIATION_RULES,
        *date_rules(day_first),
        *TELEPHONE_RULES,
        *TIME_RULES,
        *MONEY_RULES,
        *UNIT_RULES,
        *_NUMBER_RULES,
        *ROMAN_RULES,
        *ACRONYM_RULES,
        *_SIGN_RULES,
    ]


def _apart(match: re.Match[str], said: str) -> str:
    """What is said for a part of a word is still a word by itself."""
    text, start, end = match.string, match.start(), match.end()
    before, after = text[max(0, start - 1) : start].isalnum(), text[end : end + 1].isalnum()
    return f"{' ' * before}{said}{' ' * after}"


# --- numbers -----------------------------------------------------------------------------


def _decade(match: re.Match[str]) -> str:
    said = year(match["decade"]) if len(match["decade"]) == 4 else cardinal(match["decade"])
    return _plural(said or "")


def _two_digit_year(digits: str) -> str:
    said = cardinal(digits) or ""
    return f"oh {said}" if int(digits) < 10 else said


def _plural(word: str) -> str:
    if word.endswith("y"):
        return f"{word[:-1]}ies"
    return f"{word}es" if word.endswith("x") else f"{word}s"


def _fraction(match: re.Match[str]) -> str:
    part, whole = match["part"], match["whole"]
    of, count = int(whole), int(part)
    before = f"{number(match['before'])} and " if match["before"] else ""
    if of == 10 and not before and count <= 10:
        return f"{number(part)} out of ten"
    if count + of == 100:  # the shares of a split
        return f"{number(part)} {number(whole)}"
    if count == 0 or of < 2 or of > 100 or (count >= of and not before):
        return f"{before}{number(part)} over {number(whole)}"
    one, many = known()["fractions"].get(of) or (ordinal(str(of)), _plural(ordinal(str(of))))
    if count == 1:
        return f"{before}{_article(one) if before else 'one'} {one}"
    return f"{before}{number(part)} {many}"


def _article(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"


_VULGAR = "¼½¾⅐⅑⅒⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞"


def _vulgar(match: re.Match[str]) -> str:
    written = unicodedata.normalize("NFKC", match["sign"]).replace("\u2044", "/")
    before = f"{match['before']} " if match["before"] else ""
    again = _FRACTION.match(before + written)
    assert again is not None  # the signs of _VULGAR are fractions
    return _fraction(again)


_FRACTION = re.compile(
    r"(?<![\w/.,])(?:(?P<before>\d+)[ ])?(?P<part>\d{1,3})/(?P<whole>\d{1,3})(?![\d/])"
)
_NUMBER_RULES = [
    rule(
        r"(?P<amount>\d{1,3}(?:,\d{3})+|\d+)(?:st|nd|rd|th)\b",
        lambda match: ordinal(match["amount"].replace(",", "")),
    ),
    rule(r"(?<![A-Za-z])['’]?(?P<decade>\d{3}0|[2-9]0)['’]?s\b", _decade),
    rule(r"(?<!\w)['’](?P<decade>\d\d)\b(?!['’])", lambda match: _two_digit_year(match["decade"])),
    rule(r"(?<=[A-Z])(?P<amount>\d)s\b", lambda match: _plural(cardinal(match["amount"]) or "")),
    Rule(re.compile(rf"(?<![\w/.,])(?P<before>\d*)\s?(?P<sign>[{_VULGAR}])"), _vulgar),
    Rule(_FRACTION, _fraction),
    rule(
        r"(?<![\w.,])(?P<part>\d\.\d)/(?P<whole>5|10)\b",
        lambda match: f"{number(match['part'])} out of {number(match['whole'])}",
    ),
    rule(
        r"(?<![\w.,])(?P<amount>\d+(?:\.\d+)?)(?P<size>k|(?<=\d\d)K|M|bn)\b",
        lambda match: f"{number(match['amount'])} {known()['magnitudes'][match['size']]}",
    ),
    rule(
        r"(?<![\w.,])\d+(?:\.\d+){2,}(?!\w)",
        lambda match: " point ".join(number(part) for part in match.group().split(".")),
    ),
    rule(r"(?<![\w.,])(?P<amount>\d+)x\b", lambda match: f"{number(match['amount'])} times"),
    rule(
        r"(?<![\w.,])(?:\d{1,2}(?:[ \u00a0\u202f]\d{3})+|\d{3}(?:[ \u00a0\u202f]000)+)"
        r"(?![\w.,]*\d)",
        lambda match: number(re.sub(r"\s", ",", match.group())),
    ),
    rule(rf"(?<![\w.])(?P<amount>{NUMBER})", lambda match: bare_number(match["amount"])),
    rule(r"\bv(?=\d)", lambda match: "version "),
    rule(r"(?<=[A-Z])\d{4,}", lambda match: one_by_one(match.group())),
    rule(r"\d+(?:\.\d+(?!\.?\d))?", lambda match: bare_number(match.group())),
]


# --- signs ----------------------------------------------------------------------------------


def _sign(match: re.Match[str]) -> str | None:
    sign = match.group()
    if sign in known()["symbols"]:
        return f" {known()['symbols'][sign]} "
    digit = unicodedata.digit(sign, None)
    if digit is None or sign.isdecimal():
        return None
    return f" {cardinal(str(digit))} "


_SIGN_RULES = [
    rule(r"(?:(?<=[\d%°])|(?<=\d[ap]m)|(?<=m\.))[-–—](?=[$£€]?\d)", lambda match: " to "),
    rule(
        r"(?<=\d\ )[-–—−](?=\ \d)",
        lambda match: "minus" if "=" in match.string[match.end() :] else "to",
    ),
    rule(r"(?<![\w)\]])[-−](?=[$£€]?\.?\d)", lambda match: "minus "),
    rule(r"(?<=\d)[x](?=\d)|(?<=\d\ )[x*](?=\ \d)|(?<=\d)\*(?=\d)", lambda match: " times "),
    rule(r"(?<=\w)['’](?=\w)|[.'’-]", lambda match: None),
    rule(r"(?<=\w)_(?=\w)", lambda match: " "),
    rule(r"(?<=\s)/(?=\s)", lambda match: ","),
    rule(r"(?<=\w)\^(?=[-−]?\d)", lambda match: " to the power of "),
    rule(r"[^A-Za-z\s]", _sign),
]
