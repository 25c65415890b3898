"""The profile ``auto``: of each kind of engine the best that this machine can run.

The candidates are the engines of the shipped profiles, best first. Nothing is loaded: each engine
is asked by its ``check``, and the catalogue says what its models take of the memory that there is.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from pydantic import BaseModel

from voice_agent import engines
from voice_agent.engines import EngineKind
from voice_agent.errors import VoiceAgentError
from voice_agent.models import machine as this_machine
from voice_agent.models.catalogue import Model, known
from voice_agent.models.installed import locate
from voice_agent.models.machine import Machine
from voice_agent.models.memory import in_words
from voice_agent.settings import Config, EngineChoice

NAME = "auto"

NEEDS_GPU = "it needs an NVIDIA GPU"

PROFILES = ("gpu", "cpu", "embedded")
"""Where the candidates come from, the best first; the last one needs nothing."""

_PLACE: Mapping[EngineKind, tuple[str, str]] = {
    "language_model": ("thinking", "language_model"),
    "synthesizer": ("speaking", "synthesizer"),
    "recognizer": ("hearing", "recognizer"),
    "paralinguistics": ("hearing", "paralinguistics"),
}
"""Section and key of what is chosen; where not all fits into memory, the last gives way first."""

_OWN = 1_000_000_000
"""Bytes of memory that the agent takes beside the models."""

Options = Callable[[EngineKind, EngineChoice], BaseModel]
"""The validated options of an engine; raises what is wrong with them."""

Obstacle = Callable[[EngineKind, EngineChoice, BaseModel], str | None]
"""Why an engine cannot run here; None if it can."""


@dataclass(frozen=True, slots=True)
class Passed:
    """A better engine that was not taken, the profile that it is from, and the reason."""

    choice: EngineChoice
    profile: str
    reason: str


@dataclass(frozen=True, slots=True)
class Pick:
    """What was taken of a kind.

    Attributes:
        choice: The engine.
        profile: The profile that it is from.
        fallback: What takes over in that profile when it fails in a conversation.
        otherwise: What to start with, best first, if it cannot be loaded after all.
        passed: Better engines that were not taken, the best first.
    """

    choice: EngineChoice
    profile: str
    fallback: tuple[EngineChoice, ...]
    otherwise: tuple[EngineChoice, ...]
    passed: tuple[Passed, ...]

    @property
    def why(self) -> str:
        """Why not the best of each better profile; empty where this is the best."""
        best = {each.profile: each for each in reversed(self.passed)}
        return "; ".join(
            f"not {each.choice.label}: {each.reason}" for each in reversed(best.values())
        )


@dataclass(frozen=True, slots=True)
class _Candidate:
    choice: EngineChoice
    profile: str
    fallback: tuple[EngineChoice, ...]
    memory: int
    gpu_memory: int
    obstacle: str | None


def select(
    profiles: Mapping[str, Config], machine: Machine, options: Options, obstacle: Obstacle
) -> dict[EngineKind, Pick]:
    """Chooses an engine of each kind, such that all fit into memory together.

    Args:
        profiles: Those of ``PROFILES``, by name.
        machine: Where they are to run.
        options: How to read the options of an engine.
        obstacle: What keeps an engine from running.
    """
    found = {kind: list(_candidates(kind, profiles, machine, options, obstacle)) for kind in _PLACE}
    can_run = {
        # The last one of a kind comes with the agent.
        kind: [at for at, each in enumerate(line) if not each.obstacle or each is line[-1]]
        for kind, line in found.items()
    }
    together = [
        places
        for places in product(*can_run.values())
        if _obstacle_of_memory([found[k][p] for k, p in zip(found, places, strict=True)], machine)
        is None
    ]
    # Few steps away from the best in all; of several such ways the one whose first kinds are best.
    taken = min(together, key=lambda places: (sum(places), places))
    return {
        kind: _pick(kind, dict(zip(found, taken, strict=True)), found, machine) for kind in found
    }


def settings(picks: Mapping[EngineKind, Pick]) -> dict[str, Any]:
    """The picks as the settings of a profile."""
    data: dict[str, Any] = {"profile": NAME}
    for kind, pick in picks.items():
        section, key = _PLACE[kind]
        part = data.setdefault(section, {})
        part[key] = {
            **_as_data(pick.choice),
            "otherwise": [_as_data(each) for each in pick.otherwise],
            "why": pick.why,
        }
        if pick.fallback:
            part["fallback"] = [_as_data(each) for each in pick.fallback]
    return data


def cannot_run(kind: EngineKind, choice: EngineChoice, options: BaseModel) -> str | None:
    """Why an engine cannot run here, by its ``check``; None if it can."""
    if getattr(options, "device", None) == "cuda" and this_machine.gpu() is None:
        return NEEDS_GPU
    try:
        engines.check(kind, choice.engine, options)
    except VoiceAgentError as error:
        missing = [model.name for model in models(choice, options) if locate(model) is None]
        if missing:
            return f"it is not here (voice-agent models pull {' '.join(missing)})"
        return str(error)
    return None


def models(choice: EngineChoice, options: BaseModel) -> tuple[Model, ...]:
    """The models of the catalogue that an engine uses."""
    each = getattr(options, "models", None) or (options,)
    names = [getattr(one, "model", one) for one in each]
    entries = [known(name) for name in names if isinstance(name, str)]
    return tuple(one for one in entries if one is not None and choice.engine in one.used_by)


def _candidates(
    kind: EngineKind,
    profiles: Mapping[str, Config],
    machine: Machine,
    options: Options,
    obstacle: Obstacle,
) -> Iterator[_Candidate]:
    seen: list[EngineChoice] = []
    for name in PROFILES:
        section, key = _PLACE[kind]
        settings = getattr(profiles[name], section)
        chosen: EngineChoice = getattr(settings, key)
        fallback = () if kind == "paralinguistics" else settings.fallback
        for choice in (chosen, *chosen.otherwise):
            bare = choice.model_copy(update={"otherwise": ()})
            if bare in seen:
                continue
            seen.append(bare)
            yield _candidate(kind, bare, name, fallback, machine, options, obstacle)


def _candidate(
    kind: EngineKind,
    choice: EngineChoice,
    profile: str,
    fallback: tuple[EngineChoice, ...],
    machine: Machine,
    options: Options,
    obstacle: Obstacle,
) -> _Candidate:
    try:
        given = options(kind, choice)
    except VoiceAgentError as error:
        return _Candidate(choice, profile, fallback, 0, 0, str(error))
    on_gpu = _on_gpu(given, machine)
    if getattr(given, "device", None) == "cuda" and machine.gpu is None:
        reason: str | None = NEEDS_GPU
    else:
        reason = obstacle(kind, choice, given)
    memory = gpu_memory = 0
    for model in models(choice, given):
        if on_gpu and model.memory.gpu is not None:
            gpu_memory += model.memory.gpu * 1_000_000
        else:
            memory += model.memory.cpu * 1_000_000
    return _Candidate(choice, profile, fallback, memory, gpu_memory, reason)


def _on_gpu(options: BaseModel, machine: Machine) -> bool:
    return getattr(options, "device", "cpu") != "cpu" and machine.gpu is not None


def _obstacle_of_memory(together: Sequence[_Candidate], machine: Machine) -> str | None:
    """Why these do not fit together; None if they do."""
    gpu_memory = sum(each.gpu_memory for each in together)
    memory = sum(each.memory for each in together)
    free = machine.gpu.free if machine.gpu else None
    if free is not None and gpu_memory > free:
        return f"{in_words(gpu_memory)} of GPU memory, and {in_words(free)} are free"
    if memory and machine.memory_free is not None and memory + _OWN > machine.memory_free:
        return f"{in_words(memory + _OWN)} of memory, and {in_words(machine.memory_free)} are free"
    return None


def _pick(
    kind: EngineKind,
    taken: Mapping[EngineKind, int],
    found: Mapping[EngineKind, Sequence[_Candidate]],
    machine: Machine,
) -> Pick:
    line, place = found[kind], taken[kind]
    passed = []
    for better in line[:place]:
        reason = better.obstacle
        if reason is None:
            others = [found[other][at] for other, at in taken.items() if other != kind]
            alone = _obstacle_of_memory([better], machine)
            crowd = _obstacle_of_memory([better, *others], machine)
            reason = f"it needs {alone}" if alone else f"with the others it needs {crowd}"
        passed.append(Passed(better.choice, better.profile, reason))
    chosen = line[place]
    return Pick(
        chosen.choice,
        chosen.profile,
        chosen.fallback,
        tuple(each.choice for each in line[place + 1 :] if each.obstacle is None),
        tuple(passed),
    )


def _as_data(choice: EngineChoice) -> dict[str, Any]:
    return choice.model_dump(mode="json", exclude_defaults=True)
