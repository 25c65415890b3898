"""The settings in words: all that there are as Markdown, or those in force as YAML."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, get_args

import annotated_types
import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from voice_agent import auto, engines
from voice_agent.config import profiles
from voice_agent.settings import Config, EngineChoice, Section

_SECRETS = {"token", "api_key"}

INTRODUCTION = """\
# Configuration

`voice-agent serve --config NAME|FILE` takes the name of a profile or a YAML file. A file of your
own needs only what differs from a profile:

```yaml
extends: embedded
speaking:
  level_db: -18
```

Unknown settings and values out of range are refused with the file, the key and what is allowed.
`voice-agent config --config FILE` prints what is in force. This page is written by
`make docs` out of the code.
"""


def markdown() -> str:
    """All settings with their defaults and meanings, and the options of each engine."""
    parts = [
        INTRODUCTION,
        f"Profiles: {', '.join(f'`{name}`' for name in (auto.NAME, *profiles()))} "
        "([what they are](profiles.md)).\n",
    ]
    for path, section in _sections(Config, ()):
        title = ".".join(path)
        parts.append(f"## {title or 'Top level'}\n\n{_first_line(section)}\n")
        parts.append(_table(section))
    parts.append(
        "# Engines\n\nAn engine is chosen by its name; its options stand beside it: "
        "`recognizer: {engine: pocketsphinx, …}`. Beside them `otherwise` may stand, a list of "
        "engines to start with instead, in this order, where it cannot run on this machine; "
        "`fallback` of the section takes over in the midst of a conversation.\n"
    )
    kinds: tuple[engines.EngineKind, ...] = get_args(engines.EngineKind)
    for kind in kinds:
        for name in engines.available(kind):
            engine = engines.find(kind, name)
            parts.append(f"## {kind.replace('_', ' ')}: {name}\n\n{_first_line(engine)}\n")
            parts.append(_table(engine.Options))
            for option, field in engine.Options.model_fields.items():
                for entry in _entries(field):
                    parts.append(f"Each of `{option}`:\n")
                    parts.append(_table(entry))
    return "\n".join(part for part in parts if part)


def effective(config: Config) -> str:
    """A configuration as YAML with a comment on each setting; the token stays secret."""
    return "\n".join(_lines(config, 0))


def _sections(
    model: type[BaseModel], path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], type[BaseModel]]]:
    yield path, model
    for name, field in model.model_fields.items():
        if _is_section(field):
            yield from _sections(field.annotation, (*path, name))  # type: ignore[arg-type]


def _is_section(field: FieldInfo) -> bool:
    return isinstance(field.annotation, type) and issubclass(field.annotation, Section)


def _entries(field: FieldInfo) -> Iterator[type[BaseModel]]:
    """The model of the entries of a setting that is a list of such."""
    for entry in get_args(field.annotation):
        if isinstance(entry, type) and issubclass(entry, BaseModel):
            yield entry


def _table(model: type[BaseModel]) -> str:
    rows = [
        f"| `{name}` | {_default(field)} | {_allowed(field)} | {field.description or ''} |"
        for name, field in model.model_fields.items()
        if not _is_section(field)
    ]
    if not rows:
        return ""
    return "\n".join(("| setting | default | allowed | meaning |", "|---|---|---|---|", *rows, ""))


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    if value is PydanticUndefined:
        return "(must be given)"
    if isinstance(value, EngineChoice):
        return f"`{value.engine}`"
    return "" if value in (None, "", ()) else f"`{value}`"


def _allowed(field: FieldInfo) -> str:
    literals = get_args(field.annotation)
    if literals and all(isinstance(value, str) for value in literals):
        return ", ".join(f"`{value}`" for value in literals)
    bounds = []
    for bound in field.metadata:
        match bound:
            case annotated_types.Gt(gt=value):
                bounds.append(f"> {value}")
            case annotated_types.Ge(ge=value):
                bounds.append(f"≥ {value}")
            case annotated_types.Lt(lt=value):
                bounds.append(f"< {value}")
            case annotated_types.Le(le=value):
                bounds.append(f"≤ {value}")
    return ", ".join(bounds)


def _first_line(thing: type) -> str:
    return (thing.__doc__ or "").strip().split("\n")[0]


def _lines(section: BaseModel, depth: int) -> Iterator[str]:
    indent = "  " * depth
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        if isinstance(value, Section):
            yield f"{indent}{name}:"
            yield from _lines(value, depth + 1)
            continue
        if field.description:
            yield f"{indent}# {field.description}"
        yield f"{indent}{name}: {_yaml(_shown(name, value))}"


def _shown(name: str, value: Any) -> Any:
    """A setting as it may be shown: secrets hidden, wherever they stand in it."""
    if name in _SECRETS and value:
        return "********"
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json", exclude_defaults=True)
    if isinstance(value, Mapping):
        return {key: _shown(key, inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_shown(name, inner) for inner in value]
    return value


def _yaml(value: Any) -> str:
    data = json.loads(json.dumps(value, default=str))
    text: str = yaml.safe_dump(data, default_flow_style=True, allow_unicode=True, width=10_000)
    return text.removesuffix("\n").removesuffix("\n...")
