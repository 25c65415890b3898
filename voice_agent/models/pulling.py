"""Fetches models, and removes them.

A model is gathered in a folder of its own and moved to its place when all of it has come and is
what it should be; so a folder in its place is whole. What has come of an interrupted one is kept
and gone on with.
"""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from voice_agent.errors import ModelError
from voice_agent.models import installed, manifest
from voice_agent.models.catalogue import File, Source, known
from voice_agent.models.fetching import Remote, client, fetch
from voice_agent.models.listing import listing
from voice_agent.models.manifest import Manifest
from voice_agent.models.unpacking import unpack

SPARE_BYTES = 100 << 20
"""What must be left on the disk."""

_COMMIT = re.compile("[0-9a-f]{40}")
_ARCHIVE = "archive.zip"


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be fetched.

    Attributes:
        source: The model.
        licence: Its licence, as the catalogue or else its page on the hub names it.
        commit: The commit on the hub; None for an archive.
        files: The files to fetch.
        size: Bytes to fetch; about that many for an archive that is not pinned.
    """

    source: Source
    licence: str
    commit: str | None
    files: tuple[Remote, ...]
    size: int


def source(name: str) -> Source:
    """What is meant by a name.

    Args:
        name: Of the catalogue, an alias there, or any name on the Hugging Face hub.

    Raises:
        ModelError: It means no model that can be fetched.
    """
    entry = known(name)
    if entry is not None:
        if entry.comes_along:
            raise ModelError(f"{entry.name} comes with the agent; there is nothing to fetch")
        return entry
    if not installed.is_hub_name(name):
        raise ModelError(
            f"there is no model {name!r}; `voice-agent models list` shows those there are, and any "
            "model of the Hugging Face hub can be named as owner/name"
        )
    return Source(
        name=name.replace("/", "--"),
        licence="unknown",
        commercial="as its licence says",
        hub=name,
    )


def here(wanted: Source) -> Path | None:
    """The folder of a pulled model; None if it is not here, or of another commit than is pinned.

    Raises:
        ModelError: Its manifest is damaged.
    """
    folder = installed.home() / wanted.name
    if not folder.is_dir():
        return None
    found = manifest.read(folder)
    pinned = _COMMIT.fullmatch(wanted.revision) is not None
    if pinned and found is not None and found.revision not in (None, wanted.revision):
        return None
    return folder


def plan(wanted: Source) -> Plan:
    """Finds out what there is to fetch; asks the hub for it.

    Raises:
        ModelError: The hub does not answer or does not have it.
    """
    _require_online(wanted)
    if wanted.archive is not None:
        archive = wanted.archive
        remote = Remote(_ARCHIVE, archive.url, archive.size, archive.sha256)
        size = archive.size or (wanted.megabytes or 0) * 1_000_000
        return Plan(wanted, wanted.licence, None, (remote,), size)
    listed = listing(wanted)
    licence = wanted.licence if wanted.licence != "unknown" else listed.licence or "unknown"
    size = sum(file.size or 0 for file in listed.files)
    return Plan(wanted, licence, listed.commit, listed.files, size)


def pull(planned: Plan, moved: Callable[[int], None] = lambda size: None) -> Path:
    """Fetches a model, and puts it into its place.

    Args:
        planned: Of ``plan``.
        moved: Told the bytes that were gained; negative where a start was of no use.

    Returns:
        Its folder.

    Raises:
        ModelError: It cannot be fetched, there is no room, or another process is at it.
    """
    wanted = planned.source
    with _alone(wanted.name) as workplace:
        there = here(wanted)
        if there is not None:
            return there
        staging = workplace / (planned.commit or "archive")
        for other in workplace.iterdir():
            if other != staging:
                shutil.rmtree(other)
        staging.mkdir(exist_ok=True)
        _require_room(planned, staging)
        gathered = _gather(planned, staging, moved)
        place = installed.home() / wanted.name
        if place.exists():
            place.rename(staging / "before")
        gathered.rename(place)
        shutil.rmtree(workplace)
        return place


def remove(wanted: Source) -> int:
    """Removes a pulled model, or what has come of one.

    Returns:
        Bytes that are free again.

    Raises:
        ModelError: There is nothing of it among the pulled models.
    """
    place = installed.home() / wanted.name
    begun = _workplaces() / wanted.name
    if not place.exists() and not begun.exists():
        raise ModelError(f"{wanted.name} is not among the pulled models in {installed.home()}")
    with _alone(wanted.name) as workplace:
        if place.exists():
            place.rename(workplace / "before")
        freed = installed.size_bytes(workplace)
        shutil.rmtree(workplace)
        return freed


def _require_online(wanted: Source) -> None:
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        raise ModelError(
            f"{wanted.name} cannot be fetched: HF_HUB_OFFLINE is set, which forbids it; unset it, "
            f"or copy the model's folder from another machine into {installed.home()}"
        )


def _workplaces() -> Path:
    return installed.home() / ".pulling"


@contextmanager
def _alone(name: str) -> Iterator[Path]:
    """A folder to work in, for one process at a time."""
    workplace = _workplaces() / name
    try:
        workplace.mkdir(parents=True, exist_ok=True)
        with FileLock(workplace.with_name(f"{name}.lock"), timeout=0):
            workplace.mkdir(exist_ok=True)
            yield workplace
    except Timeout:
        raise ModelError(
            f"another process is fetching or removing {name}; wait until it is done"
        ) from None
    except OSError as error:
        raise ModelError(f"{error.filename or workplace}: {error.strerror or error}") from error


def _require_room(planned: Plan, staging: Path) -> None:
    times = 2 if planned.source.archive else 1
    needed = planned.size * times - installed.size_bytes(staging)
    free = shutil.disk_usage(staging).free
    if needed + SPARE_BYTES > free:
        raise ModelError(
            f"{planned.source.name} needs {needed / 1e6:.0f} MB and there are {free / 1e6:.0f} MB "
            f"free in {installed.home()}; make room there, or set XDG_DATA_HOME to a folder on "
            "another disk"
        )


def _gather(planned: Plan, staging: Path, moved: Callable[[int], None]) -> Path:
    """Brings all files together, with a manifest."""
    folder = staging / "model"
    with client() as http:
        if planned.source.archive is None:
            for remote in planned.files:
                fetch(http, remote, folder, moved)
        else:
            shutil.rmtree(folder, ignore_errors=True)
            (remote,) = planned.files
            archive = fetch(http, remote, staging, moved)
            try:
                unpack(archive, folder)
            except ModelError:
                archive.unlink()
                raise
    sums: dict[str, str | None] = {remote.path: remote.sha256 for remote in planned.files}
    if planned.source.archive is not None:
        unpacked = (path for path in sorted(folder.rglob("*")) if path.is_file())
        sums = {path.relative_to(folder).as_posix(): None for path in unpacked}
    files = tuple(
        File(
            path=path,
            size=(folder / path).stat().st_size,
            sha256=checked or manifest.sha256(folder / path),
        )
        for path, checked in sums.items()
    )
    Manifest(
        source=planned.source.origin,
        revision=planned.commit,
        licence=planned.licence,
        files=files,
    ).write(folder)
    return folder
