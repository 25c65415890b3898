"""The choice of a strategy of support, planned two turns ahead."""

from collections.abc import Sequence
from dataclasses import dataclass

from voice_agent.events import Conduct, Exchange, Strategy, UserTurn
from voice_agent.thinking.strategy.by_hand import ordered
from voice_agent.thinking.strategy.stages import stage_of


@dataclass(frozen=True, slots=True)
class Choice:
    """A strategy that may come next.

    Attributes:
        strategy: The strategy.
        score: How well it suits; higher is better, and only the order of one call counts.
        reason: Why, as a short plain clause or two without a full stop, for ``Thought.reason``.
    """

    strategy: Strategy
    score: float
    reason: str


def choose(
    turn: UserTurn,
    history: Sequence[Exchange],
    *,
    valence: float,
    advice_wanted: bool,
    conduct: Conduct,
) -> tuple[Choice, ...]:
    """The strategies that may come next, best first; never empty.

    Answers to greetings, thanks and other moves without a story need no strategy and are not
    asked for here.

    Args:
        turn: What is to be answered.
        history: What went before, oldest first; its thoughts tell the strategies used.
        valence: Of the person's feeling now, in [-1, 1]; 0 where none shows.
        advice_wanted: This turn asks for advice.
        conduct: ``strategies`` bounds the choice; ``initiative`` is the share of the last replies
            that lead on, by a question or a suggestion.
    """
    at = stage_of(turn, history, valence=valence, advice_wanted=advice_wanted)
    return tuple(
        Choice(strategy, -float(rank), f"it suits the {at} of what they tell")
        for rank, strategy in enumerate(ordered(valence, at, history))
        if not conduct.strategies or strategy in conduct.strategies
    )
