import numpy as np
import pytest
from sounds import hum, hush, seconds, turn

from voice_agent.audio.pcm import HEARING_RATE
from voice_agent.hearing.prosody import HOP, PitchTracker, Row, TurnProsody

WINDOW = 1024


def pitches(sound) -> np.ndarray:
    tracker = PitchTracker()
    ends = range(WINDOW, len(sound) + 1, 2 * HOP)
    return np.array([hz for end in ends for hz in tracker.pitch(sound[end - WINDOW : end])])


@pytest.mark.parametrize("hz", [75, 100, 140, 200, 280, 390])
def test_hears_the_pitch_of_voices_low_and_high(hz):
    found = pitches(hum(0.5, hz))
    assert (found > 0).mean() > 0.95
    assert np.median(found[found > 0]) == pytest.approx(hz, rel=0.015)


def test_noise_and_silence_have_no_pitch():
    assert (pitches(hush(1, 0.05)) > 0).mean() < 0.05
    assert not pitches(np.zeros(seconds(0.5), np.float32)).any()


def test_hears_pitch_through_noise():
    found = pitches(hum(1, 150, 0.1) + hush(1, 0.02))
    assert np.median(found[found > 0]) == pytest.approx(150, rel=0.02)


def test_hears_a_fall_and_a_rise_at_the_end():
    def gliding(start, end):
        prosody = turn((1.0, -20, 150))
        for hz in np.geomspace(start, end, 31):
            prosody.add([Row(-20, hz, True)])
        return prosody.ending()

    fall, rise = gliding(150, 100), gliding(150, 225)
    assert fall.pitch_slope_st == pytest.approx(-14, abs=2)
    assert rise.pitch_slope_st == pytest.approx(14, abs=2)
    assert fall.pitch_end_st < -4
    assert rise.pitch_end_st > 4


def test_hears_the_level_die_away():
    prosody = turn((1.0, -20, 150))
    for db in np.linspace(-20, -40, 31):
        prosody.add([Row(db, 150, True)])
    ending = prosody.ending()
    assert ending.level_slope_db == pytest.approx(-41, abs=4)
    assert ending.level_end_db < -10


def test_the_pause_after_the_end_changes_nothing():
    prosody = turn((1.0, -20, 150), (0.2, -24, 120))
    before = prosody.ending()
    prosody.add([Row(-80, 0, False)] * 20)
    assert prosody.ending() == before


def test_measures_the_last_syllable():
    prosody = turn((1.0, -20, 150), (0.1, -40, 0), (0.25, -20, 120), (0.06, -40, 0))
    assert prosody.ending().last_syllable_s == pytest.approx(0.25, abs=0.02)


def test_nothing_said_has_no_ending():
    assert TurnProsody().ending().pitch_slope_st == 0


@pytest.mark.parametrize(("hz", "tilt"), [(300, -25), (2500, 25)])
def test_hears_which_half_of_the_spectrum_is_stronger(hz, tilt):
    at = np.arange(WINDOW) / HEARING_RATE
    sound = np.sin(2 * np.pi * hz * at).astype(np.float32)
    _, bands = PitchTracker().measure(sound)
    for low, high in bands:
        assert (high - low) / tilt > 1


def test_keeps_three_minutes_of_a_turn():
    prosody = turn((400, -20, 150))
    assert len(prosody.levels) == len(prosody.pitches) == len(prosody.speech) <= 180 * 62.5 + 1
    assert prosody.speech_s == pytest.approx(400, abs=1)
