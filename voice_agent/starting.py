"""Loading engines, each with those that may be taken otherwise."""

import logging
from dataclasses import dataclass
from typing import Any

from voice_agent.config import engine_options
from voice_agent.engines import EngineKind
from voice_agent.settings import EngineChoice

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Started:
    """An engine that runs.

    Attributes:
        engine: The engine.
        label: Its name with those of its models, for people.
        why: Why it was taken and nothing better; empty where there is nothing to say.
    """

    engine: Any
    label: str
    why: str


async def start(kind: EngineKind, choice: EngineChoice) -> Started:
    """Loads an engine, or else the first that runs of its ``otherwise``.

    Raises:
        ConfigError: The engine does not exist or does not take its options.
        EngineUnavailable: It cannot run here, nor can the others; says what to do for it.
    """
    first: Exception | None = None
    why = [choice.why] if choice.why else []
    for each in (choice, *choice.otherwise):
        try:
            engine, options = engine_options(kind, each)
            return Started(await engine.create(options), each.label, "; ".join(why))
        except Exception as error:
            # Drivers and damaged files have errors of their own, and the next one may do.
            first = first or error
            why.append(f"not {each.label}: {error}")
            if choice.otherwise:
                log.warning(
                    "engine cannot be loaded",
                    extra={"kind": kind, "engine": each.label, "error": str(error)},
                )
    assert first is not None
    raise first
