"""Facts of the person's own life: job, home, plans, health, likes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from voice_agent.thinking.memory.clauses import Clause, known, turned_round
from voice_agent.thinking.memory.noticed import Found
from voice_agent.thinking.memory.patterns import as_name, is_whole, key, pattern


@dataclass(frozen=True, slots=True)
class _Rule:
    slot: str
    about: str
    hints: str
    says: tuple[re.Pattern[str], ...]
    unless: re.Pattern[str] | None
    negated: bool
    text: str

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "_Rule":
        return cls(
            data["slot"],
            data["about"],
            data.get("hints", ""),
            tuple(map(pattern, data["says"])),
            re.compile(data["unless"]) if "unless" in data else None,
            data.get("negated", False),
            data.get("text", ""),
        )

    def find(self, clause: Clause) -> Found | None:
        if clause.negated and not self.negated:
            return None
        if self.unless is not None and self.unless.search(clause.said):
            return None
        matched = next((m for says in self.says if (m := says.match(clause.said))), None)
        return None if matched is None else self._found(clause, matched)

    def _found(self, clause: Clause, matched: re.Match[str]) -> Found | None:
        parts = {name: value or "" for name, value in matched.groupdict().items()}
        for group, introduced in (("name", True), ("usual", None)):
            if group in parts:
                parts["name"] = as_name(clause.between(*matched.span(group)), introduced)
                if not parts["name"]:
                    return None
        text = (
            self.text.format(**parts)
            if self.text
            else turned_round(clause.between(0, matched.end()))
        )
        about = {name: key(value) for name, value in parts.items()}
        about["name"] = parts.get("name", "")
        if not is_whole(text) or any(
            f"{{{name}}}" in self.slot and not about[name] for name in about
        ):
            return None
        return Found(
            "fact",
            text,
            " ".join(self.about.format_map(about).split()[:3]),
            self.slot.format_map(about),
            self.hints,
        )


@lru_cache(maxsize=1)
def _rules() -> tuple[_Rule, ...]:
    return tuple(map(_Rule.of, known()["facts"]))


def of_oneself(clause: Clause) -> Found | None:
    """What a clause tells of the person's own life; None if nothing lasting."""
    return next((found for rule in _rules() if (found := rule.find(clause))), None)
