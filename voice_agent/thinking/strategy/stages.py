"""How far a conversation about a trouble has come (Hill: exploration, insight, action)."""

from collections.abc import Sequence
from enum import StrEnum

from voice_agent.events import Exchange, UserTurn


class Stage(StrEnum):
    """How far a conversation about a trouble has come: understand it, see it anew, act on it."""

    EXPLORATION = "exploration"
    INSIGHT = "insight"
    ACTION = "action"


def stage_of(
    turn: UserTurn, history: Sequence[Exchange], *, valence: float, advice_wanted: bool
) -> Stage:
    """The stage that the conversation is in with this turn.

    Args:
        turn: What was said last.
        history: What went before, oldest first.
        valence: Of the person's feeling now, in [-1, 1]; 0 where none shows.
        advice_wanted: This turn asks for advice.
    """
    told = sum(exchange.user is not None for exchange in history)
    if advice_wanted or told >= 8:
        return Stage.ACTION
    return Stage.EXPLORATION if told < 3 else Stage.INSIGHT
