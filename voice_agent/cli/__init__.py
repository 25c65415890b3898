"""The command line: one small file a command.

Commands import what they need when they run, so that ``--help`` comes at once.
"""

import sys
from typing import Annotated

import typer

from voice_agent.cli import (
    analyze,
    chat,
    config,
    converse,
    doctor,
    evaluate,
    memory,
    models,
    serve,
    sessions,
    train,
    voices,
)
from voice_agent.errors import VoiceAgentError

app = typer.Typer(
    name="voice-agent",
    help="Talk to an agent that hears what is said and how.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("serve")(serve.serve)
app.command("converse")(converse.converse)
app.command("chat")(chat.chat)
app.command("analyze")(analyze.analyze)
app.command("doctor")(doctor.doctor)
app.command("config")(config.config)
app.add_typer(sessions.app, name="sessions")
app.add_typer(memory.app, name="memory")
app.add_typer(models.app, name="models")
app.add_typer(voices.app, name="voices")
app.add_typer(evaluate.app, name="eval")
app.add_typer(train.app, name="train")


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"voice-agent {version('voice-agent')}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    pass


def main() -> None:
    """Runs the command line: exit code 1 with one line for what went wrong, 2 for wrong usage."""
    try:
        app()
    except VoiceAgentError as error:
        print(f"voice-agent: {error}", file=sys.stderr)
        sys.exit(1)
