"""Audio files: read in blocks, by default at the rate of hearing, written as 16-bit WAV.

Reading is libsndfile's (through soundfile), so a file of any length takes the memory of one block.
"""

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import soundfile
import soxr

from voice_agent.audio.pcm import HEARING_RATE, Samples
from voice_agent.errors import AudioError

log = logging.getLogger(__name__)

CONTAINERS = frozenset({"WAV", "WAVEX", "RF64", "FLAC", "OGG"})
LOWEST_RATE, HIGHEST_RATE = 8_000, 192_000

_SUPPORTED = "supported are WAV, FLAC and OGG (Vorbis, Opus) of 8 to 192 kHz"

_UNKNOWN_SIZE = 0xFFFF_0000
"""Writers that do not know the length beforehand (pipes) announce about this many bytes."""


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """What a file says of itself.

    Attributes:
        seconds: Its length; None where the file does not tell.
        rate: Sample rate in Hz.
        channels: Number of channels.
    """

    seconds: float | None
    rate: int
    channels: int


def describe(path: Path) -> AudioInfo:
    """Looks at the head of a file.

    Raises:
        AudioError: As ``read_blocks``.
    """
    with _open(path) as file:
        known = 0 < file.frames < 2**62
        return AudioInfo(
            file.frames / file.samplerate if known else None, file.samplerate, file.channels
        )


def read_blocks(path: Path, seconds: float = 0.02, rate: int = HEARING_RATE) -> Iterator[Samples]:
    """Reads a WAV, FLAC or OGG file of 8 to 192 kHz as mono, block after block.

    Channels are averaged; samples that are no numbers become silence and all others are kept
    within [-1, 1]. Of a truncated file what is there is read, with a warning in the log.

    Args:
        path: The file.
        seconds: Length of a block; the last one may be shorter.
        rate: Sample rate in Hz of what is wanted.

    Raises:
        AudioError: There is no such file, or no audio in it that can be read.
    """
    size = max(1, round(seconds * rate))
    waiting: list[Samples] = []
    count = 0
    for piece in _resampled(path, rate):
        waiting.append(piece)
        count += piece.size
        if count >= size:
            samples = np.concatenate(waiting)
            whole = count - count % size
            for start in range(0, whole, size):
                yield samples[start : start + size]
            waiting = [samples[whole:]]
            count -= whole
    if count:
        yield np.concatenate(waiting)


def read_whole(path: Path, rate: int = HEARING_RATE) -> Samples:
    """Reads a file as ``read_blocks`` does, in one piece.

    Raises:
        AudioError: There is no such file, or no audio in it that can be read.
    """
    return np.concatenate([np.zeros(0, np.float32), *read_blocks(path, 1.0, rate)])


def _resampled(path: Path, rate: int) -> Iterator[Samples]:
    with _open(path) as file:
        resampler = (
            soxr.ResampleStream(file.samplerate, rate, 1, dtype="float32")
            if file.samplerate != rate
            else None
        )
        for piece in _mono(path, file):
            samples = piece if resampler is None else resampler.resample_chunk(piece)
            if samples.size:
                yield samples
        if resampler is not None:
            yield resampler.resample_chunk(np.zeros(0, np.float32), last=True)


def _mono(path: Path, file: soundfile.SoundFile) -> Iterator[Samples]:
    """Little pieces of the file, as far as it can be decoded: a damaged piece is lost whole."""
    announced, read = file.frames, 0
    broken = ""
    while True:
        try:
            frames = file.read(file.samplerate // 4, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            broken = error.error_string
            break
        if not len(frames):
            break
        read += len(frames)
        np.nan_to_num(frames, copy=False, nan=0.0, posinf=1.0, neginf=-1.0)
        np.clip(frames, -1.0, 1.0, out=frames)
        yield frames.mean(axis=1, dtype=np.float32)
    if not read:
        raise AudioError(f"{path}: no audio could be read: {broken or 'it holds none'}")
    missing = announced - read if announced < 2**62 else 0
    if broken or missing > 0 or _cut_short(file):
        log.warning(
            "%s is truncated or damaged; read the %.1f s that are there",
            path,
            read / file.samplerate,
            extra={"file": str(path), "seconds": round(read / file.samplerate, 3)},
        )


def _cut_short(file: soundfile.SoundFile) -> bool:
    """Whether a WAV file announces more bytes than it has, as libsndfile notes in its log."""
    note = re.search(r"^data : (\d+) \(should be (\d+)\)", file.extra_info, re.MULTILINE)
    return note is not None and int(note[2]) < int(note[1]) < _UNKNOWN_SIZE


def _open(path: Path) -> soundfile.SoundFile:
    if path.is_dir():
        raise AudioError(f"{path} is a folder; name the audio files in it")
    if not path.exists():
        raise AudioError(f"{path}: there is no such file")
    if not path.is_file():
        raise AudioError(f"{path} is not a regular file")
    try:
        with path.open("rb") as handle:
            empty = not handle.read(1)
    except OSError as error:
        raise AudioError(f"{path} cannot be opened: {error.strerror}") from error
    if empty:
        raise AudioError(f"{path} is empty")
    try:
        file = soundfile.SoundFile(path)
    except (soundfile.LibsndfileError, TypeError) as error:
        why = getattr(error, "error_string", "Format not recognised.").rstrip(".")
        raise AudioError(f"{path} is not audio that can be read ({why}); {_SUPPORTED}") from error
    complaint = _unsupported(file)
    if complaint:
        file.close()
        raise AudioError(f"{path}: {complaint}")
    return file


def _unsupported(file: soundfile.SoundFile) -> str:
    if file.format not in CONTAINERS:
        return f"the format {file.format} is not supported; {_SUPPORTED}"
    if not LOWEST_RATE <= file.samplerate <= HIGHEST_RATE:
        return f"a sample rate of {file.samplerate} Hz is not supported; {_SUPPORTED}"
    if file.frames == 0:
        return "there is no audio in it"
    return ""


class WavWriter:
    """Writes a 16-bit mono WAV file piece by piece; what exceeds [-1, 1] is clipped.

    The header is right after each piece, so that a crash loses nothing written before.
    """

    def __init__(self, path: Path, rate: int) -> None:
        """Creates the file, over one that is there.

        Raises:
            AudioError: It cannot be created.
        """
        self.path = path
        try:
            self._file = soundfile.SoundFile(
                path, "w", samplerate=rate, channels=1, format="WAV", subtype="PCM_16"
            )
        except soundfile.LibsndfileError as error:
            raise AudioError(f"{path} cannot be written: {error.error_string}") from error

    def write(self, samples: Samples) -> None:
        """Appends samples.

        Raises:
            AudioError: They could not be written, as on a full disk.
        """
        try:
            self._file.write(samples)
            self._file.flush()
        except (soundfile.LibsndfileError, AssertionError) as error:
            raise AudioError(f"{self.path} cannot be written; is the disk full?") from error

    def close(self) -> None:
        """Ends the file. Harmless when called twice."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def write_wav(path: Path, samples: Samples, rate: int) -> None:
    """Writes samples as a 16-bit mono WAV file; what exceeds [-1, 1] is clipped.

    Raises:
        AudioError: The file cannot be written.
    """
    with WavWriter(path, rate) as file:
        file.write(samples)
