"""What the configuration asks of the embedded model's conduct, kept over a whole conversation."""

import asyncio
import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

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
from voice_agent.thinking.stream_parser import StreamParser

SCRIPTS = yaml.safe_load((Path(__file__).parent / "half_hour.yaml").read_text(encoding="utf-8"))
TELLING = [
    text
    for text in SCRIPTS["student_abroad"]["turns"]
    if "should i" not in text and "remember" not in text and "again" not in text
]
SAD_VOICE = Paralinguistics(Manner(2.0), emotion={"sad": 0.9, "neutral": 0.1}, uncertain=False)


@pytest.fixture(scope="module")
def model() -> EmbeddedModel:
    return asyncio.run(EmbeddedModel.create(EmbeddedOptions()))


async def talk(model, turns, conduct: Conduct, seed: int = 0, how=None) -> list[Exchange]:
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


@pytest.mark.parametrize("most", [8, 15, 25])
async def test_no_answer_is_longer_than_allowed(model, most: int):
    for name, script in SCRIPTS.items():
        history = await talk(model, script["turns"], Conduct(reply_words=most))
        assert max(len(exchange.reply.split()) for exchange in history) <= most, name


def leading(history: list[Exchange]) -> float:
    led = [
        "?" in exchange.reply or exchange.thought.strategy in ("Question", "Providing Suggestions")
        for exchange in history
    ]
    return sum(led) / len(led)


async def test_the_initiative_is_as_configured(model):
    shares = {
        share: leading(await talk(model, TELLING, Conduct(initiative=share), seed=3))
        for share in (0.0, 0.25, 0.5, 0.75, 1.0)
    }
    assert shares[0.0] == 0.0
    assert shares[0.25] == pytest.approx(0.25, abs=0.1)
    assert shares[0.5] == pytest.approx(0.5, abs=0.1)
    assert shares[0.75] == pytest.approx(0.75, abs=0.12)
    assert shares[1.0] >= 0.85


async def test_without_initiative_it_still_asks_for_what_it_did_not_hear(model):
    history = await talk(model, ["hello", "flirb"], Conduct(initiative=0.0))
    assert "?" in history[-1].reply or "again" in history[-1].reply.lower()


async def test_advice_that_is_asked_for_comes_with_any_initiative(model):
    turns = ["my boss yelled at me", "it happens every week", "what should i do"]
    for share in (0.0, 0.5, 1.0):
        history = await talk(model, turns, Conduct(initiative=share))
        assert history[-1].thought.strategy == Strategy.SUGGESTION


@pytest.mark.parametrize(
    "strategies",
    [
        (Strategy.QUESTION, Strategy.REFLECTION),
        (Strategy.RESTATEMENT, Strategy.OTHERS, Strategy.AFFIRMATION),
    ],
)
async def test_a_story_is_answered_with_the_allowed_strategies_alone(model, strategies):
    story = [
        "my boss gave my project to somebody else",
        "i worked on it for eight months",
        "my colleague maria says it is unfair",
        "but she won't say anything",
        "i can't sleep",
        "my wife says i should look for another job",
        "i have two kids and a mortgage",
        "i went for a walk by the river yesterday",
    ]
    history = await talk(model, story, Conduct(strategies=tuple(strategies)))
    assert {exchange.thought.strategy for exchange in history} <= set(strategies)


FEELING = re.compile(
    r"\b(feel|feels|feeling|feelings|felt|sad|happy|angry|anger|afraid|scared|fear|anxious|worried|"
    r"worry|lonely|alone|hurt|hurts|ashamed|guilty|proud|glad|upset|frustrated|frustrating|tired|"
    r"exhausted|stressed|grief|mourning|relief|excited|disappointed|nervous|tense|jealous|tears|"
    r"crying|heavy|hard|sounds? like|you sound|your voice)\b"
)


async def test_without_reflection_no_feeling_is_named_or_mirrored(model):
    turns = [
        *SCRIPTS["tired_baker"]["turns"],
        "i am so sad and angry",
        "i feel terribly lonely",
        "i got the promotion",
        "my dog died yesterday",
        "i'm fine",
    ]
    conduct = Conduct(reflect_emotions=False)
    for seed in range(3):
        history = await talk(model, turns, conduct, seed, SAD_VOICE)
        for exchange in history:
            assert not FEELING.search(plain(exchange.reply)), (exchange.user.text, exchange.reply)
            assert exchange.thought.strategy != Strategy.REFLECTION
            assert not exchange.thought.paralinguistic


async def test_without_reflection_the_voice_changes_nothing(model):
    conduct = Conduct(reflect_emotions=False)
    for text in ("i went to work today", "i'm fine", "my sister called"):
        spoken = await talk(model, [text], conduct, how=SAD_VOICE)
        typed = await talk(model, [text], conduct)
        assert spoken[0].reply == typed[0].reply
        assert spoken[0].thought.reply_emotion == typed[0].thought.reply_emotion


async def test_it_goes_by_its_name_and_stays_a_machine(model):
    named = Conduct(name="Robin")
    for seed in range(6):
        reply = (await talk(model, ["what's your name"], named, seed))[0].reply
        assert "Robin" in reply
        other = (await talk(model, ["what's your name"], replace(named, name=""), seed))[0].reply
        assert "Robin" not in other
        machine = (await talk(model, ["are you a real person"], named, seed))[0].reply.lower()
        assert any(word in machine for word in ("machine", "software", "program"))


async def test_without_reflection_it_does_not_claim_to_hear_feelings(model):
    conduct = Conduct(reflect_emotions=False)
    for seed in range(4):
        for asked in ("do you have feelings", "can you hear my mood"):
            reply = (await talk(model, [asked], conduct, seed))[0].reply.lower()
            assert "words" in reply or "what you say" in reply
            assert not any(claim in reply for claim in ("pitch", "guess", "the sound of"))
