import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from voice_agent.speaking.phrases import PhraseSplitter


def split(text: str, size: int = 1) -> list[str]:
    splitter = PhraseSplitter()
    phrases = []
    for at in range(0, len(text), size):
        phrases += splitter.push(text[at : at + size])
    return phrases + splitter.flush()


WRITTEN = st.lists(
    st.sampled_from(
        "I hear you and that Dr. e.g. 3.5 Well... yes, no. really? *nods* (well, maybe) “Stop!” — "
        "\n - 1. :( ** [x](y) hello; world: ok! … 😀".split(" ")
    ),
    max_size=80,
).map(" ".join)


@given(st.one_of(st.text(max_size=400), WRITTEN), st.integers(1, 50))
@example("x" * 3000, 7)
@example("word " * 300, 3)
@example("(" * 700, 1)
@example("* " * 700, 1)
@settings(deadline=None)
def test_the_phrases_joined_are_the_text_and_none_is_endless(text: str, size: int) -> None:
    phrases = split(text, size)
    assert "".join(phrases) == text
    assert all(phrases)
    assert all(len(phrase.rstrip()) <= 700 for phrase in phrases)


@given(WRITTEN, st.integers(2, 50))
@example("I I I I and “Stop!” I", 3)
@settings(deadline=None)
def test_the_cuts_do_not_depend_on_how_the_text_arrives(text: str, size: int) -> None:
    strip = [phrase.strip() for phrase in split(text) if phrase.strip()]
    assert strip == [phrase.strip() for phrase in split(text, size) if phrase.strip()]


def first(text: str) -> str:
    return split(text)[0].strip()


def test_the_first_phrase_is_a_few_words() -> None:
    assert first("Oh dear, that sounds hard. Tell me more.") == "Oh dear,"
    assert first("I am sorry. What happened?") == "I am sorry."
    assert first("Yes, that is right, I think.") == "Yes, that is right,"
    assert first("Oh. I see.") == "Oh. I see."


def test_the_first_phrase_comes_as_soon_as_it_is_complete() -> None:
    splitter = PhraseSplitter()
    assert splitter.push("I hear you,") == []  # "you,000" would still be possible
    assert splitter.push(" and") == ["I hear you, "]


def test_without_punctuation_the_first_phrase_ends_where_a_clause_begins() -> None:
    text = "It sounds like you have been carrying this for a long time and nobody saw it"
    assert first(text) == "It sounds like you have been carrying this"
    assert first("That sounds hard and very tiring. Go on.") == "That sounds hard and very tiring."
    assert first("I would love to hear what you did") == "I would love"
    assert first("One two three four five six seven eight nine ten eleven") == (
        "One two three four five six seven eight nine"
    )


def test_later_phrases_are_sentences() -> None:
    text = "I hear you. It is a lot, really, for one person. Who is with you? Tell me."
    assert [phrase.strip() for phrase in split(text)] == [
        "I hear you.",
        "It is a lot, really, for one person.",
        "Who is with you?",
        "Tell me.",
    ]


def test_a_long_sentence_is_cut_at_a_comma() -> None:
    clause = "and then we went on and on for quite some time without any rest at all"
    phrases = split(f"I see it. Yes. So {clause}, {clause}, {clause}.")
    assert [phrase.strip()[-1] for phrase in phrases[2:]] == [",", ",", "."]


@pytest.mark.parametrize(
    "sentence",
    [
        "We met Dr. Smith and Mrs. Jones there.",
        "It costs 3.50 dollars, or 1,000 in all.",
        "There are fruits, e.g. apples, i.e. food.",
        "It was at 5 p.m. in the U.S. embassy.",
        "J. R. R. Tolkien wrote it.",
        "He lives on St. John street vs. me.",
        "It (so he said. twice. really) worked.",
        "It *is. so. good* now.",
        "See www.example.com/a.b?c for it.",
    ],
)
def test_what_ends_no_sentence_is_not_cut(sentence: str) -> None:
    text = f"I hear you. Yes. {sentence} Next one."
    assert sentence in [phrase.strip() for phrase in split(text)]


@pytest.mark.parametrize(
    "sentence",
    ["So do I.", "He said “Stop!”", "Really?!", "Well...", "Sad :(", "It is 42.", "I said no."],
)
def test_what_ends_a_sentence_is_cut(sentence: str) -> None:
    text = f"I hear you. Yes, indeed. {sentence}\nNext one."
    assert sentence in [phrase.strip() for phrase in split(text)]


def test_list_items_stay_with_their_number() -> None:
    text = "Try this here:\n1. Breathe slowly.\n2. Drink some water.\n"
    assert "1. Breathe slowly." in [phrase.strip() for phrase in split(text)]


def test_flush_begins_a_new_reply() -> None:
    splitter = PhraseSplitter()
    splitter.push("I hear you, and then some")
    assert splitter.flush() == ["and then some"]
    assert splitter.flush() == []
    assert splitter.push("I hear you, and") == ["I hear you, "]
