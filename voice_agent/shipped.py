"""What ships with the package beside its code."""

from importlib.resources import files
from pathlib import Path
from typing import Literal


def shipped(folder: Literal["configs", "models", "web"]) -> Path:
    """A folder of profiles, models or the page: inside the package, or beside it in a checkout."""
    package = Path(str(files("voice_agent")))
    inside = package / "_shipped" / folder
    return inside if inside.is_dir() else package.parent / folder
