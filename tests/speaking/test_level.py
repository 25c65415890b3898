import numpy as np
import pytest

from voice_agent.audio.pcm import level_db
from voice_agent.speaking.level import Leveller, VoiceLevel

RATE = 24_000


def speech(seconds: float, db: float, seed: int = 0) -> np.ndarray:
    """Noise in bursts of 200 ms with pauses of 100 ms, at a level while it sounds."""
    noise = np.random.default_rng(seed).standard_normal(round(seconds * RATE)).astype("f4")
    sounds = (np.arange(noise.size) % (0.3 * RATE)) < 0.2 * RATE
    return (noise * 10 ** (db / 20) * sounds).astype("f4")


def sounding_db(samples: np.ndarray) -> float:
    return level_db(samples[np.abs(samples) > 0])


def leveller_of(voice: VoiceLevel) -> Leveller:
    leveller = Leveller(-22, RATE)
    leveller.follow(voice)
    return leveller


def test_pauses_do_not_count_to_the_level_of_a_voice() -> None:
    voice = VoiceLevel()
    voice.observe(speech(3, -30), RATE, volume_db=0)
    assert voice.known
    assert voice.db == pytest.approx(-30, abs=0.5)


def test_a_tone_that_is_louder_on_purpose_does_not_change_the_level_of_the_voice() -> None:
    voice = VoiceLevel()
    voice.observe(speech(3, -27), RATE, volume_db=3)
    assert voice.db == pytest.approx(-30, abs=0.5)


def test_silence_tells_nothing() -> None:
    voice = VoiceLevel()
    voice.observe(np.zeros(RATE, dtype="f4"), RATE, volume_db=0)
    assert voice.db is None
    assert not voice.known


@pytest.mark.parametrize("db", [-45, -30, -12])
def test_any_voice_comes_to_the_level_wanted(db: float) -> None:
    voice = VoiceLevel()
    voice.observe(speech(3, db), RATE, volume_db=0)
    levelled = leveller_of(voice).process(speech(2, db, seed=1))
    assert sounding_db(levelled) == pytest.approx(-22, abs=0.7)


def test_within_a_reply_the_gain_hardly_moves() -> None:
    voice = VoiceLevel()
    voice.observe(speech(3, -30), RATE, volume_db=0)
    leveller = leveller_of(voice)
    leveller.process(speech(1, -30))
    for _ in range(10):
        voice.observe(speech(3, -10), RATE, volume_db=0)
    steady = np.full(RATE // 2, 0.01, dtype="f4")
    change = leveller.process(steady)
    assert 20 * np.log10(change[0] / change[-1]) == pytest.approx(1.0, abs=0.05)  # 2 dB a second


def test_peaks_are_bent_and_never_clip() -> None:
    voice = VoiceLevel()
    voice.observe(speech(3, -40), RATE, volume_db=0)
    loud = np.linspace(-5, 5, RATE, dtype="f4")
    levelled = leveller_of(voice).process(loud)
    assert np.abs(levelled).max() <= 0.99
    assert np.all(np.diff(levelled) >= 0)


def test_another_voice_is_at_its_own_gain_at_once() -> None:
    quiet, loud = VoiceLevel(), VoiceLevel()
    quiet.observe(speech(3, -40), RATE, volume_db=0)
    loud.observe(speech(3, -12), RATE, volume_db=0)
    leveller = leveller_of(quiet)
    leveller.process(speech(1, -40))
    leveller.follow(loud)
    assert sounding_db(leveller.process(speech(1, -12))) == pytest.approx(-22, abs=0.7)
