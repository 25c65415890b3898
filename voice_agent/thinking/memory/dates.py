"""Dates that stay true: "tomorrow", told on a Thursday, becomes "on Friday, November 27"."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = (
    "January February March April May June July August September October November December".split()
)
_PART = r"(?: (?:morning|afternoon|evening|night))?"


def absolute(text: str, at: float) -> str:
    """Writes out what a clause says relative to the day on which it was told.

    Args:
        text: A clause, with "tomorrow", "next week", "on Friday"…
        at: When it was told, seconds since the epoch, taken in local time.
    """
    day = datetime.fromtimestamp(at)
    dated = _ANY.sub(lambda found: _RULES[int((found.lastgroup or "")[1:])][1](day, found), text)
    return _TWO_PREPOSITIONS.sub(r"\1", dated)


def _date(day: datetime) -> str:
    return f"{_DAYS[day.weekday()].capitalize()} {_MONTHS[day.month - 1]} {day.day}"


def _in_days(days: int) -> Callable[[datetime, re.Match[str]], str]:
    return lambda day, _: f"on {_date(day + timedelta(days=days))}"


def _weekday(day: datetime, found: re.Match[str]) -> str:
    if found["month"]:
        return found[0]
    ahead = (_DAYS.index(found["day"].lower()) - day.weekday()) % 7 or 7
    if found["last"]:
        ahead -= 7 if ahead < 7 else 14
    return f"on {_date(day + timedelta(days=ahead))}"


def _week(weeks: int) -> Callable[[datetime, re.Match[str]], str]:
    def write(day: datetime, _: re.Match[str]) -> str:
        monday = day - timedelta(days=day.weekday()) + timedelta(weeks=weeks)
        return f"in the week of {_MONTHS[monday.month - 1]} {monday.day}"

    return write


def _weekend(weeks: int) -> Callable[[datetime, re.Match[str]], str]:
    def write(day: datetime, _: re.Match[str]) -> str:
        saturday = day - timedelta(days=day.weekday()) + timedelta(days=5, weeks=weeks)
        return f"on the weekend of {_MONTHS[saturday.month - 1]} {saturday.day}"

    return write


def _month(months: int) -> Callable[[datetime, re.Match[str]], str]:
    return lambda day, _: f"in {_MONTHS[(day.month - 1 + months) % 12]}"


def _year(years: int) -> Callable[[datetime, re.Match[str]], str]:
    return lambda day, _: f"in {day.year + years}"


def _away(sign: int, group: str) -> Callable[[datetime, re.Match[str]], str]:
    def write(day: datetime, found: re.Match[str]) -> str:
        said = found[f"{group}count"].lower()
        count = sign * (int(said) if said.isdigit() else _COUNTS.index(said) + 1)
        match found[f"{group}unit"].lower().rstrip("s"):
            case "minute" | "hour":
                return _in_days(0)(day, found)
            case "day":
                return _in_days(count)(day, found)
            case "week":
                return _week(count)(day, found)
            case "month" if abs(count) < 12:
                return _month(count)(day, found)
            case "year":
                return _year(count)(day, found)
        return found[0]

    return write


_COUNTS = "one two three four five six seven eight nine ten eleven twelve".split()
_AWAY = (
    rf"(?P<{{0}}count>\d{{{{1,2}}}}|{'|'.join(_COUNTS)}) "
    r"(?P<{0}unit>(?:minute|hour|day|week|month|year)s?)"
)

_RULES = (
    (rf"the day after tomorrow{_PART}", _in_days(2)),
    (rf"tomorrow{_PART}", _in_days(1)),
    (r"tonight|today|this (?:morning|afternoon|evening)", _in_days(0)),
    (r"the day before yesterday", _in_days(-2)),
    (rf"yesterday{_PART}|last night", _in_days(-1)),
    (r"(?:in the )?next week|in a week", _week(1)),
    (r"this week", _week(0)),
    (r"last week|a week ago", _week(-1)),
    (r"(?:at |on )?(?:this|the) (?:coming )?weekend", _weekend(0)),
    (r"(?:on )?next weekend", _weekend(1)),
    (r"last weekend", _weekend(-1)),
    (r"this month", _month(0)),
    (r"next month|in a month", _month(1)),
    (r"last month|a month ago", _month(-1)),
    (r"this year", _year(0)),
    (r"next year", _year(1)),
    (r"last year|a year ago", _year(-1)),
    (f"in {_AWAY.format('to')}", _away(1, "to")),
    (f"{_AWAY.format('ago')} ago", _away(-1, "ago")),
    (
        rf"(?:on |this |next |coming |(?P<last>last ))*(?P<day>{'|'.join(_DAYS)}){_PART}"
        rf"(?P<month> (?:{'|'.join(_MONTHS)}) \d+)?",
        _weekday,
    ),
)
_TWO_PREPOSITIONS = re.compile(
    r"\b((?:for|about|since|until|by|of|from|before|after) )(?:on|in) "
    rf"(?=the week|\d{{4}}|{'|'.join((*_MONTHS, *(day.capitalize() for day in _DAYS)))})"
)
_ANY = re.compile(
    r"(?<!every )\b(?:"
    + "|".join(f"(?P<r{n}>{pattern})" for n, (pattern, _) in enumerate(_RULES))
    + r")\b",
    re.IGNORECASE,
)
