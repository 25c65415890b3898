"""Emotional inertia: how a person sounds is heard against how they sounded before.

A feeling outlasts a turn, and a sudden change of it takes evidence. What is known of a person's
emotion is therefore filtered over the turns as the hidden state of a Markov chain, after the
emotional inertia of EmotionIC (Liu et al. 2023).
"""

import math
from collections.abc import Mapping
from dataclasses import replace

from voice_agent.events import EMOTIONS, Estimate, Paralinguistics

PRIOR: Mapping[str, float] = {
    label: 0.3 if label == "neutral" else 0.7 / (len(EMOTIONS) - 1) for label in EMOTIONS
}
"""Belief about a person not yet heard; what analyzers' posteriors are taken to start from."""

INERTIA = 0.85
"""Probability that an emotion lasts from one turn to the next one that follows at once."""

LASTS_S = 180.0
"""Time constant with which that probability falls as time goes by without a turn."""

SURE_SHARE, SURE_MARGIN = 0.45, 0.15
"""A reading is uncertain unless its first emotion has this share and this lead over the second."""

_ERROR = 0.1
"""Probability that a reading says nothing of the emotion, however sure it is of itself."""

_FULL_SPEECH_S = 2.0
_UNCERTAIN_TRUST = 0.35


class Tracking:
    """What is known of one person's emotion over a session.

    The belief before a turn is the one after the last turn, mixed with ``PRIOR``: the former has
    the weight ``INERTIA`` · exp(-t / ``LASTS_S``), t being the seconds between the turns. A reading
    is then weighed in as a likelihood, its posterior divided by ``PRIOR``, to the power of the
    trust in it: 1 for two seconds of speech or more, less in proportion for less, and a third of
    that where the analyzer calls it uncertain. Each estimate (valence, arousal, dominance) becomes
    the mean of the last turn's and its own, weighted by their confidences, the one by the same
    inertia and the other by the same trust.
    """

    def __init__(self) -> None:
        self._last = Paralinguistics()
        self._ended = 0.0

    def weigh(self, how: Paralinguistics, began: float) -> Paralinguistics:
        """Weighs a reading against what was heard in the turns before; remembers nothing.

        Args:
            how: The analyzer's reading of a turn, or of the part of it that was heard so far.
            began: Seconds of received audio at which that turn began.

        Returns:
            The reading with ``emotion`` as it is to be believed, the analyzer's own posterior as
            ``evidence``, ``calm`` in its old proportion to neutral, and ``uncertain`` decided by
            ``SURE_SHARE`` and ``SURE_MARGIN``. What the analyzer does not know stays unknown.
        """
        last, inertia, trust = self._last, self._inertia(began), _trust(how)
        weighed = replace(
            how,
            valence=_estimate(last.valence, inertia, how.valence, trust),
            arousal=_estimate(last.arousal, inertia, how.arousal, trust),
            dominance=_estimate(last.dominance, inertia, how.dominance, trust),
        )
        if not how.emotion:
            return weighed
        emotion = self._posterior(how.emotion, inertia, trust)
        neutral = how.emotion.get("neutral", 0.0)
        return replace(
            weighed,
            emotion=emotion,
            evidence=how.emotion,
            calm=emotion["neutral"] * min(1.0, how.calm / neutral) if neutral > 0 else 0.0,
            uncertain=not sure(emotion),
        )

    def remember(self, how: Paralinguistics, ended: float) -> None:
        """Takes the weighed reading of a whole turn over as what is known.

        Args:
            how: What ``weigh`` made of it. If nothing was read, what is known stays.
            ended: Seconds of received audio at which the turn ended.
        """
        if how.emotion or how.valence or how.arousal or how.dominance:
            self._last, self._ended = how, ended

    def _inertia(self, began: float) -> float:
        return INERTIA * math.exp(-max(0.0, began - self._ended) / LASTS_S)

    def _posterior(
        self, evidence: Mapping[str, float], inertia: float, trust: float
    ) -> Mapping[str, float]:
        last = self._last.emotion or PRIOR
        shares = {}
        for label, usual in PRIOR.items():
            before = inertia * last.get(label, 0.0) + (1 - inertia) * usual
            likelihood = (1 - _ERROR) * evidence.get(label, 0.0) / usual + _ERROR
            shares[label] = before * likelihood**trust
        total = sum(shares.values())
        return {label: share / total for label, share in shares.items()}


def _trust(how: Paralinguistics) -> float:
    amount = min(1.0, how.manner.speech_s / _FULL_SPEECH_S)
    return amount * _UNCERTAIN_TRUST if how.uncertain else amount


def sure(emotion: Mapping[str, float]) -> bool:
    """Whether a posterior over emotions is clear enough to build on."""
    first, second = sorted(emotion.values(), reverse=True)[:2]
    return first >= SURE_SHARE and first - second >= SURE_MARGIN


def _estimate(
    last: Estimate | None, inertia: float, read: Estimate | None, trust: float
) -> Estimate | None:
    if last is None or read is None:
        return read
    past, present = inertia * last.confidence, trust * read.confidence
    if past + present <= 0:
        return read
    share = present / (past + present)
    return Estimate(
        last.value + share * (read.value - last.value),
        last.confidence + share * (read.confidence - last.confidence),
    )
