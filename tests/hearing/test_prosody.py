import numpy as np
import pytest
from sounds import hum, hush, seconds

from voice_agent.hearing.prosody import HOP, PitchTracker, Row, Speaker, TurnProsody

WINDOW = 1024


def pitches(sound) -> np.ndarray:
    tracker = PitchTracker()
    ends = range(WINDOW, len(sound) + 1, 2 * HOP)
    return np.array([hz for end in ends for hz in tracker.pitch(sound[end - WINDOW : end])])


def turn(*parts: tuple[float, float, float]) -> TurnProsody:
    """A turn of stretches (seconds, level, pitch); level None is a pause."""
    prosody = TurnProsody()
    for length, level, pitch in parts:
        rows = round(length * 62.5)
        prosody.add([Row(level, pitch, level > -50)] * rows)
    return prosody


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


def test_nothing_said_has_no_manner():
    manner = Speaker().manner(TurnProsody())
    assert manner.speech_s == 0
    assert manner.pitch_hz is None
    assert manner.level_db is None
    assert TurnProsody().ending().pitch_slope_st == 0


def test_counts_syllables():
    prosody = TurnProsody()
    for _ in range(12):
        prosody.add(
            [Row(db, 140, True) for db in (-26, -22, -20, -20, -20, -22, -26, -32, -34, -32)]
        )
    assert Speaker().manner(prosody).syllable_rate == pytest.approx(12 / (120 * 0.016), rel=0.1)


def test_measures_pauses_and_range():
    manner = Speaker().manner(turn((1, -20, 100), (0.5, -80, 0), (1, -20, 200)))
    assert manner.pause_share == pytest.approx(0.2, abs=0.01)
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


def test_keeps_three_minutes_of_a_turn():
    prosody = turn((400, -20, 150))
    assert len(prosody.levels) == len(prosody.pitches) == len(prosody.speech) <= 180 * 62.5 + 1
    assert prosody.speech_s == pytest.approx(400, abs=1)
