"""Written text as it is said: what neural voices are given to read."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from voice_agent.speaking.normalization import spoken_form


def said(text: str, language: str = "en") -> str:
    pairs = spoken_form(text, language)
    assert "".join(source for source, _ in pairs) == text
    return "".join(words for _, words in pairs)


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("I have 3 cats.", "I have three cats."),
        ("1,234,567 people", "one million two hundred and thirty-four thousand five hundred and "
         "sixty-seven people"),
        ("3.14 and .5", "three point one four and point five"),
        ("the 1st, 2nd and 23rd", "the first, second and twenty-third"),
        ("-5 and −7", "minus five and minus seven"),
        ("in 1984 and 2005", "in nineteen eighty-four and two thousand and five"),
        ("the 1990s and '80s", "the nineteen nineties and eighties"),
        ("1914–1918", "nineteen fourteen to nineteen eighteen"),
        ("5-10 minutes", "five to ten minutes"),
        ("a 5-year-old", "a five-year-old"),
        ("10k runners", "ten thousand runners"),
        ("10000 steps, 15720 m", "ten thousand steps, fifteen thousand seven hundred "
         "and twenty meters"),
        ("agent 007", "agent zero zero seven"),
        ("version 3.11.2", "version three point eleven point two"),
        ("8/10", "eight out of ten"),
        ("4.5/5 stars", "four point five out of five stars"),
        ("a 60/40 or 50/50 split", "a sixty forty or fifty fifty split"),
        ("class of '99 and '05", "class of ninety-nine and oh five"),
        ("Hello...5", "Hello...five"),
        ("flight BA2490, two MP3s, v2.0", "flight B A- two four nine zero, two M P threes, "
         "version two point zero"),
        ("10^5", "ten to the power of five"),
        ("1/2, 2/3 and 2 3/4", "one half, two thirds and two and three quarters"),
        ("1½ cups and ⅛", "one and a half cups and one eighth"),
        ("120/80", "one hundred and twenty over eighty"),
        ("here for you 24/7", "here for you twenty-four seven"),
    ],
)  # fmt: skip
def test_numbers(written: str, words: str) -> None:
    assert said(written) == words


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("$3.50", "three dollars and fifty cents"),
        ("($1),", "(one dollar),"),
        ("£0.99", "ninety-nine pence"),
        ("20 € or €20", "twenty euros or twenty euros"),
        ("$5 million", "five million dollars"),
        ("€1.5bn", "one point five billion euros"),
        ("$20-30", "twenty to thirty dollars"),
        ("$20/month", "twenty dollars per month"),
        ("$100/hr", "one hundred dollars per hour"),
        ("30 GBP", "thirty pounds"),
        ("50p", "fifty pence"),
        ("12.5%", "twelve point five percent"),
        ("20–30 %", "twenty to thirty percent"),
    ],
)
def test_money_and_percent(written: str, words: str) -> None:
    assert said(written) == words


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("10:30", "ten thirty"),
        ("10:05 a.m. or so", "ten oh five A- M or so"),
        ("at 5 p.m. Then", "at five P M. Then"),
        ("at 5 p.m. tomorrow", "at five P M tomorrow"),
        ("12:00", "twelve o’clock"),
        ("14:00", "fourteen hundred"),
        ("at 3.30 pm, not 9:00 o'clock", "at three thirty P M, not nine o’clock"),
        ("9am-5pm", "nine A- M to five P M"),
        ("May 5, 2024", "May fifth, twenty twenty-four"),
        ("on 5 May", "on the fifth of May"),
        ("on 3/4, not 3/4 of it", "on March fourth, not three quarters of it"),
        ("Monday 4/12", "Monday April twelfth"),
        ("in Oct. or Nov.", "in October or November."),
        ("on the 5th of May", "on the fifth of May"),
        ("Mar 3–5", "March third to fifth"),
        ("in Sept. 2020", "in September twenty twenty"),
        ("2024-05-06", "May sixth, twenty twenty-four"),
        ("25.12.2024", "December twenty-fifth, twenty twenty-four"),
        ("see you on Fri.", "see you on Friday."),
        ("Sun, 4 May", "Sunday, the fourth of May"),
        ("in the sun. May I?", "in the sun. May I?"),
    ],
)
def test_times_and_dates(written: str, words: str) -> None:
    assert said(written) == words


def test_the_region_tells_which_number_is_the_day() -> None:
    assert said("5/6/2024", "en-US") == said("5/6/2024", "en") == "May sixth, twenty twenty-four"
    assert said("5/6/2024", "en-GB") == "June fifth, twenty twenty-four"


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("call or text 988.", "call or text nine eight eight."),
        ("call Samaritans on 116 123", "call Samaritans on one one six, one two three"),
        ("text HOME to 741741", "text home to seven four one seven four one"),
        ("911!", "nine one one!"),
        ("+44 20 7946 0958", "plus four four, two zero, seven nine four six, zero nine five eight"),
        ("(555) 123-4567", "five five five, one two three, four five six seven"),
        ("(1-800-273-8255)", "(one, eight zero zero, two seven three, eight two five five)"),
        ("1-800-4-A-CHILD", "one, eight zero zero, four, A-, child"),
        ("0800 123 456", "zero eight zero zero, one two three, four five six"),
        # Also where the words before it were spoken in the phrase before.
        ("on 116 123, at any time", "on one one six, one two three, at any time"),
        ("or 999 if you can", "or nine nine nine if you can"),
        ("to 741741.", "to seven four one seven four one."),
        ("I called 300 people", "I called three hundred people"),
        ("on 112 pages or 100 000", "on one hundred and twelve pages or one hundred thousand"),
    ],
)
def test_telephone_numbers_come_digit_by_digit(written: str, words: str) -> None:
    assert said(written) == words


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("1 km or 5km", "one kilometer or five kilometers"),
        ("a 5-km run", "a five-kilometer run"),
        ("20 °C, 68°F", "twenty degrees Celsius, sixty-eight degrees Fahrenheit"),
        ("100 km/h", "one hundred kilometers an hour"),
        ("500 mg/day", "five hundred milligrams per day"),
        ("10 m²", "ten square meters"),
        ("5'10\"", "five foot ten"),
        ("5 ft 10 in tall", "five foot ten tall"),
        ("2-3 times/week", "two to three times per week"),
        ("45 min.", "forty-five minutes."),
    ],
)
def test_units(written: str, words: str) -> None:
    assert said(written) == words


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("Dr. Lee and Mrs. May", "Doctor Lee and Missis May"),
        ("12 Elm St., near St. Paul", "twelve Elm Street, near Saint Paul"),
        ("Elm Dr.", "Elm Drive."),
        ("St. John's Ave., E.g. that", "Saint John's Avenue, For example that"),
        ("fruit, e.g. figs, etc.", "fruit, for example figs, et cetera."),
        ("cats vs. dogs", "cats versus dogs"),
        ("No. 5, but no. Never.", "number five, but no. Never."),
        ("pp. 3-5", "pages three to five"),
        ("J. K. Rowling", "J K Rowling"),
        ("vitamin D. Then", "vitamin D. Then"),
        ("a Ph.D. in the U.S.", "a P H D in the U S."),
        ("and/or, w/o it", "and or, without it"),
        (
            "As Dr. Lee says, she/he (e.g. an MD) is",
            "As Doctor Lee says, she or he (for example an M D) is",
        ),
    ],
)
def test_abbreviations(written: str, words: str) -> None:
    assert said(written) == words


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("The NHS and your GP", "The N H S and your G P"),
        ("two GPs", "two G P’s"),
        ("NASA, NATO and UNICEF", "nasa, nato and unicef"),
        ("ADHD or PTSD in the USA", "A- D H D or P T S D in the U S A-"),
        ("I REALLY am SO sorry, I DON'T know", "I really am so sorry, I don't know"),
        ("WHO said so? The WHO.", "who said so? The W H O."),
        ("I TOLD YOU IT WAS ME", "I told you it was me"),
        ("work in IT", "work in I T"),
        ("AT&T and R&B", "A- T and T and R and B"),
        ("OK?", "okay?"),
        ("COVID-19, MP3, 5G, A4", "covid-nineteen, M P three, five G, A- four"),
        ("Henry VIII and King Charles I", "Henry the eighth and King Charles the first"),
        ("World War II, Chapter IV", "World War two, Chapter four"),
        ("Elizabeth II's, WWII", "Elizabeth the second's, World War two"),
        ("parts II and III, the XIV", "parts two and three, the fourteenth"),
        ("Charles, I am. Malcolm X. The IV drip.", "Charles, I am. Malcolm X. The I V drip."),
    ],
)
def test_capitals(written: str, words: str) -> None:
    assert said(written) == words


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("you & me", "you and me"),
        ("3 + 4 = 7", "three plus four equals seven"),
        ("5 - 3 = 2", "five minus three equals two"),
        ("3*4 and 3 x 4", "three times four and three times four"),
        ("me@home", "me at home"),
        ("#1 and #blessed", "number one and hashtag blessed"),
        ("C++, C#", "C plus plus, C sharp"),
        ("x² ≥ 0", "x squared at least zero"),
        ("Acme™ works", "Acme works"),
        ("day / night, input/output", "day , night, input slash output"),
        ("50+!", "fifty plus!"),
    ],
)
def test_symbols(written: str, words: str) -> None:
    assert said(written) == words


@pytest.mark.parametrize(
    "text",
    [
        "I hear you, and that sounds really hard for you.",
        "You're not alone — it's okay… “really,” she said; ‘yes’?",
        "Well-meant, twenty-one, mother-in-law's",
        "漢字 Привет مرحبا",
    ],
)
def test_words_that_are_written_as_they_are_said_stay(text: str) -> None:
    assert said(text) == text


def test_a_piece_is_a_word_or_several_said_as_one() -> None:
    assert spoken_form("  It's 5 km ($3.50), Dr. Lee\n", "en") == [
        ("  It's ", "It's "),
        ("5 km ", "five kilometers "),
        ("($3.50), ", "(three dollars and fifty cents), "),
        ("Dr. ", "Doctor "),
        ("Lee\n", "Lee "),
    ]
    assert spoken_form("well ™ yes", "en") == [("well ", "well "), ("™ ", ""), ("yes", "yes")]


@pytest.mark.parametrize(
    ("written", "language", "words"),
    [
        ("Ich habe 3,5 von 1.234 um 12:30", "de",
         "Ich habe drei Komma fünf von eintausendzweihundertvierunddreißig um zwölf dreißig"),
        ("seit 1999", "de", "seit neunzehnhundertneunundneunzig"),
        ("J'ai 80 ans", "fr", "J'ai quatre-vingts ans"),
        ("22 gatos", "pt-BR", "vinte e dois gatos"),
        ("3.5 です", "ja", "三点五 です"),
        ("12 xyz NHS", "zz", "12 xyz NHS"),
        ("Dr. Lee & ich", "de", "Dr. Lee & ich"),
    ],
)  # fmt: skip
def test_other_languages_get_their_numbers(written: str, language: str, words: str) -> None:
    assert said(written, language) == words


_TOKENS = st.sampled_from(
    "$ £ € % ° - – : / . , ' ( ) 1 23 456 2024 0 00 ½ ² ٣ ½ am p.m. km st May Dr. St. No. II IV A "
    "B NHS GP&P x * # @ & + = call 988 -5 1,000 3.5 k M s th".split()
)


@given(
    st.lists(st.one_of(_TOKENS, st.text(max_size=6)), max_size=12),
    st.sampled_from(["", " "]),
    st.sampled_from(["en", "en-GB"]),
)
@example(["9" * 400, "1", ",000" * 40, "²³⁴①❷"], "", "en")
@settings(deadline=None, max_examples=400)
def test_any_english_is_covered_and_no_digit_is_left(
    parts: list[str], between: str, language: str
) -> None:
    words = said(between.join(parts), language)
    assert not any(character.isdigit() for character in words)
    assert "None" not in words or "None" in "".join(parts)


@given(st.text(max_size=60), st.sampled_from("de fr es it pt pt-BR ja ko ar hi zh ru xx".split()))
@example("1,23 4.567.890 00 " + "7" * 60, "de")
@settings(deadline=None, max_examples=200)
def test_any_text_of_any_language_is_covered(text: str, language: str) -> None:
    said(text, language)
