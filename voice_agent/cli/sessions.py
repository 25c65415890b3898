"""``voice-agent sessions``: the conversations that are kept, for the person they belong to."""

from typing import Annotated

import typer

from voice_agent.cli.options import AsJson, Source
from voice_agent.cli.stored import Out, hand_over, with_store

app = typer.Typer(help="List, show, export and delete the conversations that are kept.")

Id = Annotated[str, typer.Argument(metavar="ID", help="As `sessions list` shows it.")]


@app.callback()
def _group() -> None:
    pass


@app.command("list")
def list_(as_json: AsJson = False, source: Source = "embedded") -> None:
    """List all conversations, the newest first."""
    import json

    from rich.console import Console
    from rich.table import Table

    sessions = with_store(source, lambda store: store.sessions())
    if as_json:
        for session in sessions:
            data = {
                "id": session.id,
                "user": session.user,
                "started": session.started.isoformat(),
                "ended": session.ended.isoformat() if session.ended else None,
                "turns": session.turns,
                "engines": dict(session.engines),
            }
            print(json.dumps(data, ensure_ascii=False))
        return
    if not sessions:
        print("No conversations are kept.")
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("id", "began", "lasted", "turns", "user"):
        table.add_column(heading, justify="right" if heading == "turns" else "left", no_wrap=True)
    for session in sessions:
        lasted = str(session.ended - session.started).split(".")[0] if session.ended else "–"
        began = f"{session.started.astimezone():%Y-%m-%d %H:%M}"
        table.add_row(session.id, began, lasted, str(session.turns), session.user or "")
    Console().print(table)


@app.command()
def show(id: Id, as_json: AsJson = False, source: Source = "embedded") -> None:
    """Show a conversation as it was said, with what the agent thought."""
    import json

    from rich.console import Console
    from rich.markup import escape

    from voice_agent.cli.report import thought_in_rows
    from voice_agent.events import Thought

    data = with_store(source, lambda store: store.export(id))
    if as_json:
        for turn in data["turns"]:
            print(json.dumps(turn, ensure_ascii=False))
        return
    console = Console(highlight=False)
    console.print(f"[bold]{escape(data['id'])}[/]  [dim]{data['started']}[/]\n")
    for turn in data["turns"]:
        thought = turn["thought"]
        console.print(f"[cyan]you[/]    {escape(turn['user']['text'])}")
        for name, words in thought_in_rows(Thought(**thought)):
            console.print(f"       [dim]{name}: {escape(words)}[/]")
        cut = "" if turn["status"] == "completed" else f"  [yellow]{turn['status']}[/]"
        said = f"[green]agent[/]  {escape(turn['heard'])}  [dim]{thought['reply_emotion']}[/]{cut}"
        console.print(f"{said}\n")


@app.command()
def export(id: Id, out: Out = None, source: Source = "embedded") -> None:
    """Export all that is kept of a conversation as JSON."""
    hand_over(with_store(source, lambda store: store.export(id)), out)


@app.command()
def delete(
    id: Id,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    source: Source = "embedded",
) -> None:
    """Delete a conversation for good: its bytes are overwritten."""
    session = with_store(source, lambda store: store.session(id))
    if not yes:
        began = f"{session.started.astimezone():%Y-%m-%d %H:%M}"
        typer.confirm(
            f"Delete {id}, {session.turns} turns, begun {began}? It cannot be brought back.",
            abort=True,
            err=True,
        )
    with_store(source, lambda store: store.delete(id))
    print(f"Deleted {id}.")
