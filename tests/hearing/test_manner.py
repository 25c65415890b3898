"""What a turn's manner tells, and how far it can be trusted."""

import csv
import re
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from recordings import heard, read
from sounds import turn

from voice_agent.events import Manner
from voice_agent.hearing.manner import Speaker
from voice_agent.hearing.prosody import Row, TurnProsody


def test_nothing_said_has_no_manner():
    manner = Speaker().manner(TurnProsody())
    assert manner == Manner()


def test_counts_syllables():
    prosody = TurnProsody()
    for _ in range(12):
        prosody.add(
            [Row(db, 140, True, db, -15.0) for db in (-26, -22, -20, -20, -20, -22, -26, -32, -34)]
        )
    assert Speaker().manner(prosody).syllable_rate == pytest.approx(12 / (108 * 0.016), rel=0.1)


def test_a_hiss_is_no_syllable():
    """The vowel of "sis" is one, however loud its consonants are."""
    prosody = TurnProsody()
    for _ in range(6):
        prosody.add([Row(-20, 0, True, -60, 20.0)] * 6)
        prosody.add([Row(-20, 140, True, db, -15.0) for db in (-26, -22, -20, -20, -22, -26)])
        prosody.add([Row(-20, 0, True, -60, 20.0)] * 6)
    assert Speaker().manner(prosody).syllable_rate == pytest.approx(6 / (108 * 0.016), rel=0.01)


def test_measures_pauses_and_range():
    manner = Speaker().manner(turn((1, -20, 100), (0.5, -80, 0), (1, -20, 200)))
    assert manner.pause_share == pytest.approx(0.2, abs=0.01)
    assert (manner.pitch_low_hz, manner.pitch_high_hz) == (100, 200)
    assert manner.pitch_range_st == pytest.approx(12, abs=0.5)
    assert manner.voiced_share == 1


def test_the_baseline_follows_the_speaker():
    speaker = Speaker()
    for _ in range(3):
        speaker.learn(turn((3, -30, 120)))
    assert speaker.manner(turn((2, -24, 120))).level_shift_db == pytest.approx(6, abs=0.1)
    for _ in range(40):
        speaker.learn(turn((10, -24, 120)))
    assert speaker.manner(turn((2, -24, 120))).level_shift_db == pytest.approx(0, abs=0.5)


@pytest.mark.parametrize("length", [0.2, 0.6, 3.0])
def test_every_value_comes_with_the_trust_in_it(length):
    speaker = Speaker()
    speaker.learn(turn((3, -30, 120)))
    manner = speaker.manner(turn((length, -24, 150)))
    measured = {
        field.name
        for field in fields(Manner)
        if field.name not in ("speech_s", "phonation", "confidence")
        and getattr(manner, field.name) is not None
    }
    assert set(manner.confidence) == measured
    assert all(0 <= trust <= 1 for trust in manner.confidence.values())


def test_more_speech_is_trusted_more():
    short, long = (Speaker().manner(turn((length, -24, 150))) for length in (0.6, 6.0))
    for name, trust in short.confidence.items():
        assert trust < long.confidence[name]
    assert long.confidence["pitch_hz"] > 0.9
    assert long.confidence["syllable_rate"] > 0.75
    assert short.confidence["syllable_rate"] < 0.35


def test_a_longer_baseline_is_trusted_more():
    speaker = Speaker()
    trusts = []
    for _ in range(3):
        speaker.learn(turn((3, -30, 120)))
        trusts.append(speaker.manner(turn((3, -24, 150))).confidence["pitch_shift_st"])
    assert trusts == sorted(trusts)
    assert trusts[0] < 0.4 < trusts[-1]


def test_speech_no_louder_than_the_room_is_not_trusted():
    def trust(noise_db: float) -> float:
        prosody = turn((3, -30, 120))
        prosody.noise_db = noise_db
        return Speaker().manner(prosody).confidence["level_db"]

    trusts = [trust(noise) for noise in (-80, -42, -36, -29, -20)]
    assert trusts[0] == trusts[1] > 0.8
    assert trusts[1] > trusts[2] > trusts[3]
    assert trusts[3:] == [0, 0]


def spelled_syllables(text: str) -> int:
    """Groups of vowels in the spelling, without the silent endings."""
    count = 0
    for word in re.findall(r"[a-z]+", text.lower().replace("'", "")):
        groups = len(re.findall("[aeiouy]+", word))
        silent = re.search(r"[^l]e$|[^td]ed$|[^sxzcgh]es$", word) is not None
        count += max(1, groups - silent)
    return count


def test_the_rate_agrees_with_the_text_of_read_speech(data: Path):
    with (data / "speech_read" / "manifest.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["transcript"]][::3]
    measured, spelled = [], []
    for row in rows:
        manner = Speaker().manner(heard(read(data / "speech_read" / row["path"])))
        measured.append(manner.syllable_rate)
        spelled.append(spelled_syllables(row["transcript"]) / manner.speech_s)
    errors = np.subtract(measured, spelled)
    assert len(rows) >= 30
    assert np.corrcoef(measured, spelled)[0, 1] > 0.6
    assert np.abs(errors).mean() < 0.4
    assert abs(errors.mean()) < 0.25
