"""The ear: audio of one session in, the beginning, the pauses and the end of turns out.

Voice activity, prosody and endpointing are joined here, on the clock of the received samples.
Nothing in here waits or knows an event loop; the listener calls it from a thread.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from voice_agent import config
from voice_agent.audio.pcm import HEARING_RATE, Samples
from voice_agent.engines import TurnDetector
from voice_agent.events import Manner, Pause
from voice_agent.hearing.endpointing import Endpointer
from voice_agent.hearing.prosody import HOP, PitchTracker, Speaker, TurnProsody
from voice_agent.hearing.vad import FRAME, Vad, VadModel

_KEPT_S = 30
_SHOWN_S = 8
_STEP = 128
_HYSTERESIS = 0.15
_FLOOR_DB = -90.0


@dataclass(frozen=True, slots=True)
class Onset:
    """The person began to speak.

    Attributes:
        at: Sample index since the session began where the speech began.
        audio: The pre-roll and everything up to now.
    """

    at: int
    audio: Samples


@dataclass(frozen=True, slots=True)
class Voice:
    """More audio of the running turn, short pauses included, without a gap to what came before."""

    audio: Samples


@dataclass(frozen=True, slots=True)
class LikelyEnd:
    """The turn may be over: time to prepare the answer. ``at`` is the end of the last speech."""

    at: int


@dataclass(frozen=True, slots=True)
class Resumed:
    """After a ``LikelyEnd`` the person went on speaking, at sample ``at``."""

    at: int


@dataclass(frozen=True, slots=True)
class End:
    """The turn is over.

    Attributes:
        at: Sample index of the end of the last speech.
        decided: Sample index of the clock when that was decided.
    """

    at: int
    decided: int


EarEvent = Onset | Voice | LikelyEnd | Resumed | End


class Ear:
    """Hears one person's turns.

    Attributes:
        automatic: Whether a silence ends the turn. Where it is False, only ``end_turn`` does.
        speaking: Whether the person is speaking right now.
    """

    def __init__(
        self,
        vad: VadModel,
        detector: TurnDetector,
        vad_settings: config.Vad,
        endpointing: config.Endpointing,
    ) -> None:
        self.automatic = True
        self.speaking = False
        self._vad = Vad(vad)
        self._endpointer = Endpointer(endpointing, detector)
        self.configure(vad_settings, endpointing)
        self._past = _Past(_KEPT_S * HEARING_RATE)
        self._pitch = PitchTracker()
        self._speaker = Speaker()
        self._turn = TurnProsody()
        self._floor_db = -60.0
        self._clock = 0
        self._open = False
        self._start = 0
        self._delivered = 0
        self._barrier = 0
        self._run = 0
        self._run_at = 0
        self._speech_end = 0
        self._likely_told = False
        self._longest_pause = 0
        self._loudness_db = -60.0
        self._pending: list[tuple[float, float, bool]] = []

    def configure(self, vad_settings: config.Vad, endpointing: config.Endpointing) -> None:
        """Changes the settings, from the next frame on."""
        self._settings = vad_settings
        self._onset_frames = max(1, round(vad_settings.onset_ms * HEARING_RATE / 1000 / FRAME))
        self._endpointer.settings = endpointing
        self._likely = endpointing.likely_ms * HEARING_RATE // 1000

    def process(self, samples: Samples, words: str) -> list[EarEvent]:
        """Takes the next audio, 16 kHz mono float32 of any length.

        Args:
            samples: The audio.
            words: The newest hypothesis for the running turn.

        Returns:
            What happened, in order. The audio of ``Onset`` and of every ``Voice`` of a turn,
            joined, is the turn without a gap.
        """
        self._past.add(samples)
        events: list[EarEvent] = []
        while self._clock + FRAME <= self._past.end:
            self._clock += FRAME
            events.extend(self._frame(words))
        if self._open and self._delivered < self._past.end:
            events.append(self._voice(self._past.end))
        return events

    def end_turn(self) -> End | None:
        """Ends the running turn by hand; None if there was no speech in it."""
        if not self._open:
            self._barrier = self._past.end
            self._run = 0
            return None
        end = End(self._speech_end, self._past.end)
        self._close()
        self._barrier = self._past.end
        return end

    def forget(self) -> None:
        """Drops the running turn, as if it had not been heard."""
        self._open = self.speaking = False
        self._turn = TurnProsody()
        self._run = 0
        self._barrier = self._past.end

    @property
    def stirring(self) -> bool:
        """Whether the last frame sounded like speech that may become a turn."""
        return not self._open and self._run > 0

    @property
    def speech_s(self) -> float:
        """Seconds of speech in the running turn, or in the one just ended."""
        return self._turn.speech_s

    @property
    def voiced_share(self) -> float:
        """Share of the speech of the running turn that has a pitch."""
        return self._turn.voiced_share

    def manner(self, words: str) -> Manner:
        """Measures the running turn, or the one just ended, against the speaker's earlier ones."""
        return self._speaker.manner(self._turn)

    def turn_audio(self) -> Samples:
        """The running turn, or the one just ended; its last 30 s at most."""
        return self._past.between(self._start, self._past.end if self._open else self._delivered)

    def _frame(self, words: str) -> Sequence[EarEvent]:
        frame = self._past.between(self._clock - FRAME, self._clock)
        probability = self._vad.probability(frame)
        threshold = self._settings.threshold - (_HYSTERESIS if self.speaking else 0.0)
        speech = probability >= threshold
        self._measure(frame, speech)
        if not self._open:
            return self._listen(speech)
        return self._follow(speech, frame, words)

    def _measure(self, frame: Samples, speech: bool) -> None:
        power = np.square(frame.reshape(-1, HOP)).mean(axis=1)
        levels = 10 * np.log10(power + 1e-12)
        pitches = [0.0, 0.0]
        if speech:
            pitches = self._pitch.pitch(self._past.between(self._clock - 2 * FRAME, self._clock))
        else:
            quiet = float(levels.min())
            self._floor_db += (0.5 if quiet < self._floor_db else 0.02) * (quiet - self._floor_db)
        rows = [(float(db), hz, speech) for db, hz in zip(levels, pitches, strict=True)]
        if self._open:
            for row in rows:
                self._turn.add(*row)
        else:
            self._pending = (self._pending if speech else []) + rows

    def _listen(self, speech: bool) -> Sequence[EarEvent]:
        if not speech:
            self._run = 0
            return ()
        if self._run == 0:
            self._run_at = self._clock - FRAME
        self._run += 1
        if self._run < self._onset_frames:
            return ()
        preroll = self._settings.preroll_ms * HEARING_RATE // 1000
        self._start = max(self._barrier, self._run_at - preroll, 0)
        self._open = self.speaking = True
        # The turn before joins the baseline only now, so that it was measured against its elders.
        self._speaker.learn(self._turn)
        self._turn = TurnProsody()
        for row in self._pending[-2 * self._run :]:
            self._turn.add(*row)
        self._pending = []
        self._speech_end = self._clock
        self._likely_told = False
        self._longest_pause = 0
        self._delivered = self._clock
        return (Onset(self._run_at, self._past.between(self._start, self._clock)),)

    def _follow(self, speech: bool, frame: Samples, words: str) -> Sequence[EarEvent]:
        if speech:
            return self._go_on()
        if self.speaking:
            self.speaking = False
            self._run = 0
            self._speech_end = self._last_sound()
            self._endpointer.begin()
        elif self._run:
            self._run = 0
        silence = self._clock - self._speech_end
        events: list[EarEvent] = []
        if silence >= self._likely and not self._likely_told:
            self._likely_told = True
            events += [self._voice(self._clock), LikelyEnd(self._speech_end)]
        if self.automatic and self._likely_told and self._endpointer.over(self._pause(words)):
            events += [self._voice(self._clock), End(self._speech_end, self._clock)]
            self._close()
        return [e for e in events if not isinstance(e, Voice) or e.audio.size]

    def _go_on(self) -> Sequence[EarEvent]:
        if self.speaking:
            return ()
        self._run += 1
        if self._run == 1:
            self._run_at = self._clock - FRAME
        if self._run < self._onset_frames:
            return ()
        self.speaking = True
        self._longest_pause = max(self._longest_pause, self._run_at - self._speech_end)
        if not self._likely_told:
            return ()
        self._likely_told = False
        return [self._voice(self._clock), Resumed(self._run_at)]

    def _last_sound(self) -> int:
        """Dates the end of the speech inside the last frames: where the level fell."""
        begin = max(self._start, self._clock - 4 * FRAME)
        audio = self._past.between(begin, self._clock)
        levels = 10 * np.log10(np.square(audio.reshape(-1, _STEP)).mean(axis=1) + 1e-12)
        speech_db = self._turn_level()
        bar = max(self._floor_db + 8.0, speech_db - 30.0)
        loud = np.flatnonzero(levels[:-4] > bar)
        return begin + (int(loud[-1]) + 1) * _STEP if loud.size else begin

    def _turn_level(self) -> float:
        levels = [
            db for db, speech in zip(self._turn.levels, self._turn.speech, strict=True) if speech
        ]
        return float(np.percentile(levels, 80)) if levels else _FLOOR_DB

    def _pause(self, words: str) -> Pause:
        ending = self._turn.ending()
        shown = max(self._start, self._clock - _SHOWN_S * HEARING_RATE)
        return Pause(
            silence_s=(self._clock - self._speech_end) / HEARING_RATE,
            speech_s=self._turn.speech_s,
            longest_pause_s=self._longest_pause / HEARING_RATE,
            text=words,
            pitch_slope_st=ending.pitch_slope_st,
            pitch_end_st=ending.pitch_end_st,
            level_slope_db=ending.level_slope_db,
            level_end_db=ending.level_end_db,
            last_syllable_s=ending.last_syllable_s,
            audio=self._past.between(shown, self._clock),
        )

    def _voice(self, until: int) -> Voice:
        audio = self._past.between(self._delivered, until)
        self._delivered = until
        return Voice(audio)

    def _close(self) -> None:
        self._open = self.speaking = False
        self._run = 0
        self._pending = []
        self._barrier = self._speech_end


class _Past:
    """The newest samples of a stream, addressed by their index since its beginning."""

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._buffer = np.zeros(2 * kept, np.float32)
        # A stretch of silence before the stream began, so that windows reach back from its start.
        self._begin = -2 * FRAME
        self.end = 0

    def add(self, samples: Samples) -> None:
        size = samples.size
        if self.end + size - self._begin > self._buffer.size:
            keep = min(self._kept, self.end - self._begin)
            start = self.end - keep
            kept = self._buffer[start - self._begin : self.end - self._begin].copy()
            if keep + size > self._buffer.size:
                self._buffer = np.zeros(keep + size, np.float32)
            self._buffer[:keep] = kept
            self._begin = start
        at = self.end - self._begin
        self._buffer[at : at + size] = samples
        self.end += size

    def between(self, start: int, stop: int) -> Samples:
        """A copy of the samples from ``start`` to ``stop``; what is too old is left out."""
        start = max(start, self._begin, self.end - self._buffer.size)
        return self._buffer[start - self._begin : max(start, stop) - self._begin].copy()
