"""What is noticed in a turn: in words that can be said again, and rather nothing than nonsense."""

import csv
from datetime import datetime

import pytest

from voice_agent.events import Estimate, Paralinguistics, Thought, UserTurn
from voice_agent.thinking.memory.dates import absolute
from voice_agent.thinking.memory.noticing import LEAST_CONFIDENCE, is_private, notice

THURSDAY = datetime(2026, 11, 26, 15).timestamp()


def told(text: str, before: str | None = None, **more) -> list[str]:
    previous = None if before is None else UserTurn(before)
    return [one.memory.text for one in notice(UserTurn(text, **more), previous, at=THURSDAY)]


@pytest.mark.parametrize(
    ("said", "texts"),
    [
        ("My name is Anna.", ["your name is Anna"]),
        ("my name's anna", ["your name is Anna"]),
        ("I'm Tom and I live in Leeds", ["your name is Tom", "you live in Leeds"]),
        ("I'm 34 years old.", ["you are 34 years old"]),
        ("i am thirty four", ["you are thirty four years old"]),
        ("i live in leeds i work as a nurse", ["you live in leeds", "you work as a nurse"]),
        ("I just moved to Berlin", ["you moved to Berlin"]),
        ("I'm from Poland originally but I grew up in York", ["you grew up in York"]),
        ("I'm a truck driver", ["you're a truck driver"]),
        ("I work at a bakery in York", ["you work at a bakery in York"]),
        ("I lost my job last year", ["you lost your job in 2025"]),
        ("I'm studying law", ["you're studying law"]),
        ("i have diabetes", ["you have diabetes"]),
        ("I was diagnosed with ADHD when I was ten", ["you were diagnosed with ADHD"]),
        ("I'm allergic to peanuts", ["you're allergic to peanuts"]),
        ("I love hiking and swimming", ["you love hiking and swimming"]),
        ("I really can't stand mushrooms", ["you really can't stand mushrooms"]),
        ("i don't like mushrooms", ["you don't like mushrooms"]),
        ("My favourite film is Casablanca.", ["your favourite film is Casablanca"]),
        ("i play the guitar", ["you play the guitar"]),
        ("I have an exam tomorrow", ["you have an exam on Friday November 27"]),
        ("my interview is on monday", ["your interview is on Monday November 30"]),
        ("We're flying to Rome next week", ["you're flying to Rome in the week of November 30"]),
        ("I'm getting married next month", ["you're getting married in December"]),
        ("I've been sober for two years", ["you've been sober for two years"]),
        ("my wife left me", ["your wife left you"]),
    ],
)
def test_facts_are_noticed(said, texts):
    found = told(said)
    for text in texts:
        assert text in found, found


@pytest.mark.parametrize(
    ("said", "texts"),
    [
        (
            "My sister Anna is getting married in June!",
            ["your sister is called Anna", "your sister Anna is getting married in June"],
        ),
        (
            "my sister anna is getting married in june and i am here",
            ["your sister is called Anna", "your sister Anna is getting married in June"],
        ),
        ("My sister, Anna, lives in Rome.", ["your sister is called Anna"]),
        ("my brother's name is tom", ["your brother is called Tom"]),
        ("I have a brother called Leo", ["your brother is called Leo"]),
        ("Anna is my sister", ["your sister is called Anna"]),
        ("my boss is called mr henderson", ["your boss is called Mr Henderson"]),
        ("My mum's getting divorced", ["your mum is getting divorced"]),
        ("I have two brothers", ["you have two brothers"]),
        ("My kids are five and seven", ["your kids are five and seven"]),
        ("my dad is in hospital", ["your dad is in hospital"]),
        ("We have a dog called Max", ["your dog is called Max"]),
        ("my dog died yesterday", ["your dog died on Wednesday November 25"]),
        ("i have a cat", ["you have a cat"]),
        (
            "I have a sister. Her name is Anna and she lives in York.",
            ["you have a sister", "your sister is called Anna", "your sister lives in York"],
        ),
    ],
)
def test_people_and_pets_are_noticed(said, texts):
    assert told(said)[: len(texts)] == texts


def test_she_may_be_who_was_spoken_of_just_before():
    assert told("her name is Anna", "i have a sister") == ["your sister is called Anna"]
    assert told("he lives in York", "i have a sister") == []
    assert told("she lives in York", "my sister and my mother came over") == []
    assert told("she lives in York") == []


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("going for a walk helped", "going for a walk helped"),
        (
            "Talking to my sister always helps me calm down.",
            "talking to your sister always helps you calm down",
        ),
        ("music cheers me up", "music cheers you up"),
        ("I went for a walk and it helped a lot", "you went for a walk and it helped a lot"),
        (
            "i tried the breathing exercise and it really helped",
            "you tried the breathing exercise and it really helped",
        ),
        ("I feel better when I listen to music", "you feel better when you listen to music"),
    ],
)
def test_what_helped_is_noticed(said, text):
    (one,) = notice(UserTurn(said), UserTurn("i am so stressed and anxious"), at=THURSDAY)

    assert (one.memory.kind, one.memory.text) == ("helped", text)
    assert one.memory.valence < 0


def test_moods_are_noticed_with_their_cause():
    (one,) = notice(UserTurn("I feel anxious about my exam"), at=THURSDAY)

    assert (one.memory.kind, one.memory.text) == ("mood", "you felt anxious about your exam")
    assert one.memory.valence < -0.3
    assert one.memory.arousal > 0.3


def test_what_stirred_a_strong_feeling_is_noticed():
    turn = UserTurn("my boss yelled at me in front of everyone, i hate this so much")
    thought = Thought(stimulus="my boss yelled at me in front of everyone")

    (one,) = notice(turn, None, thought, at=THURSDAY)

    assert (one.memory.kind, one.memory.text) == (
        "mood",
        "your boss yelled at you in front of everyone",
    )
    assert not notice(UserTurn("my boss waved at me"), None, Thought(stimulus="my boss waved"))


@pytest.mark.parametrize(
    "said",
    [
        "Should I move to Rome?",
        "do i live in leeds",
        "is my sister called Anna",
        "what if my name is Anna",
        "If I win, I'm moving to Rome.",
        "i wish i had a dog called max",
        "I would live in Rome",
        "maybe i am a nurse",
        "Imagine my name is Bob.",
        'She said "I live in Rome".',
        "my friend told me that he lives in Rome",
        "in the movie my name is Bob",
        "I'm not a nurse",
        "I have no brothers",
        "my sister is not called Anna",
        "talking did not help",
        "nothing helped",
        "i love you",
        "i like it",
        "I live in fear",
        "i hate myself",
        "call me later",
        "I'm 20 minutes late",
        "my boss is an idiot",
        "my mom is here",
        "i work late",
        "I'm Irish",
        "you live in leeds",
        "",
        "?!",
        "hm",
        "and then the the",
    ],
)
def test_nothing_is_made_of_what_is_not_told(said):
    assert told(said) == []


@pytest.mark.parametrize(
    "said",
    [
        "my name is Bob and I want to kill myself",
        "I have a sister called Anna. I took too many pills.",
        "my husband hits me and we live in Leeds",
        "i live in leeds and i've been cutting myself",
        "I don't want to be here any more, my dog died",
        "i have a gun",
        "my password is swordfish and i live in leeds",
    ],
)
def test_nothing_of_a_turn_about_danger_or_secrets_is_kept(said):
    assert is_private(said)
    assert told(said) == []
    assert told("she is a nurse", said) == []


def test_misheard_turns_tell_nothing():
    assert told("my name is anna", confidence=LEAST_CONFIDENCE - 0.01) == []
    assert told("my name is anna", confidence=LEAST_CONFIDENCE) == ["your name is Anna"]


def test_the_voice_tells_how_it_was_felt():
    how = Paralinguistics(valence=Estimate(-0.9, 1.0), arousal=Estimate(0.8, 1.0), uncertain=False)
    (calm,) = notice(UserTurn("my dad is in hospital"))
    (stirred,) = notice(UserTurn("my dad is in hospital", how))

    assert stirred.memory.valence < calm.memory.valence
    assert stirred.memory.arousal > max(0.5, calm.memory.arousal)


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("i live in Leeds", "i moved to York", True),
        ("i work as a nurse", "i lost my job", True),
        ("My mum has cancer", "my mother has diabetes", True),
        ("i love mushrooms", "i hate mushrooms", True),
        ("i have an exam on friday", "my exam is on monday", True),
        ("i love mushrooms", "i love hiking", False),
        ("my husband is called Tom", "my husband is called Jim", True),
        ("my friend is called Tom", "my friend is called Jim", False),
        ("my brother Tom lives in Rome", "my brother Jim lives in Rome", False),
    ],
)
def test_later_facts_take_the_place_of_earlier_ones(first, second, same):
    before, after = notice(UserTurn(first))[-1], notice(UserTurn(second))[-1]

    assert (before.slot == after.slot) is same


def test_a_corrected_name_takes_the_place_of_the_wrong_one():
    (wrong,) = notice(UserTurn("my sister is called Anna"))
    (right,) = notice(UserTurn("my sister is called Hannah not Anna"))

    assert right.memory.text == "your sister is called Hannah"
    assert wrong.slot in right.replaces


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("you met today", "you met on Thursday November 26"),
        ("you leave the day after tomorrow", "you leave on Saturday November 28"),
        ("you met last friday", "you met on Friday November 20"),
        ("you meet on thursday", "you meet on Thursday December 3"),
        ("you go this weekend", "you go on the weekend of November 28"),
        ("you go in two weeks", "you go in the week of December 7"),
        ("you moved 3 years ago", "you moved in 2023"),
        ("you go next month", "you go in December"),
        ("you are glad for this weekend", "you are glad for the weekend of November 28"),
        ("you swim every friday", "you swim every friday"),
        ("you go on Friday November 27", "you go on Friday November 27"),
        ("you are 34", "you are 34"),
    ],
)
def test_dates_are_written_out(said, written):
    assert absolute(said, THURSDAY) == written


def test_a_hostile_turn_takes_no_time():
    for text in ("my sister " * 300, "i am " * 500, "and i " * 400, "a" * 5000, "my'" * 900):
        notice(UserTurn(text))


def test_in_real_talk_little_is_noticed_and_all_of_it_reads_well(data):
    """On what people wrote who described their feelings: clauses of the second person, whole."""
    said: set[str] = set()
    for file in sorted((data / "text" / "empathetic_dialogues").glob("*.csv")):
        with file.open(newline="") as rows:
            turns = (row for row in csv.DictReader(rows) if row["Actor"] == "speaker")
            said |= {row["Text"] for row, _ in zip(turns, range(120), strict=False)}
    found = [(text, one.memory) for text in sorted(said) for one in notice(UserTurn(text))]

    assert 0.02 < len(found) / len(said) < 0.2
    for text, memory in found:
        words = memory.text.lower().split()
        assert 2 <= len(words) <= 20, memory
        assert not {"i", "i'm", "my", "me", "we", "our", "us", "myself"}.intersection(words), text
        assert memory.about, memory
