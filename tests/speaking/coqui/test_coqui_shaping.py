import pytest

from voice_agent.events import REPLY_EMOTIONS, Tone
from voice_agent.speaking.synthesizers.coqui.shaping import shape
from voice_agent.speaking.tone import tone_for


def test_a_neutral_tone_leaves_the_voice_as_it_is() -> None:
    neutral = shape(Tone(), styled=False)
    assert (neutral.speed, neutral.rate) == (1.0, 1.0)
    assert neutral == shape(Tone(), styled=True)


@pytest.mark.parametrize("emotion", REPLY_EMOTIONS)
def test_the_pace_that_is_heard_is_the_tones(emotion: str) -> None:
    tone = tone_for(emotion)
    shaped = shape(tone, styled=False)
    # Played at a higher rate, what was said slower is as fast as the tone wants it.
    assert shaped.speed * shaped.rate == pytest.approx(tone.rate)
    assert shaped.rate == pytest.approx(2 ** (tone.pitch_st / 12))


def test_a_style_of_its_own_is_not_shifted_and_half_as_much_slowed() -> None:
    sad = Tone("sad", rate=0.81, pitch_st=-2, volume_db=-3)
    styled, plain = shape(sad, styled=True), shape(sad, styled=False)
    assert styled.rate == 1.0
    assert styled.speed == pytest.approx(0.9)
    assert styled.gain == plain.gain


def test_no_tone_makes_another_person_of_the_voice() -> None:
    shaped = shape(Tone(rate=3, pitch_st=12), styled=False)
    assert shaped.rate == pytest.approx(2 ** (3 / 12))
    assert shaped.speed <= 1.6
