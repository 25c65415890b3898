"""Which recordings are meant, and in which emotion each is spoken."""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from voice_agent.errors import VoiceError
from voice_agent.evaluation import labels
from voice_agent.events import REPLY_EMOTIONS

MANIFEST = "manifest.csv"
_SUFFIXES = frozenset({".wav", ".flac", ".ogg", ".oga", ".opus"})

AS_REPLY = {
    "sad": "sad",
    "anger": "angry",
    "neutral": "neutral",
    "happy": "happy",
    "surprise": "surprised",
    "fear": "afraid",
    "disgust": "disgusted",
    labels.CALM: "comfort",
}
"""How the agent calls an emotion of its own that it hears by that name in others."""


@dataclass(frozen=True, slots=True)
class Source:
    """A recording and the emotion in which it is spoken, one of ``events.REPLY_EMOTIONS``."""

    path: Path
    emotion: str


def from_files(paths: Sequence[Path], emotion: str | None = None) -> list[Source]:
    """Recordings in one emotion, or each named after its own: ``sad.wav``, ``sad-2.flac``.

    Raises:
        VoiceError: A name tells no emotion.
    """
    if emotion is not None:
        return [Source(path, _known(emotion)) for path in paths]
    found = []
    for path in paths:
        named = _emotion(re.split(r"[^a-zA-Z]", path.stem, maxsplit=1)[0])
        if named is None:
            raise VoiceError(
                f"{path.name} does not say in which emotion it is spoken; name it after one, as "
                f"sad.wav or sad-2.wav, or use --emotion: {', '.join(REPLY_EMOTIONS)}"
            )
        found.append(Source(path, named))
    return found


def from_folder(path: Path) -> list[Source]:
    """The recordings of a folder by its ``manifest.csv`` (columns path and emotion), or by name.

    Args:
        path: The folder, or the manifest itself.

    Raises:
        VoiceError: There is nothing, or a row or name tells no emotion.
    """
    manifest = path / MANIFEST if path.is_dir() else path
    if manifest.is_file() and manifest.suffix == ".csv":
        return _listed(manifest)
    return from_files(recordings(path))


def recordings(folder: Path) -> list[Path]:
    """All recordings in a folder and the folders in it, by name.

    Raises:
        VoiceError: It is no folder, or there is none in it.
    """
    if not folder.is_dir():
        raise VoiceError(f"{folder} is no folder")
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES)
    if not found:
        raise VoiceError(f"there are no WAV, FLAC or OGG files in {folder}")
    return found


def _listed(manifest: Path) -> list[Source]:
    try:
        with manifest.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise VoiceError(f"{manifest} cannot be read: {error}") from error
    if not rows or not {"path", "emotion"} <= rows[0].keys():
        raise VoiceError(f"{manifest} needs a header with the columns path and emotion, and rows")
    return [Source(manifest.parent / row["path"], _known(row["emotion"])) for row in rows]


def _known(name: str) -> str:
    emotion = _emotion(name)
    if emotion is None:
        raise VoiceError(f"{name!r} is no emotion; there are: {', '.join(REPLY_EMOTIONS)}")
    return emotion


def _emotion(name: str) -> str | None:
    """The emotion of a name, also of one that corpora use, as ``anger`` or ``fearful``."""
    plain = name.strip().casefold()
    if plain in REPLY_EMOTIONS:
        return plain
    heard = labels.emotion(plain)
    return AS_REPLY.get(heard) if heard else None
