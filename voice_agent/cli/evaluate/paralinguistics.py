"""``voice-agent eval paralinguistics``: how well an engine hears how something is said."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voice_agent.cli.options import EngineName, Logging, LogLevel, Source, rows_by_column

if TYPE_CHECKING:
    from voice_agent.evaluation.clips import Condition
    from voice_agent.evaluation.manifest import Manifest
    from voice_agent.evaluation.paralinguistics import Report
    from voice_agent.settings import Config


class Line(StrEnum):
    """What the recordings come through."""

    TELEPHONE = "telephone"


def paralinguistics(
    manifest: Annotated[
        Path, typer.Argument(metavar="MANIFEST", help="CSV of labelled recordings.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    where: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN=VALUE[,VALUE]", help="Only such rows; can be repeated."),
    ] = None,
    through: Annotated[
        Line | None, typer.Option(help="Send the recordings through a telephone line first.")
    ] = None,
    noise_db: Annotated[
        float | None, typer.Option(metavar="SNR", help="Add noise, this many dB below the speech.")
    ] = None,
    baseline: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS", min=0.1, help="Measure the gain of so much of each person known."
        ),
    ] = None,
    expect_no_events: Annotated[
        bool, typer.Option("--expect-no-events", help="Count every vocal event as a false alarm.")
    ] = False,
    picture: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Draw confusions and reliability there.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Only so many rows, drawn at random.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="What all that is random depends on.")] = 0,
    source: Source = "embedded",
    engine: EngineName = None,
    log_level: Logging = LogLevel.WARNING,
) -> None:
    """Compare what is heard of emotion, gender, age and vocal events with the labels of clips."""
    import asyncio
    import json
    import sys

    from voice_agent import logs
    from voice_agent.cli.analyzer import configured
    from voice_agent.evaluation.clips import Condition
    from voice_agent.evaluation.manifest import read
    from voice_agent.evaluation.paralinguistics import draw

    selection = rows_by_column(where or [], "--where")
    logs.configure(log_level.value, structured=False)
    config = configured(source, engine)
    selected = read(manifest, selection, limit, seed)
    for warning in selected.warnings:
        print(f"voice-agent: {manifest}: {warning}", file=sys.stderr)
    condition = Condition(through is Line.TELEPHONE, noise_db, seed)
    report = asyncio.run(_evaluate(selected, config, condition, baseline, expect_no_events))
    drawn = draw(report, picture) if picture is not None else []
    if as_json:
        document = {
            "manifest": str(manifest),
            "engine": config.hearing.paralinguistics.engine,
            "where": selection,
            "through": through.value if through else None,
            "noise_db": noise_db,
            "seed": seed,
            **report.as_json(),
            "warnings": selected.warnings,
            "pictures": [str(path) for path in drawn],
        }
        print(json.dumps(document, ensure_ascii=False))
    else:
        _show(report, drawn)


async def _evaluate(
    manifest: "Manifest",
    config: "Config",
    condition: "Condition",
    baseline_s: float | None,
    expect_no_events: bool,
) -> "Report":
    from voice_agent.cli.analyzer import opened
    from voice_agent.evaluation.paralinguistics import evaluate

    async with opened(config) as analyzer:
        with _progress() as progress:
            return await evaluate(
                manifest,
                analyzer,
                condition,
                baseline_s=baseline_s,
                expect_no_events=expect_no_events,
                progress=progress,
            )


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr, on a terminal only."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    console = Console(stderr=True)
    bar = Progress(
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        redirect_stdout=False,
        disable=not console.is_terminal,
    )
    task = bar.add_task("clips", total=None)
    with bar:
        yield lambda done, of: bar.update(task, completed=done, total=of)


def _show(report: "Report", drawn: Sequence[Path]) -> None:
    from rich.console import Console
    from rich.markup import escape

    from voice_agent.cli.evaluate.tables import class_table, share, summary

    console = Console(highlight=False)
    people = f", {report.speakers} speakers" if report.speakers else ""
    console.print(f"[bold]{report.clips} clips[/]{people}, {report.audio_s / 60:.1f} min")
    emotion = report.emotion
    if emotion is not None:
        low, high = emotion.uar_interval or (None, None)
        interval = f" ({share(low)}–{share(high)})" if low is not None else ""
        summary(
            console,
            f"Emotion [dim]{emotion.n} clips, {len(emotion.classes)} classes[/]",
            ("UAR", share(emotion.uar) + interval),
            ("4 classes", share(emotion.uar_4class)),
            ("accuracy", share(emotion.accuracy)),
            ("ECE", "–" if emotion.ece is None else f"{emotion.ece:.3f}"),
            ("uncertain", share(emotion.uncertain)),
        )
        console.print(class_table(emotion.per_class, emotion.confusion))
    for name, task in (("Gender", report.gender), ("Age group", report.age)):
        if task is not None:
            summary(
                console,
                f"{name} [dim]{task.n} clips[/]",
                ("UAR", share(task.uar)),
                ("accuracy", share(task.accuracy)),
                ("unknown", share(task.unknown)),
                ("accuracy where known", share(task.accuracy_known)),
            )
            console.print(class_table(task.per_class, task.confusion))
    events = report.events
    if events is not None:
        summary(
            console,
            f"Vocal events [dim]{events.n} clips[/]",
            ("macro F1", share(events.macro_f1)),
            ("accuracy", share(events.accuracy)),
            ("false alarms", share(events.false_alarms)),
        )
        console.print(class_table(events.per_class, events.confusion))
    baseline = report.baseline
    if baseline is not None:
        gain, (low, high) = baseline.gain_points.uar, baseline.gain_range
        summary(
            console,
            f"Knowing {baseline.seconds:g} s of each voice "
            f"[dim]{baseline.speakers} speakers, {baseline.draws} draws[/]",
            ("UAR", f"{share(baseline.without.uar)} → {share(baseline.learned.uar)}"),
            ("gain", f"{gain or 0.0:+.1f} points ({low:+.1f} to {high:+.1f})"),
        )
    pace = report.pace
    summary(
        console,
        "Pace",
        ("real-time factor", f"{pace.real_time_factor:.3f}"),
        ("a second of audio", f"{pace.ms_per_second:.1f} ms"),
        ("a reading of 3 s", f"{pace.ms_3s_reading:.1f} ms"),
    )
    for path in drawn:
        console.print(f"[dim]picture:[/] {escape(str(path))}")
