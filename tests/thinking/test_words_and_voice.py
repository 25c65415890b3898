import pytest

from voice_agent.events import EMOTIONS, Paralinguistics
from voice_agent.thinking.words_and_voice import disagreement, feeling_in_words, fused


def voice(uncertain: bool = False, **emotion: float) -> Paralinguistics:
    return Paralinguistics(emotion=emotion, uncertain=uncertain)


SAD = voice(sad=0.8, neutral=0.2)
HAPPY = voice(happy=0.8, neutral=0.2)
ANGRY = voice(anger=0.8, neutral=0.2)
EVEN = voice(neutral=0.9, happy=0.1)


@pytest.mark.parametrize(
    ("said", "emotion"),
    [
        ("I feel awful.", "sad"),
        ("everything is great", "happy"),
        ("i'm so scared of tomorrow", "fear"),
        ("I hate this, it makes me so angry!", "anger"),
        ("that is disgusting", "disgust"),
        ("wow i did not expect that", "surprise"),
        ("the table is brown", "neutral"),
        ("i'm not happy at all", "sad"),
        ("what time is it", "other"),
    ],
)
def test_the_feeling_in_words(said: str, emotion: str):
    told = feeling_in_words(said)
    assert set(told.emotion) == set(EMOTIONS)
    assert sum(told.emotion.values()) == pytest.approx(1)
    assert (told.label or max(told.emotion, key=told.emotion.__getitem__)) == emotion


@pytest.mark.parametrize("said", ["", "  ?!", "我今天很难过", "flirb gnorz"])
def test_words_that_tell_nothing_are_uncertain(said: str):
    assert feeling_in_words(said).uncertain
    assert feeling_in_words(said).label == ""
    assert disagreement(feeling_in_words(said), SAD) is None


def test_capitals_marks_and_emoji_change_nothing():
    assert feeling_in_words("I'M SO HAPPY TODAY!!! 😭") == feeling_in_words("i'm so happy today")


@pytest.mark.parametrize("how", [None, voice(), voice(uncertain=True, sad=0.9), voice(other=1.0)])
def test_a_voice_that_tells_nothing_gives_no_disagreement(how):
    assert disagreement(feeling_in_words("everything is great"), how) is None


def test_words_and_voice_of_one_feeling_agree():
    for said, how in (("i feel so sad", SAD), ("i'm so happy today", HAPPY)):
        found = disagreement(feeling_in_words(said), how)
        assert found.degree < 0.2
        assert not found.opposed
        assert found.clause == ""


def test_words_and_voice_of_opposite_feelings_disagree():
    found = disagreement(feeling_in_words("everything is great"), SAD)
    assert (found.words, found.voice) == ("happy", "sad")
    assert found.degree > 0.7
    assert found.clause == "the words are cheerful, the voice sounds sad"
    found = disagreement(feeling_in_words("i feel so sad"), HAPPY)
    assert found.clause == "the words are sad, the voice sounds happy"


def test_fine_in_a_sad_voice_is_a_contradiction_though_it_names_no_feeling():
    found = disagreement(feeling_in_words("I'm fine."), SAD)
    assert found.opposed
    assert found.clause == "the words are positive, the voice sounds sad"


def test_it_is_graded():
    said = ("i feel so sad", "the table is brown", "I'm fine.", "everything is great")
    degrees = [disagreement(feeling_in_words(text), SAD).degree for text in said]
    assert degrees == sorted(degrees)
    assert 0 <= degrees[0] < degrees[-1] <= 1
    weaker = disagreement(feeling_in_words("everything is great"), voice(sad=0.5, neutral=0.5))
    assert weaker.degree < degrees[-1]


def test_two_unpleasant_feelings_differ_in_name_and_not_in_valence():
    found = disagreement(feeling_in_words("i feel so sad"), ANGRY)
    assert found.labels > 0.6
    assert found.valence < 0.2
    assert not found.opposed


def test_neutral_contradicts_little():
    for said, how in (("the table is brown", SAD), ("i feel so sad", EVEN)):
        found = disagreement(feeling_in_words(said), how)
        assert found.labels < 0.3
        assert not found.opposed


def test_irony_is_not_claimed():
    found = disagreement(feeling_in_words("great, just great"), ANGRY)
    assert found.clause == "the words are cheerful, the voice sounds angry"


def test_the_fused_feeling_takes_from_both_and_neutral_takes_nothing_away():
    plain_words, sad_words = feeling_in_words("the table is brown"), feeling_in_words("i am so sad")
    for both in (
        fused(plain_words, SAD.emotion),
        fused(sad_words, EVEN.emotion),
        fused(sad_words, SAD.emotion),
        fused(sad_words, {}),
    ):
        assert sum(both.values()) == pytest.approx(1)
        assert max(both, key=both.__getitem__) == "sad"
    assert fused(plain_words, SAD.emotion)["sad"] > 0.6
    quiet = fused(plain_words, EVEN.emotion)
    assert max(quiet, key=quiet.__getitem__) == "neutral"


def test_a_voice_that_is_uncertain_counts_by_half():
    words = feeling_in_words("i went home and my brother was there")
    sure, unsure = (fused(words, ANGRY.emotion, certain=certain) for certain in (True, False))
    assert unsure["anger"] < sure["anger"]
