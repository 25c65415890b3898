"""``voice-agent eval``: how well an engine does on labelled data; one small file a subcommand."""

import typer

from voice_agent.cli.evaluate.paralinguistics import paralinguistics
from voice_agent.cli.evaluate.safety import safety
from voice_agent.cli.evaluate.strategy import strategy
from voice_agent.cli.evaluate.text_emotion import text_emotion

app = typer.Typer(help="Measure how well an engine does on labelled data.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    pass


app.command("paralinguistics")(paralinguistics)
app.command("safety")(safety)
app.command("strategy")(strategy)
app.command("text-emotion")(text_emotion)
