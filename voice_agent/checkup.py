"""What is installed, what can run here, and what brings the rest."""

from dataclasses import dataclass

from voice_agent.config import engine_options, load, profiles
from voice_agent.errors import VoiceAgentError


@dataclass(frozen=True, slots=True)
class Runs:
    """Whether a profile can run here: ``problems`` says what is missing and what brings it."""

    profile: str
    engines: dict[str, str]
    problems: tuple[str, ...]


async def can_run(profile: str) -> Runs:
    """Loads each engine of a profile once, to see whether it can run here."""
    try:
        config = load(profile)
    except VoiceAgentError as error:
        return Runs(profile, {}, (str(error),))
    problems = []
    for kind, choice in config.engine_choices.items():
        try:
            engine_class, options = engine_options(kind, choice)
            engine = await engine_class.create(options)
            await engine.close()
        except VoiceAgentError as error:
            problems.append(f"{kind.replace('_', ' ')} {choice.engine}: {error}")
        except ImportError as error:
            problems.append(
                f"{kind.replace('_', ' ')} {choice.engine}: the package {error.name} is missing"
            )
    return Runs(
        profile,
        {kind: choice.engine for kind, choice in config.engine_choices.items()},
        tuple(problems),
    )


async def all_profiles() -> list[Runs]:
    """Each shipped profile, tried one after another."""
    return [await can_run(name) for name in profiles()]
