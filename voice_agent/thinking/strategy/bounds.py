"""What may come next, whatever suits: never three times running, and who leads how often."""

from collections.abc import Sequence
from dataclasses import dataclass

from voice_agent.events import Conduct, Exchange, Strategy

LEADING = frozenset((Strategy.QUESTION, Strategy.SUGGESTION))
"""Strategies with which the agent leads on; with the others it follows."""

_LAST_REPLIES = 8


def leads(past: Exchange) -> bool:
    """Whether a reply led on: by its strategy, or by a question in it."""
    strategy = past.thought.strategy if past.thought else ""
    return strategy in LEADING or "?" in past.reply


def worn(history: Sequence[Exchange]) -> str:
    """The strategy of both of the last two replies, which may not come again; empty for none."""
    last = [past.thought.strategy for past in history[-2:] if past.thought is not None]
    return last[0] if len(last) == 2 and last[0] == last[1] else ""


def allowed(history: Sequence[Exchange]) -> frozenset[Strategy]:
    """Strategies that may come next: none is used more than twice running."""
    tired = worn(history)
    return frozenset(strategy for strategy in Strategy if strategy != tired)


def may_come_next(
    history: Sequence[Exchange], conduct: Conduct, *, unasked: bool
) -> tuple[Strategy, ...]:
    """Strategies to choose among; where the bounds leave none, the softer ones give way first.

    Args:
        history: What went before.
        conduct: ``strategies`` may never be left.
        unasked: A suggestion would come unasked.
    """
    wanted = [one for one in Strategy if not conduct.strategies or one in conduct.strategies]
    fresh = [one for one in wanted if one in allowed(history)]
    tactful = [one for one in fresh if not (unasked and one is Strategy.SUGGESTION)]
    return tuple(tactful or fresh or wanted)


@dataclass(frozen=True, slots=True)
class Lead:
    """Who should lead on in the next reply.

    Attributes:
        must: The agent has to, or must not, to hold its share; None where either may.
        owed: Replies by which its share is short of what it should be, counting the next; 0.5 in
            the middle, more where it is to lead.
    """

    must: bool | None
    owed: float


def lead(history: Sequence[Exchange], conduct: Conduct) -> Lead:
    """Who should lead on; a share of 0 or 1 is held strictly, one in between leaves room.

    Args:
        history: Its last replies are counted.
        conduct: Its ``initiative`` is the share that leads.
    """
    share = conduct.initiative
    recent = [past for past in history if past.reply][-(_LAST_REPLIES - 1) :]
    owed = share * (len(recent) + 1) - sum(map(leads, recent))
    room = 2 * min(share, 1 - share)
    must = True if owed >= 1 + room - 1e-9 else False if owed <= 1e-9 - room else None
    return Lead(must, owed)
