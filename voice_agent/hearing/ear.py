"""The ear: audio of one session in, the beginning, the pauses and the end of turns out.

Voice activity, prosody and endpointing are joined here, on the clock of the received samples.
Nothing in here waits or knows an event loop; the listener calls it from a thread.
"""

from collections import deque
from dataclasses import dataclass, field
from statistics import median

import numpy as np

from voice_agent import settings
from voice_agent.audio.pcm import HEARING_RATE, Samples
from voice_agent.engines import TurnDetector
from voice_agent.events import Manner, Pause
from voice_agent.hearing.endpointing import Endpointer
from voice_agent.hearing.manner import Speaker
from voice_agent.hearing.prosody import HOP, PitchTracker, Row, TurnProsody
from voice_agent.hearing.recent import RecentAudio
from voice_agent.hearing.vad import FRAME, Vad, VadModel

_KEPT_S = 30
_SHOWN_S = 8
_HYSTERESIS = 0.15
# A cough is speech with doubt to the network: a turn begins with a frame that is surely speech,
# or after this many in a row.
_SURE = 0.6
_LASTING = 5
_STEP = 128
_FADE_DB = 32.0
_ABOVE_NOISE_DB = 8.0
_ROOM_FRAMES = 31

_HINT = 0.3
"""Share of the threshold from which a frame hints at speech."""
_STIRRING = 5 * FRAME
"""Samples for which a hint is remembered..."""
_STIRRING_MOST = 10 * FRAME
"""...and after which hints that have led to nothing are taken for the room's own sound."""


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


@dataclass(slots=True)
class _Turn:
    """The running turn, or the one just ended; all times are sample indices.

    Attributes:
        start: Where its audio begins, pre-roll included.
        told: Up to where its audio was handed out.
        speech_end: End of the last speech so far.
        paused: Whether the person is silent at the moment.
        likely: Whether that silence was reported as a likely end.
        longest_pause: Longest silence so far after which the person went on.
        open: False once the turn has ended.
    """

    start: int = 0
    told: int = 0
    speech_end: int = 0
    paused: bool = False
    likely: bool = False
    longest_pause: int = 0
    open: bool = False
    prosody: TurnProsody = field(default_factory=TurnProsody)


class Ear:
    """Hears one person's turns.

    Attributes:
        automatic: Whether a silence ends the turn. Where it is False, only ``end_turn`` does.
    """

    def __init__(
        self,
        vad: VadModel,
        detector: TurnDetector,
        vad_settings: settings.Vad,
        endpointing: settings.Endpointing,
    ) -> None:
        self.automatic = True
        self._vad = Vad(vad)
        self._endpointer = Endpointer(endpointing, detector)
        self.configure(vad_settings, endpointing)
        self._audio = RecentAudio(_KEPT_S * HEARING_RATE)
        self._pitch = PitchTracker()
        self._speaker = Speaker()
        self._turn = _Turn()
        self._noise_db = -60.0
        # What the newest frames without speech sounded like.
        self._room: deque[float] = deque(maxlen=_ROOM_FRAMES)
        self._clock = 0
        # Audio before this belongs to what was already ended or dropped.
        self._barrier = 0
        # Speech frames in a row while there is no turn or it pauses, where they began, and how
        # sure the surest of them was.
        self._run: list[tuple[Row, Row]] = []
        self._run_at = 0
        # The last frame that hinted at speech, and the first of those close to it.
        self._stirred = self._stirred_first = -HEARING_RATE
        self._surest = 0.0

    def configure(self, vad_settings: settings.Vad, endpointing: settings.Endpointing) -> None:
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
        self._audio.add(samples)
        events: list[EarEvent] = []
        while self._clock + FRAME <= self._audio.end:
            self._clock += FRAME
            self._frame(words, events)
        self._decide(words, self._audio.end, events)
        if self._turn.open:
            self._hand_out(self._audio.end, events)
        return events

    def end_turn(self) -> End | None:
        """Ends the running turn by hand; None if there was no speech in it."""
        end = None
        if self._turn.open:
            self._turn.open = False
            at = self._turn.speech_end if self._turn.paused else self._audio.end
            end = End(at, self._audio.end)
        self._run = []
        self._barrier = self._audio.end
        return end

    def forget(self) -> None:
        """Drops the running turn, as if it had not been heard."""
        self._turn = _Turn()
        self._run = []
        self._barrier = self._audio.end

    @property
    def speaking(self) -> bool:
        """Whether the person is speaking right now."""
        return self._turn.open and not self._turn.paused

    @property
    def waiting(self) -> bool:
        """Whether the person is silent in the middle of a turn, which may end with this silence."""
        return self._turn.open and self._turn.paused

    @property
    def stirring(self) -> bool:
        """Whether somebody may just be beginning to speak, though it is no turn yet."""
        if self._turn.open:
            return False
        lately = self._clock - self._stirred <= _STIRRING
        return lately and self._clock - self._stirred_first <= _STIRRING_MOST

    @property
    def speech_s(self) -> float:
        """Seconds of speech in the running turn, or in the one just ended."""
        return self._turn.prosody.speech_s

    @property
    def voiced_share(self) -> float:
        """Share of the speech of the running turn that has a pitch."""
        return self._turn.prosody.voiced_share

    @property
    def prosody(self) -> TurnProsody:
        """What was measured of the running turn, or of the one just ended."""
        return self._turn.prosody

    def manner(self) -> Manner:
        """Measures the running turn, or the one just ended, against the speaker's earlier ones."""
        return self._speaker.manner(self._turn.prosody)

    def turn_audio(self) -> Samples:
        """The running turn, or the one just ended; its last 30 s at most."""
        return self._audio.between(self.turn_audio_start, self._turn.told)

    @property
    def turn_audio_start(self) -> int:
        """Index of the first sample of ``turn_audio`` since the session began."""
        turn = self._turn
        return max(turn.start, turn.told - _KEPT_S * HEARING_RATE, self._audio.begin)

    def _frame(self, words: str, events: list[EarEvent]) -> None:
        frame = self._audio.between(self._clock - FRAME - 1, self._clock)
        probability = self._vad.probability(frame[1:])
        threshold = self._settings.threshold - (_HYSTERESIS if self.speaking else 0.0)
        speech = probability >= threshold
        if probability >= self._settings.threshold * _HINT:
            if self._clock - self._stirred > _STIRRING:
                self._stirred_first = self._clock
            self._stirred = self._clock
        rows = self._measure(frame[1:], speech)
        if self._turn.open:
            self._turn.prosody.add(rows)
        if self.speaking:
            if not speech:
                self._pause()
        elif speech:
            if not self._run:
                self._run_at, self._surest = self._clock - FRAME, 0.0
            self._run.append(rows)
            self._surest = max(self._surest, probability)
            if self._convinced():
                self._speak(events)
        else:
            self._run = []
        if self._turn.open and self._turn.paused:
            self._hear_pause(frame)
            self._decide(words, self._clock, events)

    def _convinced(self) -> bool:
        if len(self._run) < self._onset_frames:
            return False
        threshold = self._settings.threshold
        sure = self._surest >= threshold + _SURE * (1 - threshold)
        return self._turn.open or sure or len(self._run) >= _LASTING

    def _measure(self, frame: Samples, speech: bool) -> tuple[Row, Row]:
        levels = 10 * np.log10(np.square(frame.reshape(-1, HOP)).mean(axis=1) + 1e-12)
        first, second = levels.tolist()
        if not speech:
            quiet = min(first, second)
            self._room.append(quiet)
            # Down at once, up slowly: a pause is louder than the room at its beginning.
            self._noise_db += (0.5 if quiet < self._noise_db else 0.02) * (quiet - self._noise_db)
            return Row(first, 0.0, speech=False), Row(second, 0.0, speech=False)
        pitches, bands = self._pitch.measure(
            self._audio.between(self._clock - 2 * FRAME, self._clock)
        )
        (low, high), (next_low, next_high) = bands.tolist()
        return (
            Row(first, pitches[0], True, low, high - low),
            Row(second, pitches[1], True, next_low, next_high - next_low),
        )

    def _speak(self, events: list[EarEvent]) -> None:
        """Speech has lasted long enough to be the beginning of a turn, or to go on with it."""
        turn = self._turn
        if turn.open:
            turn.longest_pause = max(turn.longest_pause, self._run_at - turn.speech_end)
            turn.paused = False
            if turn.likely:
                turn.likely = False
                self._hand_out(self._clock, events)
                events.append(Resumed(self._run_at))
        else:
            # It joins the baseline only now, so that it was itself measured against its elders.
            self._speaker.learn(turn.prosody)
            preroll = self._settings.preroll_ms * HEARING_RATE // 1000
            start = max(self._barrier, self._run_at - preroll, 0)
            self._turn = turn = _Turn(start, self._clock, self._clock, open=True)
            if self._room:
                turn.prosody.noise_db = median(self._room)
            for rows in self._run:
                turn.prosody.add(rows)
            events.append(Onset(self._run_at, self._audio.between(start, self._clock)))
        self._run = []

    def _pause(self) -> None:
        """Speech has stopped: dates its end to where the level fell, within the last frames."""
        turn = self._turn
        begin = max(turn.start, self._clock - 4 * FRAME)
        audio = self._audio.between(begin, self._clock)
        levels = 10 * np.log10(np.square(audio.reshape(-1, _STEP)).mean(axis=1) + 1e-12)
        loud_db = turn.prosody.loud_db()
        sounding = levels > max(self._noise_db + _ABOVE_NOISE_DB, loud_db - _FADE_DB)
        # The frame itself is no speech any more, whatever sounds in its second half.
        at = np.flatnonzero(sounding[: -FRAME // _STEP // 2])
        turn.speech_end = begin + (int(at[-1]) + 1) * _STEP if at.size else self._clock - 2 * FRAME
        turn.paused = True
        turn.likely = False
        self._endpointer.begin(loud_db)

    def _hear_pause(self, frame: Samples) -> None:
        changes = np.square(np.diff(frame)).reshape(-1, HOP).mean(axis=1)
        silence_ms = (self._clock - self._turn.speech_end) * 1000 / HEARING_RATE
        self._endpointer.hear(10 * np.log10(changes + 1e-12), silence_ms)

    def _decide(self, words: str, now: int, events: list[EarEvent]) -> None:
        turn = self._turn
        if not (turn.open and turn.paused) or self._run:
            return
        silence = now - turn.speech_end
        if silence >= self._likely and not turn.likely:
            turn.likely = True
            self._hand_out(now, events)
            events.append(LikelyEnd(turn.speech_end))
        if not (self.automatic and turn.likely):
            return
        silence_ms = silence * 1000 / HEARING_RATE
        stirring = (
            now - self._stirred < FRAME and silence_ms < self._endpointer.settings.max_wait_ms
        )
        if not stirring and self._endpointer.over(
            words, silence_ms, lambda: self._describe(words, now)
        ):
            self._hand_out(now, events)
            events.append(End(turn.speech_end, now))
            turn.open = False
            self._barrier = turn.speech_end

    def _describe(self, words: str, now: int) -> Pause:
        turn = self._turn
        ending = turn.prosody.ending()
        shown = max(turn.start, now - _SHOWN_S * HEARING_RATE)
        return Pause(
            silence_s=(now - turn.speech_end) / HEARING_RATE,
            speech_s=turn.prosody.speech_s,
            longest_pause_s=turn.longest_pause / HEARING_RATE,
            text=words,
            pitch_slope_st=ending.pitch_slope_st,
            pitch_end_st=ending.pitch_end_st,
            level_slope_db=ending.level_slope_db,
            level_end_db=ending.level_end_db,
            last_syllable_s=ending.last_syllable_s,
            audio=self._audio.between(shown, now),
        )

    def _hand_out(self, until: int, events: list[EarEvent]) -> None:
        if until > self._turn.told:
            events.append(Voice(self._audio.between(self._turn.told, until)))
            self._turn.told = until
