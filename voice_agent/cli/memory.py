"""``voice-agent memory``: what is remembered of people, for those whom it belongs to."""

from typing import Annotated

import typer

from voice_agent.cli.options import AsJson, Source, person
from voice_agent.cli.stored import Out, hand_over, with_store

app = typer.Typer(help="List, export and erase what is remembered of people.")

Name = Annotated[str, typer.Option("--user", metavar="NAME", help="Whose memory.")]


@app.callback()
def _group() -> None:
    pass


@app.command("list")
def list_(
    user: Annotated[
        str | None, typer.Option("--user", metavar="NAME", help="Whose memory; else the names.")
    ] = None,
    as_json: AsJson = False,
    source: Source = "embedded",
) -> None:
    """List the people that something is remembered of, or what is remembered of one."""
    import json

    from rich.console import Console
    from rich.table import Table

    headings: tuple[str, ...]
    rows: list[tuple[str, ...]]
    if user is None:
        people = with_store(source, lambda store: store.memories.people())
        headings, rows = ("user", "memories"), [(name, str(count)) for name, count in people]
        data = [{"user": name, "memories": count} for name, count in people]
    else:
        who = person(user)
        data = with_store(source, lambda store: store.memories.export(who))["memories"]
        headings = ("id", "told", "kind", "you told me that …")
        rows = [(m["id"], m["at"][:10], m["kind"], m["text"]) for m in data]
    if as_json:
        for one in data:
            print(json.dumps(one, ensure_ascii=False))
        return
    if not rows:
        print("Nothing is remembered." if user is None else f"Nothing is remembered of {user}.")
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in headings:
        table.add_column(heading, no_wrap=heading in ("id", "told", "kind"))
    for row in rows:
        table.add_row(*row)
    Console(markup=False).print(table, markup=False)


@app.command()
def export(user: Name, out: Out = None, source: Source = "embedded") -> None:
    """Export all that is remembered of a person as JSON."""
    who = person(user)
    hand_over(with_store(source, lambda store: store.memories.export(who)), out)


@app.command()
def erase(
    user: Name,
    id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="As `memory list` shows it; else all.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    source: Source = "embedded",
) -> None:
    """Erase one memory of a person, or all, for good: the bytes are overwritten."""
    who = person(user)
    if not yes:
        what = "everything that is" if id is None else f"{id}, which is"
        typer.confirm(
            f"Erase {what} remembered of {user}? It cannot be brought back.", abort=True, err=True
        )
    gone = with_store(source, lambda store: store.memories.erase(who, id))
    print(f"Erased {gone} {'memory' if gone == 1 else 'memories'} of {user}.")


@app.command()
def key(user: Name, source: Source = "embedded") -> None:
    """Give a person another key for the server, where theirs is lost or in wrong hands."""
    who = person(user)
    print(with_store(source, lambda store: store.memories.new_key(who)))
