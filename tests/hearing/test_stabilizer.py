import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_agent.hearing.stabilizer import APART_S, Stabilizer, agreed, units

sentences = st.lists(st.sampled_from("a b c d".split()), max_size=8).map(" ".join)
streams = st.lists(st.tuples(sentences, st.floats(0.0, 4.0)), max_size=25)
any_text = st.text(alphabet="aB.,'! \n雨です今日ไทย", max_size=12)


def test_words_that_two_readings_agree_on_are_stable():
    stabilizer = Stabilizer()

    assert stabilizer.add("I can", 2.0) == ""
    assert stabilizer.add("I can see the", 4.0) == "I can"
    assert stabilizer.add("I can see her", 6.0) == "I can see"


def test_a_reading_repeated_before_much_more_was_heard_confirms_nothing():
    stabilizer = Stabilizer()
    stabilizer.add("ice", 2.0)

    assert stabilizer.add("ice", 2.1) == ""
    assert stabilizer.add("ice", 2.0 + APART_S) == "ice"


def test_what_the_recognizer_is_sure_of_is_stable_at_once():
    stabilizer = Stabilizer()

    assert stabilizer.add("I can see", 0.5, sure="I can") == "I can"
    assert stabilizer.add("ice can", 0.6, sure="ice") == "I can"


def test_stable_words_survive_a_reading_that_takes_them_back():
    stabilizer = Stabilizer()
    for heard in (2.0, 4.0):
        stabilizer.add("I scream", heard)

    assert stabilizer.add("ice cream now", 6.0) == "I scream"
    assert stabilizer.add("ice cream now", 8.0) == "I scream"


def test_a_full_stop_that_the_end_of_the_audio_put_there_is_no_disagreement():
    stabilizer = Stabilizer()
    stabilizer.add("I can see.", 2.0)

    assert stabilizer.add("I can see the sea.", 4.0) == "I can see"
    assert stabilizer.add("i can, see the sea and", 6.0) == "I can see the sea"


def test_a_language_without_spaces_becomes_stable_letter_by_letter():
    stabilizer = Stabilizer()
    stabilizer.add("今日は雨", 2.0)

    assert stabilizer.add("今日は雪です", 4.0) == "今日は"
    assert stabilizer.add("今日は雪です。", 6.0) == "今日は雪です"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("  I'm here. ", ["  I'm", " here."]),
        ("今日は OK です", ["今", "日", "は", " OK", " で", "す"]),
        ("", []),
    ],
)
def test_units_are_words_or_the_letters_of_scripts_without_spaces(text, words):
    assert units(text) == words


@given(any_text)
def test_units_joined_give_the_text(text):
    assert "".join(units(text)) == text.rstrip()


@given(st.lists(any_text.filter(str.strip), max_size=5), st.lists(any_text, max_size=5))
def test_agreement_counts_no_further_than_both_go(new, old):
    count = agreed(new, old)

    assert 0 <= count <= min(len(new), len(old))
    assert agreed(new, new) == len(new)
    assert agreed(new, old) == agreed(old, new)


@given(streams)
def test_stable_words_are_only_ever_added_to(stream):
    stabilizer, heard, before = Stabilizer(), 0.0, ""

    for text, more in stream:
        heard += more
        stable = stabilizer.add(text, heard)
        assert stable.split()[: len(before.split())] == before.split()
        before = stable


@given(st.lists(st.tuples(any_text, any_text, st.floats(0.0, 4.0)), max_size=25))
def test_whatever_is_told_the_stable_text_only_grows(stream):
    stabilizer, heard, before = Stabilizer(), 0.0, ""

    for text, sure, more in stream:
        heard += more
        stable = stabilizer.add(text, heard, sure)
        assert stable.startswith(before)
        before = stable


@given(streams)
def test_each_stable_word_was_in_two_readings_at_its_place(stream):
    stabilizer, heard = Stabilizer(), 0.0
    seen: list[list[str]] = []

    for text, more in stream:
        heard += more
        stable = stabilizer.add(text, heard).split()
        seen.append(text.split())
        for length in range(1, len(stable) + 1):
            assert sum(words[:length] == stable[:length] for words in seen) >= 2


@given(sentences, st.integers(2, 6))
def test_a_hypothesis_that_only_grows_becomes_stable_up_to_its_last_reading(text, readings):
    stabilizer, words = Stabilizer(), text.split()

    for reading in range(readings):
        stabilizer.add(" ".join(words[:reading]), reading * APART_S)

    assert stabilizer.add(text, readings * APART_S).split() == words[: readings - 1]
