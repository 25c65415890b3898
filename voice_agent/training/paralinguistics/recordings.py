"""The recordings to train on: read from manifests, told apart by speaker."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from voice_agent.audio.files import read_blocks
from voice_agent.audio.pcm import Samples
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
        named = any(clip.split == _DEV for clip in clips)
        for clip in clips:
            (dev if (clip.split == _DEV if named else _chosen(clip)) else train).append(clip)
    if not train:
        raise ManifestError("no recording is left to train on")
    return Recordings(tuple(train), tuple(dev))


def audio(clip: Clip) -> Samples:
    """The whole recording, 16 kHz mono float32."""
    blocks = list(read_blocks(clip.path))
    return np.concatenate(blocks) if blocks else np.zeros(0, np.float32)


def _chosen(clip: Clip) -> bool:
    name = clip.speaker or clip.path.name
    return zlib.crc32(name.encode()) % _DEV_SHARE == 0
