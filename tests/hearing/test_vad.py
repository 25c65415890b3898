"""The real voice activity model, alone and in the ear."""

import csv

import numpy as np
import pytest
import soundfile
from sounds import Detector, hum, hush, seconds

from voice_agent import config
from voice_agent.audio.pcm import HEARING_RATE
from voice_agent.audio.resample import resample
from voice_agent.errors import EngineUnavailable
from voice_agent.events import Phrase, Tone
from voice_agent.hearing import vad
from voice_agent.hearing.ear import Ear, End, Onset
from voice_agent.hearing.vad import FRAME, Vad, VadModel
from voice_agent.settings import Config, Endpointing
from voice_agent.settings import Vad as VadSettings


@pytest.fixture(scope="module")
def model() -> VadModel:
    return VadModel()


@pytest.fixture
async def spoken() -> np.ndarray:
    settings = Config().speaking.synthesizer
    engine, options = config.engine_options("synthesizer", settings)
    synthesizer = await engine.create(options)
    phrase = Phrase("What should we do about the garden this year?", Tone())
    pieces = [piece async for piece in synthesizer.synthesize(phrase)]
    await synthesizer.close()
    audio = resample(np.concatenate([p.samples for p in pieces]), pieces[0].rate, HEARING_RATE)
    return (audio * (0.3 / np.abs(audio).max())).astype(np.float32)


def probabilities(model: VadModel, audio) -> np.ndarray:
    stream = Vad(model)
    frames = range(0, len(audio) - FRAME + 1, FRAME)
    return np.array([stream.probability(audio[at : at + FRAME]) for at in frames])


def listen(model: VadModel, audio) -> list:
    wait = Endpointing(min_wait_ms=600, max_wait_ms=600)
    ear = Ear(model, Detector(), VadSettings(), wait)
    return [e for at in range(0, len(audio), 320) for e in ear.process(audio[at : at + 320], "")]


def test_tells_speech_from_what_is_none(model, spoken):
    assert np.median(probabilities(model, spoken)) > 0.9
    for sound in (hush(2), hush(2, 0.05), hum(2, 440), np.zeros(seconds(1), np.float32)):
        assert np.percentile(probabilities(model, sound), 90) < 0.5


def test_streams_do_not_disturb_each_other(model, spoken):
    alone = probabilities(model, spoken)
    one, other = Vad(model), Vad(model)
    mixed = []
    for at in range(0, len(spoken) - FRAME + 1, FRAME):
        mixed.append(one.probability(spoken[at : at + FRAME]))
        other.probability(hush(0.032, 0.1, seed=at))
    np.testing.assert_allclose(mixed, alone, atol=1e-5)


@pytest.mark.parametrize("noise", [0.0, 1e-4, 3e-3])
def test_the_ear_finds_a_sentence_in_a_room(model, spoken, noise):
    silence = np.zeros(seconds(1), np.float32)
    audio = np.concatenate([silence, spoken, silence])
    audio = audio + hush(len(audio) / HEARING_RATE, noise)
    events = [e for e in listen(model, audio) if isinstance(e, Onset | End)]
    assert [type(e) for e in events] == [Onset, End]
    loud = np.flatnonzero(np.abs(spoken) > 0.01)
    assert events[0].at == pytest.approx(seconds(1) + loud[0], abs=seconds(0.08))
    assert events[1].at == pytest.approx(seconds(1) + loud[-1], abs=seconds(0.06))


def test_clicks_and_bangs_are_no_speech(model):
    rng = np.random.default_rng(0)
    audio = hush(6)
    for at in range(seconds(0.5), seconds(5.5), seconds(0.25)):
        length = int(rng.integers(100, 1500))
        burst = rng.normal(0, 0.3, length) * np.exp(-np.arange(length) / (length / 5))
        audio[at : at + length] += burst.astype(np.float32)
    assert listen(model, audio) == []


def test_a_missing_model_says_what_to_do(monkeypatch):
    monkeypatch.setattr(vad, "find_spec", lambda name: None)
    with pytest.raises(EngineUnavailable, match="pip install"):
        VadModel()


def test_ends_of_real_recordings_are_dated_well(model, data):
    with (data / "speech_read" / "manifest.csv").open() as file:
        rows = list(csv.DictReader(file))[::9]
    errors = []
    for row in rows:
        audio, _ = soundfile.read(data / "speech_read" / row["path"], dtype="float32")
        events = listen(model, np.concatenate([audio, hush(2, 3e-4)]))
        ends = [event.at for event in events if isinstance(event, End)]
        power = np.square(audio[: len(audio) // 128 * 128].reshape(-1, 128)).mean(axis=1)
        level = 10 * np.log10(power + 1e-12)
        last = np.flatnonzero(level > np.percentile(level, 95) - 35)[-1]
        errors.append((ends[-1] - (last + 1) * 128) / HEARING_RATE)
    assert np.median(np.abs(errors)) <= 0.04


@pytest.mark.parametrize(
    ("label", "most"),
    [("keyboard_typing", 0), ("mouse_click", 0), ("door_knock", 0), ("breathing", 0.1)],
)
def test_real_noises_seldom_begin_a_turn(model, data, label, most):
    files = sorted((data / "sound_events" / "esc50" / label).glob("*.flac"))[:8]
    begun = 0
    for path in files:
        audio, _ = soundfile.read(path, dtype="float32")
        begun += any(isinstance(event, Onset) for event in listen(model, audio))
    assert begun <= most * len(files)
