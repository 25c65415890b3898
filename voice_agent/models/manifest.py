"""What a pulled model is made of: written beside it when it is fetched, read to verify it."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from voice_agent.errors import ModelError
from voice_agent.models.catalogue import File

NAME = "voice-agent.json"
"""The manifest's name in the folder of a model."""

_CHUNK = 1 << 22


class Manifest(BaseModel):
    """What was fetched.

    Attributes:
        source: The name on the hub or the address that it came from.
        revision: The commit on the hub; None for an archive.
        licence: Under which licence it was offered.
        files: All its files.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str
    revision: str | None = None
    licence: str
    files: tuple[File, ...]

    def write(self, folder: Path) -> None:
        """Writes it into the folder of the model."""
        (folder / NAME).write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


def read(folder: Path) -> Manifest | None:
    """The manifest in a folder; None if there is none.

    Raises:
        ModelError: It is damaged.
    """
    path = folder / NAME
    try:
        return Manifest.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, ValidationError) as error:
        raise ModelError(f"{path} is damaged: remove the model and pull it anew") from error


def problems(
    folder: Path, files: tuple[File, ...], seen: Callable[[int], None] = lambda size: None
) -> list[str]:
    """Reads all files anew; says which are missing or are not what they should be.

    Args:
        folder: The model's folder.
        files: What it should hold.
        seen: Told the bytes of each piece that was read.
    """
    found = []
    for file in files:
        path = folder / file.path
        if not path.is_file():
            found.append(f"{file.path} is missing")
        elif path.stat().st_size != file.size:
            found.append(f"{file.path} has {path.stat().st_size} bytes instead of {file.size}")
        elif sha256(path, seen) != file.sha256:
            found.append(f"{file.path} was changed or damaged: its SHA-256 is another one")
    return found


def sha256(path: Path, seen: Callable[[int], None] = lambda size: None) -> str:
    """SHA-256 of a file, in hexadecimal."""
    return _digest(path, hashlib.sha256(), seen)


def git_blob(path: Path) -> str:
    """The id that git gives a file: the SHA-1 of its size and its content."""
    start = f"blob {path.stat().st_size}\0".encode()
    return _digest(path, hashlib.sha1(start, usedforsecurity=False), lambda size: None)


def _digest(path: Path, digest: "hashlib._Hash", seen: Callable[[int], None]) -> str:
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            digest.update(piece)
            seen(len(piece))
    return digest.hexdigest()
