"""What was learned from dialogues of support: which strategy people choose, and what it does.

Softmax regression over the features of the moment tells the first. For the second, linear models
tell how the person's next turns differ from what their state alone leads one to expect.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Self
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from voice_agent.errors import EngineUnavailable
from voice_agent.events import Strategy
from voice_agent.shipped import shipped
from voice_agent.thinking.strategy.stages import Stage

LEARNED: tuple[Strategy, ...] = tuple(one for one in Strategy if one is not Strategy.INFORMATION)
"""Strategies that the model knows: the data do not part suggestions from information."""

STAGES = tuple(Stage)

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Learned:
    """What training finds. Arrays are float32; strategies stand in the order of ``classes``.

    Attributes:
        features: Names of the features, in the order of the rows below.
        classes: Names of the strategies, those of ``LEARNED`` first.
        mean, spread: Of each feature in training.
        weights: Features x classes, for features brought to mean 0 and spread 1.
        bias: One a class.
        prior: Share of each class in training.
        effect: Classes x (1, valence, each of ``STAGES``): how much better, in standard deviations,
            the person's next turn is than their state lets expect.
        next_valence: Stages x (1, valence), then a row for the classes: their valence next.
        next_valence_by: What each class adds to it.
        next_stage: Stages x classes x stages: probability of the stage of the next turn.
        follows: Stages x classes x classes: how often people let the third follow the second, as
            a log ratio to how often they use it at that stage at all.
    """

    features: tuple[str, ...]
    classes: tuple[str, ...]
    mean: Array
    spread: Array
    weights: Array
    bias: Array
    prior: Array
    effect: Array
    next_valence: Array
    next_valence_by: Array
    next_stage: Array
    follows: Array

    def save(self, path: Path) -> None:
        """Writes it, compressed."""
        arrays = {one.name: getattr(self, one.name) for one in fields(self)}
        for name in ("features", "classes"):
            arrays[name] = np.frombuffer("\n".join(arrays[name]).encode(), np.uint8)
        np.savez_compressed(path, **arrays)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads what ``save`` wrote.

        Raises:
            OSError: There is no such file.
            ValueError, KeyError, EOFError, BadZipFile: It is not a model.
        """
        with np.load(path, allow_pickle=False) as stored:
            found = {one.name: stored[one.name] for one in fields(cls)}
        for name in ("features", "classes"):
            found[name] = tuple(found[name].tobytes().decode().split("\n"))
        return cls(**found)


class StrategyModel:
    """Tells strategies and what they lead to. Safe to share."""

    def __init__(self, learned: Learned) -> None:
        self._learned = learned
        self._rows = {name: row for row, name in enumerate(learned.features)}
        self._spread = learned.weights / learned.spread[:, None]
        self._bias = learned.bias - learned.mean @ self._spread
        self._count = len(LEARNED)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Reads ``model.npz``.

        Raises:
            EngineUnavailable: It is missing or damaged.
        """
        try:
            return cls(Learned.load(folder / "model.npz"))
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
            raise EngineUnavailable(
                f"the model of strategies cannot be read from {folder} ({error}): "
                "install the package again"
            ) from error

    def probabilities(self, moment: Mapping[str, float]) -> dict[str, float]:
        """Probability of each class that a supporter chooses it, self-disclosure included."""
        known = [(self._rows[name], value) for name, value in moment.items() if name in self._rows]
        rows = [row for row, _ in known]
        values = np.array([value for _, value in known], np.float32)
        scores = self._bias + values @ self._spread[rows]
        shares = np.exp(scores - scores.max())
        return dict(zip(self._learned.classes, (shares / shares.sum()).tolist(), strict=True))

    def ahead(self, at: Stage, valence: float) -> tuple[dict[str, float], Array]:
        """What each of ``LEARNED`` leads to.

        Args:
            at: Stage of the conversation.
            valence: Of the person's feeling, in [-1, 1].

        Returns:
            The effect of each on the person's next turn, in standard deviations above what their
            state alone lets expect; and, rows by strategy now and columns by strategy next, what
            the second adds if it follows.
        """
        learned, stage, count = self._learned, STAGES.index(at), self._count
        now = _effects(learned.effect, np.eye(len(STAGES))[stage], valence)[:count]
        base = learned.next_valence[stage] @ np.array([1.0, valence])
        after = np.zeros((count, count), np.float32)
        for row in range(count):
            stages = learned.next_stage[stage, row]
            later = float(base + learned.next_valence_by[row])
            follows = np.tensordot(stages, learned.follows[:, row, :count], 1)
            after[row] = _effects(learned.effect, stages, later)[:count] + follows
        return dict(zip(LEARNED, now.tolist(), strict=True)), after


def _effects(effect: Array, stages: NDArray[np.floating], valence: float) -> Array:
    """Effect of each class in a state; ``stages`` holds the probability of each."""
    state = np.concatenate([[1.0, valence], stages])
    return np.asarray(effect @ state, np.float32)


@cache
def carried() -> StrategyModel | None:
    """The model that the agent carries, loaded once; None where it was taken out.

    It may be: its data are for non-commercial use. Then the rules by hand choose alone.

    Raises:
        EngineUnavailable: Its file is damaged.
    """
    folder = shipped("models") / "strategy"
    return StrategyModel.load(folder) if (folder / "model.npz").exists() else None
