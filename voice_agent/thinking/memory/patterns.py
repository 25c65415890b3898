"""The shorthand in which ``knowledge/memory.yaml`` says what a clause must look like."""

import re
from collections.abc import Iterable
from functools import lru_cache

from voice_agent.thinking.memory.clauses import empty_words, known

_STOP = (
    r"(?:and|but|so|because|cause|cos|though|although|which|who|while|where|when|that|i|i'm|i've"
    r"|im|he|he's|she|she's|they|they're|we|we're|we've|you|you're|it's|that's|there's|then|even"
    r"|anyway|lol|haha)\b"
)
_NEXT = rf"(?!{_STOP})[\w'-]++"
_DAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
_MONTH = (
    r"(?:january|february|march|april|may|june|july|august|september|october|november|december)"
)
_COUNT = (
    r"(?:\d{1,3}|a|an|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|a couple of|a "
    r"few|several)"
)
_TIME = (
    r"(?:(?:on |this |next |last |coming )*(?:the day after tomorrow|tomorrow|yesterday|tonight"
    rf"|today|{_DAY}s?)(?: morning| afternoon| evening| night)?"
    r"|(?:at |in |on )?(?:this|next|last|the coming|every) (?:week|weekend|month|year|spring|summer"
    r"|autumn|fall|winter|christmas|easter|semester|term|morning|night)"
    rf"|(?:in|on|since|until|last|next|early|late|this)(?: early| late)? {_MONTH}"
    rf"(?: (?:the )?[\w-]+)?|on the [\w-]+(?: of {_MONTH})?"
    rf"|(?:in|for|after) {_COUNT} (?:hours?|days?|weeks?|months?|years?)"
    rf"|{_COUNT} (?:hours?|days?|weeks?|months?|years?) ago|in \d{{4}}|since \d{{4}}"
    rf"|(?:at|around) (?:{_COUNT}|noon|midnight)(?: o'clock| [ap]m)?|soon|recently|now"
    r"|at the moment|at christmas|for christmas|over christmas|for now)"
)
_TENS = "twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
_ONES = "one|two|three|four|five|six|seven|eight|nine"
_NUMBER = (
    rf"(?:\d{{1,3}}|(?:{_TENS})(?:[ -](?:{_ONES}))?|{_ONES}|ten|eleven|twelve|thirteen|fourteen"
    r"|fifteen|sixteen|seventeen|eighteen|nineteen|a hundred)"
)
_X = rf"(?: ?{_NEXT}){{1,7}}(?: and [\w'-]+$)?"
_ADVERBS = (
    "just|still|really|actually|currently|now|also|already|recently|finally|always|absolutely"
    "|totally|so|quite|very|only|all|both|usually|often|mostly|mainly|once"
)
_DAYS_AND_MONTHS = re.compile(rf"(?:{_DAY}|{_MONTH})s?|christmas|easter")
_LATER = frozenset(
    "back later maybe crazy not the really what so on a an if when whatever names tomorrow "
    "stupid just like".split()
)
_TITLES = frozenset("mr mrs ms miss dr doctor auntie aunt uncle".split())
_DANGLING = frozenset(
    "a an the of to in at on for with my your his her our their is are was were very really as "
    "about from by and or but into than quite so too".split()
)


@lru_cache(maxsize=1024)
def pattern(source: str) -> re.Pattern[str]:
    """A pattern of the shorthand, to be matched with the beginning of a clause."""
    data = known()
    parts = source.split("X")
    # The first X is what the clause is about, where nothing else is named so.
    named = "(?P<x>" not in source and len(parts) > 1
    written = parts[0]
    for number, part in enumerate(parts[1:]):
        written += (rf"(?P<x>{_X})" if named and not number else rf"(?:{_X})") + part
    for short, long in (
        ("NAME", r"(?P<name>[^\W\d_][\w'-]+(?: [^\W\d_][\w'-]+)?)"),
        ("AM", r"(?:i am|i'm|im)"),
        ("HAVE", r"(?:i have|i've|i've got|i have got|i got)"),
        ("ADV", rf"(?:(?:{_ADVERBS}) )*"),
        ("TIME", f"(?: ?{_TIME}){{1,2}}"),
        ("NUMBER", _NUMBER),
        ("JOB", alternatives(data["jobs"])),
        ("EVENT", alternatives(data["events"])),
        ("CONDITION", alternatives(data["conditions"])),
    ):
        written = written.replace(short, long)
    return re.compile(rf"(?:{written})(?=$| {_STOP})")


def alternatives(words: Iterable[str]) -> str:
    """A group of any of these words, the longest first."""
    return "(?:" + "|".join(map(re.escape, sorted(words, key=len, reverse=True))) + ")"


def is_whole(text: str) -> bool:
    """Whether a clause does not break off, and is of a length to be said again."""
    words = text.lower().split()
    return 2 <= len(words) <= 16 and words[-1] not in _DANGLING


def key(text: str) -> str:
    """The words of a text that tell what it is about, without regard to when."""
    bare = re.sub(rf"\b{_TIME}\b", " ", text.lower())
    words = [word for word in re.findall(r"[\w'-]+", bare) if word not in empty_words()]
    return " ".join(words)


def as_name(words: Iterable[str], introduced: bool | None = None) -> str:
    """A first name at the beginning of some words, with its capital; empty where there is none.

    Args:
        words: Words as they were written.
        introduced: Whether they follow on "is called", so that any word may be one that is not a
            common word; False for one with a capital or a usual name, None for a usual name alone.
    """
    first, title = "", ""
    for word in words:
        first = word
        if word.lower() not in _TITLES:
            break
        title = f"{word.capitalize()} "
    lower = first.lower().removesuffix("'s")
    if not lower.isalpha() or len(lower) < 2 or _DAYS_AND_MONTHS.fullmatch(lower):
        return ""
    common = lower in empty_words() or lower in _LATER or lower in known()["feelings"]
    sure = introduced or (introduced is False and first[0].isupper())
    if lower in _names() or (sure and not common):
        return title + first[0].upper() + first.removesuffix("'s")[1:]
    return ""


@lru_cache(maxsize=1)
def _names() -> frozenset[str]:
    return frozenset(known()["names"])
