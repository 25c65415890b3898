"""Dates, times of day and telephone numbers in English."""

import re

from voice_agent.speaking.normalization.english_words import days, known, months, one_of
from voice_agent.speaking.normalization.letters import spelt
from voice_agent.speaking.normalization.numbers import cardinal, one_by_one, ordinal, year
from voice_agent.speaking.normalization.rules import Rule, ends_sentence, rule

_MONTH = one_of(months())
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_YEAR = r"(?:1[1-9]|20)\d\d"
_SHORT = "Feb Apr Jul Aug Sep Sept Oct Nov Dec".split()
"""Months that stand alone; the others are names and words besides."""

_DAY_BEFORE = re.compile(r"\b(?:on|by|until|since|\w+day,?) $")
_NAMES = tuple(known()["months"])


def date_rules(day_first: bool) -> list[Rule]:
    """The rules for dates.

    Args:
        day_first: Whether 5/6/2024 is the fifth of June.
    """

    def numeric(match: re.Match[str]) -> str | None:
        first, second = int(match["first"]), int(match["second"])
        european = match["mark"] == "." or (day_first and second <= 12) or first > 12
        day, month = (first, second) if european else (second, first)
        if not (1 <= month <= 12 and 1 <= day <= 31):
            return None
        return _date(_NAMES[month - 1], str(day), match["year"])

    def after_day(match: re.Match[str]) -> str | None:
        before = match.string[: match.start()]
        return numeric(match) if _DAY_BEFORE.search(before) else None

    return [
        rule(
            r"(?<![\w-])(?P<year>\d{4})-(?P<month>0[1-9]|1[0-2])-(?P<day>[0-2]\d|3[01])(?![\w-])",
            lambda match: _date(_NAMES[int(match["month"]) - 1], match["day"], match["year"]),
        ),
        rule(
            r"(?<![\w/.-])(?P<first>\d{1,2})(?P<mark>[/.-])(?P<second>\d{1,2})(?P=mark)"
            r"(?P<year>\d{4}|\d\d)(?![\w/-]|\.\d)",
            numeric,
        ),
        rule(
            rf"\b(?P<month>{_MONTH})\.?\ (?P<day>{_DAY})(?:st|nd|rd|th)?(?![\d:%]|[.,]\d)"
            rf"(?:\ ?[-–—]\ ?(?P<last>{_DAY})(?:st|nd|rd|th)?(?!\d))?(?:,?\ (?P<year>{_YEAR})\b)?",
            lambda match: _date(
                months()[match["month"]], match["day"], match["year"], match["last"]
            ),
        ),
        rule(
            rf"(?<![\w.,:])(?P<day>{_DAY})(?:st|nd|rd|th)?"
            rf"(?:\ ?[-–—]\ ?(?P<last>{_DAY})(?:st|nd|rd|th)?)?\ (?:of\ )?"
            rf"(?P<month>{_MONTH})\b(?:\.(?=\ \d|,))?(?:,?\ (?P<year>{_YEAR})\b)?",
            _day_of_month,
        ),
        rule(
            rf"\b(?P<month>{_MONTH})\.?,?\ (?P<year>{_YEAR})\b",
            lambda match: f"{months()[match['month']]} {year(match['year'])}",
        ),
        rule(
            rf"\b(?P<month>{one_of(_SHORT)})\b\.?",
            lambda match: months()[match["month"]] + "." * _stops(match),
        ),
        rule(
            r"(?<![\w/.,])(?P<first>\d{1,2})/(?P<second>\d{1,2})(?![\w/])(?P<mark>)(?P<year>)",
            lambda match: (
                numeric(match) if _DAY_BEFORE.search(match.string[: match.start()]) else None
            ),
        ),
        rule(
            rf"\b(?P<day>{one_of(set(days()) - set(known()['days_that_are_words']))})\b\.?",
            lambda match: days()[match["day"]] + "." * _stops(match),
        ),
        rule(
            rf"\b(?P<day>{one_of(days())})\b\.?(?=,?\ (?:\d|(?:{_MONTH})\b))",
            lambda match: days()[match["day"]],
        ),
    ]


def _date(month: str, day: str, written_year: str | None, last: str | None = None) -> str:
    to = f" to {ordinal(last)}" if last else ""
    return f"{month} {ordinal(day)}{to}{_of_year(written_year)}"


def _day_of_month(match: re.Match[str]) -> str:
    before = match.string[: match.start()].rstrip().lower()
    the = "" if before.endswith(" the") or before == "the" else "the "
    to = f" to {ordinal(match['last'])}" if match["last"] else ""
    month = months()[match["month"]]
    return f"{the}{ordinal(match['day'])}{to} of {month}{_of_year(match['year'])}"


def _of_year(written: str | None) -> str:
    if not written:
        return ""
    if len(written) == 2:
        written = f"{'19' if int(written) > 69 else '20'}{written}"
    return f", {year(written)}"


def _stops(match: re.Match[str]) -> bool:
    return match.group().endswith(".") and ends_sentence(match)


# --- times of day ---------------------------------------------------------------------------


def _time(match: re.Match[str]) -> str:
    hour, minute = match["hour"], match["minute"]
    half = match["half"]
    if half:
        marked = {"a": "A- M", "p": "P M"}[half[0].lower()]
        said = cardinal(hour) if minute in ("", "00") else f"{cardinal(hour)} {_minutes(minute)}"
        return f"{said} {marked}{'.' * _stops(match)}"
    if minute != "00":
        said = f"{cardinal(hour)} {_minutes(minute)}"
    elif int(hour) in (0, 24):
        said = "midnight"
    else:
        said = f"{cardinal(hour)} {'o’clock' if int(hour) <= 12 else 'hundred'}"
    seconds = match["seconds"]
    return f"{said} and {cardinal(seconds)} seconds" if seconds else said


def _minutes(written: str) -> str:
    said = cardinal(written)
    return f"oh {said}" if int(written) < 10 else f"{said}"


_HALF = r"(?P<half>[aApP](?:\.\s?[mM]\.|\.?[mM]\b))"
TIME_RULES = [
    rule(
        rf"(?<![\w.,:])(?P<hour>[01]?\d|2[0-4])(?P<mark>[:.])(?P<minute>[0-5]\d)"
        rf"(?P<seconds>)\s?{_HALF}",
        _time,
    ),
    rule(
        r"(?<![\w.,:])(?P<hour>[01]?\d|2[0-4]):(?P<minute>[0-5]\d)(?::(?P<seconds>[0-5]\d))?"
        r"(?P<half>)(?![\d:])(?:\ o['’]clock)?",
        _time,
    ),
    rule(
        rf"(?<![\w.,:$£€])(?P<hour>0?[1-9]|1[0-2])(?P<minute>)(?P<seconds>)\s?{_HALF}",
        _time,
    ),
    rule(
        r"(?<![\w.,:])(?P<first>\d{1,4}):(?P<second>\d{1,4})(?![\d:])",
        lambda match: f"{cardinal(match['first'])} to {cardinal(match['second'])}",
    ),
]


# --- telephone numbers ----------------------------------------------------------------------

_CUES, _LINKS = one_of(known()["telephone"]), one_of(known()["telephone_links"])
_ANNOUNCED = re.compile(
    rf"\b(?:{_CUES})\b(?:(?:[\s:.,(]+[A-Za-z’']+){{0,5}}?[\s:.,(]+(?:{_LINKS}))?[\s:.,(]+$",
    re.IGNORECASE,
)
_BEFORE = 80


def _telephone(match: re.Match[str]) -> str:
    groups = re.findall(r"\d+", match.group())
    said = ", ".join(f"{one_by_one(group)}" for group in groups)
    return f"plus {said}" if match.group().startswith("+") else said


def _free_number(match: re.Match[str]) -> str | None:
    """1-800-4-A-CHILD: digits one by one, words as words."""
    groups = match.group().split("-")
    if not any(group.isalpha() and len(group) > 2 for group in groups):
        return None
    return ", ".join(
        f"{one_by_one(group)}"
        if group.isdecimal()
        else spelt(group)
        if len(group) < 3
        else group.lower()
        for group in groups
    )


def _if_announced(match: re.Match[str]) -> str | None:
    before = match.string[max(0, match.start() - _BEFORE) : match.start()]
    return _telephone(match) if _ANNOUNCED.search(before) else None


TELEPHONE_RULES = [
    rule(r"(?<![\w+])\+\d{1,3}(?:[ .-]?\(?\d+\)?){2,6}(?!\w)", _telephone),
    rule(r"(?<![\w-])(?:1[-. ])?(?:\(\d{3}\)|\d{3})[-. ]?\d{3}[-. ]\d{4}(?!\w)", _telephone),
    rule(r"(?<![\w-])(?:1-)?8\d\d(?:-(?:\d+|[A-Z]+|[a-z]{4,}))+\b", _free_number),
    rule(r"(?<!\w)\(?0\d+\)?(?:[ -]\d{2,})+(?!\w)", _telephone),
    rule(r"(?<![\w-])\d{3}-\d{4}(?![\w-])", _telephone),
    rule(r"(?<![\w-])\d(?:-\d){2,}(?![\w-])", _telephone),
    rule(r"(?<![\w.,$£€-])(?:911|988)(?![\w%-]|[.,]\d)", _telephone),
    rule(r"(?<![\w.,$£€-])\d{3,}(?:[ -]\d{2,})*(?![\w%/:-]|[.,]\d)", _if_announced),
    rule(r"(?<![\w.,$£€-])\d{3}(?:[ ]\d{3})+(?<![ ]000)(?![\w%/:-]|[.,]\d|[ ]\d)", _telephone),
    rule(
        r"(?:(?<=\b[Oo]n\ )|(?<=\b[Tt]o\ )|(?<=\b[Oo]r\ ))(?:999|112|111)"
        r"(?=\s*$|[.,;!?](?!\d)|\ (?:or|and|if|for|now|in)\b)",
        _telephone,
    ),
]
