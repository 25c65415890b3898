"""Money and quantities in English: numbers with what they count."""

import re

from voice_agent.speaking.normalization.english_words import known, one_of
from voice_agent.speaking.normalization.numbers import cardinal
from voice_agent.speaking.normalization.rules import NUMBER, is_one, number, rule

# --- money ----------------------------------------------------------------------------------

_CURRENCIES: dict[str, tuple[str, str, str, str]] = known()["currencies"]
_CURRENCY = one_of(_CURRENCIES)
_MAGNITUDE = rf"(?:\s?(?P<magnitude>{one_of(known()['magnitudes'])})(?![A-Za-z]))?"
_PER = r"(?:/(?P<per>[a-z]+)\b)?"


def _per(match: re.Match[str]) -> str:
    written = match["per"]
    return f" per {known()['per'].get(written, written)}" if written else ""


def _money(match: re.Match[str]) -> str:
    sign, amount = match["currency"], match["amount"]
    last, magnitude = match["last"], match["magnitude"]
    per = _per(match)
    one, many, *_ = _CURRENCIES[sign]
    if magnitude:
        size = known()["magnitudes"][magnitude]
        upto = f"{number(amount)} to {number(last)}" if last else number(amount)
        return f"{upto} {size} {many}{per}"
    if last:
        return f"{number(amount)} to {number(last)} {many}{per}"
    if re.fullmatch(r"[\d,]*\.\d\d", amount):
        return f"{_with_cents(sign, amount)}{per}"
    return f"{number(amount)} {one if is_one(amount) else many}{per}"


def _with_cents(sign: str, amount: str) -> str:
    one, many, cent, cents = _CURRENCIES[sign]
    whole, _, part = amount.partition(".")
    whole = whole or "0"
    said = []
    if int(whole.replace(",", "")) or not int(part):
        said.append(f"{number(whole)} {one if is_one(whole) else many}")
    if int(part):
        said.append(f"{cardinal(part)} {cent if is_one(part) else cents}")
    return " and ".join(said)


_RANGE = rf"(?:\s?[-–—]\s?(?:(?P=currency))?\s?(?P<last>{NUMBER}))?"
MONEY_RULES = [
    rule(
        rf"(?<![A-Za-z])(?P<currency>{_CURRENCY})\s?(?P<amount>{NUMBER}){_RANGE}{_MAGNITUDE}{_PER}",
        _money,
    ),
    rule(
        rf"(?<![\w.,])(?P<amount>{NUMBER})(?:\s?[-–—]\s?(?P<last>{NUMBER}))?{_MAGNITUDE}\s?"
        rf"(?P<currency>{_CURRENCY})(?![A-Za-z\d]){_PER}",
        _money,
    ),
]


# --- numbers, with what is counted ----------------------------------------------------------

_UNITS: dict[str, tuple[str, str]] = known()["units"]


def _quantity(match: re.Match[str]) -> str | None:
    amount, unit, last = match["amount"], match["unit"], match["last"]
    if match["gap"] and unit in known()["touching"]:
        return None
    one, many = _UNITS[unit]
    per = _per(match)
    if last:
        return f"{number(amount)} to {number(last)} {many}{per}"
    if match["gap"] == "-":
        return f"{number(amount)}-{one}{per}"
    return f"{number(amount)} {one if is_one(amount) else many}{per}"


def _is_decade(match: re.Match[str]) -> bool:
    return bool(re.fullmatch(r"(?:\d{3}0|[2-9]0)s", match.group()))


def _per_time(match: re.Match[str]) -> str:
    return f" per {known()['per'].get(match['per'], match['per'])}"


UNIT_RULES = [
    rule(
        r"(?<![\w.,])(?P<feet>\d)(?:['’′]|\ ?ft\ ?)(?P<inches>1[01]|\d)"
        r"(?:[\"”″]|''|\ ?in\b)?(?!\w)",
        lambda match: f"{cardinal(match['feet'])} foot {cardinal(match['inches'])}",
    ),
    rule(
        rf"(?<![A-Za-z])(?P<amount>{NUMBER})(?:\s?[-–—]\s?(?P<last>{NUMBER}))?(?P<gap>[ \u00a0-]?)"
        rf"(?P<unit>{one_of(_UNITS)})(?![A-Za-z\d²³]|-\d){_PER}",
        lambda match: None if _is_decade(match) else _quantity(match),
    ),
    rule(rf"(?<=[a-z])/(?P<per>{one_of(known()['per'])})\b", _per_time),
]
