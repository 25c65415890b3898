"""The recordings to train on: read from manifests, told apart by speaker."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from voice_agent.errors import ManifestError
from voice_agent.evaluation import manifest
from voice_agent.evaluation.manifest import Clip

_NEVER = ("test",)
_DEV = "dev"
_DEV_SHARE = 8


@dataclass(frozen=True, slots=True)
class Recordings:
    """What is trained on, and what decides when to stop.

    Attributes:
        train, dev: Clips that have no speaker in common, unless the manifest's own ``split``
            says otherwise.
    """

    train: tuple[Clip, ...]
    dev: tuple[Clip, ...]


def collect(paths: Sequence[Path], leave: Mapping[str, Sequence[str]]) -> Recordings:
    """Reads manifests (their form: ``evaluation.manifest``).

    Rows whose ``split`` is ``test`` are never taken; rows whose ``split`` is ``dev`` decide when
    to stop. A manifest without such rows gives an eighth of its speakers, or of its recordings
    where it names no speakers, for that.

    Args:
        paths: The manifests.
        leave: Rows to leave out: by column, the values one of which the row has there.

    Raises:
        ManifestError: A manifest or recording cannot be read, or nothing is left to train on.
    """
    train: list[Clip] = []
    dev: list[Clip] = []
    for path in paths:
        found = manifest.read(path, leave=leave)
        clips = [clip for clip in found.clips if clip.split not in _NEVER]
        aside = [clip for clip in clips if clip.split == _DEV] or _some(clips)
        kept = {clip.row for clip in aside}
        dev.extend(aside)
        train.extend(clip for clip in clips if clip.row not in kept)
    if not train:
        raise ManifestError("no recording is left to train on")
    return Recordings(tuple(train), tuple(dev))


def _some(clips: Sequence[Clip]) -> list[Clip]:
    """The clips of an eighth of the speakers, the same ones each time."""
    names = {clip.row: clip.speaker or clip.path.name for clip in clips}
    ordered = sorted(set(names.values()), key=lambda name: zlib.crc32(name.encode()))
    chosen = set(ordered[: len(ordered) // _DEV_SHARE])
    return [clip for clip in clips if names[clip.row] in chosen]
