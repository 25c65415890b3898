from hypothesis import given
from hypothesis import strategies as st

from voice_agent.speaking.synthesizers.coqui.sentences import sentences

LIMIT = 120


def said(text: str, limit: int = LIMIT) -> list[str]:
    return [sentence.said for sentence in sentences(text, "en", limit)]


def test_a_phrase_is_cut_where_sentences_end() -> None:
    assert said("That is hard. I am with you! What now?") == [
        "That is hard. ",
        "I am with you! ",
        "What now?",
    ]


def test_very_short_sentences_go_with_what_follows() -> None:
    assert said("Yes. No. That is all of it.") == ["Yes. No. That is all of it."]


def test_long_sentences_are_cut_at_a_comma() -> None:
    text = "When the rain had stopped for good and all of us had gone outside to look, we saw it, "
    assert said(text + "and nobody said anything about the roof for a while.") == [
        text.partition(" we saw")[0] + " ",
        "we saw it, and nobody said anything about the roof for a while.",
    ]


def test_numbers_are_written_out_and_stay_with_their_piece_of_the_text() -> None:
    (sentence,) = sentences("It takes 5 km and $3.50.", "en", LIMIT)
    by_source = {word.source: word.said for word in sentence.words}
    assert by_source["5 km "] == "five kilometres " or by_source["5 km "] == "five kilometers "
    assert "three dollars" in by_source["$3.50."]


def test_what_is_too_long_to_be_said_at_once_is_said_in_parts() -> None:
    found = sentences("x" * 500, "en", LIMIT)
    assert [sentence.source for sentence in found] == ["x" * 500, *[""] * (len(found) - 1)]
    assert "".join(sentence.said for sentence in found) == "x" * 500


def test_what_has_no_sound_goes_with_a_word() -> None:
    (sentence,) = sentences("😀 well — then …", "en", LIMIT)
    assert [word.source for word in sentence.words] == ["😀 well — ", "then …"]


@given(st.text(max_size=400), st.integers(60, 300))
def test_the_sources_join_to_the_phrase_or_nothing_is_said(text: str, limit: int) -> None:
    found = sentences(text, "en", limit)
    assert "".join(sentence.source for sentence in found) in ("", text)
    assert bool(found) or not any(c.isascii() and c.isalpha() for c in text)
    for sentence in found:
        assert len(sentence.said) <= limit + 61
        assert all(any(c.isalnum() for c in word.said) for word in sentence.words)
