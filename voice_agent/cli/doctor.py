"""``voice-agent doctor``: what this machine can run, and what brings the rest."""

from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from voice_agent.cli.options import AsJson

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from voice_agent.checkup import Best, Runs
    from voice_agent.models.machine import Machine
    from voice_agent.packages import Package


def doctor(
    load: Annotated[
        bool, typer.Option("--load", help="Load the engines of each profile, to be sure.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check what this machine has, which profiles it can run, and what brings the others."""
    import asyncio

    from rich.console import Console

    from voice_agent import checkup, packages
    from voice_agent.models import machine

    waiting = Console(stderr=True)
    with waiting.status("Looking around…") if waiting.is_terminal else nullcontext():
        profiles = checkup.every_profile()
        if load:
            profiles = [asyncio.run(checkup.loads(each.profile)) for each in profiles]
        best = checkup.best()
        here = machine.look()
        installed = packages.packages()
    if as_json:
        _print_json(here, installed, profiles, best)
    else:
        console = Console(highlight=False)
        _show_machine(console, here)
        _show_packages(console, installed)
        _show_models(console)
        _show_profiles(console, profiles)
        _show_best(console, best)
    if any(profile.profile == "embedded" and profile.problems for profile in profiles):
        raise typer.Exit(1)


def _print_json(
    here: "Machine",
    packages: "dict[str, list[Package]]",
    profiles: "list[Runs]",
    best: "Best",
) -> None:
    import json
    import platform
    from dataclasses import asdict

    from voice_agent.models.catalogue import catalogue
    from voice_agent.models.installed import locate

    models = [
        {
            "name": model.name,
            "purpose": model.purpose,
            "licence": model.licence,
            "path": str(place) if (place := locate(model)) else None,
            "comes_along": model.comes_along,
        }
        for model in catalogue()
    ]
    report = {
        "python": platform.python_version(),
        "machine": asdict(here),
        "packages": {
            extra or "base": [asdict(package) for package in group]
            for extra, group in packages.items()
        },
        "models": models,
        "profiles": [asdict(profile) for profile in profiles],
        "auto": {
            "engines": {kind: pick.choice.label for kind, pick in best.now.items()},
            "why": {kind: pick.why for kind, pick in best.now.items() if pick.why},
            "possible": {kind: pick.choice.label for kind, pick in best.possible.items()},
            "steps": best.steps,
        },
    }
    print(json.dumps(report, ensure_ascii=False))


def _show_machine(console: "Console", here: "Machine") -> None:
    import platform

    from voice_agent.models.memory import in_words

    gpu = "no NVIDIA GPU"
    if here.gpu is not None:
        free, size = here.gpu.free, here.gpu.memory
        room = f", {in_words(free)} of {in_words(size)} free" if free and size else ""
        gpu = f"{here.gpu.name}{room}"
    built = f"built for CUDA {here.torch_cuda}" if here.torch_cuda else "for the processor alone"
    table = _grid()
    table.add_row("", "system", f"{platform.platform()}, Python {platform.python_version()}")
    table.add_row("", "processor", f"{here.cores} cores")
    if here.memory_free is not None:
        table.add_row("", "memory", f"{in_words(here.memory_free)} free")
    table.add_row("", "disk", f"{in_words(here.disk_free)} free for models")
    table.add_row("", "GPU", gpu)
    table.add_row("", "torch", f"{here.torch}, {built}" if here.torch else "not installed")
    console.print("[bold]Machine[/]")
    console.print(table)
    console.print()


def _show_packages(console: "Console", packages: "dict[str, list[Package]]") -> None:
    from voice_agent.packages import install_command

    for extra, group in packages.items():
        console.print(f"[bold]{'Packages' if not extra else f'Extra {extra}'}[/]")
        table = _grid()
        for package in group:
            state = "[green]✓[/]" if package.fits else "[yellow]–[/]" if extra else "[red]✗[/]"
            found = package.found or "missing"
            wanted = "" if package.fits else f"[dim]needs {package.wanted}[/]"
            table.add_row(state, package.name, found, wanted)
        console.print(table)
        if not all(package.fits for package in group):
            console.print("  To install:", install_command(extra), markup=False, soft_wrap=True)
        console.print()


def _show_models(console: "Console") -> None:
    from voice_agent.models.catalogue import catalogue
    from voice_agent.models.installed import locate, size_bytes

    console.print("[bold]Models[/] [dim](their licences are their own)[/]")
    table = _grid()
    absent = 0
    for model in catalogue():
        place = locate(model)
        if place is None and not model.comes_along:
            absent += 1
            continue
        state = "[green]✓[/]" if place else "[red]✗[/]"
        size = f"{size_bytes(place) / 1e6:.1f} MB" if place else "missing"
        table.add_row(state, model.name, model.licence, size, f"[dim]{model.purpose}[/]")
    console.print(table)
    if absent:
        console.print(f"  {absent} more can be fetched: voice-agent models list")
    console.print()


def _show_profiles(console: "Console", profiles: "list[Runs]") -> None:
    from rich.markup import escape

    console.print("[bold]Profiles[/]")
    for profile in profiles:
        state = "[yellow]–[/]" if profile.problems else "[green]✓[/]"
        names = ", ".join(dict.fromkeys(profile.engines.values()))
        console.print(f"  {state} {escape(profile.profile)}  [dim]{escape(names)}[/]")
        for problem in profile.problems:
            console.print(f"      {escape(problem)}", soft_wrap=True)
        _show_steps(console, "To get it:", profile.steps)
    console.print()


def _show_best(console: "Console", best: "Best") -> None:
    from rich.markup import escape

    console.print("[bold]auto[/] [dim](voice-agent serve -c auto)[/] takes here")
    for kind, pick in best.now.items():
        console.print(f"  {kind.replace('_', ' '):<16} {escape(pick.choice.label)}")
        if pick.why:
            console.print(f"                   [dim]{escape(pick.why)}[/]", soft_wrap=True)
    if not best.steps:
        console.print("  This is the best that this machine can run.")
        return
    better = [
        pick.choice.label
        for kind, pick in best.possible.items()
        if pick.choice != best.now[kind].choice
    ]
    console.print(f"  It could take {escape(', '.join(better))}.", soft_wrap=True)
    _show_steps(console, "To get there:", best.steps)


def _show_steps(console: "Console", heading: str, steps: tuple[str, ...]) -> None:
    if steps:
        console.print(f"      {heading}")
    for number, step in enumerate(steps, 1):
        console.print(f"        {number}. {step}", markup=False, soft_wrap=True)


def _grid() -> "Table":
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    table.add_column(min_width=3, justify="right")
    return table
