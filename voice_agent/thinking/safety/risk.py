"""How great the danger is: the levels, and their course over a conversation."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from voice_agent.events import Paralinguistics

_WATCHED_TURNS = 8
_STEP_TURNS = 8
_LEAST_CRY = 0.5
_LEAST_WHISPER = 0.6
_FLAT_RANGE_ST = 3.0
_LOW_SHIFT_DB = -5.0
_SLOW_SHIFT = 0.8


class Danger(StrEnum):
    """What is at stake, the most urgent first."""

    HARM_DONE = "harm_done"
    EMERGENCY = "emergency"
    SELF_HARM = "self_harm"
    MINOR = "minor"
    ABUSE = "abuse"
    VIOLENCE = "violence"
    OTHER_AT_RISK = "other_at_risk"


SELF_HARM = frozenset((Danger.HARM_DONE, Danger.SELF_HARM))
"""Dangers of the person by their own hand."""


class Level(IntEnum):
    """How great a danger is.

    From ``CONCERN`` on the gate answers itself.
    """

    NONE = 0
    WATCH = 1
    CONCERN = 2
    HIGH = 3
    ACUTE = 4


@dataclass(frozen=True, slots=True)
class Risk:
    """The danger that speaks out of a turn, given what went before.

    Attributes:
        level: How great it is.
        danger: What is at stake; None where nothing is.
        signs: The kinds of sign found (``"wish"``, ``"means"``, …), the gravest first; with
            ``"voice"`` where the voice added to the words.
    """

    level: Level = Level.NONE
    danger: Danger | None = None
    signs: tuple[str, ...] = ()

    @property
    def by_own_hand(self) -> bool:
        """Whether it calls for an answer to suicide risk or self-harm."""
        return self.danger in SELF_HARM and self.level >= Level.CONCERN


@dataclass(frozen=True, slots=True)
class Course:
    """The danger to the person over a conversation so far.

    It rises with a turn at once and falls slowly: one level for every eight turns without a sign,
    and never back to none, whatever is said.

    Attributes:
        peak: The highest level there was.
        since: Turns since the last sign; None where there was none of concern.
        watched: Kinds of sign to watch, each with the turns since it was last seen.
    """

    peak: Level = Level.NONE
    since: int | None = None
    watched: tuple[tuple[str, int], ...] = ()

    @property
    def level(self) -> Level:
        """Where it stands now."""
        if self.since is None:
            return Level.WATCH if self.watched else Level.NONE
        return Level(max(Level.WATCH, self.peak - self.since // _STEP_TURNS))

    def after(self, risk: Risk) -> "Course":
        """The course once a turn is over."""
        watched = {kind: ago + 1 for kind, ago in self.watched if ago + 1 < _WATCHED_TURNS}
        if risk.danger in SELF_HARM:
            watched |= dict.fromkeys(risk.signs, 0)
        kept = tuple(watched.items())
        if risk.by_own_hand:
            return Course(max(self.level, risk.level), 0, kept)
        return Course(self.peak, None if self.since is None else self.since + 1, kept)

    def seen(self, kinds: Iterable[str]) -> set[str]:
        """The kinds of sign seen lately, those given included."""
        return {kind for kind, _ in self.watched} | set(kinds)


def distressed(how: Paralinguistics | None) -> bool:
    """Whether a voice adds weight to words: crying, whispering, or flat, low and slow."""
    if how is None:
        return False
    if any(event.label == "cry" and event.confidence >= _LEAST_CRY for event in how.events):
        return True
    manner = how.manner
    if manner.phonation.get("whisper", 0.0) >= _LEAST_WHISPER:
        return True
    flat = manner.pitch_range_st is not None and manner.pitch_range_st <= _FLAT_RANGE_ST
    low = manner.level_shift_db is not None and manner.level_shift_db <= _LOW_SHIFT_DB
    slow = manner.rate_shift is not None and manner.rate_shift <= _SLOW_SHIFT
    return flat and (low or slow)
