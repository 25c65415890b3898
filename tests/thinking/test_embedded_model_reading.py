"""What an attentive reader of its conversations stumbled over, each as a rule that must hold."""

import asyncio
import re

import pytest

from voice_agent.events import (
    Conduct,
    Exchange,
    Manner,
    Paralinguistics,
    Prompt,
    Strategy,
    Thought,
    UserTurn,
)
from voice_agent.thinking.models.embedded import EmbeddedModel, EmbeddedOptions
from voice_agent.thinking.plain_words import plain
from voice_agent.thinking.responder.homophones import repaired
from voice_agent.thinking.responder.phrasebook import Phrasebook
from voice_agent.thinking.stream_parser import StreamParser

SEEDS = range(6)


@pytest.fixture(scope="module")
def model() -> EmbeddedModel:
    return asyncio.run(EmbeddedModel.create(EmbeddedOptions()))


async def talk(model, *turns, seed=0, how=None, conduct=Conduct()) -> list[Exchange]:  # noqa: B008
    history: list[Exchange] = []
    for text in turns:
        turn = UserTurn(text, how)
        prompt = Prompt(turn, tuple(history), seed=seed, conduct=conduct)
        parser = StreamParser()
        items = [item async for chunk in model.generate(prompt) for item in parser.feed(chunk)]
        thought, *reply = items + parser.finish()
        assert isinstance(thought, Thought)
        history.append(Exchange(turn, "".join(reply), thought))
    return history


async def last(model, *turns, **options) -> list[tuple[Thought, str]]:
    """The answers to the last turn, by several seeds."""
    found = [(await talk(model, *turns, seed=seed, **options))[-1] for seed in SEEDS]
    return [(one.thought, plain(one.reply)) for one in found]


@pytest.mark.parametrize(
    ("told", "asked", "known"),
    [
        (["my sister is called Nora"], "what is the name of my sister", "nora"),
        (["my dad taught me in his old golf"], "who taught me to drive?", "your dad taught you"),
        (["I met my wife at a dance in 1961"], "where did i meet my wife", "dance"),
        (
            ["my wife went", "she died four years ago", "her name was Margaret"],
            "what was my wife's name",
            "your wife is called margaret",
        ),
        (["my little brother annoys me", "he's six"], "how old is my brother", "six"),
    ],
)
async def test_what_was_told_is_known_however_it_is_asked(model, told, asked, known):
    for _, reply in await last(model, *told, asked):
        assert known in reply


async def test_a_clause_that_begins_with_when_asks_for_nothing_told(model):
    for thought, reply in await last(
        model, "i look at him and feel guilty", "when i cry he looks at me so seriously"
    ):
        assert thought.strategy != Strategy.INFORMATION
        assert "told me" not in reply


@pytest.mark.parametrize(
    ("heard", "said"),
    [
        ("but we have know money", "but we have no money"),
        ("the manager did know say sorry", "the manager did not say sorry"),
        ("i do not no what i want", "i do not know what i want"),
        ("can you here me", "can you hear me"),
        ("i have been their for nine ears", "i have been there for nine years"),
        ("maybe i wood like to", "maybe i would like to"),
    ],
)
def test_a_word_taken_for_one_that_sounds_alike_is_put_right(heard: str, said: str):
    assert repaired(heard) == said


@pytest.mark.parametrize(
    "said",
    [
        "i know he has no time for me",
        "do you know what i mean",
        "can you write it down",
        "i was here all week and there is no news",
        "it is right there on their table",
        "did no one call",
    ],
)
def test_words_in_their_place_stay_as_they_are(said: str):
    assert repaired(said) == said


async def test_only_the_person_is_said_back_and_no_denial(model):
    turns = ["it was her heart", "i haven't even started", "everybody looked at the table"]
    for turn in turns:
        for _, reply in await last(model, "my mum died three weeks ago", turn):
            assert not re.search(r"it was her heart|you haven.?t even started|have not", reply)
            assert "looked at the table" not in reply


async def test_another_persons_fear_is_not_the_speakers(model):
    for turn in ("he said lena is just jealous", "my boss is annoyed with the printer"):
        for thought, reply in await last(model, turn):
            assert "seem jealous" not in thought.linguistic
            assert "seem annoyed" not in thought.linguistic
            assert "envy" not in reply


async def test_tears_after_a_joy_are_of_joy(model):
    for thought, _ in await last(model, "i passed my driving test!", "i nearly cried in the car"):
        assert thought.reply_emotion in ("joyful", "happy")
    for thought, _ in await last(model, "my boss yelled at me", "i nearly cried in the car"):
        assert thought.reply_emotion not in ("joyful", "happy")


GRIEF = ("my mum died three weeks ago", "it was very sudden")


async def test_a_pronoun_leads_back_to_the_one_who_is_missed(model):
    between = ("i like old westerns", "what's the weather tomorrow", "i had soup for lunch")
    for thought, _ in await last(model, *GRIEF, *between, "she used to sing in the kitchen"):
        assert thought.reply_emotion == "sorry"
    other = ("my sister lives in leeds", "we speak on sundays")
    for thought, _ in await last(model, *GRIEF, *other, "she is learning to weave"):
        assert thought.reply_emotion != "sorry"


async def test_a_gentle_end_is_no_bright_spot(model):
    for thought, reply in await last(model, *GRIEF, "they say it was peaceful"):
        assert thought.reply_emotion in ("comfort", "sorry")
        assert not re.search(r"light in between|bright spot|nice and easy", reply)


async def test_a_sad_turn_gets_none_of_the_lines_for_light_ones(model):
    light = {
        line.say
        for moment in Phrasebook().moments
        if moment.shape and moment.mood == "good"
        for lines in moment.lines.values()
        for line in lines
    }
    heavy = {
        line.say
        for moment in Phrasebook().moments
        if moment.mood == "heavy"
        for lines in moment.lines.values()
        for line in lines
    }
    for seed in SEEDS:
        for past in (await talk(model, *GRIEF, "i have to see the lawyer", seed=seed))[-1:]:
            assert not any(line in past.reply for line in light - heavy)


async def test_a_move_toward_the_agent_sets_no_mood(model):
    for thought, _ in await last(model, "you're useless", "i had pasta for lunch"):
        assert thought.reply_emotion not in ("comfort", "sorry")


async def test_what_somebody_is_not_is_not_answered(model):
    for _, reply in await last(model, "the doctor was here", "i'm not afraid of it, really"):
        assert not re.search(r"being afraid of|bad news|the worst you picture", reply)


async def test_a_joy_only_asked_about_is_not_congratulated(model):
    for _, reply in await last(model, "everyone asks when i'm getting married"):
        assert "congratulations" not in reply


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ("i bought an old car", "700 pounds"),
        ("i played the cello", "no, it's in the cellar"),
        ("he smiled", "it was at the lamp, not me"),
        ("she posted something", "a picture. from the sleepover. with my braces"),
        ("it's about my son", "no i mean the baby"),
    ],
)
async def test_rare_words_and_bits_are_not_taken_for_noise(model, before, said):
    for thought, _ in await last(model, before, said):
        assert thought.linguistic != (
            "The words did not come through clearly; better ask than guess."
        )


async def test_a_voice_alone_tells_of_no_event(model):
    sad = Paralinguistics(Manner(2.0), emotion={"sad": 0.9, "neutral": 0.1}, uncertain=False)
    own = {line.say for kind, lines in Phrasebook().feelings["sad"].lines.items() for line in lines}
    for seed in SEEDS:
        reply = (await talk(model, "i put the keys on the table", how=sad, seed=seed))[0].reply
        assert not any(line in reply for line in own)


async def test_no_strategy_comes_three_times_running_whatever_is_said(model):
    turns = ["thanks", "thank you", "ok thanks", "thanks a lot", "many thanks"]
    turns += ["tell me a joke", "another one", "another", "who are you", "what can you do"]
    wanted = ("Others", "Affirmation and Reassurance", "Information")
    for conduct in (Conduct(), Conduct(strategies=wanted, initiative=0.0)):
        for seed in SEEDS:
            history = await talk(model, *turns, seed=seed, conduct=conduct)
            used = [past.thought.strategy for past in history]
            assert not any(a == b == c for a, b, c in zip(used, used[1:], used[2:], strict=False))


@pytest.mark.parametrize(
    ("said", "never"),
    [
        ("she used to be my best friend", "machine"),
        ("gotta go dinner", "what would you"),
        ("sorry it's so late", "hard on yourself"),
        ("my boss wants me back on monday", "treated like that"),
        ("i work at the airport", "worry"),
    ],
)
async def test_it_is_not_taken_for_what_it_is_not(model, said, never):
    for _, reply in await last(model, said):
        assert never not in reply
