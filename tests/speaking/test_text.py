import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice_agent.speaking.text import speakable


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Hello there.", "Hello there."),
        ("I hear you 😀🎉!", "I hear you !"),
        ("Family: 👨‍👩‍👧 and flags 🇩🇪 ✅", "Family: and flags"),
        ("**Really** *do* it, _now_, ~~not~~ `later`.", "Really do it, now, not later."),
        ("# Title\n- one\n- two", "Title one two"),
        ("Well - I think - yes", "Well - I think - yes"),
        ("snake_case and C# and 3*4", "snake_case and C# and 3×4"),
        ("See https://www.example.com/a/b?c=1.", "See example dot com."),
        ("(see https://example.org)", "(see example dot org)"),
        ("Write to me@example.org, please", "Write to me at example dot org, please"),
        ("Look [over here](https://x.y/z) now", "Look over here now"),
        ("<speak>Hi <b>you</b></speak>", "Hi you"),
        ("*smiles warmly* Hello.", "Hello."),
        ("(laughs) That is [sighs softly] good.", "That is good."),
        ("*softly clears her throat* Hm.", "Hm."),
        ("*places a hand on your shoulder* I am here.", "I am here."),
        ("*gives you a warm smile* and *takes time*", "and takes time"),
        ("(in a soft, gentle voice) Hello [pause 2s] you", "Hello you"),
        ("[emotion: sad] I am sorry [with a sigh].", "I am sorry ."),
        (
            "She *always* looks, and she laughs (a lot).",
            "She always looks, and she laughs (a lot).",
        ),
        ("As shown[1], it helps.[^12]", "As shown, it helps."),
        ("Great :thumbsup: see: this 10:30:", "Great see: this 10:30:"),
        ("So sad :'( xD ^_^ T_T, you know", "So sad , you know"),
        ("Tom &amp; Ann&#39;s &nbsp;tea &bogus; &;", "Tom & Ann's tea &bogus; &;"),
        ("I am fine :-) really <3", "I am fine really"),
        ("It costs $3.50 & 20 °C, 5 < 6 €", "It costs $3.50 & 20 °C, 5 < 6 €"),
        ("It (the day) was *so* good (I smiled)", "It (the day) was so good (I smiled)"),
        ("漢字とПривет", "漢字とПривет"),
        ("a\x00b\x01c\x7f\ud800d", "abcd"),
        ("1️⃣ first", "1 first"),
        ("", ""),
        ("  \n ", ""),
        ("😀 ... — *sighs*", ""),
    ],
)
def test_what_is_said_aloud(written: str, said: str) -> None:
    assert speakable(written).text == said


def test_a_text_that_goes_on_does_not_end_like_a_sentence() -> None:
    assert speakable("I would love ", goes_on=True).text == "I would love,"
    assert speakable("I would love. ", goes_on=True).text == "I would love."


@pytest.mark.parametrize(
    ("source", "said", "covered"),
    [
        ("I hear you", "I", "I "),
        ("I hear you", "I h", "I "),
        ("I hear you", "I hear", "I hear "),
        ("I 😀 *sighs* hear you", "I", "I 😀 *sighs* "),
        ("😀 I hear", "I", "😀 I "),
        ("go to https://a.bc/d now", "go to a dot", "go to "),
        ("go to https://a.bc/d now", "go to a dot bc", "go to https://a.bc/d "),
        ("all of it 😀", "all of it", "all of it 😀"),
    ],
)
def test_which_part_of_the_source_was_said(source: str, said: str, covered: str) -> None:
    spoken = speakable(source)
    assert spoken.text.startswith(said)
    # White space after what was covered may count to either side.
    assert source[: spoken.covered(len(said))].split() == covered.split()


@given(st.text(max_size=200), st.booleans())
@settings(deadline=None)
def test_any_text_is_covered_from_front_to_end(source: str, goes_on: bool) -> None:
    spoken = speakable(source, goes_on)
    covered = [spoken.covered(said) for said in range(len(spoken.text) + 1)]
    assert covered == sorted(covered)
    assert covered[-1] == len(source)
    assert spoken.text == spoken.text.strip()
    assert not any(ord(character) < 32 and character not in "\t\n\r" for character in spoken.text)
