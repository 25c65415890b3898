"""English abbreviations, acronyms and Roman numerals."""

import re

from voice_agent.speaking.normalization.english_words import known, one_of
from voice_agent.speaking.normalization.numbers import cardinal, ordinal
from voice_agent.speaking.normalization.rules import Rule, ends_sentence, rule

_VOWELS = set("AEIOUY")
_READ_FROM = 6
"""Words in capitals of this length are read as words: nobody spells six letters."""


def spelt(word: str) -> str:
    """Letters one by one. The hyphen keeps the letter A from being read as the article."""
    return " ".join("A-" if letter == "A" else letter for letter in word)


# --- abbreviations --------------------------------------------------------------------------


def _title(match: re.Match[str]) -> str:
    return str(known()["titles"][match["title"]])


def _street(match: re.Match[str]) -> str | None:
    name = re.search(r"\b([A-Z][\w’']*|\d+(?:st|nd|rd|th)) $", match.string[: match.start()])
    if name is None or name[1].lower() in known()["words"]:
        return None
    said = str(known()["streets"][match["street"]])
    return f"{said}." if match.group().endswith(".") and ends_sentence(match) else said


def _abbreviation(match: re.Match[str]) -> str:
    written = match.group()
    name = written if written in known()["abbreviations"] else written[0].lower() + written[1:]
    said = str(known()["abbreviations"][name])
    said = said if name == written else said[0].upper() + said[1:]
    may_end = written.endswith(".") and name not in known()["abbreviations_inside"]
    return f"{said}." if may_end and ends_sentence(match) else said


def _before_number(match: re.Match[str]) -> str:
    return f"{known()['before_number'][match['sign']]} "


_ABBREVIATIONS = [
    form
    for name in known()["abbreviations"]
    for form in ((name, name[0].upper() + name[1:]) if name.endswith(".") else (name,))
]
_STREET = rf"\b(?P<street>{one_of(known()['streets'])})\b"
ABBREVIATION_RULES = [
    rule(
        rf"(?<=[a-z0-9]\ ){_STREET}(?:\.(?=\s*$|,|\s+[a-z(])|(?=\s*$|[,;!?]))",
        _street,
    ),
    rule(rf"\b(?P<title>{one_of(known()['titles'])})\.(?=\s?[A-Z])", _title),
    rule(rf"\b(?P<title>{one_of(known()['titles_bare'])})(?=\ [A-Z][a-z])", _title),
    rule(r"\b(?P<title>Dr|Mr|Mrs|Ms|Prof)\b\.?", _title),
    rule(rf"(?<![\w.])(?P<sign>{one_of(known()['before_number'])})\s?(?=\.?\d)", _before_number),
    rule(rf"(?<![\w.])(?:{one_of(_ABBREVIATIONS)})(?!\w|\.\w)", _abbreviation),
]


# --- acronyms -------------------------------------------------------------------------------


def _initials(match: re.Match[str]) -> str:
    said = spelt(re.sub(r"[^A-Z]", "", match.group()))
    return f"{said}." if not match.string[match.end() :].strip("\"'”’) \n") else said


def _initial(match: re.Match[str]) -> str | None:
    """The initial of a name; elsewhere the point ends a sentence (vitamin D. Then)."""
    before = match.string[: match.start()].rstrip()
    after = re.match(r"\s?(\w+)", match.string[match.end() :])
    follows_no_name = before and not re.search(r"(?:^|\W)[A-Z][\w.]*$", before)
    if match.group() == "I." or follows_no_name or (after and after[1].lower() in known()["words"]):
        return None
    return spelt(match.group()[0])


def _in_capitals(match: re.Match[str]) -> str | None:
    word, ending = match["word"], match["ending"] or ""
    if match["rest"] is not None:
        return match.group().lower()  # DON'T
    if _is_read(match, word):
        return f"{word.lower()}{ending}"
    return f"{spelt(word)}{'’s' if ending else ''}"


def _is_read(match: re.Match[str], word: str) -> bool:
    before, after = match.string[: match.start()], match.string[match.end() :]
    if (asks := known()["spelt_after"].get(word)) is not None:
        last = re.search(r"(\w+)\s+$", before)
        return not (last and last[1].lower() in asks)
    if word in known()["spelt"]:
        return False
    if word.lower() in known()["words"] or len(word) >= _READ_FROM:
        return bool(_VOWELS & set(word))
    if not _VOWELS & set(word):
        return False
    if len(word) >= 4:
        return not re.search(r"[^AEIOUY]{3}", word) or len(word) > 4
    return bool(
        re.search(r"\b[A-Z]{3,}\W+$", before) or re.match(r"\W+[A-Z]{3,}\b", after)
    )  # who shouts a whole sentence shouts its short words, too


ACRONYM_RULES = [
    rule(r"\b(?:[A-Z]\.){2,}(?!\w)", _initials),
    rule(r"\b[A-Z]\.(?=\s?[A-Z][a-z.])", _initial),
    rule(
        r"\b(?P<word>[A-Z]{2,})(?:(?P<rest>['’][A-Z]+\b)|(?P<ending>s|['’]s)?(?![\w]|&\w))",
        _in_capitals,
    ),
    rule(
        r"\b[A-Z]+(?:&[A-Z]+)+\b",
        lambda match: " and ".join(spelt(part) for part in match.group().split("&")),
    ),
    rule(r"(?<![^\W\d_])(?P<word>[A-Z]{1,5})-?(?=\d)", lambda match: f"{spelt(match['word'])} "),
]


# --- Roman numerals -------------------------------------------------------------------------

_LONGEST_NAME = 20
_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50}
_WELL_FORMED = re.compile(r"(?:XL|L?X{0,3})(?:IX|IV|V?I{0,3})")


def _roman(match: re.Match[str]) -> str | None:
    numeral = match["numeral"]
    before = re.search(r"\b([A-Z][\w’']*) $", match.string[: match.start()][-_LONGEST_NAME:])
    if before is None or not _WELL_FORMED.fullmatch(numeral):
        return None
    name = before[1]
    counted = name in known()["counted"]
    if name.lower() in known()["words"] and not counted:
        return None
    regnal = name in known()["regnal"] and _is_ruler(match, numeral)
    if len(numeral) == 1 and not regnal and not counted:
        return None
    value = str(_value(numeral))
    said = f"the {ordinal(value)}" if regnal else f"{cardinal(value)}"
    return f"{said}{match['of'] or ''}"


def _is_ruler(match: re.Match[str], numeral: str) -> bool:
    """One letter may be the pronoun or a name's initial, if no title stands before the name."""
    words = match.string[: match.start()][-4 * _LONGEST_NAME :].split()[-4:-1]
    return len(numeral) > 1 or bool(set(words) & set(known()["rulers"]))


def _value(numeral: str) -> int:
    values = [_VALUES[letter] for letter in numeral]
    following = [*values[1:], 0]
    return sum(-a if a < b else a for a, b in zip(values, following, strict=True))


def _counting(match: re.Match[str]) -> str:
    """A numeral that can be no word and no abbreviation, wherever it stands."""
    value = str(_value(match["numeral"]))
    return ordinal(value) if match["the"] is not None else f"{cardinal(value)}"


ROMAN_RULES: list[Rule] = [
    rule(r"(?<=\ )(?P<numeral>[IVXL]+)(?P<of>['’]s)?\b(?!['’.]\w)", _roman),
    rule(
        r"\b(?:(?<=\bthe\ )(?P<the>)|)(?P<numeral>III?|VIII?|IX|XI{1,3}|XIV|XVI{0,3})\b",
        _counting,
    ),
]
