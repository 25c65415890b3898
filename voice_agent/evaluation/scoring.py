"""Readings against labels: how well emotion, gender, age and vocal events are heard."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from voice_agent.evaluation import metrics
from voice_agent.evaluation.labels import CALM, NO_EVENT
from voice_agent.evaluation.manifest import Clip
from voice_agent.evaluation.metrics import Bin, ClassFigures, Confusion
from voice_agent.events import EMOTIONS, VOCAL_EVENTS, Paralinguistics

FOUR = ("anger", "happy", "sad", "neutral")
"""The classes of the four-class figure; ``calm`` counts as neutral there."""

_ORDER = tuple(
    name for label in EMOTIONS for name in ((label, CALM) if label == "neutral" else (label,))
)

Heard = Sequence[tuple[Clip, Paralinguistics]]
"""Clips with their readings."""


@dataclass(frozen=True, slots=True)
class EmotionReport:
    """How well emotion is heard. Shares are in [0, 1]; None where nothing can be said.

    Attributes:
        classes: The labels among which the engine chose.
        n: Clips with a label.
        uar: Unweighted average recall.
        uar_interval: Its 95 % interval, by drawing speakers with replacement (clips, where the
            speaker is not named).
        uar_4class: UAR of the clips of the four classes, the engine choosing among these.
        accuracy: Share of the clips that is right.
        ece: Expected calibration error of the posterior over ``classes``.
        unknown: Share of the clips for which the engine gave no emotion; they count as wrong.
        uncertain: Share of the clips whose reading is marked uncertain.
        accuracy_certain: Accuracy among those that are not.
        f1: F1 by class.
        per_class: All figures by class.
        confusion: Counts by true and heard class.
        speaker_uar: UAR by speaker.
        reliability: Accuracy by confidence.
    """

    classes: tuple[str, ...]
    n: int
    uar: float | None
    uar_interval: tuple[float, float] | None
    uar_4class: float | None
    accuracy: float | None
    ece: float | None
    unknown: float
    uncertain: float
    accuracy_certain: float | None
    f1: Mapping[str, float | None]
    per_class: Mapping[str, ClassFigures]
    confusion: Confusion
    speaker_uar: Mapping[str, float | None]
    reliability: tuple[Bin, ...]


@dataclass(frozen=True, slots=True)
class GroupReport:
    """How well gender or age group is heard.

    Attributes:
        classes: The labels that occur.
        n: Clips with a label.
        uar, accuracy: As for emotion; a clip without an answer counts as wrong.
        unknown: Share of the clips without an answer.
        accuracy_known: Accuracy among those with one.
        per_class: All figures by class.
        confusion: Counts by true and heard class.
    """

    classes: tuple[str, ...]
    n: int
    uar: float | None
    accuracy: float | None
    unknown: float
    accuracy_known: float | None
    per_class: Mapping[str, ClassFigures]
    confusion: Confusion


@dataclass(frozen=True, slots=True)
class EventReport:
    """How well vocal events are heard.

    Attributes:
        classes: The events that occur, and ``other`` for clips without one.
        n: Clips with a label.
        macro_f1: Mean F1 of these classes; None where there is but one.
        accuracy: Share of the clips that is right.
        false_alarms: Share of the clips without an event for which any was reported; None where
            every clip has one.
        f1, per_class, confusion: As for emotion.
    """

    classes: tuple[str, ...]
    n: int
    macro_f1: float | None
    accuracy: float | None
    false_alarms: float | None
    f1: Mapping[str, float | None]
    per_class: Mapping[str, ClassFigures]
    confusion: Confusion


def emotion_shares(how: Paralinguistics, classes: Collection[str]) -> dict[str, float]:
    """The posterior over ``classes`` alone, renormalised; empty where it gives them nothing.

    Where ``calm`` is a class of its own, ``neutral`` is what remains without it.
    """
    shares = dict(how.emotion)
    if CALM in classes:
        shares[CALM] = how.calm
        shares["neutral"] = max(0.0, shares.get("neutral", 0.0) - how.calm)
    shares = {label: shares.get(label, 0.0) for label in classes}
    total = sum(shares.values())
    return {label: share / total for label, share in shares.items()} if total > 0 else {}


def emotion_report(heard: Heard, emotions: Collection[str]) -> EmotionReport | None:
    """Scores the clips that have an emotion; None if there are none.

    Args:
        heard: The clips with their readings.
        emotions: The labels that the corpora have, among which the engine has to choose.
    """
    classes = tuple(label for label in _ORDER if label in emotions)
    labelled = [(clip, how) for clip, how in heard if clip.emotion is not None]
    if not labelled:
        return None
    truth = [clip.emotion or "" for clip, _ in labelled]
    speakers = [clip.speaker for clip, _ in labelled]
    # Whoever is not named may be anybody.
    groups = [clip.speaker or str(clip.path) for clip, _ in labelled]
    shares = [emotion_shares(how, classes) for _, how in labelled]
    predicted = [_likeliest(posterior) for posterior in shares]
    matrix = metrics.confusion(truth, predicted, classes)
    right = [true == guess for true, guess in zip(truth, predicted, strict=True)]
    certain = [
        is_right for is_right, (_, how) in zip(right, labelled, strict=True) if not how.uncertain
    ]
    known = [(max(p.values()), r) for p, r in zip(shares, right, strict=True) if p]
    reliability = metrics.reliability([sure for sure, _ in known], [r for _, r in known])
    per_class = metrics.class_figures(matrix)
    return EmotionReport(
        classes=classes,
        n=len(labelled),
        uar=metrics.uar(matrix),
        uar_interval=metrics.bootstrap_uar(truth, predicted, groups, classes),
        uar_4class=_uar_4class(labelled),
        accuracy=metrics.accuracy(matrix),
        ece=metrics.ece(reliability),
        unknown=predicted.count(None) / len(labelled),
        uncertain=1 - len(certain) / len(labelled),
        accuracy_certain=sum(certain) / len(certain) if certain else None,
        f1={label: figures.f1 for label, figures in per_class.items()},
        per_class=per_class,
        confusion=matrix,
        speaker_uar=_by_speaker(truth, predicted, speakers, classes),
        reliability=reliability,
    )


def group_report(truth: Sequence[str], posteriors: Sequence[Mapping[str, float]]) -> GroupReport:
    """Scores gender or age: the likeliest group of each posterior, unknown where it is empty."""
    predicted = [_likeliest(posterior) for posterior in posteriors]
    # Groups that nobody here belongs to can still be heard, wrongly.
    classes = tuple(sorted({*truth, *filter(None, predicted)}))
    matrix = metrics.confusion(truth, predicted, classes)
    known = [true == guess for true, guess in zip(truth, predicted, strict=True) if guess]
    return GroupReport(
        classes=classes,
        n=len(truth),
        uar=metrics.uar(matrix),
        accuracy=metrics.accuracy(matrix),
        unknown=1 - len(known) / len(truth),
        accuracy_known=sum(known) / len(known) if known else None,
        per_class=metrics.class_figures(matrix),
        confusion=matrix,
    )


def heard_event(how: Paralinguistics, classes: Collection[str]) -> str:
    """The one label of a whole clip: the event with most confidence times duration, summed.

    Events that are none of ``classes`` do not count; ``other`` where none is left.
    """
    weights: defaultdict[str, float] = defaultdict(float)
    for event in how.events:
        if event.label in classes and event.label != NO_EVENT:
            # A reading may give a sound as a moment; it still is more than none.
            weights[event.label] += event.confidence * max(event.end - event.start, 0.01)
    return max(weights, key=lambda label: weights[label]) if weights else NO_EVENT


def event_report(heard: Heard) -> EventReport | None:
    """Scores the clips that have a sound as their label; None if there are none."""
    labelled = [(clip.event, how) for clip, how in heard if clip.event is not None]
    if not labelled:
        return None
    truth = [event for event, _ in labelled]
    present = {*truth, NO_EVENT}
    classes = tuple(label for label in VOCAL_EVENTS if label in present)
    matrix = metrics.confusion(truth, [heard_event(how, classes) for _, how in labelled], classes)
    per_class = metrics.class_figures(matrix)
    quiet = [bool(how.events) for event, how in labelled if event == NO_EVENT]
    return EventReport(
        classes=classes,
        n=len(labelled),
        macro_f1=metrics.macro_f1(matrix),
        accuracy=metrics.accuracy(matrix),
        false_alarms=sum(quiet) / len(quiet) if quiet else None,
        f1={label: figures.f1 for label, figures in per_class.items()},
        per_class=per_class,
        confusion=matrix,
    )


def _likeliest(shares: Mapping[str, float]) -> str | None:
    return max(shares, key=lambda label: shares[label]) if shares else None


def _uar_4class(labelled: Heard) -> float | None:
    four = [
        ("neutral" if clip.emotion == CALM else clip.emotion, how)
        for clip, how in labelled
        if clip.emotion in (*FOUR, CALM)
    ]
    truth = [emotion or "" for emotion, _ in four]
    predicted = [_likeliest(emotion_shares(how, FOUR)) for _, how in four]
    return metrics.uar(metrics.confusion(truth, predicted, FOUR))


def _by_speaker(
    truth: Sequence[str],
    predicted: Sequence[str | None],
    speakers: Sequence[str | None],
    classes: Sequence[str],
) -> dict[str, float | None]:
    pairs: dict[str, list[tuple[str, str | None]]] = {}
    for true, guess, speaker in zip(truth, predicted, speakers, strict=True):
        if speaker is not None:
            pairs.setdefault(speaker, []).append((true, guess))
    return {
        speaker: metrics.uar(
            metrics.confusion([true for true, _ in own], [guess for _, guess in own], classes)
        )
        for speaker, own in sorted(pairs.items())
    }
