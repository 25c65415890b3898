"""``voice-agent chat``: the same agent by text, a line a turn."""

import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voice_agent.cli.options import AsJson, Logging, LogLevel, Source, UserName, person

if TYPE_CHECKING:
    from asyncio import Runner

    from voice_agent.person import Person
    from voice_agent.settings import Config


def chat(
    as_json: AsJson = False,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Speak the replies into WAV files there.")
    ] = None,
    user: UserName = None,
    source: Source = "embedded",
    log_level: Logging = LogLevel.WARNING,
) -> None:
    """Chat with the agent in writing: lines from the terminal or from stdin, a line a turn."""
    import asyncio

    from voice_agent import logs
    from voice_agent.config import load

    logs.configure(log_level.value, structured=False)
    config = load(source)
    who = person(user) if user is not None else None
    # The loop rests while somebody types: nothing is under way then, and Ctrl-C works as usual.
    with asyncio.Runner() as runner:
        _chat(runner, config, as_json, out, who)


def _chat(
    runner: "Runner", config: "Config", as_json: bool, out: Path | None, who: "Person | None"
) -> None:
    from rich.console import Console

    from voice_agent.cli.loading import loaded
    from voice_agent.cli.report import as_json as line
    from voice_agent.cli.report import show
    from voice_agent.transports.files import FileConversation

    console = Console()

    async def answer(text: str) -> None:
        async for turn in conversation.say(text):
            if as_json:
                print(line(turn, agent.engines), flush=True)
            else:
                show(console, turn)

    exits = AsyncExitStack()
    try:
        agent = runner.run(exits.enter_async_context(loaded(config)))
        opening = FileConversation.open(
            agent, out=out, fast=True, aloud=out is not None, person=who
        )
        conversation = runner.run(opening)
        exits.push_async_callback(conversation.close)
        for text in _lines(config.safety.disclosure):
            runner.run(answer(text))
    finally:
        runner.run(exits.aclose())


def _lines(greeting: str) -> Iterator[str]:
    """What is typed: from a prompt where somebody sits at a terminal, else the lines of stdin."""
    if not sys.stdin.isatty():
        yield from filter(None, map(str.strip, sys.stdin))
        return
    with suppress(ImportError):
        import readline  # noqa: F401  # lets input() edit lines
    print(f"{greeting}\nAn empty line or Ctrl-D ends the conversation.\n", file=sys.stderr)
    with suppress(EOFError):
        while text := input("> ").strip():
            yield text
