"""The configuration: profiles and files in YAML, checked before anything is loaded.

A profile is a file in ``configs/`` named without its ending; ``auto`` is made for this machine out
of the others. A file of one's own may say ``extends: embedded`` and change only what differs.
"""

from functools import reduce
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from voice_agent import auto, engines
from voice_agent.errors import ConfigError
from voice_agent.models import machine
from voice_agent.settings import Config, EngineChoice
from voice_agent.shipped import shipped


def profiles() -> dict[str, Path]:
    """The shipped profiles by name."""
    return {path.stem: path for path in sorted(shipped("configs").glob("*.yaml"))}


def load(source: str | Path = "embedded", **overrides: Any) -> Config:
    """Reads a profile or a file and checks that its engines exist and take their options.

    Args:
        source: Name of a shipped profile, or the path of a YAML file.
        overrides: Values that win over the file, by dotted key with ``__`` for the dot
            (``server__port=0``); those that are None are left out.

    Raises:
        ConfigError: Names file, key, what was found and what is allowed.
        EngineUnavailable: A package that an engine needs is missing.
    """
    config = read(source, **overrides)
    for kind, line in config.lineups.items():
        for choice in (*line, *line[0].otherwise):
            try:
                engine_options(kind, choice)
            except ConfigError as error:
                raise ConfigError(f"{source}: {_SECTION[kind]}.{kind}: {error}") from error
    return config


def read(source: str | Path = "embedded", **overrides: Any) -> Config:
    """As ``load``, for work that needs no engine and must not fail for the want of one."""
    data = _data(source)
    for key, value in overrides.items():
        if value is not None:
            data = _merge(data, _nest(key.split("__"), value))
    try:
        return Config.model_validate(data)
    except ValidationError as error:
        raise ConfigError(_explain(source, error)) from error


def auto_picks(obstacle: auto.Obstacle = auto.cannot_run) -> dict[engines.EngineKind, auto.Pick]:
    """What the profile ``auto`` takes on this machine.

    Args:
        obstacle: What keeps an engine from running; by default what its ``check`` says.
    """
    found = {name: read(name) for name in auto.PROFILES}
    return auto.select(
        found, machine.look(), lambda kind, choice: engine_options(kind, choice)[1], obstacle
    )


def engine_options(kind: engines.EngineKind, choice: EngineChoice) -> tuple[Any, BaseModel]:
    """The class of a chosen engine and its validated options.

    Raises:
        ConfigError: No such engine, or options that it does not take.
    """
    engine = engines.find(kind, choice.engine)
    try:
        return engine, engine.Options.model_validate(choice.options)
    except ValidationError as error:
        raise ConfigError(_explain(f"{kind} engine {choice.engine}", error)) from error


_SECTION: dict[engines.EngineKind, str] = {
    "recognizer": "hearing",
    "paralinguistics": "hearing",
    "turn_detector": "hearing",
    "language_model": "thinking",
    "synthesizer": "speaking",
}


def _data(source: str | Path, seen: tuple[Path, ...] = ()) -> dict[str, Any]:
    """The settings of a profile or a file, with those that it extends."""
    if source == auto.NAME:
        return _merge(_data("embedded"), auto.settings(auto_picks()))
    return _read(_locate(source), seen)


def _locate(source: str | Path) -> Path:
    known = profiles()
    if isinstance(source, str) and source in known:
        return known[source]
    path = Path(source).expanduser()
    if path.is_file():
        return path
    raise ConfigError(
        f"no profile and no file named {str(source)!r}; profiles: {', '.join((auto.NAME, *known))}"
    )


def _read(path: Path, seen: tuple[Path, ...] = ()) -> dict[str, Any]:
    if path.resolve() in seen:
        raise ConfigError(f"{path}: 'extends' goes round in a circle")
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: is not valid YAML: {error}") from error
    if data is None:
        data = {}
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: must hold keys and values, found {type(data).__name__}")
    parent = data.pop("extends", None)
    if parent is None:
        return data
    if not isinstance(parent, str):
        raise ConfigError(f"{path}: extends: must be the name of a profile or a file")
    beside = path.parent / parent
    base = beside if beside.is_file() else parent
    return _merge(_data(base, (*seen, path.resolve())), data)


def _merge(base: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in change.items():
        old = merged.get(key)
        if isinstance(old, dict) and isinstance(value, dict) and not _other_engine(old, value):
            merged[key] = _merge(old, value)
        else:
            merged[key] = value
    return merged


def _other_engine(old: dict[str, Any], new: dict[str, Any]) -> bool:
    """Options of one engine mean nothing to another, so they are not carried over."""
    return "engine" in new and new["engine"] != old.get("engine")


def _nest(keys: list[str], value: Any) -> dict[str, Any]:
    return reduce(lambda inner, key: {key: inner}, reversed(keys), value)


def _explain(source: object, error: ValidationError) -> str:
    lines = []
    for problem in error.errors():
        key = ".".join(str(part) for part in problem["loc"]) or "(top level)"
        if problem["type"] == "extra_forbidden":
            lines.append(f"{source}: {key}: there is no such setting")
        else:
            lines.append(f"{source}: {key}: {problem['msg']}, found {problem['input']!r}")
    return "\n".join(lines)
