"""What a turn means: its cause in the person's own words, how they see it, what they need."""

import re

import pytest

from voice_agent.events import Exchange, Manner, Paralinguistics, Prompt, Thought, UserTurn
from voice_agent.thinking import knowledge
from voice_agent.thinking.models.embedded import EmbeddedModel
from voice_agent.thinking.plain_words import plain
from voice_agent.thinking.responder.meaning import Meaning
from voice_agent.thinking.responder.phrasebook import Phrasebook
from voice_agent.thinking.responder.understanding import Reader
from voice_agent.thinking.text_emotion import LABELS, carried


@pytest.fixture(scope="module")
def book() -> Phrasebook:
    return Phrasebook()


@pytest.fixture(scope="module")
def reader(book: Phrasebook) -> Reader:
    return Reader(book, carried())


@pytest.fixture(scope="module")
def model(book: Phrasebook) -> EmbeddedModel:
    return EmbeddedModel(book, carried())


STIMULI = [
    ("I'm so upset. My boss yelled at me in front of everyone.", "boss yelled at me in front of"),
    ("I feel terrible because I forgot my mother's birthday", "I forgot my mother's birthday"),
    ("I'm nervous about my driving test", "my driving test"),
    ("i have been really low since my girlfriend left me", "my girlfriend left me"),
    ("Hi. So my dog died yesterday and I can't stop crying.", "my dog died yesterday"),
    ("I am worried about losing my job", "losing my job"),
    ("I got into law school! I'm so happy!", "I got into law school"),
    ("my neighbors are so loud that i can't sleep", "my neighbors are so loud"),
    (
        "I'm scared. Somebody broke into our house last week. Thanks for listening.",
        "broke into our",
    ),
]


@pytest.mark.parametrize(("said", "stimulus"), STIMULI)
def test_the_cause_is_given_in_the_persons_own_words(reader: Reader, said: str, stimulus: str):
    found = reader.read(UserTurn(said)).stimulus
    assert stimulus in found
    assert found in said


@pytest.mark.parametrize(("said", "stimulus"), STIMULI)
def test_the_cause_is_found_without_marks_and_capitals(reader: Reader, said: str, stimulus: str):
    heard = re.sub(r"[^\w' ]", "", said.lower())
    found = reader.read(UserTurn(heard)).stimulus
    assert plain(stimulus) in plain(found)
    assert found in heard


@pytest.mark.parametrize(
    "said",
    [
        "hello",
        "i feel sad",
        "thank you that helps",
        "what time is it",
        "i'm fine",
        "the the watts",
        "",
    ],
)
def test_where_none_is_told_none_is_made_up(reader: Reader, said: str):
    assert reader.read(UserTurn(said)).stimulus == ""


def test_the_cause_comes_back_turned_round_and_first(reader: Reader):
    reading = reader.read(UserTurn("we had lunch and then my boss yelled at me for no reason"))
    assert reading.cause == "your boss yelled at you for no reason"
    assert reading.clauses[0] == reading.cause
    assert reading.told == "their boss yelled at them for no reason"


@pytest.mark.parametrize(
    ("said", "confidence"),
    [
        ("my boss flirbed at my gnorz", None),
        ("my boss yelled at me", 0.2),
        ("my the boss me at", None),
    ],
)
def test_what_may_be_misheard_is_not_said_back(reader: Reader, said: str, confidence: float | None):
    reading = reader.read(UserTurn(said, confidence=confidence))
    assert not reading.cause
    assert not reading.clauses
    assert not reading.told


@pytest.mark.parametrize(
    ("said", "appraisal"),
    [
        ("my coworker took credit for my work, it's not fair", "unfair"),
        ("he lied to me for years", "unfair"),
        ("it's all my fault, i should have called her", "own_fault"),
        ("my grandmother passed away last night", "loss"),
        ("my girlfriend broke up with me", "loss"),
        ("i'm afraid the tests will show it's cancer", "threat"),
        ("i don't know if i should take the job or not", "uncertain"),
        ("there is nothing i can do about it, i feel helpless", "out_of_hands"),
        ("too much to do, i can't keep up with all the deadlines", "overload"),
        ("nobody invited me, i feel so left out", "left_out"),
        ("i didn't get the job i was hoping for", "setback"),
        ("his phone keeps ringing, it's so annoying", "nuisance"),
        ("there was mold in my sandwich, so gross", "repulsive"),
        ("wow i did not expect that at all", "unexpected"),
        ("i finally passed my bar exam", "achievement"),
        ("a stranger helped me carry my bags, so kind", "kindness"),
        ("we are going to rome next week, i can't wait", "good_prospect"),
        ("i had a really fun day at the beach, it was beautiful", "pleasure"),
    ],
)
def test_how_they_see_it(reader: Reader, said: str, appraisal: str):
    found = reader.read(UserTurn(said)).appraisal
    assert found is not None
    assert found.name == appraisal


@pytest.mark.parametrize(
    ("said", "need"),
    [
        ("what should i do about my sister", "help"),
        ("i just need to vent, my boss is awful", "heard"),
        ("i don't want to talk about it", "space"),
        ("i'm so scared of the operation tomorrow", "reassurance"),
        ("my dog died", "comfort"),
        ("i feel so lonely, nobody calls me", "company"),
        ("i got the promotion", "celebration"),
        ("he lied to me and everyone knew, it's so unfair", "on_their_side"),
        ("it was my fault, i feel so guilty", "acceptance"),
        ("the table is brown", "chat"),
    ],
)
def test_what_they_need(model: EmbeddedModel, said: str, need: str):
    says = Meaning(knowledge.load("meaning")).needs[need].says
    assert says in model.think(Prompt(UserTurn(said))).need


def test_the_knowledge_of_meaning_is_sound(book: Phrasebook):
    meaning = Meaning(knowledge.load("meaning"))
    names = {one.name for one in meaning.appraisals}
    for one in meaning.appraisals:
        assert set(one.feelings) <= set(book.feelings), one.name
        assert set(one.classes) <= set(LABELS), one.name
        assert one.valence in (-1, 0, 1)
        assert one.says.endswith(".")
        assert all(book.feelings[name].valence * one.valence >= 0 for name in one.feelings), (
            f"{one.name} would never be taken with one of its own feelings"
        )
    for need in meaning.needs.values():
        assert set(need.appraisals) <= names, need.name
        assert set(need.feelings) <= set(book.feelings), need.name
        assert set(need.cues) <= set(book.cues), need.name
    assert names == {name for need in meaning.needs.values() for name in need.appraisals}


# --- the thought ------------------------------------------------------------------------------


def sounding(speech_s: float = 2.0, uncertain: bool = False, **emotion: float) -> Paralinguistics:
    return Paralinguistics(Manner(speech_s), emotion=emotion, uncertain=uncertain)


def test_a_turn_gets_both_thoughts_in_full(model: EmbeddedModel):
    turn = UserTurn("my boss yelled at me in front of everyone", sounding(anger=0.8, neutral=0.2))
    thought = model.think(Prompt(turn))
    assert "their boss yelled at them in front of everyone" in thought.linguistic
    assert "angry" in thought.linguistic
    assert thought.stimulus == "my boss yelled at me in front of everyone"
    assert "unfair" in thought.appraisal
    assert thought.need
    assert "angry" in thought.paralinguistic
    assert thought.conflict == ""
    assert thought.strategy
    assert thought.reply_emotion
    assert thought.style


def test_fine_in_a_tearful_voice_is_a_conflict(model: EmbeddedModel):
    history = (Exchange(UserTurn("hello"), "Hello. How are you?", Thought()),)
    thought = model.think(Prompt(UserTurn("i'm fine", sounding(sad=0.8, neutral=0.2)), history))
    assert "sad" in thought.conflict
    assert model.think(Prompt(UserTurn("i'm fine"), history)).conflict == ""


def test_a_change_of_the_voice_is_told(model: EmbeddedModel):
    usual = UserTurn("i went to work", sounding(neutral=0.9, happy=0.1))
    history = (Exchange(usual, "And how was it?", Thought()),)
    how = Paralinguistics(
        Manner(2.0, level_shift_db=-7.0, pitch_shift_st=-3.0), emotion={"neutral": 1.0}
    )
    thought = model.think(Prompt(UserTurn("then i went home", how), history))
    assert "quieter than usual" in thought.paralinguistic
    assert "lower than usual" in thought.paralinguistic


VOICES = {
    "sad": {"sad": 0.8, "neutral": 0.2},
    "anger": {"anger": 0.8, "neutral": 0.2},
    "happy": {"happy": 0.8, "neutral": 0.2},
    "fear": {"fear": 0.8, "neutral": 0.2},
    "surprise": {"surprise": 0.8, "neutral": 0.2},
    "disgust": {"disgust": 0.8, "neutral": 0.2},
    "neutral": {"neutral": 0.9, "happy": 0.1},
}


def test_over_neutral_words_each_voice_gets_a_tone_of_its_own(model: EmbeddedModel):
    tones = {
        name: model.think(Prompt(UserTurn("i went to the store", sounding(**posterior))))
        for name, posterior in VOICES.items()
    }
    assert len({one.reply_emotion for one in tones.values()}) == len(VOICES)
    assert len({one.paralinguistic for one in tones.values()}) == len(VOICES)
    expected = {"happy": "happy", "sad": "sad", "fear": "comfort", "neutral": "neutral"}
    assert {name: tones[name].reply_emotion for name in expected} == expected
    assert tones["anger"].reply_emotion not in ("angry", "happy", "joyful")


@pytest.mark.parametrize("name", [name for name in VOICES if name != "neutral"])
def test_words_that_name_a_feeling_decide(model: EmbeddedModel, name: str):
    turn = UserTurn("my grandmother died last night", sounding(**VOICES[name]))
    assert model.think(Prompt(turn)).reply_emotion in ("sorry", "comfort", "sad")


def test_a_voice_that_only_leans_colours_the_tone_and_is_not_spoken_of(model: EmbeddedModel):
    how = sounding(uncertain=True, sad=0.45, neutral=0.35, happy=0.2)
    thought = model.think(Prompt(UserTurn("i went to the store", how)))
    assert thought.reply_emotion == "sad"
    assert "not surely" in thought.paralinguistic
    assert "seem" not in thought.linguistic


def test_a_voice_that_measurably_changed_is_heard_afresh(model: EmbeddedModel):
    believed, evidence = {"neutral": 0.7, "anger": 0.3}, {"neutral": 0.1, "anger": 0.9}
    tones = [
        model.think(
            Prompt(
                UserTurn(
                    "i went to the store",
                    Paralinguistics(manner, believed, evidence, uncertain=False),
                )
            )
        ).reply_emotion
        for manner in (Manner(2.0, pitch_shift_st=0.5), Manner(2.0, pitch_shift_st=8.0))
    ]
    assert tones == ["neutral", "sorry"]


def test_without_leave_to_reflect_emotions_the_voice_tells_nothing(model: EmbeddedModel):
    from voice_agent.events import Conduct

    conduct = Conduct(reflect_emotions=False)
    for said in ("i went to the store", "i'm fine", "my boss yelled at me"):
        thoughts = [
            model.think(Prompt(UserTurn(said, how), conduct=conduct))
            for how in (sounding(sad=0.9, neutral=0.1), sounding(happy=0.9, neutral=0.1), None)
        ]
        assert thoughts[0] == thoughts[1] == thoughts[2]
        assert thoughts[0].paralinguistic == thoughts[0].conflict == ""
        assert "seem" not in thoughts[0].linguistic


def test_growing_words_are_thought_about_in_a_moment(model: EmbeddedModel):
    """No word of a long turn may take so long that the next one waits for it."""
    import time

    said = "i am worried because my boss told my brother that he was so upset about the way that "
    history = tuple(
        Exchange(UserTurn(f"my dog died {n} days ago and i miss him"), "I'm so sorry.", Thought())
        for n in range(60)
    )
    model.think(Prompt(UserTurn("hello"), history))
    times = []
    for end in range(1, len((said * 4).split())):
        begun = time.perf_counter()
        model.think(Prompt(UserTurn(" ".join((said * 4).split()[:end])), history))
        times.append(time.perf_counter() - begun)
    assert sorted(times)[len(times) // 2] < 0.1


async def test_over_neutral_words_each_voice_is_answered_in_words_of_its_own(model: EmbeddedModel):
    replies = set()
    for posterior in VOICES.values():
        prompt = Prompt(UserTurn("i went to the store", sounding(**posterior)))
        pieces = [piece async for piece in model.generate(prompt)]
        replies.add("".join(pieces).split("</think>")[1])
    assert len(replies) == len(VOICES)
