"""What takes the floor from the agent, and what does not."""

import pytest

from voice_agent.dialogue.interruption import Verdict, is_speech, judge, sound_alone
from voice_agent.events import Manner, Paralinguistics, VocalEvent


@pytest.mark.parametrize("words", ["yeah", "mm hm", "uh huh right", "okay"])
def test_backchannels_never_take_the_floor(words):
    assert judge(words, speech_s=0.9, voiced_share=0.9) is Verdict.UNDECIDED
    assert judge(words, speech_s=0.9, voiced_share=0.9, paused=True) is Verdict.NOTHING
    assert judge(words, speech_s=0.9, voiced_share=0.9, over=True) is Verdict.NOTHING


@pytest.mark.parametrize("words", ["stop", "wait", "no", "why", "but that"])
def test_words_that_take_the_floor_do_so_at_once(words):
    assert judge(words, speech_s=0.3, voiced_share=0.9, over=False) is Verdict.INTERRUPTION


def test_a_cough_is_nothing_even_if_a_word_was_made_of_it():
    assert judge("the a", speech_s=0.4, voiced_share=0.1) is Verdict.UNDECIDED
    assert judge("the a", speech_s=0.4, voiced_share=0.1, paused=True) is Verdict.NOTHING


def test_a_single_word_counts_when_it_is_more_than_a_murmur():
    assert judge("home", speech_s=0.2, voiced_share=0.9, paused=True) is Verdict.UNDECIDED
    assert judge("home", speech_s=0.2, voiced_share=0.9, over=True) is Verdict.NOTHING
    assert judge("home", 0.3, 0.9, paused=True, confidence=0.9) is Verdict.INTERRUPTION
    assert judge("yesterday", speech_s=0.6, voiced_share=0.9, over=True) is Verdict.INTERRUPTION


def test_long_voiced_sound_takes_the_floor_without_words():
    assert judge("", speech_s=1.0, voiced_share=0.9, over=False) is Verdict.UNDECIDED
    assert judge("", speech_s=1.6, voiced_share=0.9, over=False) is Verdict.INTERRUPTION


def test_a_short_toneless_sound_is_no_turn():
    assert not is_speech("and up", speech_s=0.2, voiced_share=0.0)
    assert is_speech("and up to the hill", speech_s=1.4, voiced_share=0.1), "a whisper"
    assert is_speech("yes", speech_s=0.25, voiced_share=0.8)


def test_long_speech_of_which_nothing_was_understood_is_answered():
    assert is_speech("", speech_s=2.0, voiced_share=0.7)
    assert not is_speech("", speech_s=0.6, voiced_share=0.9)


def test_words_that_the_recognizer_doubts_need_more_sound():
    assert not is_speech("the a", speech_s=0.5, voiced_share=0.8, confidence=0.1)
    assert is_speech("why", speech_s=0.35, voiced_share=1.0, confidence=0.1)
    assert is_speech("the a", speech_s=0.5, voiced_share=0.8, confidence=0.6)
    assert is_speech("the a bit of rain", speech_s=1.6, voiced_share=0.8, confidence=0.1)
    assert judge("go home", 0.5, 0.8, over=True, confidence=0.1) is Verdict.NOTHING


def heard(*events: VocalEvent, speech_s: float = 2.0) -> Paralinguistics:
    return Paralinguistics(Manner(speech_s=speech_s), events=events)


@pytest.mark.parametrize(
    ("words", "how", "expected"),
    [
        ("", heard(VocalEvent("cough", 5.0, 7.0, 0.8)), "cough"),
        ("", heard(VocalEvent("cough", 5.0, 5.6, 0.8), VocalEvent("cough", 6, 6.6, 0.8)), "cough"),
        ("", heard(VocalEvent("sigh", 5.0, 5.6, 0.8), VocalEvent("cry", 6.0, 7.0, 0.8)), "cry"),
        ("", heard(VocalEvent("cough", 5.0, 5.5, 0.9)), None),
        ("", heard(VocalEvent("cough", 5.0, 7.0, 0.4)), None),
        ("", heard(VocalEvent("other", 5.0, 7.0, 0.9)), None),
        ("", heard(), None),
        ("", None, None),
        ("sorry", heard(VocalEvent("cough", 5.0, 7.0, 0.9)), None),
    ],
)
def test_a_sound_is_alone_where_it_fills_what_was_heard_and_no_word_came(words, how, expected):
    assert sound_alone(words, how) == expected


@pytest.mark.parametrize("sound", ["cough", "sneeze", "throat clearing", "sigh", "snore", "laugh"])
def test_sounds_of_the_body_and_laughter_never_take_the_floor(sound):
    assert judge("", speech_s=3.0, voiced_share=0.9, sound=sound) is Verdict.UNDECIDED
    assert judge("", speech_s=3.0, voiced_share=0.9, paused=True, sound=sound) is Verdict.NOTHING
    assert judge("", speech_s=3.0, voiced_share=0.9, over=True, sound=sound) is Verdict.NOTHING


@pytest.mark.parametrize("sound", ["cry", "scream"])
def test_a_long_cry_takes_the_floor(sound):
    assert judge("", speech_s=1.6, voiced_share=0.9, sound=sound) is Verdict.INTERRUPTION
