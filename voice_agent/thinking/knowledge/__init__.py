"""What the agent knows, as YAML files that anybody can edit."""

from importlib.resources import files
from typing import Any

import yaml

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load(name: str) -> dict[str, Any]:
    """The contents of ``<name>.yaml`` in this folder.

    Raises:
        ValueError: The file does not hold keys and values; names it.
    """
    source = files(__name__) / f"{name}.yaml"
    # The C loader, where there is one, reads ten times as fast.
    data = yaml.load(source.read_text(encoding="utf-8"), Loader=_Loader)
    if not isinstance(data, dict):
        raise ValueError(f"{source}: must hold keys and values, found {type(data).__name__}")
    return data
