"""Loading the engines of a kind: the chosen one, or what may be taken otherwise, and a reserve."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from voice_agent.config import engine_options
from voice_agent.engines import EngineKind
from voice_agent.errors import ConfigError
from voice_agent.settings import EngineChoice

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Line:
    """The engines of a kind that run.

    Attributes:
        engines: In the order in which they are asked.
        label: The first one with its models, for people.
        why: Why it is that one and nothing better; empty where there is nothing to say.
    """

    engines: Sequence[Any]
    label: str
    why: str

    async def close(self) -> None:
        """Closes all of them."""
        for engine in self.engines:
            await engine.close()


async def start(kind: EngineKind, line: Sequence[EngineChoice]) -> Line:
    """Loads the engines of a kind side by side.

    The chosen one, which comes first, has to run, or one that may be taken otherwise. The others
    only stand in for it, so that a missing one is no more than a warning; but the last language
    model has to run, because it thinks for itself, too, where a slow one has not thought yet.

    Raises:
        ConfigError: An engine does not exist or does not take its options.
        EngineUnavailable: One that has to run cannot; says what to do.
    """
    chosen, *reserve = line
    instead = [each for each in chosen.otherwise if each not in reserve]
    outcomes = await asyncio.gather(
        _first_of(kind, [chosen, *instead]),
        *(_first_of(kind, [each]) for each in reserve),
        return_exceptions=True,
    )
    # What may be taken otherwise and stands in reserve anyway is not loaded twice.
    needed = [outcomes[0]] if len(instead) == len(chosen.otherwise) else []
    if kind == "language_model":
        needed.append(outcomes[-1])
    loaded = [one for one in outcomes if isinstance(one, _Loaded)]
    for outcome in outcomes:
        if isinstance(outcome, BaseException) and (
            isinstance(outcome, ConfigError) or outcome in needed or not loaded
        ):
            for one in loaded:
                await one.engine.close()
            raise outcome
    why = [chosen.why] if chosen.why else []
    for choice, outcome in zip(line, outcomes, strict=True):
        if isinstance(outcome, _Loaded):
            break
        why.append(_not_taken(choice, outcome))
    for choice, outcome in zip(line[1:], outcomes[1:], strict=True):
        if isinstance(outcome, BaseException):
            log.warning(
                "an engine in reserve is missing (%s): %s", kind, _not_taken(choice, outcome)
            )
    first = loaded[0]
    return Line([one.engine for one in loaded], first.label, "; ".join([*why, *first.passed]))


@dataclass(frozen=True, slots=True, eq=False)
class _Loaded:
    engine: Any
    label: str
    passed: tuple[str, ...]


async def _first_of(kind: EngineKind, choices: Sequence[EngineChoice]) -> _Loaded:
    """Loads the first that runs.

    Raises:
        Exception: What the first one raised; none of them runs.
    """
    passed: list[str] = []
    first: Exception | None = None
    for choice in choices:
        try:
            engine, options = engine_options(kind, choice)
            return _Loaded(await engine.create(options), choice.label, tuple(passed))
        except Exception as error:
            # Drivers and damaged files have errors of their own, and the next one may do.
            first = first or error
            passed.append(_not_taken(choice, error))
            if len(choices) > 1:
                log.warning(
                    "engine cannot be loaded",
                    extra={"kind": kind, "engine": choice.label, "error": str(error)},
                )
    assert first is not None
    raise first


def _not_taken(choice: EngineChoice, error: BaseException) -> str:
    return f"not {choice.label}: {error}"
