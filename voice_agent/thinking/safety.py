"""The safety gate: sees danger in what a person says, and what a model must not say.

All rules and answers are data (``knowledge/safety.yaml``). Found danger is answered with reviewed
words instead of the model's. A denial does not clear it: the next answers are reviewed ones too,
and later ones still mention help now and then.
"""

import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any, Literal

from voice_agent.events import Exchange, Strategy, Thought, UserTurn
from voice_agent.thinking import knowledge
from voice_agent.thinking.dual_thinking import describe
from voice_agent.thinking.plain_words import plain, sentences

Region = Literal["us", "uk", "ie", "international"]

_REVIEWED_TURNS = 3
_REMINDER_EVERY = 3
_OPENING_WORDS = 6


class Danger(StrEnum):
    """What is at stake, the most urgent first."""

    HARM_DONE = "harm_done"
    SELF_HARM = "self_harm"
    EMERGENCY = "emergency"
    VIOLENCE = "violence"
    OTHER_AT_RISK = "other_at_risk"


_MEANING = {
    Danger.HARM_DONE: "They may have hurt themselves already; every minute counts.",
    Danger.SELF_HARM: "They may be thinking of ending their life or hurting themselves.",
    Danger.EMERGENCY: "This may be a medical emergency.",
    Danger.VIOLENCE: "They speak of hurting somebody.",
    Danger.OTHER_AT_RISK: "They fear that somebody near them may end their life.",
}
_AFTER_DANGER = "They spoke of ending their life earlier; that is not over because they say so."


@dataclass(frozen=True, slots=True)
class Reviewed:
    """An answer of the safety gate, which goes out instead of the model's."""

    thought: Thought
    text: str


class SafetyGate:
    """Decides about the answer before and after the model.

    Args:
        region: Whose crisis line is named.
    """

    def __init__(self, region: Region = "international") -> None:
        self._rules = _rules()
        self._lines: dict[str, str] = dict(self._rules.data["lines"][region])
        help_line = self._lines["help"]
        self._lines["help_inline"] = help_line[0].lower() + help_line[1:]

    def assess(self, text: str) -> Danger | None:
        """The danger that speaks out of a turn's words."""
        return _assess(text)

    def answer(
        self, turn: UserTurn, history: Sequence[Exchange] = (), seed: int = 0
    ) -> Reviewed | None:
        """A reviewed answer, where the turn or one shortly before it calls for one."""
        danger = self.assess(turn.text)
        since = _turns_since_risk(history)
        if danger is not None:
            key, meaning = danger.value, _MEANING[danger]
        elif since is not None and since < _REVIEWED_TURNS:
            key, meaning = self._after(turn.text, history[-1].reply), _AFTER_DANGER
        else:
            return None
        thought = Thought(
            linguistic=meaning,
            paralinguistic=describe(turn.how),
            strategy=Strategy.AFFIRMATION,
            reply_emotion="comfort",
            style="calm, slow, close and clear",
        )
        return Reviewed(thought, self._pick(self._rules.data["answers"][key], history, seed))

    def reminder(self, history: Sequence[Exchange], seed: int = 0) -> str | None:
        """A careful word about help, due now and then after an earlier sign of self-harm."""
        since = _turns_since_risk(history)
        if since is None or since < _REVIEWED_TURNS:
            return None
        if (since - _REVIEWED_TURNS) % _REMINDER_EVERY:
            return None
        return self._pick(self._rules.data["reminders"], history, seed)

    def review(self, seed: int = 0) -> "ReplyReview":
        """A check of one reply of a model while it streams."""
        return ReplyReview(self._rules, seed)

    def _after(self, text: str, last_reply: str) -> str:
        said = plain(text)
        if re.fullmatch(r"(no|nope|nah)( thanks?( you)?)?", said):
            return "unsafe" if "safe" in plain(last_reply).split()[-6:] else "denial"
        for key, pattern in self._rules.after.items():
            if pattern.search(said):
                return key
        return "other"

    def _pick(self, answers: Sequence[str], history: Sequence[Exchange], seed: int) -> str:
        filled = [answer.format(**self._lines) for answer in answers]
        heard = " ".join(exchange.reply for exchange in history)
        fresh = [answer for answer in filled if sentences(answer)[0] not in heard]
        return random.Random(f"{seed} {len(history)}").choice(fresh or filled)


class ReplyReview:
    """Lets a model's reply pass sentence by sentence, and replaces what must not be said.

    A harmless opening ("Oh no,") passes before its sentence is complete, so that the voice can
    begin with it.
    """

    _END = re.compile(r"[.!?…]+[\"')\]]*(?=\s)")
    _OPENING = re.compile(r"[^.!?…]{1,40}?[,;:—–-](?=\s)")
    _WATCHED = frozenset("i you your my me we way take dose human not never no-one nobody".split())

    def __init__(self, rules: "_Rules", seed: int) -> None:
        self._rules = rules
        self._chooser = random.Random(seed)
        self._sentence = ""
        self._released = 0
        self._replaced: set[str] = set()

    def feed(self, text: str) -> str:
        """Takes more of the reply; returns what may be said."""
        self._sentence += text
        out = ""
        while end := self._END.search(self._sentence):
            rest = self._sentence[end.end() :]
            self._sentence = self._sentence[: end.end()]
            out += self._judge()
            self._sentence = rest
        return out + self._release_opening()

    def finish(self) -> str:
        """The reply is complete: judges what is left."""
        return self._judge() if self._sentence else ""

    def _judge(self) -> str:
        sentence, released = self._sentence, self._released
        self._sentence, self._released = "", 0
        kind = self._rules.forbidden_kind(sentence)
        if kind is None:
            return sentence[released:]
        if kind in self._replaced:
            return "" if not released else "…"
        self._replaced.add(kind)
        space = " " if released or sentence[:1].isspace() else ""
        instead: str = self._chooser.choice(self._rules.data["forbidden"][kind]["instead"])
        return f"{space}{instead}"

    def _release_opening(self) -> str:
        opening = None if self._released else self._OPENING.match(self._sentence)
        if opening is None:
            return ""
        said = plain(opening[0]).split()
        if not 0 < len(said) <= _OPENING_WORDS or self._WATCHED.intersection(said):
            return ""
        self._released = opening.end()
        return opening[0]


class _Rules:
    """The rules with their patterns compiled."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data
        self.harmless = _any(data["harmless"])
        self.signs = {danger: _any(data[danger.value]) for danger in Danger}
        self.after: dict[str, re.Pattern[str]] = {
            str(key): re.compile(pattern) for key, pattern in data["after"].items()
        }
        titles = data["titles"]
        self.titles = re.compile(rf"(?i)\b(?:{titles})\b.{{0,40}}?(\"[^\"]+\"|“[^”]+”|‘[^’]+’)")
        self.named = re.compile(r"\b(?:called|titled|named) (?:\w+ ?){1,5}")
        self._forbidden: dict[str, tuple[re.Pattern[str], re.Pattern[str] | None]] = {
            kind: (
                _any(rule["signs"]),
                re.compile(rule["except"]) if "except" in rule else None,
            )
            for kind, rule in data["forbidden"].items()
        }

    def forbidden_kind(self, sentence: str) -> str | None:
        said = plain(sentence)
        for kind, (signs, exception) in self._forbidden.items():
            judged = exception.sub(" ", said) if exception else said
            if signs.search(judged):
                return kind
        return None

    def words(self, text: str) -> str:
        """What is left to look at: plain words without titles, fillers and stutters."""
        told = self.titles.sub(" ", text)
        said = re.sub(r"\b(um+|uh+|er+|erm|hmm*|ah)\b ?", "", plain(told))
        said = re.sub(r"\b(\w+)( \1\b)+", r"\1", said)
        said = self.named.sub(" ", said)
        return self.harmless.sub(" , ", said).strip()


def _any(patterns: Iterable[str]) -> re.Pattern[str]:
    """One pattern for many, each of which begins and ends at the bounds of words."""
    return re.compile("|".join(rf"(?<!\w)(?:{pattern})(?!\w)" for pattern in patterns))


@lru_cache(maxsize=1)
def _rules() -> _Rules:
    return _Rules(knowledge.load("safety"))


@lru_cache(maxsize=512)
def _assess(text: str) -> Danger | None:
    rules = _rules()
    said = rules.words(text)
    concern = rules.signs[Danger.OTHER_AT_RISK].search(said)
    own = rules.signs[Danger.OTHER_AT_RISK].sub(" , ", said) if concern else said
    for danger in Danger:
        if danger is not Danger.OTHER_AT_RISK and rules.signs[danger].search(own):
            return danger
    return Danger.OTHER_AT_RISK if concern else None


def _turns_since_risk(history: Sequence[Exchange]) -> int | None:
    """Turns answered after the last sign of self-harm; None where there was none."""
    for since, exchange in enumerate(reversed(history)):
        if exchange.user is not None and _assess(exchange.user.text) in (
            Danger.SELF_HARM,
            Danger.HARM_DONE,
        ):
            return since
    return None
