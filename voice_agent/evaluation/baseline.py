"""What it gains to know a person's usual voice: clips read with and without it."""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from voice_agent.engines import ParalinguisticAnalyzer
from voice_agent.errors import ManifestError
from voice_agent.evaluation.clips import ClipReading, Condition
from voice_agent.evaluation.scoring import Heard, emotion_report
from voice_agent.events import Paralinguistics
from voice_agent.hearing.manner import Speaker

DRAWS = 5
"""Random choices of what is learned; figures are means over them."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures of emotion, in [0, 1]; gains are differences in points of a hundred."""

    uar: float | None
    uar_4class: float | None
    accuracy: float | None


@dataclass(frozen=True, slots=True)
class BaselineReport:
    """The gain by learning a person's voice.

    Attributes:
        seconds: Audio of each person that was learned, at least.
        draws: How often it was chosen anew.
        n: Clips read in a draw, on average.
        speakers: People who had more audio than that; others are left out.
        without, learned: Figures of the same clips without and with what was learned.
        gain_points: The difference, in percentage points.
        gain_range: Lowest and highest gain in UAR of a draw, in percentage points.
    """

    seconds: float
    draws: int
    n: float
    speakers: int
    without: Figures
    learned: Figures
    gain_points: Figures
    gain_range: tuple[float, float]


async def baseline_report(
    readings: Sequence[ClipReading],
    emotions: frozenset[str],
    analyzer: ParalinguisticAnalyzer,
    condition: Condition,
    seconds: float,
    progress: Callable[[], None] = lambda: None,
) -> BaselineReport:
    """Learns ``seconds`` of each person's audio and reads the person's other clips with that.

    The clips that are learned are drawn at random, whatever their emotion, as in a conversation
    that has gone on for a while. ``progress`` is told after each clip read.

    Raises:
        ManifestError: Nobody has that much audio and clips with an emotion besides.
    """
    people: dict[str, list[ClipReading]] = {}
    for reading in readings:
        if reading.clip.speaker is not None:
            people.setdefault(reading.clip.speaker, []).append(reading)
    without, learned, sizes, speakers = [], [], [], set()
    for draw in range(DRAWS):
        before: list[ClipReading] = []
        after: list[tuple[ClipReading, Paralinguistics]] = []
        for speaker, own in sorted(people.items()):
            rng = random.Random(f"{condition.seed} {draw} {speaker}")
            known, others = _split(own, seconds, rng)
            if not others:
                continue
            speakers.add(speaker)
            before += others
            after += await _read_knowing(known, others, analyzer, condition, progress)
        without.append(_figures([(r.clip, r.how) for r in before], emotions))
        learned.append(_figures([(r.clip, how) for r, how in after], emotions))
        sizes.append(len(before))
    gains = [_gain(a, b) for a, b in zip(without, learned, strict=True)]
    uar_gains = [gain.uar for gain in gains if gain.uar is not None]
    if not uar_gains:
        raise ManifestError(
            f"no speaker has clips with an emotion beside {seconds:g} s to learn; "
            "ask for fewer seconds, and check that the manifest names the speakers"
        )
    return BaselineReport(
        seconds=seconds,
        draws=DRAWS,
        n=float(np.mean(sizes)),
        speakers=len(speakers),
        without=_mean(without),
        learned=_mean(learned),
        gain_points=_mean(gains),
        gain_range=(min(uar_gains), max(uar_gains)),
    )


def _split(
    own: Sequence[ClipReading], seconds: float, rng: random.Random
) -> tuple[list[ClipReading], list[ClipReading]]:
    """Clips to learn, and those to read afterwards in their order; none if there is too little."""
    left = rng.sample(list(own), len(own))
    known: list[ClipReading] = []
    while left and sum(reading.seconds for reading in known) < seconds:
        known.append(left.pop())
    others = [r for r in sorted(left, key=lambda r: r.clip.row) if r.clip.emotion is not None]
    return known, others


async def _read_knowing(
    known: Sequence[ClipReading],
    others: Sequence[ClipReading],
    analyzer: ParalinguisticAnalyzer,
    condition: Condition,
    progress: Callable[[], None],
) -> list[tuple[ClipReading, Paralinguistics]]:
    usual = Speaker()
    stream = await analyzer.open()
    try:
        for reading in known:
            usual.learn(reading.prosody)
            await stream.learn(condition.load(reading.clip))
            progress()
        heard = []
        for reading in others:
            manner = usual.manner(reading.prosody)
            heard.append((reading, await stream.analyze(condition.load(reading.clip), manner)))
            progress()
        return heard
    finally:
        await stream.close()


def _figures(heard: Heard, emotions: frozenset[str]) -> Figures:
    report = emotion_report(heard, emotions)
    if report is None:
        return Figures(None, None, None)
    return Figures(report.uar, report.uar_4class, report.accuracy)


def _gain(before: Figures, after: Figures) -> Figures:
    def points(a: float | None, b: float | None) -> float | None:
        return None if a is None or b is None else 100 * (b - a)

    return Figures(
        points(before.uar, after.uar),
        points(before.uar_4class, after.uar_4class),
        points(before.accuracy, after.accuracy),
    )


def _mean(draws: Sequence[Figures]) -> Figures:
    def mean(values: Iterable[float | None]) -> float | None:
        known = [value for value in values if value is not None]
        return float(np.mean(known)) if known else None

    return Figures(
        mean(draw.uar for draw in draws),
        mean(draw.uar_4class for draw in draws),
        mean(draw.accuracy for draw in draws),
    )
