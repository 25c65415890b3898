"""``voice-agent eval``: how well an engine does on labelled data; one small file a subcommand."""

import typer

from voice_agent.cli.evaluate.paralinguistics import paralinguistics

app = typer.Typer(help="Measure how well an engine does on labelled data.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    pass


app.command("paralinguistics")(paralinguistics)
