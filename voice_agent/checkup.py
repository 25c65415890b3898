"""What this machine can run, what it lacks for more, and what brings that."""

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from voice_agent import auto, needed_models, packages
from voice_agent.auto import Pick
from voice_agent.config import auto_picks, engine_options, load, profiles
from voice_agent.engines import EngineKind
from voice_agent.errors import VoiceAgentError
from voice_agent.models import machine
from voice_agent.models.catalogue import Model, known
from voice_agent.models.installed import locate
from voice_agent.models.machine import Machine
from voice_agent.settings import Config, EngineChoice

_EXTRAS: Mapping[str, str] = {
    "coqui": "neural",
    "openai_compatible": "remote",
    "transformers": "transformers",
}
"""What brings the packages of an engine that the base does not bring."""

_BUILDS = "https://pytorch.org/get-started/locally"


@dataclass(frozen=True, slots=True)
class Runs:
    """Whether a profile can run here.

    Attributes:
        profile: Its name.
        engines: What it would run by kind, or what it names where that cannot run.
        problems: What is missing.
        steps: What to do about it, in this order; empty where nothing would help.
    """

    profile: str
    engines: dict[str, str]
    problems: tuple[str, ...]
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Best:
    """The best that this machine could run.

    Attributes:
        now: What ``auto`` takes of each kind, by what is installed.
        possible: What it would take if everything were installed.
        steps: What brings it there, in this order; empty where it is there.
    """

    now: dict[EngineKind, Pick]
    possible: dict[EngineKind, Pick]
    steps: tuple[str, ...]


def can_run(profile: str) -> Runs:
    """Tells by what is installed whether a profile can run here; loads no engine."""
    try:
        config = load(profile)
    except VoiceAgentError as error:
        return Runs(profile, {}, (str(error),), ())
    labels: dict[str, str] = {}
    problems = []
    for kind, choice in config.engine_choices.items():
        labels[kind] = choice.label
        obstacles = []
        for each in (choice, *choice.otherwise):
            obstacle = _obstacle(kind, each)
            if obstacle is None:
                labels[kind] = each.label
                break
            obstacles.append(obstacle)
        else:
            problems.append(f"{_words(kind)} {choice.label}: {obstacles[0]}")
    steps = _steps_for(config) if problems else ()
    return Runs(profile, labels, tuple(problems), steps)


async def loads(profile: str) -> Runs:
    """As ``can_run``, and loads each engine of a profile once to see that it does."""
    runs = can_run(profile)
    if runs.problems:
        return runs
    problems = []
    for kind, choice in load(profile).engine_choices.items():
        chosen = next(each for each in (choice, *choice.otherwise) if _obstacle(kind, each) is None)
        try:
            engine, options = engine_options(kind, chosen)
            await (await engine.create(options)).close()
        except Exception as error:  # drivers and damaged files have errors of their own
            problems.append(f"{_words(kind)} {chosen.label}: {error}")
    return Runs(profile, runs.engines, tuple(problems), ())


def best() -> Best:
    """What ``auto`` takes, and what it could take on this machine with more installed."""
    now = auto_picks()
    possible = auto_picks(lambda kind, choice, options: None)
    better = {
        kind: pick.choice for kind, pick in possible.items() if pick.choice != now[kind].choice
    }
    models = [
        model
        for kind, choice in better.items()
        for model in auto.models(choice, engine_options(kind, choice)[1])
    ]
    return Best(now, possible, _steps(better.values(), _missing(models), auto.NAME))


def every_profile() -> list[Runs]:
    """Each shipped profile."""
    return [can_run(name) for name in profiles()]


def _obstacle(kind: EngineKind, choice: EngineChoice) -> str | None:
    try:
        return auto.cannot_run(kind, choice, engine_options(kind, choice)[1])
    except VoiceAgentError as error:
        return str(error)


def _steps_for(config: Config) -> tuple[str, ...]:
    """What brings a profile, if this machine could run it."""
    choices = list(config.engine_choices.values())
    if any(_wants_gpu(choice) for choice in choices) and machine.gpu() is None:
        return ()
    named = [known(name) for name in needed_models.needed(config)]
    models = _missing(model for model in named if model is not None)
    return _steps(choices, models, config.profile)


def _steps(choices: Iterable[EngineChoice], models: list[Model], pulled: str) -> tuple[str, ...]:
    """What brings engines and models, in this order.

    Args:
        choices: The engines.
        models: Those that are to be pulled.
        pulled: The profile that stands for them.
    """
    choices = list(choices)
    steps = []
    here = machine.look()
    extras = _missing_extras(choices)
    if torch := _torch_first(choices, extras, here):
        steps.append(torch)
    if extras:
        steps.append(packages.install_command(",".join(extras)))
    if models:
        size = sum(model.megabytes or 0 for model in models)
        steps.append(f"voice-agent models pull {pulled}  ({size} MB)")
    return tuple(steps)


def _torch_first(choices: list[EngineChoice], extras: list[str], here: Machine) -> str | None:
    """Which build of torch to install, where the usual one would be the wrong one."""
    if any(_wants_gpu(choice) for choice in choices):
        if here.torch is not None and here.torch_cuda is None:
            return f"install torch's build for your GPU: {_BUILDS}"
    elif (
        # Elsewhere the usual build is the one for the processor.
        sys.platform == "linux"
        and here.torch is None
        and here.gpu is None
        and {"neural", "transformers"} & set(extras)
    ):
        return f"install torch's build for the processor, which is much smaller: {_BUILDS}"
    return None


def _missing_extras(choices: list[EngineChoice]) -> list[str]:
    """The extras of these engines that are not installed whole."""
    found = packages.packages()
    wanted = {_EXTRAS[choice.engine] for choice in choices if choice.engine in _EXTRAS}
    if any(choice.engine == "faster_whisper" and _wants_gpu(choice) for choice in choices):
        wanted.add("gpu")
    # Each of these brings what the ones after it bring.
    nested = ("gpu", "neural", "transformers")
    largest = next((extra for extra in nested if extra in wanted), None)
    wanted -= {extra for extra in nested if extra != largest}
    return sorted(extra for extra in wanted if not all(each.fits for each in found.get(extra, ())))


def _missing(models: Iterable[Model]) -> list[Model]:
    return [model for model in dict.fromkeys(models) if locate(model) is None]


def _wants_gpu(choice: EngineChoice) -> bool:
    return choice.options.get("device") == "cuda"


def _words(kind: EngineKind) -> str:
    return kind.replace("_", " ")
