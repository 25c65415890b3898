"""Figures as people read them."""

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

from voice_agent.evaluation.metrics import ClassFigures, Confusion

_CONFUSIONS = 3


def share(value: float | None) -> str:
    """A share as a percentage."""
    return "–" if value is None else f"{100 * value:.1f} %"


def summary(console: Console, title: str, *figures: tuple[str, str]) -> None:
    """A heading and, below it, figures with their names."""
    console.print(f"\n[bold]{title}[/]")
    console.print("   ".join(f"[dim]{name}[/] {value}" for name, value in figures))


def class_table(
    per_class: Mapping[str, ClassFigures], matrix: Confusion, items: str = "clips"
) -> Table:
    """Figures by class, and what each is mostly taken for."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("")
    for heading in (items, "recall", "precision", "F1"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("taken for")
    for label, figures in per_class.items():
        wrong = {guess: n for guess, n in matrix[label].items() if guess != label and n}
        most = sorted(wrong.items(), key=lambda item: -item[1])[:_CONFUSIONS]
        table.add_row(
            label,
            str(figures.n),
            share(figures.recall),
            share(figures.precision),
            share(figures.f1),
            f"[dim]{', '.join(f'{guess} {n}' for guess, n in most)}[/]",
        )
    return table
