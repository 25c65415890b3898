"""``voice-agent serve``: the page and the websocket."""

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from voice_agent.cli.options import Logging, LogLevel, Source

if TYPE_CHECKING:
    from voice_agent.agent import Agent


def serve(
    source: Source = "embedded",
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port to listen on; 0 for any free one.")
    ] = None,
    log_level: Logging = LogLevel.INFO,
) -> None:
    """Serve the page at / and OpenAI's realtime protocol at /v1/realtime."""
    import asyncio

    from voice_agent import logs
    from voice_agent.config import load
    from voice_agent.server.app import serve as run

    logs.configure(log_level.value, structured=True)
    config = load(source, server__host=host, server__port=port)

    def ready(address: str, agent: "Agent") -> None:
        print(announcement(address, agent), flush=True)

    with suppress(KeyboardInterrupt):
        asyncio.run(run(config, ready))
    print("Stopped.")


def announcement(address: str, agent: "Agent") -> str:
    """What is said when the server is ready: where it is, what runs, and why nothing better."""
    lines = []
    for kind, line in agent.started.items():
        lines.append(f"  {kind.replace('_', ' '):<16} {line.label}")
        if line.why:
            lines.append(f"{'':<19}{line.why}")
    engines = "\n".join(lines)
    return (
        f"Ready: open {address} in a browser and talk. Ctrl-C stops.\n"
        f"Profile {agent.config.profile} with\n{engines}"
    )
