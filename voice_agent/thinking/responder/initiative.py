"""Who leads the talk: how often the agent asks or proposes something."""

from collections.abc import Sequence

from voice_agent.events import Exchange
from voice_agent.thinking.strategy.bounds import leads

_WINDOW = 10


def may_lead(history: Sequence[Exchange], share: float) -> bool:
    """Whether the next answer should lead on, so that about a share of the answers do.

    Args:
        history: The conversation.
        share: ``Conduct.initiative``, in [0, 1].
    """
    recent = [exchange for exchange in history if exchange.reply][-_WINDOW:]
    return sum(map(leads, recent)) < share * (len(recent) + 1)
