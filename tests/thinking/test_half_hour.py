"""Half an hour of talk with the embedded model: nothing said twice, nothing long, facts kept."""

import asyncio
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from voice_agent.events import Conduct, Exchange, Prompt, Thought, UserTurn
from voice_agent.memories import in_memory
from voice_agent.person import Person
from voice_agent.settings import Memory as MemorySettings
from voice_agent.thinking.memory.recollection import Recollection
from voice_agent.thinking.models.embedded import EmbeddedModel, EmbeddedOptions
from voice_agent.thinking.plain_words import plain, sentences
from voice_agent.thinking.stream_parser import StreamParser

SCRIPTS = yaml.safe_load((Path(__file__).parent / "half_hour.yaml").read_text(encoding="utf-8"))
SEEDS = range(5)


@pytest.fixture(scope="module")
def model() -> EmbeddedModel:
    return asyncio.run(EmbeddedModel.create(EmbeddedOptions()))


async def converse(model, turns, seed: int, conduct: Conduct = Conduct()) -> list[Exchange]:  # noqa: B008
    memory = Recollection(in_memory(), Person.here("somebody"), "now", MemorySettings(), None)
    history: list[Exchange] = []
    for text in turns:
        turn = UserTurn(text)
        told = await memory.recall(turn, history)
        prompt = Prompt(turn, tuple(history), seed=seed, conduct=conduct, memories=told)
        parser = StreamParser()
        items = [item async for chunk in model.generate(prompt) for item in parser.feed(chunk)]
        thought, *reply = items + parser.finish()
        assert isinstance(thought, Thought)
        history.append(Exchange(turn, "".join(reply), thought))
        await memory.take_in(history[-1])
    await memory.close()
    return history


@pytest.fixture(
    scope="module", params=[(name, seed) for name in SCRIPTS for seed in SEEDS], ids=str
)
def talk(request, model) -> tuple[str, list[Exchange]]:
    name, seed = request.param
    return name, asyncio.run(converse(model, SCRIPTS[name]["turns"], seed))


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_is_half_an_hour_long(name: str):
    assert len(SCRIPTS[name]["turns"]) == 60


def test_no_sentence_is_said_twice(talk):
    said = Counter(plain(s) for exchange in talk[1] for s in sentences(exchange.reply))
    assert [sentence for sentence, count in said.items() if count > 1] == []


def test_every_answer_is_short_and_whole(talk):
    for exchange in talk[1]:
        assert 1 <= len(exchange.reply.split()) <= 40
        assert 1 <= len(sentences(exchange.reply)) <= 3
        assert exchange.reply[0].isupper()
        assert exchange.reply[-1] in ".!?"
        assert "{" not in exchange.reply


def test_the_wording_is_varied(talk):
    replies = [plain(exchange.reply).split() for exchange in talk[1]]
    pairs = [pair for words in replies for pair in pairwise(words)]
    assert len(set(pairs)) / len(pairs) >= 0.6


def test_what_was_told_is_remembered(talk):
    name, history = talk
    answers = {exchange.user.text: exchange.reply.lower() for exchange in history}
    for asked, words in SCRIPTS[name]["recalled"].items():
        assert all(word in answers[asked] for word in words), answers[asked]


def test_no_strategy_goes_on_and_on(talk):
    used = [exchange.thought.strategy for exchange in talk[1]]
    assert not any(a == b == c for a, b, c in zip(used, used[1:], used[2:], strict=False))


def test_about_half_of_the_answers_lead_on(talk):
    asking = sum("?" in exchange.reply for exchange in talk[1])
    assert 0.35 <= asking / len(talk[1]) <= 0.65


def test_another_seed_is_another_conversation(model):
    turns = SCRIPTS["tired_baker"]["turns"]
    one, other = (
        {plain(e.reply) for e in asyncio.run(converse(model, turns, seed))} for seed in (1, 2)
    )
    assert len(one & other) < len(turns) / 2


def test_the_same_seed_is_the_same_conversation(model):
    turns = SCRIPTS["student_abroad"]["turns"][:20]
    one, other = (asyncio.run(converse(model, turns, 7)) for _ in range(2))
    assert [e.reply for e in one] == [e.reply for e in other]
