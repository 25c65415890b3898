"""The choice of a strategy of support, planned two turns ahead.

What a strategy scores is what people choose at such a moment, its expected effect on the person,
the best that can follow it, what suits the stage, less what was used a lot lately.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

from voice_agent.events import Conduct, Exchange, Strategy, UserTurn
from voice_agent.thinking.strategy.bounds import LEADING, Lead, lead, may_come_next
from voice_agent.thinking.strategy.evidence import evidence, rules
from voice_agent.thinking.strategy.features import features
from voice_agent.thinking.strategy.model import LEARNED, StrategyModel, carried
from voice_agent.thinking.strategy.stages import Course, Stage, course

_WEIGHT_OF_PRIOR = 0.6  # what people do says less than what is good to do
_WEIGHT_OF_EFFECT = 2.0  # of one standard deviation of the person's next turn
_DISCOUNT = 0.6
_OVERUSE = 0.5
_OVERUSE_TURNS = 6
_INITIATIVE = 20.0  # where the share must be held: more than all else together
_NUDGE = 0.6
_LIFTS = 0.05
_GLAD = 0.2


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
    model: StrategyModel | None = None,
) -> tuple[Choice, ...]:
    """The strategies that may come next, best first; never empty.

    None comes three times running. Suggestions come in exploration only where advice is wanted.
    Answers to greetings, thanks and other moves without a story need no strategy and are not
    asked for here.

    Args:
        turn: What is to be answered.
        history: What went before, oldest first; its thoughts tell the strategies used.
        valence: Of the person's feeling now, in [-1, 1]; 0 where none shows.
        advice_wanted: This turn asks for advice.
        conduct: ``strategies`` bounds the choice; ``initiative`` is the share of the last replies
            that lead on, by a question or a suggestion. Advice that is wanted is always given.
        model: What was learned; the carried one without it, and where that was taken out, the rules
            by hand choose alone.

    Raises:
        EngineUnavailable: The carried model is damaged.
    """
    found = course(turn, history, valence=valence, advice_wanted=advice_wanted)
    shown = _shown(turn, history, advice_wanted)
    talk = _kind_of_talk(found, valence, shown)
    may = may_come_next(history, conduct, unasked=talk == Stage.EXPLORATION and not advice_wanted)
    scores = _by_hand(talk, shown)
    ahead: dict[Strategy, _Ahead] = {}
    learned = (model or carried()) if talk in tuple(Stage) else None
    if learned is not None:
        fit = learned.probabilities(features(turn, history))
        ahead = _look_ahead(learned, found.stage, valence, history, conduct)
        for strategy in LEARNED:
            scores[strategy] += _WEIGHT_OF_PRIOR * log(fit[strategy] + 1e-6)
            scores[strategy] += ahead[strategy].value
            if strategy is Strategy.SUGGESTION:
                # The data do not part information from suggestions; the rules by hand do.
                scores[Strategy.INFORMATION] += _WEIGHT_OF_PRIOR * log(fit[strategy] + 1e-6)
                scores[Strategy.INFORMATION] += ahead[strategy].value
    recent = [past.thought.strategy for past in history[-_OVERUSE_TURNS:] if past.thought]
    leading = Lead(None, 0.5) if advice_wanted else lead(history, conduct)
    why = _why(found, shown, talk)
    choices = [
        Choice(
            strategy,
            scores.get(strategy, 0.0)
            - _OVERUSE * recent.count(strategy)
            + _for_initiative(strategy, leading),
            _reason(strategy, why, leading.must, ahead.get(strategy)),
        )
        for strategy in [one for one in may if one in scores] or may
    ]
    return tuple(sorted(choices, key=lambda choice: -choice.score))


@dataclass(frozen=True, slots=True)
class _Ahead:
    """What a strategy leads to: its effect, the best that can follow, and both in one."""

    effect: float
    following: Strategy
    value: float


def _look_ahead(
    learned: StrategyModel,
    at: Stage,
    valence: float,
    history: Sequence[Exchange],
    conduct: Conduct,
) -> dict[Strategy, _Ahead]:
    """Two turns of each strategy that was learned: the next, and the best one after it."""
    effects, after = learned.ahead(at, valence)
    found = {}
    for strategy, row in zip(LEARNED, after.tolist(), strict=True):
        ways = {
            one: value
            for one, value in zip(LEARNED, row, strict=True)
            if _may_follow(one, strategy, history, conduct)
        }
        best = max(ways, key=lambda one: ways[one], default=strategy)
        value = _WEIGHT_OF_EFFECT * effects[strategy] + _DISCOUNT * ways.get(best, 0.0)
        found[strategy] = _Ahead(effects[strategy], best, value)
    return found


def _for_initiative(strategy: Strategy, leading: Lead) -> float:
    """What it adds to lead, or not to, where a share of the replies is to lead."""
    leads = strategy in LEADING
    if leading.must is not None:
        return _INITIATIVE * (leading.must == leads)
    return _NUDGE * (leading.owed - 0.5) * leads


def _shown(turn: UserTurn, history: Sequence[Exchange], advice_wanted: bool) -> frozenset[str]:
    """What the turn shows, in its place: only what was suggested can be no help."""
    last = history[-1].thought.strategy if history and history[-1].thought else ""
    shown = evidence(turn.text)
    if last not in (Strategy.SUGGESTION, Strategy.INFORMATION):
        shown -= {"resists"}
    return shown | ({"advice"} if advice_wanted else set())


def _kind_of_talk(found: Course, valence: float, shown: frozenset[str]) -> str:
    """The stage of a trouble, or what talk it is without one."""
    if valence > _GLAD and not shown & {"advice", "feeling"}:
        return "glad"
    return found.stage if found.begun else "plain"


def _by_hand(talk: str, shown: frozenset[str]) -> dict[Strategy, float]:
    """What the rules by hand give each strategy."""
    listed = rules()
    scores = {Strategy(name): float(value) for name, value in listed["suits"][talk].items()}
    for name in shown:
        for strategy, value in listed["calls_for"].get(name, {}).items():
            if strategy in listed["suits"][talk]:
                scores[Strategy(strategy)] += value
    return scores


def _may_follow(
    following: Strategy, strategy: Strategy, history: Sequence[Exchange], conduct: Conduct
) -> bool:
    """Whether the second may come after the first, which is not in the history yet."""
    last = history[-1].thought.strategy if history and history[-1].thought else ""
    third = following == strategy == last
    return not third and (not conduct.strategies or following in conduct.strategies)


def _why(found: Course, shown: frozenset[str], talk: str) -> str:
    """Name of what decided, out of ``reasons`` in ``strategies.yaml``."""
    if "advice" in shown:
        return "advice"
    if talk in ("glad", "plain"):
        return talk
    if "new" in shown and found.stage is Stage.EXPLORATION and not found.in_stage:
        return "new"
    for name in ("resists", "relief", "plans"):
        if name in shown and found.stage is not Stage.EXPLORATION:
            return name
    if found.stage is Stage.EXPLORATION and not (found.cause and found.feeling):
        return "no_feeling" if found.cause else "no_cause"
    return found.stage


def _reason(strategy: Strategy, why: str, must_lead: bool | None, ahead: _Ahead | None) -> str:
    said = rules()["reasons"]
    parts = [said["what"][strategy]]
    lifts = ahead is not None and ahead.effect >= _LIFTS
    if lifts:
        parts[0] += f", {said['lifts']}"
    if must_lead is not None and must_lead == (strategy in LEADING) and why != "advice":
        parts.insert(0, said["lead" if must_lead else "leave"])
    elif ahead is not None and ahead.following != strategy and not lifts:
        parts.append(said["after"][ahead.following])
    return f"{said['why'][why]}; {', and '.join(parts)}"
