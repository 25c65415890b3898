"""A recording of one person, and the stretches of speech in it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voice_agent.audio.files import describe, read_whole
from voice_agent.audio.pcm import HEARING_RATE, SPEAKING_RATE, Samples, level_db
from voice_agent.audio.resample import resample
from voice_agent.errors import VoiceError
from voice_agent.evaluation.turns import measure
from voice_agent.events import Manner
from voice_agent.hearing.manner import Speaker
from voice_agent.hearing.prosody import TurnProsody, mean_level
from voice_agent.hearing.vad import FRAME, Vad, VadModel

LONGEST_FILE_S = 1200.0
"""Longer files are refused: they do not fit into memory as a whole."""

CLIP_LEVEL_DB = -24.0
"""Level of the speech of all clips, in dB relative to full scale."""

_CEILING = 0.95
_FRAME_S = FRAME / HEARING_RATE
_SPEECH, _SILENCE = 0.5, 0.15
_MARGIN_S = 0.15
_FADE_S = 0.01
_GAP_S = 0.12
_CUT_S = 0.35
_CLEAREST_DB = 80.0
_FLAT = 1e-4
_LOUD = 0.5
_FLAT_RUN = 3


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording in memory.

    Attributes:
        path: The file.
        rate: Its sample rate in Hz.
        samples: Mono float32 at that rate.
        heard: The same at ``HEARING_RATE``.
        voiced: Probability of speech of each 32 ms frame of ``heard``.
    """

    path: Path
    rate: int
    samples: Samples
    heard: Samples
    voiced: NDArray[np.float64]

    @classmethod
    def read(cls, path: Path, vad: VadModel) -> "Recording":
        """Reads a file.

        Raises:
            AudioError: It is no audio that can be read.
            VoiceError: It is too long.
        """
        info = describe(path)
        if info.seconds is not None and info.seconds > LONGEST_FILE_S:
            raise VoiceError(
                f"{path}: {info.seconds / 60:.0f} minutes are too much at once; cut it into files "
                f"of {LONGEST_FILE_S / 60:.0f} minutes at most"
            )
        samples = read_whole(path, info.rate)
        heard = resample(samples, info.rate, HEARING_RATE)
        return cls(path, info.rate, samples, heard, _voiced(heard, vad))

    @property
    def speech(self) -> NDArray[np.bool_]:
        """Which frames hold speech."""
        return self.voiced >= _SPEECH

    @property
    def noise_db(self) -> float:
        """Level of the frames that surely hold no speech; of the quietest where all may."""
        levels = self._levels()
        quiet = levels[self.voiced < _SILENCE]
        if quiet.size * _FRAME_S >= 0.25:
            return mean_level(quiet)
        return float(np.percentile(levels, 5)) if levels.size else -120.0

    def whole(self) -> tuple[float, float] | None:
        """Seconds at which the speech begins and ends, with a little room; None without speech."""
        spoken = np.flatnonzero(self.speech)
        if not spoken.size:
            return None
        return self._with_room(int(spoken[0]), int(spoken[-1]) + 1)

    def stretches(self, longest_s: float) -> list[tuple[float, float]]:
        """Cuts the speech at its pauses into stretches of that length at most, if they allow it."""
        runs = _runs(self.speech, round(_CUT_S / _FRAME_S))
        joined: list[tuple[int, int]] = []
        for start, end in runs:
            if joined and (end - joined[-1][0]) * _FRAME_S + 2 * _MARGIN_S <= longest_s:
                joined[-1] = (joined[-1][0], end)
            else:
                joined.append((start, end))
        return [self._with_room(start, end) for start, end in joined]

    def _with_room(self, start: int, end: int) -> tuple[float, float]:
        length = self.samples.size / self.rate
        return max(0.0, start * _FRAME_S - _MARGIN_S), min(length, end * _FRAME_S + _MARGIN_S)

    def _levels(self) -> NDArray[np.float64]:
        frames = self.heard[: self.voiced.size * FRAME].reshape(-1, FRAME)
        return np.array([level_db(frame) for frame in frames])

    def take(self, start: float, end: float, vad: VadModel) -> "Take":
        """Measures a stretch, in seconds."""
        own = self.samples[round(start * self.rate) : round(end * self.rate)]
        heard = self.heard[round(start * HEARING_RATE) : round(end * HEARING_RATE)]
        frames = self.speech[round(start / _FRAME_S) : round(end / _FRAME_S)]
        prosody = measure(heard, vad)
        manner = Speaker().manner(prosody)
        level = manner.level_db if manner.level_db is not None else level_db(own)
        return Take(
            path=self.path,
            start=start,
            end=end,
            rate=self.rate,
            prosody=prosody,
            manner=manner,
            level_db=level,
            snr_db=min(_CLEAREST_DB, level - self.noise_db),
            clipped_share=clipped_share(own),
            longest_pause_s=_longest_pause(frames),
        )

    def audio(self, take: "Take") -> Samples:
        """The samples of a take at ``SPEAKING_RATE``, faded in and out, at ``CLIP_LEVEL_DB``.

        How loud a reply is comes from its tone; a soft clip would make it softer once more.
        """
        own = self.samples[round(take.start * self.rate) : round(take.end * self.rate)]
        centred = own - own.mean(dtype=np.float64).astype(np.float32)
        samples = resample(centred, self.rate, SPEAKING_RATE)
        gain = 10 ** ((CLIP_LEVEL_DB - take.level_db) / 20)
        gain = min(gain, _CEILING / max(1e-6, float(np.abs(samples).max(initial=0.0))))
        samples = (samples * gain).astype(np.float32)
        ramp = np.linspace(0, 1, round(_FADE_S * SPEAKING_RATE), dtype=np.float32)
        samples[: ramp.size] *= ramp
        samples[-ramp.size :] *= ramp[::-1]
        return samples


@dataclass(frozen=True, slots=True)
class Take:
    """A stretch of speech in a recording, measured.

    Attributes:
        path: The file.
        start, end: Seconds of it.
        rate: Its sample rate in Hz.
        prosody, manner: How it is spoken.
        level_db: Level of the speech in dB relative to full scale.
        snr_db: That against the noise of the recording, in dB.
        clipped_share: Share of the samples that were cut off at the top.
        longest_pause_s: The longest pause in it.
    """

    path: Path
    start: float
    end: float
    rate: int
    prosody: TurnProsody
    manner: Manner
    level_db: float
    snr_db: float
    clipped_share: float
    longest_pause_s: float

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.end - self.start


def joined(pieces: list[Samples]) -> Samples:
    """Puts pieces at ``SPEAKING_RATE`` behind one another, with short pauses between."""
    gap = np.zeros(round(_GAP_S * SPEAKING_RATE), np.float32)
    parts = [part for piece in pieces for part in (gap, piece)][1:]
    return np.concatenate(parts)


def clipped_share(samples: Samples) -> float:
    """Share of samples in flat tops: three or more in a row that stay at the highest value."""
    peak = float(np.abs(samples).max(initial=0.0))
    if peak < _LOUD:
        return 0.0
    top = np.abs(samples) >= peak - _FLAT
    flat = sum(end - start for start, end in _runs(top, 1) if end - start >= _FLAT_RUN)
    return flat / samples.size


def _voiced(heard: Samples, vad: VadModel) -> NDArray[np.float64]:
    listening = Vad(vad)
    whole = heard[: heard.size // FRAME * FRAME].reshape(-1, FRAME)
    return np.array([listening.probability(frame) for frame in whole])


def _runs(flags: NDArray[np.bool_], bridge: int) -> list[tuple[int, int]]:
    """Where flags are set, as (first, after the last); gaps shorter than ``bridge`` are none."""
    found: list[tuple[int, int]] = []
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if found and start - found[-1][1] < bridge:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found


def _longest_pause(speech: NDArray[np.bool_]) -> float:
    spoken = np.flatnonzero(speech)
    if spoken.size < 2:
        return 0.0
    return float((np.diff(spoken).max() - 1) * _FRAME_S)
