from hypothesis import given
from hypothesis import strategies as st

from voice_agent.hearing.stabilizer import APART_S, Stabilizer

sentences = st.lists(st.sampled_from("a b c d".split()), max_size=8).map(" ".join)
streams = st.lists(st.tuples(sentences, st.floats(0.0, 4.0)), max_size=25)


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


@given(streams)
def test_stable_words_are_only_ever_added_to(stream):
    stabilizer, heard, before = Stabilizer(), 0.0, ""

    for text, more in stream:
        heard += more
        stable = stabilizer.add(text, heard)
        assert stable.split()[: len(before.split())] == before.split()
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
