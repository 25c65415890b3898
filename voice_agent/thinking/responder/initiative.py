"""Who leads the talk: how often the agent asks or proposes something."""

from collections.abc import Sequence

from voice_agent.events import Exchange, Strategy

_LEADING = {Strategy.QUESTION, Strategy.SUGGESTION}
_WINDOW = 10


def leads(exchange: Exchange) -> bool:
    """Whether the answer led on, by a question or an idea."""
    strategy = exchange.thought.strategy if exchange.thought else ""
    return "?" in exchange.reply or strategy in _LEADING


def may_lead(history: Sequence[Exchange], share: float) -> bool:
    """Whether the next answer should lead on, so that about a share of the answers do.

    Args:
        history: The conversation.
        share: ``Conduct.initiative``, in [0, 1].
    """
    recent = [exchange for exchange in history if exchange.reply][-_WINDOW:]
    return sum(map(leads, recent)) < share * (len(recent) + 1)
