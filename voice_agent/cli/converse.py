"""``voice-agent converse``: recordings as the person's side of a conversation."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voice_agent.cli.options import AsJson, Logging, LogLevel, Source, UserName, person

if TYPE_CHECKING:
    from voice_agent.person import Person
    from voice_agent.settings import Config


def converse(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Audio files: WAV, FLAC or OGG.")
    ],
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the replies there as WAV files.")
    ] = None,
    as_json: AsJson = False,
    user: UserName = None,
    source: Source = "embedded",
    fast: Annotated[
        bool, typer.Option("--fast", help="As fast as it goes instead of in real time.")
    ] = False,
    endpointing: Annotated[
        bool,
        typer.Option(
            "--endpointing",
            help="Let the agent decide where turns end; else each file is one turn.",
        ),
    ] = False,
    log_level: Logging = LogLevel.WARNING,
) -> None:
    """Play audio files to the agent, one turn each, and show what it heard, thought and said."""
    import asyncio

    from voice_agent import logs
    from voice_agent.audio.files import describe
    from voice_agent.config import load

    logs.configure(log_level.value, structured=False)
    config = load(source)
    who = person(user) if user is not None else None
    describe(files[0])  # a slip of the pen should not wait until all engines are loaded
    asyncio.run(_converse(files, config, out, as_json, fast, endpointing, who))


async def _converse(
    files: list[Path],
    config: "Config",
    out: Path | None,
    as_json: bool,
    fast: bool,
    endpointing: bool,
    who: "Person | None",
) -> None:
    from rich.console import Console

    from voice_agent.cli.loading import loaded
    from voice_agent.cli.playing import Playing
    from voice_agent.cli.report import as_json as line
    from voice_agent.cli.report import show
    from voice_agent.transports.files import FileConversation

    console = Console()
    async with loaded(config) as agent:
        conversation = await FileConversation.open(
            agent, out=out, fast=fast, endpointing=endpointing, person=who
        )
        try:
            for path in files:
                with Playing(path) as playing:
                    async for turn in conversation.play(path, playing.update):
                        with playing.hidden():
                            if as_json:
                                print(line(turn, agent.engines), flush=True)
                            else:
                                show(console, turn, str(path))
        finally:
            await conversation.close()
