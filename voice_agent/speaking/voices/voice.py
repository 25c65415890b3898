"""A voice of the bank: recordings of one person, by emotion."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from voice_agent.events import REPLY_EMOTIONS

RELATED: Mapping[str, tuple[str, ...]] = {
    "joyful": ("happy", "surprised"),
    "happy": ("joyful",),
    "surprised": ("joyful", "happy"),
    "comfort": ("sorry",),
    "sorry": ("comfort", "sad"),
    "sad": ("sorry", "tearful", "comfort"),
    "tearful": ("sad", "sorry"),
    "afraid": (),
    "angry": ("disgusted",),
    "disgusted": ("angry",),
    "neutral": ("comfort", "happy", "sorry"),
}
"""What stands in for an emotion that a voice has no clips of, the nearest first; then ``neutral``.

Only what a listener would take for a milder or stronger form of the same is near: a voice that
should comfort is rather neutral than sad, since from neutral its tone can still be shaped.
"""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Clip(_Part):
    """A recording of a voice in one emotion: mono, at ``SPEAKING_RATE``.

    Attributes:
        file: Its name in the voice's folder.
        emotion: One of ``events.REPLY_EMOTIONS``.
        seconds: Its length.
        level_db: Level of its speech when it was recorded, in dB relative to full scale.
        pitch_hz: Median pitch; None where too little of it is voiced.
        snr_db: Speech against noise, in dB.
        sha256: Of the file.
        source: Name of the recording, or of the recordings, that it was made of.
    """

    file: str = Field(pattern=r"^[\w-]+\.flac$")
    emotion: str
    seconds: float = Field(gt=0)
    level_db: float
    pitch_hz: float | None = None
    snr_db: float | None = None
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    source: str = ""


class Consent(_Part):
    """That the person whose voice it is agreed.

    Attributes:
        statement: What was agreed to.
        given: When that was said here (ISO 8601).
        note: Who agreed, or where it is written down.
    """

    statement: str
    given: str
    note: str = ""


class Contents(_Part):
    """What ``voice.json`` holds.

    Attributes:
        name: The voice's name.
        language: Language of its recordings (BCP 47).
        licence: What it may be used for, in words; empty where that was not said.
        consent: That its owner agreed.
        clips: Its clips, in the order in which they were added.
    """

    name: str
    language: str
    licence: str = ""
    consent: Consent
    clips: tuple[Clip, ...] = Field(min_length=1)


class Voice:
    """A voice of the bank.

    Attributes:
        name: Its name.
        folder: Where it is.
        contents: All that is written down of it.
        language: Language of its recordings (BCP 47).
        all_clips: Its clips, in the order in which they were added.
    """

    def __init__(self, folder: Path, contents: Contents) -> None:
        self.folder = folder
        self.name = folder.name
        self.contents = contents
        self.language = contents.language
        self.all_clips = contents.clips

    @property
    def emotions(self) -> tuple[str, ...]:
        """The emotions that it has clips of, in the order of ``REPLY_EMOTIONS``."""
        own = {clip.emotion for clip in self.all_clips}
        return tuple(emotion for emotion in REPLY_EMOTIONS if emotion in own)

    def style(self, emotion: str) -> str:
        """The emotion whose clips are used for a reply emotion: itself, a related one, neutral.

        A voice without any of these has it say everything in the first emotion that it has.
        """
        nearest = (emotion, *RELATED.get(emotion, ()), "neutral", *RELATED["neutral"])
        own = self.emotions
        return next((one for one in nearest if one in own), own[0])

    def clips(self, emotion: str) -> tuple[Path, ...]:
        """The clips to speak after in a reply emotion; at least one. See ``style``."""
        style = self.style(emotion)
        return tuple(self.folder / clip.file for clip in self.all_clips if clip.emotion == style)

    def changed(self) -> tuple[Clip, ...]:
        """Clips that are no longer what was added."""
        return tuple(
            clip
            for clip in self.all_clips
            if hashlib.sha256((self.folder / clip.file).read_bytes()).hexdigest() != clip.sha256
        )
