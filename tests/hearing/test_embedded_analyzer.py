"""The trained models of the embedded analyzer, on sounds of all kinds and on real voices."""

import csv
from pathlib import Path

import numpy as np
import pytest
import soundfile
from sounds import hum, hush

from voice_agent.audio.pcm import HEARING_RATE, Samples
from voice_agent.errors import EngineUnavailable
from voice_agent.events import Manner, Paralinguistics
from voice_agent.hearing.paralinguistics.embedded import EmbeddedAnalyzer

SPOKEN = Manner(speech_s=2.0, pitch_hz=150.0)
RANDOM = np.random.default_rng(0)


def chord(seconds: float) -> Samples:
    """Music: three instruments, a new chord every half second."""
    at = np.arange(int(seconds * HEARING_RATE)) / HEARING_RATE
    notes = np.array([[262, 330, 392], [294, 370, 440], [247, 311, 370]])[(at * 2).astype(int) % 3]
    sound = sum(np.sin(2 * np.pi * notes[:, i] * at * k) / k for i in range(3) for k in (1, 2, 3))
    return (0.1 * sound * np.exp(-3 * (at % 0.5))).astype(np.float32)


@pytest.fixture
async def analyzer():
    analyzer = await EmbeddedAnalyzer.create(EmbeddedAnalyzer.Options())
    yield analyzer
    await analyzer.close()


async def read(analyzer, samples: Samples, manner: Manner = SPOKEN) -> Paralinguistics:
    return await (await analyzer.open()).analyze(samples, manner)


@pytest.mark.parametrize(
    "sound",
    [
        np.zeros(3 * HEARING_RATE, np.float32),
        hush(3.0),
        chord(3.0),
        RANDOM.normal(0, 0.1, 3 * HEARING_RATE).astype(np.float32),
    ],
    ids=["silence", "a quiet room", "music", "noise"],
)
async def test_where_nobody_speaks_it_hears_nothing(analyzer, sound):
    how = await read(analyzer, sound, Manner())
    assert how.uncertain
    assert how.emotion == how.gender == {}
    assert not how.events


@pytest.mark.parametrize(
    "sound",
    [
        np.zeros(3 * HEARING_RATE, np.float32),
        hum(0.1),
        np.sign(hum(3.0)).astype(np.float32),
        np.tile(hum(5.0), 120),
    ],
    ids=["silence", "100 ms", "clipped", "10 min"],
)
async def test_reads_sounds_of_any_kind_and_length_as_speech(analyzer, sound):
    how = await read(analyzer, sound)
    assert sum(how.emotion.values()) == pytest.approx(1)
    assert all(abs(estimate.value) <= 1 for estimate in (how.valence, how.arousal, how.dominance))


async def test_does_not_know_ages_nor_the_gender_of_voices_as_high_as_children(analyzer):
    sound = hum(3.0, hz=180.0, level=0.2) + hush(3.0, 0.01)
    adult = await read(analyzer, sound, Manner(speech_s=3.0, pitch_hz=180.0))
    childlike = await read(analyzer, sound, Manner(speech_s=3.0, pitch_hz=380.0))
    assert adult.gender
    assert adult.age == childlike.age == childlike.gender == {}


async def test_too_little_speech_is_only_measured(analyzer):
    how = await read(analyzer, hum(0.5), Manner(speech_s=0.1))
    assert how.emotion == how.gender == {}
    assert how.arousal is None


async def test_own_models_that_are_damaged_are_named(tmp_path: Path):
    (tmp_path / "voice").mkdir()
    (tmp_path / "voice" / "model.json").write_text("{}")
    with pytest.raises(EngineUnavailable, match=str(tmp_path)):
        await EmbeddedAnalyzer.create(EmbeddedAnalyzer.Options(models=tmp_path))


async def test_a_recording_is_read_alike_at_any_level(analyzer):
    turn = hum(3.0, hz=180.0, level=0.1) + hush(3.0, 0.005)
    loud, quiet = [await read(analyzer, turn * np.float32(factor)) for factor in (3.0, 0.5)]
    moved = sum(abs(loud.emotion[e] - quiet.emotion[e]) for e in loud.emotion) / 2
    assert moved < 0.05


async def test_the_usual_voice_is_what_a_turn_is_heard_against(analyzer):
    turn = hum(3.0, hz=180.0, level=0.2) + hush(3.0, 0.01)
    loud, quiet = await analyzer.open(), await analyzer.open()
    for _ in range(4):
        await loud.learn(turn)
        await quiet.learn(turn * np.float32(0.05))
    of_loud, of_quiet = [await stream.analyze(turn, SPOKEN) for stream in (loud, quiet)]
    moved = sum(abs(of_quiet.emotion[e] - of_loud.emotion[e]) for e in of_loud.emotion) / 2
    assert moved > 0.05


# --- real voices ---


def clips(data: Path, **wanted: str) -> list[Samples]:
    folder = data / "speech_emotion"
    with (folder / "manifest.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if wanted.items() <= row.items()]
    return [soundfile.read(folder / row["path"], dtype="float32")[0] for row in rows]


async def test_readings_of_a_growing_turn_come_to_the_final_one(analyzer, data):
    """From half of a turn on, most readings say what the whole turn says."""
    agreed = close = total = 0
    for turn in clips(data, speaker="ravdess_23", intensity="strong")[::4]:
        final = await read(analyzer, turn)
        last = await read(analyzer, turn[: int(turn.size * 0.92)])
        for share in (0.6, 0.75, 0.9):
            how = await read(analyzer, turn[: int(turn.size * share)])
            total += 1
            agreed += max(how.emotion, key=how.emotion.get) == max(
                final.emotion, key=final.emotion.get
            )
        distance = sum(abs(last.emotion[e] - final.emotion[e]) for e in final.emotion) / 2
        close += distance < 0.25
    assert agreed / total >= 0.6
    assert close >= total / 3 * 0.8


async def test_two_people_of_different_voices_are_read_alike_once_they_are_known(analyzer, data):
    """Somebody loud and shrill and somebody soft and low, both angry now: both livelier than
    they are when calm, each against the own voice."""
    for speaker, level in (("ravdess_22", 0.5), ("ravdess_21", 0.02)):
        stream = await analyzer.open()
        calm, angry = (clips(data, speaker=speaker, emotion=e) for e in ("calm", "angry"))
        for turn in calm[:4]:
            await stream.learn(turn * np.float32(level))
        arousal = [
            np.mean(
                [(await stream.analyze(t * np.float32(level), SPOKEN)).arousal.value for t in s]
            )
            for s in (calm[4:], angry)
        ]
        assert arousal[1] > arousal[0] + 0.2
