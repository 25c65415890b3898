"""The bank of voices.

A voice is a folder with its clips and a ``voice.json`` that names them. Clips are written first and
``voice.json`` is replaced in one step, so that a voice is never half changed; a file that it does
not name is none of the voice.
"""

import hashlib
import io
import os
import re
import shutil
import tempfile
from collections.abc import Container, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import platformdirs
import soundfile
from pydantic import ValidationError

from voice_agent.audio.pcm import SPEAKING_RATE, Samples
from voice_agent.errors import UnknownVoice, VoiceError
from voice_agent.events import REPLY_EMOTIONS
from voice_agent.speaking.voices.voice import Clip, Consent, Contents, Voice

_FILE = "voice.json"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_OWN = re.compile(r"[a-z]+-[0-9a-f]{12}\.flac|\.new-.*")


@dataclass(frozen=True, slots=True)
class NewClip:
    """A recording to be added to a voice.

    Attributes:
        samples: Mono float32 at ``SPEAKING_RATE``.
        emotion: One of ``events.REPLY_EMOTIONS``.
        level_db: Level of its speech when it was recorded, in dB relative to full scale.
        pitch_hz: Median pitch; None where too little of it is voiced.
        snr_db: Speech against noise, in dB.
        source: Name of the recording, or of the recordings, that it was made of.
    """

    samples: Samples
    emotion: str
    level_db: float
    pitch_hz: float | None = None
    snr_db: float | None = None
    source: str = ""


class VoiceBank:
    """The voices on this machine. It keeps nothing in memory: others may change it meanwhile."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def open(cls, folder: Path | None = None) -> Self:
        """The bank in a folder; None for that of the user. It need not exist."""
        return cls(folder or platformdirs.user_data_path("voice-agent", appauthor=False) / "voices")

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the voices, sorted."""
        return tuple(sorted(file.parent.name for file in self.folder.glob(f"*/{_FILE}")))

    def voice(self, name: str) -> Voice:
        """A voice by its name.

        Raises:
            UnknownVoice: There is none of that name.
            VoiceError: It is damaged: says what is wrong with it.
        """
        folder = self.folder / name
        if name not in self.names:
            known = ", ".join(self.names) or "none"
            raise UnknownVoice(
                f"there is no voice {name!r} in {self.folder}; there are: {known}. "
                "Add one with: voice-agent voices add"
            )
        try:
            contents = Contents.model_validate_json((folder / _FILE).read_bytes())
        except (OSError, ValidationError) as error:
            raise VoiceError(
                f"{folder / _FILE} cannot be used: {_reason(error)}; remove the voice and add its "
                "recordings again"
            ) from error
        missing = [clip.file for clip in contents.clips if not (folder / clip.file).is_file()]
        if missing:
            raise VoiceError(
                f"the voice {name!r} lacks {', '.join(missing)} in {folder}; remove the voice and "
                "add its recordings again"
            )
        return Voice(folder, contents)

    def create(
        self,
        name: str,
        language: str,
        consent: Consent,
        clips: Sequence[NewClip],
        licence: str = "",
    ) -> Voice:
        """Makes a voice of recordings, all of it or nothing.

        Raises:
            VoiceError: The name will not do or is taken, or the files cannot be written.
        """
        if not _NAME.fullmatch(name):
            raise VoiceError(
                f"{name!r} cannot be the name of a voice: take small letters, digits, - and _, "
                "40 at most"
            )
        if name in self.names:
            raise VoiceError(f"there is a voice {name!r} already")
        if not clips:
            raise VoiceError(f"the voice {name!r} needs at least one recording")
        contents = Contents.model_construct(
            name=name, language=language, licence=licence, consent=consent, clips=()
        )
        return self._write(self.folder / name, contents, clips)

    def add(self, name: str, clips: Sequence[NewClip], consent: Consent | None = None) -> Voice:
        """Adds recordings to a voice, all of them or none. What it has already stays once.

        Args:
            name: The voice.
            clips: The recordings.
            consent: That its owner agreed, said anew; None keeps what was said before.

        Raises:
            UnknownVoice: There is none of that name.
            VoiceError: It is damaged, or the files cannot be written.
        """
        contents = self.voice(name).contents
        contents = contents.model_copy(update={"consent": consent or contents.consent})
        return self._write(self.folder / name, contents, clips)

    def remove(self, name: str, emotion: str | None = None) -> None:
        """Removes a voice for good, or its clips of one emotion.

        Raises:
            UnknownVoice: There is none of that name.
            VoiceError: It has no clips of that emotion or no others, or cannot be removed.
        """
        if emotion is not None:
            voice = self.voice(name)
            left = tuple(clip for clip in voice.all_clips if clip.emotion != emotion)
            if not left or left == voice.all_clips:
                what = (
                    f"has no clips of the emotion {emotion!r}"
                    if left
                    else f"has clips of the emotion {emotion!r} alone; remove the whole voice"
                )
                raise VoiceError(f"the voice {name!r} {what}")
            self._write(voice.folder, voice.contents.model_copy(update={"clips": left}), ())
            return
        if name not in self.names:
            raise UnknownVoice(f"there is no voice {name!r} in {self.folder}")
        try:
            (self.folder / name / _FILE).unlink()  # from here on it is no voice any more
            shutil.rmtree(self.folder / name)
        except OSError as error:
            raise VoiceError(f"{self.folder / name} cannot be removed: {error.strerror}") from error

    @staticmethod
    def _write(folder: Path, contents: Contents, new: Sequence[NewClip]) -> Voice:
        """Writes clips, then ``voice.json``, then takes away what that does not name."""
        encoded = [_encoded(one) for one in new]
        clips = {clip.file: clip for clip in contents.clips}
        written = []
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for clip, data in encoded:
                if clip.file not in clips:
                    written.append(folder / clip.file)
                    _replace(folder / clip.file, data)
                    clips[clip.file] = clip
            contents = contents.model_copy(update={"clips": tuple(clips.values())})
            _replace(folder / _FILE, contents.model_dump_json(indent=2).encode())
        except OSError as error:
            for path in written:
                path.unlink(missing_ok=True)
            raise VoiceError(f"{folder} cannot be written: {error.strerror}") from error
        _sweep(folder, clips)
        return Voice(folder, contents)


def _encoded(new: NewClip) -> tuple[Clip, bytes]:
    """A clip as FLAC; its name holds a part of its checksum, so that no two differ by less."""
    if new.emotion not in REPLY_EMOTIONS:
        raise VoiceError(
            f"{new.emotion!r} is no emotion of a reply; there are: {', '.join(REPLY_EMOTIONS)}"
        )
    buffer = io.BytesIO()
    soundfile.write(buffer, new.samples, SPEAKING_RATE, format="FLAC", subtype="PCM_16")
    data = buffer.getvalue()
    checksum = hashlib.sha256(data).hexdigest()
    clip = Clip(
        file=f"{new.emotion}-{checksum[:12]}.flac",
        emotion=new.emotion,
        seconds=round(new.samples.size / SPEAKING_RATE, 2),
        level_db=round(new.level_db, 1),
        pitch_hz=None if new.pitch_hz is None else round(new.pitch_hz, 1),
        snr_db=None if new.snr_db is None else round(new.snr_db, 1),
        sha256=checksum,
        source=new.source,
    )
    return clip, data


def _replace(path: Path, data: bytes) -> None:
    """Writes a file in one step: it is the old one or the new one, never half of it."""
    handle, temporary = tempfile.mkstemp(prefix=".new-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _sweep(folder: Path, clips: Container[str]) -> None:
    """Takes away clips that are none any more, and what an end by force left behind."""
    for path in folder.iterdir():
        if _OWN.fullmatch(path.name) and path.name not in clips:
            path.unlink(missing_ok=True)


def _reason(error: OSError | ValidationError) -> str:
    if isinstance(error, OSError):
        return error.strerror or "it cannot be read"
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
