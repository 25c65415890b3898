"""Whisper, usual voice and shout."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from recordings import heard, read, whispered
from sounds import hum, hush

from voice_agent.events import PHONATIONS, Manner
from voice_agent.hearing.manner import Speaker
from voice_agent.hearing.phonation import Production, phonation

USUAL = Production(
    speech_s=2.0,
    snr_db=30.0,
    swing_db=20.0,
    voiced_share=0.7,
    tilt_db=-13.0,
    voiced_tilt_db=-15.0,
    pitch_hz=170.0,
)
WHISPER = replace(USUAL, voiced_share=0.1, tilt_db=1.0, voiced_tilt_db=None, pitch_hz=None)
EFFORT = replace(USUAL, tilt_db=-5.0, voiced_tilt_db=-5.5, pitch_hz=260.0)
SHOUT = replace(EFFORT, tilt_shift_db=9.0, pitch_shift_st=8.0, level_shift_db=20.0, baseline=0.7)


def top(posterior) -> str:
    return max(posterior, key=lambda label: posterior[label], default="unknown")


@pytest.mark.parametrize(
    ("voice", "expected"),
    [
        (USUAL, "normal"),
        (WHISPER, "whisper"),
        (SHOUT, "shout"),
        (replace(EFFORT, voiced_tilt_db=-3.0), "shout"),
        (EFFORT, "unknown"),
        (replace(USUAL, level_shift_db=20.0, tilt_shift_db=0.0, pitch_shift_st=0.0), "normal"),
        (replace(SHOUT, pitch_shift_st=0.0, level_shift_db=0.0, tilt_shift_db=0.0), "normal"),
        (replace(WHISPER, speech_s=0.2), "unknown"),
        (replace(WHISPER, snr_db=3.0), "unknown"),
        (replace(WHISPER, swing_db=2.0), "unknown"),
        (replace(WHISPER, tilt_db=-15.0), "unknown"),
    ],
)
def test_tells_how_the_voice_is_produced(voice: Production, expected: str):
    assert top(phonation(voice)) == expected


def test_loudness_alone_is_no_shout():
    """A microphone that stands closer is as loud."""
    assert Speaker().manner(heard_hum(0.9)).phonation == Speaker().manner(heard_hum(0.02)).phonation


def heard_hum(level: float):
    return heard(np.concatenate([hum(0.4, 120 + 10 * n, level / (1 + n)) for n in range(4)]))


@given(
    st.builds(
        Production,
        st.floats(0, 60),
        st.floats(-20, 100),
        st.floats(0, 60),
        st.floats(0, 1),
        st.floats(-60, 60),
        st.none() | st.floats(-60, 60),
        st.none() | st.floats(65, 420),
        st.none() | st.floats(-60, 60),
        st.none() | st.floats(-40, 40),
        st.none() | st.floats(-60, 60),
        st.floats(0, 1),
    )
)
def test_whatever_is_measured_makes_a_posterior_or_nothing(voice: Production):
    posterior = phonation(voice)
    if posterior:
        assert tuple(posterior) == PHONATIONS
        assert sum(posterior.values()) == pytest.approx(1)
        assert all(0 <= share <= 1 for share in posterior.values())


@pytest.mark.parametrize("level", [0.003, 0.03, 0.3])
def test_noise_is_not_a_voice(level: float):
    assert Speaker().manner(heard(hush(3, level))) == Manner()


def phonations(clips: list[np.ndarray], speaker: Speaker | None = None) -> list[str]:
    speaker = speaker or Speaker()
    return [top(speaker.manner(heard(clip)).phonation) for clip in clips]


@pytest.fixture(scope="module")
def sentences(data: Path) -> list[np.ndarray]:
    with (data / "speech_read" / "manifest.csv").open() as file:
        return [read(data / "speech_read" / row["path"]) for row in list(csv.DictReader(file))[::6]]


def test_read_speech_is_a_usual_voice(sentences):
    assert phonations(sentences).count("normal") >= 0.97 * len(sentences)


def test_read_speech_without_its_voice_is_a_whisper(sentences):
    found = phonations([whispered(each) for each in sentences])
    assert found.count("whisper") >= 0.9 * len(sentences)


def test_speech_in_loud_noise_is_not_taken_for_a_whisper(sentences):
    found = []
    for sentence in sentences[::3]:
        level = float(np.sqrt(np.mean(np.square(sentence))))
        noise = hush(1 + sentence.size / 16_000, level / 2)
        noise[16_000:] += sentence
        found += phonations([noise])
    assert "whisper" not in found


def test_acted_anger_is_a_shout_and_calm_is_not(data: Path):
    folder = data / "speech_emotion"
    with (folder / "manifest.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["corpus"] == "RAVDESS"]
    clips: dict[tuple[str, str], list] = {}
    for row in rows:
        if row["split"] == "test":
            manner = f"{row['emotion']} {row['intensity']}"
            clips.setdefault((row["speaker"], manner), []).append(row)
    found: dict[str, list[str]] = {"angry strong": [], "calm normal": []}
    for speaker in sorted({speaker for speaker, _ in clips}):
        usual = Speaker()
        for row in clips[speaker, "neutral normal"]:
            usual.learn(heard(read(folder / row["path"])))
        for acted, labels in found.items():
            labels += phonations([read(folder / r["path"]) for r in clips[speaker, acted]], usual)
    shouted, calm = found.values()
    assert len(shouted) == len(calm) >= 16
    assert shouted.count("shout") >= 0.7 * len(shouted)
    assert calm.count("normal") == len(calm)
