import re
from collections import Counter

import pytest

from voice_agent.events import REPLY_EMOTIONS, Manner, Paralinguistics, UserTurn, VocalEvent
from voice_agent.shipped import shipped
from voice_agent.thinking.plain_words import plain, sentences
from voice_agent.thinking.responder.phrasebook import Line, Phrasebook
from voice_agent.thinking.responder.understanding import Reader
from voice_agent.thinking.responder.voice import cue, suggestion
from voice_agent.thinking.text_emotion import TOLD, TextEmotion


@pytest.fixture(scope="module")
def book() -> Phrasebook:
    return Phrasebook()


@pytest.fixture(scope="module")
def emotions() -> TextEmotion:
    return TextEmotion.load(shipped("models") / "text_emotion")


@pytest.fixture(scope="module")
def reader(book, emotions) -> Reader:
    return Reader(book, emotions)


@pytest.mark.parametrize(
    ("said", "feeling"),
    [
        ("my dog died yesterday", "grief"),
        ("i feel so lonely in this city", "lonely"),
        ("he lied to me for years", "hurt"),
        ("i am furious with him", "angry"),
        ("i didn't get the job", "disappointed"),
        ("i have an exam tomorrow", "anxious"),
        ("there is just too much to do", "stressed"),
        ("i am so tired", "tired"),
        ("i got the promotion", "proud"),
        ("i'm not happy at all", "sad"),
        ("i am not sad", None),
        ("we are going on vacation next week and i can't wait", "excited"),
        ("i yelled at my kids and i feel guilty", "ashamed"),
        ("the table is brown", None),
    ],
)
def test_the_feeling_in_the_words(reader: Reader, said: str, feeling: str | None):
    found = reader.read(UserTurn(said)).feeling
    assert (found.name if found else None) == feeling


@pytest.mark.parametrize(
    ("said", "topic", "thing"),
    [
        ("my new boss is strange", "boss", "your new boss"),
        ("my cat is fat", "pets", "your cat"),
        ("i broke up with my girlfriend", "breakup", "your girlfriend"),
        ("the exam was hard", "exam", "the exam"),
    ],
)
def test_what_it_is_about(reader: Reader, said: str, topic: str, thing: str):
    reading = reader.read(UserTurn(said))
    assert (reading.topic.name, reading.thing) == (topic, thing)


@pytest.mark.parametrize(
    "said",
    [
        *("", "  ", "the the watts", "of the of a", "flirb", "and of a the in"),
        *("she the wed are in to", "a in the was my dog ants", "she has a their of going in"),
    ],
)
def test_what_was_not_understood_is_known_as_such(reader: Reader, said: str):
    assert reader.read(UserTurn(said)).unheard


def test_words_of_hardly_any_confidence_are_not_built_on(reader: Reader):
    assert reader.read(UserTurn("my dog died", confidence=0.05)).unheard
    assert not reader.read(UserTurn("my dog died", confidence=0.6)).unheard


@pytest.mark.parametrize(
    "said",
    [
        "his name was max and we had him for twelve years",
        "he never apologizes",
        "it was a thriller about a bank robbery",
        "i play the guitar",
        "she is five",
        "for about ten years",
        "help",
    ],
)
def test_ordinary_sentences_are_understood(reader: Reader, said: str):
    assert not reader.read(UserTurn(said)).unheard


def test_a_lone_word_is_an_answer_only_to_a_question(reader: Reader):
    assert reader.read(UserTurn("chair"), answering=False).unheard == "unclear_word"
    assert not reader.read(UserTurn("chair"), answering=True).unheard


def spoken(**manner: float) -> Paralinguistics:
    return Paralinguistics(Manner(speech_s=2.0, **manner))


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        (None, None),
        (spoken(), None),
        (spoken(rate_shift=0.7, level_shift_db=-5.0), "worn_out"),
        (spoken(rate_shift=1.4, level_shift_db=5.0), "tense"),
        (spoken(pitch_shift_st=2.5, pitch_range_st=9.0, level_shift_db=1.0), "lively"),
        (spoken(level_shift_db=-8.0), "quiet"),
        (Paralinguistics(events=(VocalEvent("cry", 0, 1, 0.9),)), "cry"),
        (Paralinguistics(events=(VocalEvent("cry", 0, 1, 0.3),)), None),
        (Paralinguistics(events=(VocalEvent("snore", 0, 1, 0.9),)), None),
        (Paralinguistics(events=(VocalEvent("other", 0, 1, 0.9),)), None),
        (Paralinguistics(events=(VocalEvent("throat clearing", 0, 1, 0.9),)), None),
        (Paralinguistics(events=(VocalEvent("cough", 0, 1, 0.9),)), "cough"),
        (
            Paralinguistics(events=(VocalEvent("cough", 0, 1, 0.9), VocalEvent("cry", 1, 2, 0.7))),
            "cry",
        ),
        (
            Paralinguistics(
                emotion={"sad": 0.9}, events=(VocalEvent("sneeze", 0, 1, 0.9),), uncertain=False
            ),
            "sad",
        ),
        (Paralinguistics(emotion={"sad": 0.9}, uncertain=True), None),
        (Paralinguistics(emotion={"sad": 0.9}, uncertain=False), "sad"),
        (Paralinguistics(Manner(speech_s=0.2, rate_shift=0.5, level_shift_db=-9.0)), None),
    ],
)
def test_what_a_voice_suggests(how, expected: str | None):
    assert cue(how) == expected


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        (Paralinguistics(emotion={"sad": 0.4, "neutral": 0.3, "happy": 0.3}), ("sad", False)),
        (Paralinguistics(emotion={"neutral": 0.5, "sad": 0.4, "happy": 0.1}), None),
        (Paralinguistics(emotion={"neutral": 0.4, "fear": 0.3, "sad": 0.3}, uncertain=True), None),
        (
            Paralinguistics(emotion={"disgust": 0.9, "neutral": 0.1}, uncertain=False),
            ("disgust", True),
        ),
    ],
)
def test_a_voice_may_only_lean(how, expected):
    found = suggestion(how)
    assert (found and (found.cue, found.sure)) == expected


def test_emotion_words_are_found(emotions: TextEmotion):
    scores = emotions.told(plain("thank you so much, I really appreciate it").split())
    assert max(scores, key=scores.__getitem__) == "gratitude"
    assert set(scores) == set(TOLD)
    assert sum(scores.values()) == pytest.approx(1.0, abs=1e-4)


def all_lines(book: Phrasebook) -> list[Line]:
    pools = [
        *book.general.values(),
        book.bridge,
        *book.short.values(),
        book.unheard,
        *(one.lines for one in book.feelings.values()),
        *(one.lines for one in book.topics.values()),
        *(one.lines for one in book.acts.values()),
        *(one.lines for one in (book.itself | book.unknown).values()),
        *(one.lines for one in book.cues.values()),
    ]
    lines = [line for pool in pools for entries in pool.values() for line in entries]
    return lines + [more for line in lines for more in (*line.if_yes, *line.if_no)]


def test_the_phrasebook_is_sound(book: Phrasebook):
    lines = all_lines(book)
    assert len(lines) > 800
    slots = {"clause", "Clause", "thing", "Thing", "earlier", "trouble", "them", "word", "name"}
    slots |= {"name", "time", "date"}
    for line in lines:
        assert line.slots <= slots, line
        assert len(line.say.split()) <= 28, line
        assert len(sentences(line.say)) <= 3, line
        assert re.search(r"[.!?]\"?$", line.say), line
    for feeling in book.feelings.values():
        assert feeling.reply in REPLY_EMOTIONS
        assert set(feeling.classes) <= set(TOLD)
    for one in book.cues.values():
        assert one.reply in REPLY_EMOTIONS
        assert one.valence in (-1, 0, 1)
    for topic in book.topics.values():
        assert topic.feeling in book.feelings or topic.feeling == "neutral"


def test_no_line_claims_a_life_or_a_diagnosis(book: Phrasebook):
    from voice_agent.thinking.safety import SafetyGate

    for line in all_lines(book):
        review = SafetyGate().review()
        said = line.say.replace("{", "").replace("}", "")
        assert review.feed(said) + review.finish() == said


def test_few_lines_stand_in_two_places(book: Phrasebook):
    counts = Counter(line.say for line in all_lines(book) if len(line.say.split()) > 4)
    twice = [say for say, count in counts.items() if count > 1]
    assert len(twice) <= 12, twice
