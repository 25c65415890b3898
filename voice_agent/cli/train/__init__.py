"""``voice-agent train``: trains the models that the agent carries; one small file a subcommand."""

import typer

from voice_agent.cli.train import paralinguistics, risk, strategy, text_emotion

app = typer.Typer(help="Train a small model that the agent carries.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    pass


app.command("paralinguistics")(paralinguistics.paralinguistics)
app.command("risk")(risk.risk)
app.command("strategy")(strategy.strategy)
app.command("text-emotion")(text_emotion.text_emotion)
