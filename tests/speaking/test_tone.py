import pytest

from voice_agent.events import REPLY_EMOTIONS
from voice_agent.speaking.tone import tone_for


def test_every_reply_emotion_has_a_tone_of_its_own() -> None:
    tones = [tone_for(emotion) for emotion in REPLY_EMOTIONS]
    assert [tone.emotion for tone in tones] == list(REPLY_EMOTIONS)
    sounds = {(t.rate, t.pitch_st, t.range, t.volume_db, t.pause) for t in tones}
    assert len(sounds) == len(REPLY_EMOTIONS)


@pytest.mark.parametrize("emotion", REPLY_EMOTIONS)
def test_no_tone_is_a_caricature(emotion: str) -> None:
    tone = tone_for(emotion)
    assert 0.75 <= tone.rate <= 1.25
    assert abs(tone.pitch_st) <= 3
    assert 0.4 <= tone.range <= 1.8
    assert abs(tone.volume_db) <= 4
    assert 0.7 <= tone.pause <= 1.7


def test_comfort_is_slower_lower_softer_than_joy() -> None:
    neutral, comfort, joyful = (tone_for(name) for name in ("neutral", "comfort", "joyful"))
    assert comfort.rate < neutral.rate < joyful.rate
    assert comfort.pitch_st < neutral.pitch_st < joyful.pitch_st
    assert comfort.range < neutral.range < joyful.range
    assert comfort.volume_db < neutral.volume_db < joyful.volume_db
    assert comfort.pause > neutral.pause > joyful.pause


def test_unknown_emotions_are_spoken_neutrally_and_the_style_is_carried() -> None:
    tone = tone_for("bewildered", style="like a friend")
    assert tone.emotion == "neutral"
    assert tone.style == "like a friend"
