"""Rules made by hand: for glad and plain talk, of which the data of the model hold too little."""

from collections.abc import Sequence

from voice_agent.events import Exchange, Strategy
from voice_agent.thinking.strategy.bounds import allowed
from voice_agent.thinking.strategy.stages import Stage

_BY_STAGE = {
    Stage.EXPLORATION: (Strategy.QUESTION, Strategy.REFLECTION, Strategy.RESTATEMENT),
    Stage.INSIGHT: (
        Strategy.REFLECTION,
        Strategy.AFFIRMATION,
        Strategy.QUESTION,
        Strategy.RESTATEMENT,
    ),
    Stage.ACTION: (
        Strategy.SUGGESTION,
        Strategy.AFFIRMATION,
        Strategy.QUESTION,
        Strategy.REFLECTION,
    ),
}
_GLAD = (Strategy.QUESTION, Strategy.AFFIRMATION, Strategy.REFLECTION, Strategy.RESTATEMENT)
_PLAIN = (Strategy.QUESTION, Strategy.RESTATEMENT, Strategy.OTHERS, Strategy.AFFIRMATION)


def stage(troubled_turns: int, advice_wanted: bool) -> Stage:
    """The stage, from how many turns the person has already spoken of the trouble.

    Asking for advice leads straight to action; without being asked, the agent first listens.
    """
    if advice_wanted or troubled_turns >= 8:
        return Stage.ACTION
    return Stage.EXPLORATION if troubled_turns < 3 else Stage.INSIGHT


def preferred(valence: float, at: Stage) -> tuple[Strategy, ...]:
    """Strategies that suit, best first.

    Args:
        valence: Of the person's feeling, in [-1, 1].
        at: Stage of the conversation; counts where the feeling is a bad one.
    """
    if valence < 0:
        return _BY_STAGE[at]
    return _GLAD if valence > 0 else _PLAIN


def ordered(valence: float, at: Stage, history: Sequence[Exchange]) -> tuple[Strategy, ...]:
    """The strategies to try, best first: suited, not worn, and rather none of the last three."""
    may = allowed(history)
    recent = [exchange.thought.strategy for exchange in history[-3:] if exchange.thought]
    order = [strategy for strategy in preferred(valence, at) if strategy in may]
    rank = {strategy: order.index(strategy) + 3 * recent.count(strategy) for strategy in order}
    return tuple(sorted(order, key=lambda strategy: rank[strategy]))
