"""How well the strategies of people who give support are told, and how evenly they are used."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from voice_agent.evaluation.metrics import (
    ClassFigures,
    Confusion,
    accuracy,
    class_figures,
    confusion,
    macro_f1,
)
from voice_agent.evaluation.strategy_dialogues import CLASSES, SELF_DISCLOSURE, Moment
from voice_agent.events import Conduct, Exchange, Strategy, Thought
from voice_agent.thinking.strategy import choose, stage_of
from voice_agent.thinking.strategy.evidence import evidence, valence_of
from voice_agent.thinking.strategy.features import features
from voice_agent.thinking.strategy.model import LEARNED, STAGES, Learned, StrategyModel

Fit = Callable[[Sequence[Moment], int], Learned]
"""Trains on moments with a seed."""

_PASSES = 200
_VALENCE = -0.4  # of a person in trouble, for whom the effects are told


@dataclass(frozen=True, slots=True)
class Preference:
    """How much a strategy is preferred over the others when they are mixed up.

    Attributes:
        told: Share of the moments for which it is told.
        true: Share for which people chose it.
        strength: Bradley–Terry strength out of the confusions, 1 on average (Kang et al. 2024).
        chosen: Share of its answers to the same people for which the agent, with its plan and its
            rules, would choose it.
    """

    told: float
    true: float
    strength: float
    chosen: float


@dataclass(frozen=True, slots=True)
class Effect:
    """How much better the person's next turn is after a strategy than their state lets expect.

    Attributes:
        mean: In standard deviations, over the stages, for a valence of -0.4.
        error: Its standard error, by leaving out each fold (jackknife).
    """

    mean: float
    error: float


@dataclass(frozen=True, slots=True)
class StrategyReport:
    """How well strategies are told.

    Attributes:
        dialogues, answers: What was read.
        folds: Parts that were each told by a model trained on the others; 1 for a given model.
        macro_f1, accuracy: Of the likeliest class.
        majority_macro_f1, majority_accuracy: Of always telling the most frequent class.
        usable_macro_f1: Of the strategies that the agent uses alone, where people used one.
        bias: Standard deviation of the strengths of ``preferences``; 0 is even.
        confusion: What was taken for what.
        per_class: Figures of each class.
        preferences: By class.
        by_stage: Share of each class in what people chose at each stage.
        effects: Of each strategy, where there were folds.
        ms_per_choice: Mean time to choose a strategy with all that goes into it.
    """

    dialogues: int
    answers: int
    folds: int
    macro_f1: float | None
    accuracy: float | None
    majority_macro_f1: float | None
    majority_accuracy: float | None
    usable_macro_f1: float | None
    bias: float
    confusion: Confusion
    per_class: Mapping[str, ClassFigures]
    preferences: Mapping[str, Preference]
    by_stage: Mapping[str, Mapping[str, float]]
    effects: Mapping[str, Effect]
    ms_per_choice: float

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Told:
    """What a model says at one moment: the likeliest class, and the agent's own choice."""

    likeliest: str
    usable: str
    chosen: str
    seconds: float


def cross_validate(
    moments: Sequence[Moment], fit: Fit, folds: int = 10, seed: int = 0
) -> StrategyReport:
    """Tells each dialogue by a model that was trained on the dialogues of the other folds."""
    dialogues = sorted({moment.dialogue for moment in moments})
    folds = min(folds, len(dialogues))
    order = np.random.default_rng(seed).permutation(len(dialogues))
    fold_of = {dialogues[at]: place % folds for place, at in enumerate(order)}
    told: list[_Told | None] = [None] * len(moments)
    effects = []
    for fold in range(folds):
        learned = fit([m for m in moments if fold_of[m.dialogue] != fold], seed)
        model = StrategyModel(learned)
        effects.append(_effects(model))
        apart = [at for at, moment in enumerate(moments) if fold_of[moment.dialogue] == fold]
        for at, one in zip(apart, _tell(model, [moments[at] for at in apart]), strict=True):
            told[at] = one
    return _report(moments, [one for one in told if one], folds, _with_errors(effects))


def evaluate(model: StrategyModel, moments: Sequence[Moment]) -> StrategyReport:
    """Tells dialogues that the model has not seen in training."""
    return _report(moments, list(_tell(model, moments)), 1, {})


def preference_strengths(matrix: Confusion) -> dict[str, float]:
    """Bradley–Terry strengths of the classes, 1 on average.

    A class told where another was true is a win over it (Kang et al. 2024, "Can Large Language
    Models be Good Emotional Supporter?").
    """
    names = list(matrix)
    wins = np.array([[float(matrix[true][told]) for true in names] for told in names])
    np.fill_diagonal(wins, 0.0)
    met = wins + wins.T
    strength = np.ones(len(names))
    for _ in range(_PASSES):
        pairs = strength[:, None] + strength[None, :]
        strength = (wins.sum(axis=1) + 1e-9) / ((met / pairs).sum(axis=1) + 1e-9)
        strength *= len(names) / strength.sum()
    return dict(zip(names, strength.tolist(), strict=True))


def _tell(model: StrategyModel, moments: Sequence[Moment]) -> Iterator[_Told]:
    """What the model tells; the agent's own choices follow upon its own, not on those of people."""
    own: list[Exchange] = []
    before = None
    for moment in moments:
        if moment.dialogue != before:
            own, before = [], moment.dialogue
        found = model.probabilities(features(moment.turn, moment.history))
        began = time.perf_counter()
        chosen = choose(
            moment.turn,
            own,
            valence=_valence(moment),
            advice_wanted="advice" in evidence(moment.turn.text),
            conduct=Conduct(),
            model=model,
        )[0].strategy
        seconds = time.perf_counter() - began
        own.append(Exchange(moment.turn, "So.", Thought(strategy=chosen)))
        yield _Told(
            likeliest=max(found, key=lambda name: found[name]),
            usable=max(LEARNED, key=lambda name: found[name]),
            chosen=_as_class(chosen),
            seconds=seconds,
        )


def _valence(moment: Moment) -> float:
    return valence_of(moment.turn.text, sure=True)


def _as_class(strategy: Strategy) -> str:
    return Strategy.SUGGESTION if strategy is Strategy.INFORMATION else strategy


def _report(
    moments: Sequence[Moment], told: Sequence[_Told], folds: int, effects: Mapping[str, Effect]
) -> StrategyReport:
    truth = [moment.strategy for moment in moments]
    likeliest = [one.likeliest for one in told]
    matrix = confusion(truth, likeliest, CLASSES)
    most = Counter(truth).most_common(1)[0][0]
    majority = confusion(truth, [most] * len(truth), CLASSES)
    usable = [at for at, name in enumerate(truth) if name != SELF_DISCLOSURE]
    among = confusion([truth[at] for at in usable], [told[at].usable for at in usable], LEARNED)
    strengths = preference_strengths(matrix)
    counted, true = Counter(likeliest), Counter(truth)
    chosen = Counter(one.chosen for one in told)
    return StrategyReport(
        dialogues=len({moment.dialogue for moment in moments}),
        answers=len(moments),
        folds=folds,
        macro_f1=macro_f1(matrix),
        accuracy=accuracy(matrix),
        majority_macro_f1=macro_f1(majority),
        majority_accuracy=accuracy(majority),
        usable_macro_f1=macro_f1(among),
        bias=float(np.std(list(strengths.values()))),
        confusion=matrix,
        per_class=class_figures(matrix),
        preferences={
            name: Preference(
                counted[name] / len(truth),
                true[name] / len(truth),
                strengths[name],
                chosen[name] / len(truth),
            )
            for name in CLASSES
        },
        by_stage=_by_stage(moments),
        effects=effects,
        ms_per_choice=1000 * sum(one.seconds for one in told) / len(told),
    )


def _by_stage(moments: Sequence[Moment]) -> dict[str, dict[str, float]]:
    used: dict[str, Counter[str]] = {stage: Counter() for stage in STAGES}
    for moment in moments:
        at = stage_of(
            moment.turn,
            moment.history,
            valence=_valence(moment),
            advice_wanted="advice" in evidence(moment.turn.text),
        )
        used[at][moment.strategy] += 1
    return {
        stage: {name: count[name] / max(1, count.total()) for name in CLASSES}
        for stage, count in used.items()
    }


def _effects(model: StrategyModel) -> dict[str, float]:
    found = [model.ahead(stage, _VALENCE)[0] for stage in STAGES]
    return {name: float(np.mean([one[name] for one in found])) for name in LEARNED}


def _with_errors(by_fold: Sequence[Mapping[str, float]]) -> dict[str, Effect]:
    """Mean and jackknife error: each value was found without one fold."""
    folds = len(by_fold)
    effects: dict[str, Effect] = {}
    for name in LEARNED:
        values = np.array([one[name] for one in by_fold])
        error = np.sqrt((folds - 1) / folds * ((values - values.mean()) ** 2).sum())
        effects[name] = Effect(float(values.mean()), float(error))
    return effects
