"""From the scores of models to how something was said."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from voice_agent.events import EMOTIONS, Estimate
from voice_agent.hearing.paralinguistics.transformers.classifier import Scores
from voice_agent.hearing.paralinguistics.transformers.labels import CALM, NAMES, Meanings
from voice_agent.hearing.paralinguistics.transformers.options import Kind, ModelChoice
from voice_agent.hearing.tracking import sure

_LEAST = 0.1
"""Share of all that a model says that must be about a kind for it to say anything of it."""

_REGRESSED = 0.5
"""Confidence in a value of a model that gives none."""


def exclusive(choice: ModelChoice, multi_label: bool) -> bool:
    """Whether the labels of a model exclude each other."""
    return choice.outputs == "softmax" or (choice.outputs == "auto" and not multi_label)


def shares(scores: Scores, temperature: float, exclusive: bool) -> NDArray[np.float64]:
    """Turns scores into shares in [0, 1]; they sum to 1 where labels exclude each other.

    The temperature divides the scores (Guo et al. 2017, "On calibration of modern neural
    networks").
    """
    scaled = scores.astype(np.float64) / temperature
    if not exclusive:
        return np.asarray(0.5 * (1 + np.tanh(scaled / 2)))
    odds = np.exp(scaled - scaled.max())
    return np.asarray(odds / odds.sum())


def sounds(meanings: Meanings, of_labels: NDArray[np.float64], exclusive: bool) -> dict[str, float]:
    """The share of each sound in a window: giggles and chuckles are laughter."""
    found: dict[str, float] = {}
    for share, names in zip(of_labels.tolist(), meanings, strict=True):
        for name in names:
            before = found.get(name, 0.0)
            found[name] = min(1.0, before + share) if exclusive else max(before, share)
    return found


def posterior(kind: Kind, meanings: Meanings, of_labels: NDArray[np.float64]) -> dict[str, float]:
    """The posterior over our names of a kind; empty where the model speaks of something else."""
    names = NAMES[kind]
    found = np.array(
        [
            sum(
                share for share, meaning in zip(of_labels, meanings, strict=True) if name in meaning
            )
            for name in names
        ]
    )
    if found.sum() < _LEAST * of_labels.sum():
        return {}
    return dict(zip(names, (found / found.sum()).tolist(), strict=True))


def emotion(of_names: Mapping[str, float]) -> tuple[dict[str, float], float]:
    """The posterior over ``EMOTIONS``, and the part of it that is calm."""
    if not of_names:
        return {}, 0.0
    calm = of_names[CALM]
    return {name: of_names[name] + (calm if name == "neutral" else 0.0) for name in EMOTIONS}, calm


def uncertain(of_emotions: Mapping[str, float]) -> bool:
    """Whether an emotion is too weak to build on."""
    return not of_emotions or not sure(of_emotions)


def dimensions(scores: Scores, meanings: Meanings, choice: ModelChoice) -> dict[str, Estimate]:
    """Arousal, valence and dominance in [-1, 1], as far as the model gives them."""
    lowest, highest = choice.scale
    return {
        name: Estimate(float(np.clip(value, -1, 1)), _REGRESSED)
        for value, names in zip(
            2 * (scores.astype(np.float64) - lowest) / (highest - lowest) - 1,
            meanings,
            strict=True,
        )
        for name in names
    }
