"""``voice-agent models``: fetch, show, verify and remove the models that engines use."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from voice_agent.cli.options import AsJson

if TYPE_CHECKING:
    from voice_agent.models.catalogue import Model, Source
    from voice_agent.models.pulling import Plan

_WIDE = 120
"""Columns of a terminal from which on the list shows all that is known."""

app = typer.Typer(help="Fetch, list, verify and remove models. Nothing is fetched without this.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="As `models list` shows it.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Agree to licences, and do not ask.")]


@app.callback()
def _group() -> None:
    pass


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List all models: what they are for, what they take, and whether they are here."""
    import json

    from rich.console import Console
    from rich.table import Table

    from voice_agent.models.catalogue import catalogue
    from voice_agent.models.installed import locate
    from voice_agent.needed_models import by_profile

    needs = by_profile()
    rows = [
        (model, locate(model), [each for each, names in needs.items() if _is_among(model, names)])
        for model in catalogue()
    ]
    if as_json:
        for model, place, profiles in rows:
            data = model.model_dump(mode="json", exclude={"include", "path", "package"})
            data |= {"path": str(place) if place else None, "profiles": profiles}
            print(json.dumps(data, ensure_ascii=False))
        return
    console = Console(highlight=False)
    headings = ["", "name", "MB", "licence", "commercial", "languages", "memory", "profiles"]
    if console.width < _WIDE:
        # What is shown is whole: names are there to be copied.
        headings = [heading for heading in headings if heading not in ("languages", "memory")]
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in headings:
        table.add_column(heading, justify="right" if heading == "MB" else "left", no_wrap=True)
    for kind in dict.fromkeys(model.kind for model in catalogue()):
        table.add_row("", f"[bold]{kind}[/]")
        for model, place, profiles in rows:
            if model.kind == kind:
                cells = _cells(model, place is not None, profiles)
                table.add_row(*(cells[heading] for heading in headings))
    console.print(table)
    memory = " memory: MB on the processor / on a GPU." if "memory" in headings else ""
    print(f"\nMB: to fetch, – comes with the agent.{memory}")
    print("Fetch with: voice-agent models pull NAME, or the name of a profile for all it needs.")


@app.command()
def pull(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME|PROFILE|FILE...",
            help="Models of the list or of the Hugging Face hub (owner/name), a profile or "
            "configuration file for all that it names, or auto for the best that this machine can "
            "run.",
        ),
    ],
    yes: Yes = False,
) -> None:
    """Fetch models, verify them and keep them; interrupted, it goes on where it was."""
    from voice_agent.models import pulling

    missing = []
    for source in _sources(names):
        place = pulling.here(source)
        if place is None:
            missing.append(source)
        else:
            print(f"{source.name} is here: {place}")
    plans = [pulling.plan(source) for source in missing]
    _announce(plans)
    agreed = [plan for plan in plans if _agreed(plan.source, yes)]
    try:
        for plan in agreed:
            with _progress(plan) as moved:
                place = pulling.pull(plan, moved)
            print(f"{plan.source.name} is here: {place}")
    except KeyboardInterrupt:
        print("Interrupted. What has come is kept: the same command goes on with it.")
        raise typer.Exit(130) from None
    if agreed != plans:
        raise typer.Exit(1)


@app.command()
def verify(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME...]", help="Else all pulled ones.")
    ] = None,
) -> None:
    """Read pulled models anew and compare them with their sums."""
    from voice_agent.errors import ModelError
    from voice_agent.models import installed, manifest, pulling

    if names:
        folders = [installed.home() / pulling.source(name).name for name in names]
    else:
        folders = installed.all_pulled()
    whole = True
    for folder in folders:
        if not folder.is_dir():
            raise ModelError(f"{folder.name} is not among the pulled models in {folder.parent}")
        made_of = manifest.read(folder)
        if made_of is None:
            print(f"? {folder.name}: {manifest.NAME} is missing, so nothing can be compared")
            continue
        problems = manifest.problems(folder, made_of.files)
        whole = whole and not problems
        print(f"{'✗' if problems else '✓'} {folder.name}")
        for problem in problems:
            print(f"    {problem}")
        if problems:
            print(f"    To mend it: voice-agent models remove {folder.name}, then pull it anew")
    if not folders:
        print("No models were pulled.")
    if not whole:
        raise typer.Exit(1)


@app.command()
def path(name: Name) -> None:
    """Print where a model lies."""
    from voice_agent.models import installed
    from voice_agent.models.catalogue import known

    model = known(name)
    place = installed.locate(model) if model else None
    print(place or installed.require(name, ()))


@app.command()
def remove(name: Name) -> None:
    """Remove a pulled model, or what has come of one."""
    from voice_agent.models import pulling

    freed = pulling.remove(pulling.source(name))
    print(f"Removed {name}; {freed / 1e6:.0f} MB are free again.")


def _is_among(model: "Model", names: tuple[str, ...]) -> bool:
    return any(model.answers_to(name) for name in names)


def _cells(model: "Model", here: bool, profiles: list[str]) -> dict[str, str]:
    """What the list shows of a model, by heading."""
    return {
        "": "[green]✓[/]" if here else "–",
        "name": model.name,
        "MB": str(model.megabytes or "–"),
        "licence": model.licence,
        "commercial": model.commercial.partition(":")[0].partition(";")[0],
        "languages": (model.languages or "").partition(":")[0],
        "memory": f"{model.memory.cpu} / {model.memory.gpu or '–'}",
        "profiles": ", ".join(profiles),
    }


def _sources(names: list[str]) -> "list[Source]":
    """The models that are meant, each once; of a configuration those that are no folders."""
    from pathlib import Path

    from voice_agent.auto import NAME as AUTO
    from voice_agent.config import profiles, read
    from voice_agent.models import pulling
    from voice_agent.needed_models import best_here, needed

    found = {}
    for name in names:
        if name == AUTO:
            wanted = best_here()
        elif name in profiles() or Path(name).suffix in (".yaml", ".yml"):
            wanted = needed(read(name))
        else:
            source = pulling.source(name)
            found[source.name] = source
            continue
        sources = [pulling.source(one) for one in wanted if not Path(one).expanduser().is_dir()]
        if not sources:
            print(f"{name} needs no models but those that come with the agent.")
        found |= {source.name: source for source in sources}
    return list(found.values())


def _announce(plans: "list[Plan]") -> None:
    for plan in plans:
        source = plan.source
        print(f"{source.name}: {plan.size / 1e6:.0f} MB from {source.origin}")
        print(f"    licence {plan.licence}; commercial use: {source.commercial}")
    if len(plans) > 1:
        print(f"Together {sum(plan.size for plan in plans) / 1e6:.0f} MB")


def _agreed(source: "Source", yes: bool) -> bool:
    """Whether the person agrees to what has to be agreed to."""
    import sys

    if source.consent is None or yes:
        return True
    question = f"{source.name}: do you agree to {source.consent}?"
    if sys.stdin.isatty() and typer.confirm(question, err=True):
        return True
    print(f"{source.name} is left out: its licence asks for consent. {question}", file=sys.stderr)
    print("To agree without being asked: --yes", file=sys.stderr)
    return False


@contextmanager
def _progress(plan: "Plan") -> "Iterator[Callable[[int], None]]":
    """A bar on a terminal; elsewhere a line each tenth."""
    from rich.console import Console

    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield _lines(plan)
        return
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(plan.source.name, total=plan.size)
        yield lambda size: progress.advance(task, size)


def _lines(plan: "Plan") -> Callable[[int], None]:
    import sys

    done = 0
    told = -1

    def moved(size: int) -> None:
        nonlocal done, told
        done += size
        tenth = min(10, done * 10 // max(plan.size, 1))
        if tenth != told:
            told = tenth
            print(f"{plan.source.name}: {tenth * 10} %", file=sys.stderr, flush=True)

    return moved
