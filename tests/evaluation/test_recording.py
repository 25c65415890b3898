"""Recordings heard from beginning to end, whatever is in them."""

import shutil
import subprocess
from typing import ClassVar

import numpy as np
import pytest
import soundfile

from voice_agent.audio.pcm import HEARING_RATE
from voice_agent.audio.resample import resample
from voice_agent.errors import AudioError, EngineError
from voice_agent.evaluation.recording import listen
from voice_agent.events import Manner, Paralinguistics, VocalEvent
from voice_agent.hearing.vad import VadModel
from voice_agent.settings import Config

VAD = VadModel()

needs_flite = pytest.mark.skipif(
    shutil.which("flite") is None, reason="flite makes the test speech; apt-get install flite"
)


class Watching:
    """An analyzer that remembers what it was given, and hears one cough in all of it."""

    def __init__(self, event: VocalEvent | None = None) -> None:
        self.heard: list[tuple[float, Manner]] = []
        self.learned: list[float] = []
        self.streams = 0
        self.closed = 0
        self._event = event

    async def open(self):
        self.streams += 1
        return self

    async def analyze(self, samples, manner):
        self.heard.append((samples.size / HEARING_RATE, manner))
        return Paralinguistics(manner, events=(self._event,) if self._event else ())

    async def learn(self, samples):
        self.learned.append(samples.size / HEARING_RATE)

    async def close(self):
        self.closed += 1


@pytest.fixture(scope="module")
def sentence(tmp_path_factory) -> np.ndarray:
    path = tmp_path_factory.mktemp("speech") / "sentence.wav"
    text = "I found out that my sister is going to move to another country"
    subprocess.run(["flite", "-voice", "slt", "-t", text, "-o", path], check=True)
    samples, rate = soundfile.read(path, dtype="float32")
    loud = np.flatnonzero(np.abs(samples) > 0.01)
    return resample(samples[loud[0] : loud[-1]], rate, HEARING_RATE)


@pytest.fixture
def recorded(tmp_path):
    def write(*pieces, rate=HEARING_RATE, subtype="PCM_16"):
        path = tmp_path / "recording.wav"
        soundfile.write(path, np.concatenate(pieces), rate, subtype)
        return path

    return write


def hush(seconds: float) -> np.ndarray:
    return np.random.default_rng(1).normal(0, 1e-4, round(seconds * HEARING_RATE))


@needs_flite
async def test_turns_are_found_read_as_they_grow_and_learned(sentence, recorded):
    analyzer = Watching()
    path = recorded(hush(1), sentence, hush(2), sentence, hush(1))
    length = sentence.size / HEARING_RATE

    recording = await listen(path, analyzer, VAD, Config())

    first, second = recording.turns
    assert recording.seconds == pytest.approx(4 + 2 * length, abs=0.01)
    assert first.start == pytest.approx(1, abs=0.3)
    assert first.end == pytest.approx(1 + length, abs=0.4)
    assert second.start == pytest.approx(3 + length, abs=0.3)
    assert second.end == pytest.approx(3 + 2 * length, abs=0.4)
    for turn in recording.turns:
        speech_s = turn.final.manner.speech_s
        assert speech_s == pytest.approx(turn.end - turn.start, abs=0.5)
        assert len(turn.readings) == pytest.approx(speech_s / 0.5, abs=1.01)
        times = [reading.at for reading in turn.readings]
        assert times == sorted(times)
        assert all(turn.start < at <= turn.end + 0.2 for at in times)
        assert 100 < turn.final.manner.pitch_hz < 300
        voiced = turn.pitch_hz[turn.pitch_hz > 0]
        assert np.median(voiced) == pytest.approx(turn.final.manner.pitch_hz, rel=0.1)
    # The second is measured against the first, the same voice.
    assert first.final.manner.pitch_shift_st is None
    assert second.final.manner.pitch_shift_st == pytest.approx(0, abs=0.5)
    assert len(analyzer.learned) == 2
    assert (analyzer.streams, analyzer.closed) == (1, 1)


@needs_flite
async def test_speech_up_to_the_edges_of_a_file_is_a_turn(sentence, recorded):
    recording = await listen(recorded(sentence), Watching(), VAD, Config())

    (turn,) = recording.turns
    assert turn.start < 0.3
    assert recording.seconds - 0.4 < turn.end <= recording.seconds


@needs_flite
async def test_sounds_get_the_time_of_the_recording(sentence, recorded):
    analyzer = Watching(VocalEvent("cough", 0.1, 0.2, 0.5))

    recording = await listen(recorded(hush(3), sentence), analyzer, VAD, Config())

    (turn,) = recording.turns
    between, within = recording.events
    assert (between.start, between.end) == (pytest.approx(0.1), pytest.approx(0.2))
    (event,) = turn.final.events
    assert event == within
    # The turn's audio begins 400 ms before its speech.
    assert event.start == pytest.approx(turn.start - 0.4 + 0.1, abs=0.01)


@needs_flite
async def test_a_turn_is_weighed_against_the_one_before(sentence, recorded):
    shares = iter([{"sad": 0.9, "happy": 0.1}, {"sad": 0.4, "happy": 0.6}])

    class Changing(Watching):
        now: ClassVar = {}

        async def analyze(self, samples, manner):
            return Paralinguistics(manner, self.now, uncertain=False)

        async def learn(self, samples):
            self.now = next(shares, {})

    analyzer = Changing()
    analyzer.now = next(shares)
    path = recorded(hush(1), sentence, hush(2), sentence, hush(1))

    first, second = (await listen(path, analyzer, VAD, Config())).turns

    assert max(first.final.emotion, key=first.final.emotion.get) == "sad"
    assert second.final.evidence == {"sad": 0.4, "happy": 0.6}
    # It sounds rather happy, yet the person was very sad a moment ago.
    assert second.final.emotion["sad"] > second.final.emotion["happy"]


async def test_a_sound_cut_where_two_pieces_meet_is_one(recorded):
    analyzer = Watching(VocalEvent("snore", 0.0, 10.0, 0.5))

    recording = await listen(recorded(hush(25)), analyzer, VAD, Config())

    (event,) = recording.events
    assert (event.start, event.end) == (0.0, pytest.approx(30, abs=1))
    assert sum(seconds for seconds, _ in analyzer.heard) == pytest.approx(25, abs=0.01)


@needs_flite
async def test_a_long_turn_is_read_by_its_last_part_and_keeps_its_sounds(sentence, recorded):
    analyzer = Watching(VocalEvent("laugh", 0.1, 0.2, 0.5))
    times = int(45 * HEARING_RATE / sentence.size)

    recording = await listen(recorded(np.tile(sentence, times)), analyzer, VAD, Config())

    (turn,) = recording.turns
    assert turn.end - turn.start > 40
    assert max(seconds for seconds, _ in analyzer.heard) <= 30
    starts = [event.start for event in turn.final.events]
    assert starts[0] < turn.start
    assert len(starts) > 1


@needs_flite
async def test_a_turn_longer_than_allowed_ends_as_it_stands(sentence, recorded):
    config = Config(limits={"turn_seconds": 4})

    recording = await listen(recorded(np.tile(sentence, 4)), Watching(), VAD, config)

    assert len(recording.turns) >= 3
    assert all(turn.end - turn.start <= 4.1 for turn in recording.turns)


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(10 * HEARING_RATE),
        np.zeros(1),
        np.full(HEARING_RATE // 10, 0.01),
        np.random.default_rng(0).normal(0, 0.1, 5 * HEARING_RATE),
        np.sign(np.sin(np.arange(3 * HEARING_RATE) * 0.3)),
        np.sin(np.arange(5 * HEARING_RATE) * 2 * np.pi * 440 / HEARING_RATE) * 0.3,
        np.full(HEARING_RATE, np.nan),
        np.ones((HEARING_RATE, 6)) * 0.1,
    ],
    ids=[
        "silence",
        "a sample",
        "100 ms",
        "noise",
        "clipping",
        "a tone",
        "no numbers",
        "6 channels",
    ],
)
async def test_no_speech_is_no_turn_and_no_failure(samples, recorded):
    recording = await listen(recorded(samples, subtype="FLOAT"), Watching(), VAD, Config())

    assert recording.turns == ()
    assert recording.events == ()
    assert recording.seconds == pytest.approx(len(samples) / HEARING_RATE)
    assert np.isfinite(recording.peaks).all()


@needs_flite
async def test_progress_reaches_the_end(sentence, recorded):
    told: list[float] = []

    recording = await listen(recorded(sentence), Watching(), VAD, Config(), told.append)

    assert told == sorted(told)
    assert told[-1] == pytest.approx(recording.seconds)


async def test_what_is_no_audio_is_said_and_the_stream_is_closed(tmp_path):
    analyzer = Watching()
    (tmp_path / "letter.wav").write_text("Dear diary")

    with pytest.raises(AudioError, match=r"letter\.wav is not audio"):
        await listen(tmp_path / "letter.wav", analyzer, VAD, Config())

    assert (analyzer.streams, analyzer.closed) == (1, 1)


async def test_an_engine_that_fails_is_said_and_its_stream_closed(recorded):
    class Failing(Watching):
        async def analyze(self, samples, manner):
            raise EngineError("it fell over")

    analyzer = Failing()

    with pytest.raises(EngineError, match="it fell over"):
        await listen(recorded(hush(2)), analyzer, VAD, Config())

    assert analyzer.closed == 1
