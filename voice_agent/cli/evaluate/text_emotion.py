"""``voice-agent eval text-emotion``: how well emotion in words is read."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voice_agent.cli.options import AsJson

if TYPE_CHECKING:
    from voice_agent.evaluation.text_emotion import TextReport


class Split(StrEnum):
    """Splits of GoEmotions."""

    TRAIN = "train"
    DEV = "dev"
    TEST = "test"


def text_emotion(
    data: Annotated[
        Path,
        typer.Argument(metavar="FOLDER_OR_TSV", help="GoEmotions, or a file of text, tab, labels."),
    ],
    split: Annotated[Split, typer.Option(help="Which file of the folder.")] = Split.TEST,
    as_json: AsJson = False,
) -> None:
    """Compare the emotions read in texts with their labels: Ekman's six and neutral."""
    import json

    from voice_agent.evaluation.text_emotion import evaluate, read
    from voice_agent.thinking.text_emotion import carried

    report = evaluate(carried(), read(data, split.value))
    if as_json:
        of = {"data": str(data), "split": split.value if data.is_dir() else None}
        print(json.dumps({**of, **report.as_json()}, ensure_ascii=False))
    else:
        show(report)


def show(report: "TextReport") -> None:
    """Prints the figures for people to read."""
    from rich.console import Console
    from rich.table import Table

    from voice_agent.cli.evaluate.tables import share, summary

    console = Console(highlight=False)
    console.print(
        f"[bold]{report.texts} texts[/], {report.several} of them with more than one emotion"
    )
    summary(
        console,
        "All texts [dim]each emotion told from its threshold on[/]",
        ("macro F1", share(report.as_written.macro_f1)),
        ("without capitals, punctuation and emoji", share(report.as_recognised.macro_f1)),
    )
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("")
    for heading in ("texts", "recall", "precision", "F1"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, figures in report.as_written.per_class.items():
        shares = (figures.recall, figures.precision, figures.f1)
        table.add_row(name, str(figures.n), *(share(figure) for figure in shares))
    console.print(table)
    single = report.single_label
    summary(
        console,
        f"{single.n} texts of one emotion [dim]the likeliest told[/]",
        ("macro F1", share(single.macro_f1)),
        ("accuracy", share(single.accuracy)),
    )
    console.print(f"\n[dim]{report.ms_per_text:.2f} ms a text[/]")
