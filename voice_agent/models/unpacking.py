"""Unpacks a model that comes as a zip file, and nothing outside of its folder."""

import os
import stat
import struct
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from shutil import copyfileobj

from voice_agent.errors import ModelError
from voice_agent.models.catalogue import inside

MOST_BYTES = 20 << 30
"""What an archive may hold: more than any model, less than would fill most disks."""

_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, struct.error)


def unpack(archive: Path, folder: Path) -> None:
    """Unpacks a zip file; a folder that holds all the rest is left out.

    Args:
        archive: The zip file.
        folder: Where to; it is made if it is not there.

    Raises:
        ModelError: It is damaged, or holds what does not belong into the folder of a model.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            entries = [entry for entry in opened.infolist() if not entry.filename.endswith("/")]
            _refuse_strange(archive, entries)
            skip = _common(entries)
            for entry in entries:
                target = folder.joinpath(*PurePosixPath(entry.filename).parts[skip:])
                target.parent.mkdir(parents=True, exist_ok=True)
                with opened.open(entry) as source, target.open("wb") as file:
                    copyfileobj(source, file)
                    file.flush()
                    os.fsync(file.fileno())
    except _DAMAGE as error:
        raise ModelError(f"{archive.name} is no whole zip file: {error}") from error
    except OSError as error:
        raise ModelError(f"{archive.name} cannot be unpacked: {error}") from error


def _refuse_strange(archive: Path, entries: list[zipfile.ZipInfo]) -> None:
    for entry in entries:
        try:
            inside(entry.filename)
        except ValueError as error:
            raise ModelError(f"{archive.name} was not unpacked: {error}") from None
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise ModelError(f"{archive.name} was not unpacked: {entry.filename} is a link")
    if not entries or sum(entry.file_size for entry in entries) > MOST_BYTES:
        raise ModelError(f"{archive.name} was not unpacked: it holds no model")


def _common(entries: list[zipfile.ZipInfo]) -> int:
    """1 if all files lie in one folder, else 0."""
    parts = [PurePosixPath(entry.filename).parts for entry in entries]
    return int(all(len(each) > 1 for each in parts) and len({each[0] for each in parts}) == 1)
