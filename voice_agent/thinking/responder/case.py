"""A customer's case: what is known of it by now, found anew from all that was said."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any

from voice_agent.events import Exchange, ServiceStrategy
from voice_agent.thinking import knowledge
from voice_agent.thinking.plain_words import plain
from voice_agent.thinking.responder.phrasebook import Line, Lines

_DIGITS = dict(
    zip("zero one two three four five six seven eight nine".split(), "0123456789", strict=True)
)
_DIGITS |= {"oh": "0", "double": "", "dash": "-", "minus": "-"}
_NAMED_NUMBER = re.compile(
    r"\b(order|customer|booking|reference|ticket|case|invoice|account|contract) ?"
    r"(number|no|id|code)?( is| was)?\b"
)
_LEAST_DIGITS, _LEAST_DIGITS_ASKED = 4, 2
_CARD_DIGITS = 13
_MAIL = re.compile(r"[\w.+-]+@[\w-]+\.\w+|\b\w+ at \w+ dot \w+")
_PHONE = re.compile(r"\b(phone|mobile|cell|call me|reach me)\b")
_PHONE_DIGITS = 7
_FEWEST_WORDS = 2
_LONGEST_NAME = 3


@dataclass(frozen=True)
class Issue:
    """Something customers come with; ``words`` recognises it, ``needs`` names details."""

    name: str
    words: re.Pattern[str] | None
    says: str
    needs: tuple[str, ...]
    steps: Lines
    facts: Lines


@dataclass(frozen=True)
class Detail:
    """Something that may need to be known; ``kept`` is how it is told back."""

    name: str
    words: re.Pattern[str] | None
    form: str
    identity: bool
    kept: str
    ask: Lines

    def found_in(self, text: str, asked: str) -> str:
        """What a turn tells of it; empty for nothing.

        Args:
            text: The turn.
            asked: Name of the detail that the agent asked for before it.
        """
        said = plain(text)
        if self.form == "contact":
            mail = _MAIL.search(text.lower())
            number = _number(said, True) if asked == self.name or _PHONE.search(said) else ""
            return mail[0] if mail else number if _digits(number) >= _PHONE_DIGITS else ""
        if self.form == "number":
            # A number may be that of a telephone, where one was asked for.
            return "" if asked == "contact" else _number(said, asked == self.name)
        if self.words is not None and (match := self.words.search(said)):
            return next(group for group in match.groups() if group)
        return ""


class ServiceBook:
    """The knowledge of customer support, loaded once."""

    def __init__(self) -> None:
        data = knowledge.load("customer_support")
        self._signs = {name: _any(patterns) for name, patterns in data["signs"].items()}
        self.issues = {name: _issue(name, one) for name, one in data["issues"].items()}
        self.details = {name: _detail(name, one) for name, one in data["details"].items()}
        self.lines = {name: _lines(entries) for name, entries in data["lines"].items()}
        self.reasons: Mapping[str, str] = data["reasons"]

    def signs(self, said: str) -> frozenset[str]:
        """Names of what a turn in plain words shows."""
        return frozenset(
            name for name, pattern in self._signs.items() if pattern and pattern.search(said)
        )

    @cached_property
    def _asking(self) -> Mapping[str, str]:
        return {plain(line.say): name for name, one in self.details.items() for line in one.ask}

    @lru_cache(maxsize=256)  # noqa: B019 (one book for the life of the engine)
    def asked_in(self, reply: str) -> frozenset[str]:
        """Names of the details that a reply asks for."""
        said = plain(reply)
        return frozenset(name for asked, name in self._asking.items() if asked in said)


@dataclass(frozen=True, slots=True)
class Case:
    """What is known of a customer's case.

    Attributes:
        issue: What it is about; None until it was told.
        known: Details by name, as they were told.
        asked: Details that were asked for.
        asked_last: The one that the last reply asked for; empty for none.
        signs: What the last turn shows.
        news: Details that the last turn told.
        heard: It can be built on: it shows, tells or names something.
        summed_up: The case was said back.
        steps: Suggestions made.
        handed: A person was named as the next step.
        settled: The matter seems done.
    """

    issue: Issue | None = None
    known: Mapping[str, str] = field(default_factory=dict)
    asked: frozenset[str] = frozenset()
    asked_last: str = ""
    signs: frozenset[str] = frozenset()
    news: frozenset[str] = frozenset()
    heard: bool = False
    summed_up: bool = False
    steps: int = 0
    handed: bool = False
    settled: bool = False

    @property
    def open(self) -> tuple[str, ...]:
        """Details that are needed, not known and not yet asked for."""
        needs = self.issue.needs if self.issue else ()
        return tuple(one for one in needs if one not in self.known and one not in self.asked)


def case_of(text: str, history: Sequence[Exchange], book: ServiceBook) -> Case:
    """The case with a turn, after what went before it."""
    case = Case()
    for past in history:
        if past.user is not None:
            case = _told(case, past.user.text, book)
        case = _answered(case, past, book)
    return _told(case, text, book)


def _told(case: Case, text: str, book: ServiceBook) -> Case:
    """The case after a turn of the customer."""
    said, last = plain(text), case.asked_last
    signs = book.signs(said)
    if _digits(_number(said, True)) >= _CARD_DIGITS:
        return replace(
            case, signs=signs | {"secret"}, heard=True
        )  # what nobody needs is not taken in
    issue = case.issue or _first_issue(said, book)
    if case.settled and not signs & {"solved", "bye"} and (new := _first_issue(said, book)):
        kept = {k: v for k, v in case.known.items() if book.details[k].identity}
        asked = frozenset(one for one in case.asked if book.details[one].identity)
        case, issue = Case(known=kept, asked=asked), new
    known = dict(case.known)
    for name, detail in book.details.items():
        if name not in known and (value := detail.found_in(text, last)):
            known[name] = value
    if last and last not in known and "lacks" not in signs:
        words = len(said.split())
        if last == "name" and 0 < words <= _LONGEST_NAME:
            known[last] = said.title()
        elif not book.details[last].identity and words >= _FEWEST_WORDS:
            known[last] = text.strip()
    news = frozenset(known.keys() - case.known.keys())
    helped = case.steps > 0 or case.handed
    done = "bye" in signs or (helped and signs & {"solved", "thanks"})
    done = done or (case.handed and "agrees" in signs)
    back = signs & {"unsolved", "asks", "wants_done"}
    return replace(
        case,
        issue=issue,
        known=known,
        signs=signs,
        news=news,
        heard=bool(signs or news or last or _first_issue(said, book)),
        settled=issue is not None and bool(done or case.settled) and not back,
    )


def _answered(case: Case, past: Exchange, book: ServiceBook) -> Case:
    """The case after a reply of the agent."""
    asks = book.asked_in(past.reply)
    strategy = past.thought.strategy if past.thought else ""
    return replace(
        case,
        asked=case.asked | asks,
        asked_last=next(iter(sorted(asks)), ""),
        summed_up=case.summed_up or strategy == ServiceStrategy.RESTATEMENT,
        steps=case.steps + (strategy == ServiceStrategy.SUGGESTION),
        handed=case.handed or strategy == ServiceStrategy.IMPLEMENTATION,
    )


def _first_issue(said: str, book: ServiceBook) -> Issue | None:
    """The issue whose words come first; a story without any is another one."""
    found = [
        (match.start(), issue)
        for issue in book.issues.values()
        if issue.words is not None and (match := issue.words.search(said))
    ]
    if found:
        return min(found, key=lambda one: one[0])[1]
    tells = book.signs(said) & {"asks", "wants_done", "unsolved", "worried", "angry"}
    return book.issues["other"] if tells and len(said.split()) > 3 else None


def _number(said: str, asked: bool) -> str:
    """A number in plain words, spoken digit by digit or not; empty where there is none."""
    runs: list[list[str]] = [[]]
    for word in said.split():
        if word.isdigit() or word in _DIGITS or (runs[-1] and len(word) == 1 and word.isalpha()):
            runs[-1].append(_DIGITS.get(word, word))
        elif any(c.isdigit() for c in word) and any(c.isalpha() for c in word):
            runs[-1].append(word)
        else:
            runs.append([])
    best = max(("".join(run) for run in runs), key=_digits)
    enough = asked or bool(_NAMED_NUMBER.search(said))
    return best if _digits(best) >= (_LEAST_DIGITS_ASKED if enough else _LEAST_DIGITS) else ""


def _digits(text: str) -> int:
    return sum(one.isdigit() for one in text)


def _lines(entries: Sequence[str]) -> Lines:
    return tuple(Line(entry) for entry in entries)


def _any(patterns: Sequence[str]) -> re.Pattern[str] | None:
    if not patterns:
        return None
    return re.compile("|".join(rf"(?<!\w)(?:{one})(?!\w)" for one in patterns))


def _issue(name: str, data: Mapping[str, Any]) -> Issue:
    return Issue(
        name=name,
        words=_any(data["words"]),
        says=data["says"],
        needs=tuple(data["needs"]),
        steps=_lines(data["steps"]),
        facts=_lines(data["facts"]),
    )


def _detail(name: str, data: Mapping[str, Any]) -> Detail:
    return Detail(
        name=name,
        words=_any(data.get("words", ())),
        form=data.get("form", ""),
        identity=data.get("identity", False),
        kept=data["kept"],
        ask=_lines(data["ask"]),
    )
