"""``voice-agent eval safety``: how well the safety gate sees risk, and what else it flags."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voice_agent.cli.options import AsJson, rows_by_column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from voice_agent.evaluation.safety import Flagged, FlaggedReport, SafetyReport


def safety(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE…", help="YAML, CSV or JSONL with text, risk (yes/no), kind."),
    ],
    unlabelled: Annotated[
        bool, typer.Option("--unlabelled", help="No labels: tell what is flagged.")
    ] = False,
    column: Annotated[str, typer.Option(help="Name of the column of texts.")] = "text",
    where: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN=VALUE[,VALUE]", help="Only such rows; can be repeated."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure how well risk of suicide and self-harm is told from other talk."""
    import json

    from rich.console import Console

    from voice_agent.evaluation.safety import evaluate, flag, read

    selection = rows_by_column(where or [], "--where")
    utterances = [
        utterance
        for file in files
        for utterance in read(file, labelled=not unlabelled, column=column, where=selection)
    ]
    report = flag(utterances) if unlabelled else evaluate(utterances)
    if as_json:
        print(json.dumps(report.as_json(), ensure_ascii=False))
        return
    from voice_agent.evaluation.safety import SafetyReport

    console = Console(highlight=False)
    if isinstance(report, SafetyReport):
        _show(console, report)
    else:
        _show_flagged(console, report)
    console.print(f"\n[dim]{report.ms_per_text:.2f} ms a text[/]")


def _show(console: "Console", report: "SafetyReport") -> None:
    from rich.table import Table

    from voice_agent.cli.evaluate.tables import share, summary

    console.print(f"[bold]{report.risky + report.harmless} texts[/], {report.risky} of risk")
    summary(
        console,
        "As written",
        ("recall", share(report.recall)),
        ("false alarms", share(report.false_alarms)),
    )
    summary(
        console,
        "Without capitals and punctuation",
        ("recall", share(report.recall_recognised)),
        ("false alarms", share(report.false_alarms_recognised)),
    )
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("kind", "risk"):
        table.add_column(heading)
    for heading in ("texts", "flagged"):
        table.add_column(heading, justify="right", no_wrap=True)
    for kind in report.per_kind:
        table.add_row(
            kind.kind or "–", "yes" if kind.risk else "no", str(kind.n), str(kind.flagged)
        )
    console.print()
    console.print(table)
    _list(console, "Missed", report.missed)
    _list(console, "False alarms", report.alarmed)


def _show_flagged(console: "Console", report: "FlaggedReport") -> None:
    console.print(
        f"[bold]{report.texts} texts[/], {100 * report.share:.2f} % flagged for suicide risk or "
        "self-harm"
    )
    dangers = ", ".join(f"{danger} {n}" for danger, n in report.dangers.items()) or "none"
    console.print(f"[dim]all dangers:[/] {dangers}")
    _list(console, "Flagged", report.flagged)


def _list(console: "Console", title: str, texts: "Sequence[Flagged]") -> None:
    from rich.markup import escape

    if texts:
        console.print(f"\n[bold]{title}[/]")
    for one in texts:
        signs = ", ".join(one.signs) or one.danger
        console.print(f"[dim]{one.kind} ({one.level}: {signs})[/] {escape(one.text)}")
