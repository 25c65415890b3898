"""An agent for the time of a command."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext

from rich.console import Console

from voice_agent.agent import Agent
from voice_agent.settings import Config


@asynccontextmanager
async def loaded(config: Config) -> AsyncIterator[Agent]:
    """Loads the engines, with a sign of life on a terminal, and lets them go in the end.

    Raises:
        EngineUnavailable: One of them cannot run here.
    """
    console = Console(stderr=True)
    waiting = console.status("Loading engines…") if console.is_terminal else nullcontext()
    with waiting:
        agent = await Agent.create(config)
    try:
        yield agent
    finally:
        await agent.close()
