"""``voice-agent eval strategy``: how well the strategies of people who give support are told."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voice_agent.cli.options import AsJson

if TYPE_CHECKING:
    from rich.table import Table

    from voice_agent.evaluation.strategy import StrategyReport

Data = Annotated[
    Path,
    typer.Argument(metavar="ESCONV", help="Dialogues as *.jsonl: a file, or a folder of them."),
]
Seed = Annotated[int, typer.Option(min=0, help="Of the folds and the training.")]


def strategy(
    data: Data,
    folds: Annotated[int, typer.Option(min=2, help="Parts of the cross-validation.")] = 10,
    seed: Seed = 0,
    carried: Annotated[
        bool,
        typer.Option("--carried", help="Measure the carried model, on data it has not learned."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Compare the strategies told with those that people chose (ESConv).

    The model is trained anew on the other dialogues for each part of the data, since the carried
    one may have learned from the very same dialogues.
    """
    import json

    from voice_agent.errors import EngineUnavailable
    from voice_agent.evaluation.strategy import cross_validate, evaluate
    from voice_agent.evaluation.strategy_dialogues import read
    from voice_agent.thinking.strategy.model import carried as carried_model
    from voice_agent.training.strategy import train

    moments = read(data)
    if carried:
        model = carried_model()
        if model is None:
            raise EngineUnavailable("there is no models/strategy/model.npz: train one first")
        report = evaluate(model, moments)
    else:
        report = cross_validate(moments, train, folds, seed)
    if as_json:
        print(json.dumps({"data": str(data), **report.as_json()}, ensure_ascii=False))
    else:
        show(report)


def show(report: "StrategyReport") -> None:
    """Prints the figures for people to read."""
    from rich.console import Console

    from voice_agent.cli.evaluate.tables import class_table, share, summary

    console = Console(highlight=False)
    how = f"each told without its part of {report.folds}" if report.folds > 1 else "one model"
    console.print(f"[bold]{report.answers} answers in {report.dialogues} dialogues[/], {how}")
    summary(
        console,
        "Strategies that people chose",
        ("macro F1", share(report.macro_f1)),
        ("always the most frequent", share(report.majority_macro_f1)),
        ("accuracy", share(report.accuracy)),
        ("always the most frequent", share(report.majority_accuracy)),
    )
    summary(
        console,
        "Without self-disclosure",
        ("macro F1", share(report.usable_macro_f1)),
    )
    console.print(class_table(report.per_class, report.confusion, "answers"))

    summary(console, "Preference [dim]1 is even[/]", ("bias", f"{report.bias:.2f}"))
    table = _table("", "strength", "told", "people", "by the agent")
    for name, one in report.preferences.items():
        table.add_row(
            name, f"{one.strength:.2f}", share(one.told), share(one.true), share(one.chosen)
        )
    console.print(table)

    if report.effects:
        summary(console, "Effect on the next turn [dim]standard deviations, 90 % interval[/]")
        table = _table("", "mean", "from", "to")
        for name, effect in report.effects.items():
            low, high = effect.mean - 1.64 * effect.error, effect.mean + 1.64 * effect.error
            table.add_row(name, f"{effect.mean:+.2f}", f"{low:+.2f}", f"{high:+.2f}")
        console.print(table)

    summary(console, "What people chose by the stage that was found")
    table = _table("", *report.by_stage)
    for name in report.preferences:
        table.add_row(name, *(share(shares[name]) for shares in report.by_stage.values()))
    console.print(table)
    console.print(f"\n[dim]{report.ms_per_choice:.2f} ms a choice[/]")


def _table(*headings: str) -> "Table":
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="dim")
    for at, heading in enumerate(headings):
        table.add_column(heading, justify="right" if at else "left", no_wrap=True)
    return table
