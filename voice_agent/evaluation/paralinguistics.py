"""The evaluation of a paralinguistic analyzer on labelled clips."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from voice_agent.engines import ParalinguisticAnalyzer
from voice_agent.errors import ManifestError
from voice_agent.evaluation.baseline import DRAWS, BaselineReport, baseline_report
from voice_agent.evaluation.clips import ClipReading, Condition, read_clips, time_of_3_s
from voice_agent.evaluation.labels import NO_EVENT
from voice_agent.evaluation.manifest import Clip, Manifest
from voice_agent.evaluation.pictures import confusion_picture, reliability_picture, write
from voice_agent.evaluation.scoring import (
    EmotionReport,
    EventReport,
    GroupReport,
    emotion_report,
    event_report,
    group_report,
)
from voice_agent.hearing.vad import VadModel

_FLAT = ("uar", "uar_4class", "accuracy", "f1", "confusion", "ece")


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast the engine is, measuring included.

    Attributes:
        real_time_factor: Seconds of work for a second of audio.
        ms_per_second: The same in milliseconds.
        ms_3s_reading: Median milliseconds for the reading of 3 s, without measuring.
    """

    real_time_factor: float
    ms_per_second: float
    ms_3s_reading: float


@dataclass(frozen=True, slots=True)
class Report:
    """All figures; a task for which the manifest has no labels is None.

    Attributes:
        clips: How many were read.
        speakers: How many people the manifest names.
        audio_s: Seconds of audio.
    """

    clips: int
    speakers: int
    audio_s: float
    emotion: EmotionReport | None
    gender: GroupReport | None
    age: GroupReport | None
    events: EventReport | None
    baseline: BaselineReport | None
    pace: Pace

    def as_json(self) -> dict[str, Any]:
        """As the command prints it: figures of emotion and pace also at the top."""
        tasks = {
            name: asdict(report)
            for name in ("emotion", "gender", "age", "events", "baseline")
            if (report := getattr(self, name)) is not None
        }
        flat = {key: tasks["emotion"][key] for key in _FLAT} if "emotion" in tasks else {}
        return {
            "clips": self.clips,
            "speakers": self.speakers,
            "audio_s": self.audio_s,
            **flat,
            **asdict(self.pace),
            **tasks,
        }


async def evaluate(
    manifest: Manifest,
    analyzer: ParalinguisticAnalyzer,
    condition: Condition,
    *,
    baseline_s: float | None = None,
    expect_no_events: bool = False,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Report:
    """Reads all clips of a manifest and compares the readings with the labels.

    Args:
        manifest: The clips and their labels.
        analyzer: The engine.
        condition: What the clips go through first.
        baseline_s: Seconds of each person's audio to learn, to measure what that gains.
        expect_no_events: Whether every clip is to be heard as having no vocal event.
        progress: Told how many clips have been read, and of how many.

    Raises:
        ManifestError: The labels do not hold what is asked for.
        AudioError: A clip cannot be read.
        EngineError: The analyzer failed.
    """
    clips = manifest.clips
    if expect_no_events:
        clips = tuple(replace(clip, event=NO_EVENT) for clip in clips)
    _check(clips, baseline_s)
    done, of = 0, len(clips) * (1 if baseline_s is None else 1 + DRAWS)

    def step() -> None:
        nonlocal done
        done += 1
        progress(done, of)

    vad = VadModel()
    readings = await read_clips(clips, analyzer, vad, condition, step)
    heard = [(reading.clip, reading.how) for reading in readings]
    gender = [(clip.gender, how.gender) for clip, how in heard if clip.gender is not None]
    age = [(clip.age, how.age) for clip, how in heard if clip.age is not None]
    baseline = None
    if baseline_s is not None:
        baseline = await baseline_report(
            readings, manifest.emotions, analyzer, condition, baseline_s, step
        )
    return Report(
        clips=len(clips),
        speakers=len({clip.speaker for clip in clips} - {None}),
        audio_s=sum(reading.seconds for reading in readings),
        emotion=emotion_report(heard, manifest.emotions),
        gender=group_report([g for g, _ in gender], [p for _, p in gender]) if gender else None,
        age=group_report([a for a, _ in age], [p for _, p in age]) if age else None,
        events=event_report(heard),
        baseline=baseline,
        pace=await _pace(readings, analyzer, condition),
    )


def draw(report: Report, folder: Path) -> list[Path]:
    """Writes the pictures of a report into a folder; returns their paths.

    Raises:
        PictureError: One cannot be written.
    """
    figures = {
        f"confusion-{name}": confusion_picture(task.confusion, title)
        for name, task, title in (
            ("emotion", report.emotion, "Emotion"),
            ("gender", report.gender, "Gender"),
            ("age", report.age, "Age group"),
            ("events", report.events, "Vocal events"),
        )
        if task is not None
    }
    if report.emotion is not None:
        figures["reliability"] = reliability_picture(report.emotion.reliability, "Emotion")
    paths = [folder / f"{name}.png" for name in figures]
    for path, figure in zip(paths, figures.values(), strict=True):
        write(figure, path)
    return paths


def _check(clips: Sequence[Clip], baseline_s: float | None) -> None:
    if not any(clip.emotion or clip.gender or clip.age or clip.event for clip in clips):
        raise ManifestError(
            "none of the rows has a label that is understood; "
            "the columns emotion, gender, age and label hold them"
        )
    if baseline_s is not None and not any(clip.emotion and clip.speaker for clip in clips):
        raise ManifestError("to learn a person's voice, rows must have a speaker and an emotion")


async def _pace(
    readings: Sequence[ClipReading], analyzer: ParalinguisticAnalyzer, condition: Condition
) -> Pace:
    factor = sum(r.took_s for r in readings) / sum(r.seconds for r in readings)
    return Pace(factor, 1000 * factor, await time_of_3_s(readings, analyzer, condition))
