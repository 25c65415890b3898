"""The analyzer of a configuration alone, for commands that need no other engine."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from voice_agent.config import read
from voice_agent.engines import ParalinguisticAnalyzer
from voice_agent.settings import Config
from voice_agent.starting import start


def configured(source: str, engine: str | None) -> Config:
    """Reads a configuration, with another analyzer where one is named.

    Raises:
        ConfigError: It cannot be read.
    """
    chosen: Any = None if engine is None else {"engine": engine}
    return read(source, hearing__paralinguistics=chosen)


@asynccontextmanager
async def opened(config: Config) -> AsyncIterator[ParalinguisticAnalyzer]:
    """Loads the analyzer and lets it go in the end.

    Raises:
        ConfigError: There is no such engine, or it does not take its options.
        EngineUnavailable: It cannot run here.
    """
    line = await start("paralinguistics", [config.hearing.paralinguistics])
    try:
        yield line.engines[0]
    finally:
        await line.close()
