"""Learns from dialogues of emotional support which strategy people choose, and what it does.

``voice-agent train strategy ESCONV --out models/strategy``
"""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voice_agent.evaluation.strategy_dialogues import CLASSES, Moment, read
from voice_agent.thinking.strategy.evidence import valence_of
from voice_agent.thinking.strategy.features import features
from voice_agent.thinking.strategy.model import STAGES, Learned
from voice_agent.thinking.strategy.stages import Course, course

_LEAST_COUNT = 5
_STEPS = 250
_STEP = 0.05
_DECAY = 0.3
_RARITY = 0.8
_SHRINK_EFFECT = 40.0  # as if so many moments more of each strategy had no effect
_SHRINK_STATE = 120.0
_SHRINK_STAGES = 20.0
_SHRINK_FOLLOWING = 30.0

Floats = NDArray[np.float64]


def train(moments: Sequence[Moment], seed: int = 0) -> Learned:
    """Fits all of it.

    Args:
        moments: To learn from.
        seed: Of the first weights; the same seed and moments give the same model.
    """
    found = [features(moment.turn, moment.history) for moment in moments]
    counts = Counter(name for one in found for name, value in one.items() if value)
    names = tuple(sorted(name for name, count in counts.items() if count >= _LEAST_COUNT))
    rows = {name: row for row, name in enumerate(names)}
    inputs = np.zeros((len(found), len(names)))
    for at, one in enumerate(found):
        for name, value in one.items():
            if name in rows:
                inputs[at, rows[name]] = value
    mean, spread = inputs.mean(axis=0), inputs.std(axis=0) + 1e-6
    chosen = np.array([CLASSES.index(moment.strategy) for moment in moments])
    weights, bias = _softmax_regression((inputs - mean) / spread, chosen, seed)
    courses = [_course(moment) for moment in moments]
    next_valence, next_valence_by = _next_valence(moments, courses)
    return Learned(
        features=names,
        classes=CLASSES,
        mean=mean.astype(np.float32),
        spread=spread.astype(np.float32),
        weights=weights.astype(np.float32),
        bias=bias.astype(np.float32),
        prior=(np.bincount(chosen, minlength=len(CLASSES)) / len(chosen)).astype(np.float32),
        effect=_effect(moments, courses).astype(np.float32),
        next_valence=next_valence.astype(np.float32),
        next_valence_by=next_valence_by.astype(np.float32),
        next_stage=_next_stage(moments, courses).astype(np.float32),
        follows=_follows(moments, courses).astype(np.float32),
    )


def _softmax_regression(
    inputs: Floats, chosen: NDArray[np.int64], seed: int
) -> tuple[Floats, Floats]:
    """Weights and bias by Adam with L2; rare classes count for more."""
    count, kinds = len(chosen), len(CLASSES)
    shares = np.maximum(np.bincount(chosen, minlength=kinds), 1) / count
    weight = shares[chosen] ** -_RARITY
    weight /= weight.mean() * count
    target = np.eye(kinds)[chosen]
    held = np.hstack([inputs, np.ones((count, 1))])  # the last column is the bias
    weights = np.random.default_rng(seed).normal(0, 1e-3, (held.shape[1], kinds))
    decay = np.full((held.shape[1], 1), _DECAY)
    decay[-1] = 0.0
    mean, square = np.zeros_like(weights), np.zeros_like(weights)
    for done in range(1, _STEPS + 1):
        scores = held @ weights
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        error = (scores / scores.sum(axis=1, keepdims=True) - target) * weight[:, None]
        gradient = held.T @ error + decay * weights
        mean += 0.1 * (gradient - mean)
        square += 0.001 * (gradient**2 - square)
        rate = _STEP * (1 - done / _STEPS) / (1 - 0.9**done)
        weights -= rate * mean / (np.sqrt(square / (1 - 0.999**done)) + 1e-8)
    return weights[:-1], weights[-1]


# --- what a strategy leads to -----------------------------------------------------------------


def _course(moment: Moment) -> Course:
    valence = valence_of(moment.turn.text, sure=True)
    return course(moment.turn, moment.history, valence=valence, advice_wanted=False)


def _state(moment: Moment, found: Course) -> list[float]:
    """Valence, then 1 at the stage."""
    valence = valence_of(moment.turn.text)
    return [valence, *(float(found.stage is one) for one in STAGES)]


def _effect(moments: Sequence[Moment], courses: Sequence[Course]) -> Floats:
    """Strategies x (1, valence, stages), by ridge regression on how the person's turn after is.

    That is the mean of what is known of it: the valence of their words, the fall of their unease
    and their feedback, each brought to mean 0 and spread 1. What valence, stage and place in the
    dialogue tell alone is taken out.
    """
    outcome = _outcomes(moments)
    kept = [at for at, value in enumerate(outcome) if not np.isnan(value)]
    state = np.array([_state(m, c) for m, c in zip(moments, courses, strict=True)])[kept]
    place = np.array([min(len(m.history), 12) / 12 for m in moments])[kept]
    chosen = np.eye(len(CLASSES))[[CLASSES.index(moments[i].strategy) for i in kept]]
    by_state = (chosen[:, :, None] * state[:, None, :]).reshape(len(kept), -1)
    ground = np.column_stack([np.ones(len(kept)), state, place, place**2])
    held = np.hstack([ground, chosen, by_state])
    shrink = np.concatenate(
        [
            np.full(ground.shape[1], 1.0),
            np.full(chosen.shape[1], _SHRINK_EFFECT),
            np.full(by_state.shape[1], _SHRINK_STATE),
        ]
    )
    fitted = _ridge(held, outcome[kept], shrink)[ground.shape[1] :]
    alone, with_state = fitted[: len(CLASSES)], fitted[len(CLASSES) :]
    return np.column_stack([alone, with_state.reshape(len(CLASSES), -1)])


def _outcomes(moments: Sequence[Moment]) -> Floats:
    """How the person's turn after each moment is; not a number where nothing is known."""
    said = [valence_of(m.following) if m.following else np.nan for m in moments]
    eased = [m.unease[0] - m.unease[1] if m.unease else np.nan for m in moments]
    rated = [np.nan if m.feedback is None else float(m.feedback) for m in moments]
    parts = np.array([said, eased, rated], float)
    outcome = np.full(len(moments), np.nan)
    known = ~np.isnan(parts)
    centre = np.array([p[k].mean() if k.any() else 0.0 for p, k in zip(parts, known, strict=True)])
    spread = np.array([p[k].std() if k.any() else 1.0 for p, k in zip(parts, known, strict=True)])
    scaled = np.where(known, (parts - centre[:, None]) / (spread[:, None] + 1e-9), 0.0)
    some = known.any(axis=0)
    outcome[some] = scaled.sum(axis=0)[some] / known.sum(axis=0)[some]
    return outcome


def _next_valence(moments: Sequence[Moment], courses: Sequence[Course]) -> tuple[Floats, Floats]:
    """Valence of the next turn: stages x (1, valence), and what each strategy adds."""
    kept = [at for at, moment in enumerate(moments) if moment.following]
    ground = np.zeros((len(kept), len(STAGES) * 2))
    chosen = np.zeros((len(kept), len(CLASSES)))
    for row, at in enumerate(kept):
        stage = STAGES.index(courses[at].stage)
        ground[row, 2 * stage : 2 * stage + 2] = 1.0, _state(moments[at], courses[at])[0]
        chosen[row, CLASSES.index(moments[at].strategy)] = 1.0
    target = np.array([valence_of(moments[at].following) for at in kept])
    shrink = np.concatenate([np.ones(ground.shape[1]), np.full(len(CLASSES), _SHRINK_EFFECT)])
    fitted = _ridge(np.hstack([ground, chosen]), target, shrink)
    return fitted[: ground.shape[1]].reshape(len(STAGES), 2), fitted[ground.shape[1] :]


def _next_stage(moments: Sequence[Moment], courses: Sequence[Course]) -> Floats:
    """Stages x strategies x stages, drawn towards what follows a stage whatever the strategy."""
    counts = np.zeros((len(STAGES), len(CLASSES), len(STAGES)))
    for (m, now), (after, later) in pairwise(zip(moments, courses, strict=True)):
        if m.dialogue == after.dialogue:
            at = STAGES.index(now.stage), CLASSES.index(m.strategy), STAGES.index(later.stage)
            counts[at] += 1
    whatever = counts.sum(axis=1, keepdims=True) + np.eye(len(STAGES))[:, None, :]
    whatever /= whatever.sum(axis=2, keepdims=True)
    smoothed = counts + _SHRINK_STAGES * whatever
    return np.asarray(smoothed / smoothed.sum(axis=2, keepdims=True))


def _follows(moments: Sequence[Moment], courses: Sequence[Course]) -> Floats:
    """Log ratio of how often a strategy follows another to how often it is used, by stage."""
    counts = np.zeros((len(STAGES), len(CLASSES), len(CLASSES)))
    for (m, _), (after, later) in pairwise(zip(moments, courses, strict=True)):
        if m.dialogue == after.dialogue:
            stage = STAGES.index(later.stage)
            counts[stage, CLASSES.index(m.strategy), CLASSES.index(after.strategy)] += 1
    used = counts.sum(axis=1, keepdims=True) + 1.0
    used /= used.sum(axis=2, keepdims=True)
    smoothed = counts + _SHRINK_FOLLOWING * used
    return np.asarray(np.log(smoothed / smoothed.sum(axis=2, keepdims=True) / used))


def _ridge(held: Floats, target: Floats, shrink: Floats) -> Floats:
    return np.asarray(np.linalg.solve(held.T @ held + np.diag(shrink), held.T @ target), float)


def run(data: Path, out: Path, seed: int = 0) -> Learned:
    """Trains on a file or folder of dialogues and writes the model to ``out``.

    Raises:
        ManifestError: The data are missing or of another form.
    """
    learned = train(read(data), seed)
    out.mkdir(parents=True, exist_ok=True)
    learned.save(out / "model.npz")
    return learned
