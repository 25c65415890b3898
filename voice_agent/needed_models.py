"""The models that a configuration names, in the options of its engines and of the memory."""

from voice_agent.config import auto_picks, engine_options, profiles, read
from voice_agent.engines import EngineKind
from voice_agent.models.catalogue import catalogue
from voice_agent.settings import Config, EngineChoice


def needed(config: Config) -> tuple[str, ...]:
    """Names of the models that its engines load from this machine, fallbacks included.

    A name is a folder, a name of the catalogue, or a name on the Hugging Face hub.

    Raises:
        ConfigError: An engine does not exist or does not take its options.
        EngineUnavailable: A package that an engine needs is missing.
    """
    names = [
        name
        for kind, choices in config.lineups.items()
        for choice in choices
        for name in _named(kind, choice)
    ]
    if config.memory.embedding:
        names.append(config.memory.embedding)
    return tuple(dict.fromkeys(names))


def by_profile() -> dict[str, tuple[str, ...]]:
    """The models that each shipped profile needs."""
    return {profile: needed(read(profile)) for profile in profiles()}


def best_here() -> tuple[str, ...]:
    """The models that the profile ``auto`` would take on this machine if all were here."""
    best = auto_picks(lambda kind, choice, options: None)
    names = [name for kind, pick in best.items() for name in _named(kind, pick.choice)]
    return tuple(dict.fromkeys(names))


def _named(kind: EngineKind, choice: EngineChoice) -> list[str]:
    """What an engine that loads models of the catalogue calls ``model`` or ``models``."""
    if not any(choice.engine in model.used_by for model in catalogue()):
        return []
    _, options = engine_options(kind, choice)
    several = getattr(options, "models", None)
    chosen = [options, *(several if isinstance(several, tuple) else ())]
    names = [getattr(each, "model", None) for each in chosen]
    return [name for name in names if isinstance(name, str)]
