"""The reviewed answers: put together out of reviewed sentences, none of them twice.

All words are data (``knowledge/safety_answers.yaml`` and ``safety_lines.yaml``).
"""

import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from voice_agent.events import Exchange
from voice_agent.settings import Safety
from voice_agent.thinking import knowledge
from voice_agent.thinking.plain_words import plain, sentences

_NEXT_QUESTION = "?"
_LINE_POOLS = frozenset(("line", "line_soft"))
_LINE_EVERY = 2


@dataclass(frozen=True, slots=True)
class _Step:
    """A question of the safety plan, and what a bare yes or no to it means."""

    name: str
    asked: re.Pattern[str]
    yes: str
    no: str


class Answers:
    """What the gate says, for one region.

    Args:
        settings: Region and contacts.
    """

    def __init__(self, settings: Safety) -> None:
        self._data = _data()
        line = _lines()[settings.region]
        reach = line["reach"]
        own = [contact.words for contact in settings.contacts]
        self._adult = ", or ".join([*own, reach])
        self._young = ", or ".join([*own, line.get("youth", reach)])
        self._filling = {
            "emergency": line["emergency"],
            "reach_abuse": line.get("abuse", reach),
            "reach_youth": line.get("youth", reach),
        }
        self._steps = _steps()
        self._readings = _readings()

    def first(self, key: str, history: Sequence[Exchange], seed: int, young: bool) -> str:
        """The answer to a sign; ``key`` is one of ``answers``."""
        return self._compose(self._data["answers"][key], history, seed, young, young_too=True)

    def then(
        self, text: str, history: Sequence[Exchange], seed: int, young: bool
    ) -> tuple[str, str]:
        """The answer to what is said after a sign, and how it was read (one of ``after``)."""
        reading = self.reading(text, history[-1].reply if history else "")
        return reading, self._compose(self._data["after"][reading], history, seed, young)

    def reminder(self, history: Sequence[Exchange], seed: int, young: bool) -> str:
        """A careful word about help for later answers."""
        return self._pick("reminders", self._data["reminders"], history, seed, young)

    @property
    def caution(self) -> str:
        """What a model is told while a conversation is at risk."""
        return str(self._data["caution"])

    def reading(self, text: str, last_reply: str) -> str:
        """How an answer to the gate's last question is to be taken."""
        said = plain(text)
        step = self._asked_last(last_reply)
        for name, pattern in self._readings.items():
            if not pattern.search(said):
                continue
            if name == "yes":
                return step.yes if step else "other"
            if name == "no":
                return step.no if step else "denial"
            return name
        return "other"

    def _asked_last(self, reply: str) -> _Step | None:
        questions = [sentence for sentence in sentences(reply) if sentence.endswith("?")]
        if not questions:
            return None
        last = questions[-1].lower()
        return next((step for step in self._steps.values() if step.asked.search(last)), None)

    def _compose(
        self,
        pools: Iterable[str],
        history: Sequence[Exchange],
        seed: int,
        young: bool,
        young_too: bool = False,
    ) -> str:
        chosen: list[str] = []
        recent = " ".join(exchange.reply for exchange in history[-_LINE_EVERY:])
        for pool in pools:
            if pool == "line_soft" and self._names_line(recent):
                continue
            if pool == "ask_directly" and self._was_asked("directly", history):
                pool = _NEXT_QUESTION
            if pool == _NEXT_QUESTION:
                if any(sentence.endswith("?") for sentence in chosen):
                    continue
                pool = self._next_question(history)
            chosen.append(self._pick(pool, self._data["sentences"][pool], history, seed, young))
            if young and young_too and pool in _LINE_POOLS:
                chosen.append(
                    self._pick("young", self._data["sentences"]["young"], history, seed, young)
                )
        return " ".join(chosen)

    def _names_line(self, said: str) -> bool:
        return self._adult in said or self._young in said

    def _next_question(self, history: Sequence[Exchange]) -> str:
        for name in self._data["plan"]:
            if not self._was_asked(name, history):
                return f"ask_{name}"
        return "ask_listen"

    def _was_asked(self, step: str, history: Sequence[Exchange]) -> bool:
        asked = self._steps[step].asked
        return any(
            asked.search(sentence.lower())
            for exchange in history
            for sentence in sentences(exchange.reply)
            if sentence.endswith("?")
        )

    def _pick(
        self, pool: str, options: Sequence[str], history: Sequence[Exchange], seed: int, young: bool
    ) -> str:
        filled = [self._filled(option, young) for option in options]
        heard = " ".join(exchange.reply for exchange in history)
        last = {option: heard.rfind(option) for option in filled}
        oldest = min(last.values())
        fresh = [option for option in filled if last[option] == oldest]
        return random.Random(f"{seed} {len(history)} {pool}").choice(fresh)

    def _filled(self, option: str, young: bool) -> str:
        return option.format(reach=self._young if young else self._adult, **self._filling)


@lru_cache(maxsize=1)
def _lines() -> dict[str, dict[str, Any]]:
    return knowledge.load("safety_lines")


@lru_cache(maxsize=1)
def _data() -> dict[str, Any]:
    return knowledge.load("safety_answers")


@lru_cache(maxsize=1)
def _steps() -> dict[str, _Step]:
    return {
        step["name"]: _Step(step["name"], re.compile(step["asked"]), step["yes"], step["no"])
        for step in _data()["steps"]
    }


@lru_cache(maxsize=1)
def _readings() -> dict[str, re.Pattern[str]]:
    return {name: re.compile(pattern) for name, pattern in _data()["readings"].items()}
