"""``voice-agent doctor``: what can run here, and what brings the rest."""

from typing import TYPE_CHECKING

import typer

from voice_agent.cli.options import AsJson

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from voice_agent.checkup import Runs
    from voice_agent.packages import Package


def doctor(as_json: AsJson = False) -> None:
    """Check what is installed, which profiles can run here, and what is missing."""
    import asyncio

    from rich.console import Console

    from voice_agent import checkup, packages

    waiting = Console(stderr=True)
    if waiting.is_terminal:
        with waiting.status("Trying the engines of each profile…"):
            profiles = asyncio.run(checkup.all_profiles())
    else:
        profiles = asyncio.run(checkup.all_profiles())
    installed = packages.packages()
    if as_json:
        _print_json(installed, profiles)
    else:
        console = Console(highlight=False)
        _show_packages(console, installed)
        _show_models(console)
        _show_profiles(console, profiles)
    if any(profile.profile == "embedded" and profile.problems for profile in profiles):
        raise typer.Exit(1)


def _print_json(packages: "dict[str, list[Package]]", profiles: "list[Runs]") -> None:
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
        "packages": {
            extra or "base": [asdict(package) for package in group]
            for extra, group in packages.items()
        },
        "models": models,
        "profiles": [asdict(profile) for profile in profiles],
    }
    print(json.dumps(report, ensure_ascii=False))


def _show_packages(console: "Console", packages: "dict[str, list[Package]]") -> None:
    import platform

    from voice_agent.packages import install_command

    console.print(f"[bold]Python[/] {platform.python_version()} on {platform.platform()}\n")
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
    for model in catalogue():
        place = locate(model)
        absent = "missing" if model.comes_along else f"not fetched, {model.megabytes} MB"
        size = f"{size_bytes(place) / 1e6:.1f} MB" if place else absent
        state = "[green]✓[/]" if place else "[yellow]–[/]"
        table.add_row(state, model.name, model.licence, size, f"[dim]{model.purpose}[/]")
    console.print(table)
    console.print()


def _show_profiles(console: "Console", profiles: "list[Runs]") -> None:
    from rich.markup import escape

    console.print("[bold]Profiles[/]")
    for profile in profiles:
        state = "[red]✗[/]" if profile.problems else "[green]✓[/]"
        names = ", ".join(dict.fromkeys(profile.engines.values()))
        console.print(f"  {state} {escape(profile.profile)}  [dim]{escape(names)}[/]")
        for problem in profile.problems:
            console.print(f"      {escape(problem)}", soft_wrap=True)


def _grid() -> "Table":
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    table.add_column(min_width=3, justify="right")
    return table
