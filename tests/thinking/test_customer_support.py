import re
from itertools import pairwise

import pytest

from voice_agent.config import read
from voice_agent.events import (
    Conduct,
    Exchange,
    Paralinguistics,
    Prompt,
    ServiceStrategy,
    Thought,
    UserTurn,
    VocalEvent,
)
from voice_agent.thinking.models.embedded import EmbeddedModel
from voice_agent.thinking.responder.case import ServiceBook, case_of
from voice_agent.thinking.responder.phrasebook import Phrasebook
from voice_agent.thinking.responder.service import ServiceStage, may_come_next
from voice_agent.thinking.stream_parser import StreamParser
from voice_agent.thinking.text_emotion import carried

CUSTOMER = Conduct(mode="customer_support", reply_words=45)

PARCEL = [
    "hello",
    "my parcel has not arrived and i am really fed up this is the third time",
    "the order number is four four seven one nine",
    "two weeks ago",
    "anna at mail dot com",
    "yes that is right",
    "i already checked the tracking link it says nothing",
    "where is it now",
    "no neighbour has it",
    "can i talk to a human please",
    "ok thank you",
    "no that is all",
    "bye",
]
INVOICE = [
    "i was charged twice",
    "i do not have the number",
    "forty dollars",
    "on monday",
    "yes",
    "the bank says it is not pending",
    "i want my money back",
    "this is ridiculous you are useless",
    "are you even a human",
    "what now",
    "still not working",
    "ok thanks bye",
]


@pytest.fixture(scope="module")
def model() -> EmbeddedModel:
    return EmbeddedModel(Phrasebook(), carried())


@pytest.fixture(scope="module")
def book() -> ServiceBook:
    return ServiceBook()


async def answer(model, said, history=(), conduct=CUSTOMER, how=None, seed=0):
    """The thought and the reply to a turn."""
    prompt = Prompt(UserTurn(said, how), tuple(history), conduct=conduct, seed=seed)
    parser = StreamParser()
    told = [part async for piece in model.generate(prompt) for part in parser.feed(piece)]
    told += parser.finish()
    thoughts = [part for part in told if isinstance(part, Thought)]
    return thoughts[-1], "".join(part for part in told if isinstance(part, str)).strip()


async def talk(model, turns, conduct=CUSTOMER, seed=0) -> list[Exchange]:
    history: list[Exchange] = []
    for said in turns:
        thought, reply = await answer(model, said, history, conduct, seed=seed)
        history.append(Exchange(UserTurn(said), reply, thought))
    return history


def strategies(history) -> list[str]:
    return [exchange.thought.strategy for exchange in history]


def stages(history) -> list[str]:
    return [exchange.thought.stage for exchange in history]


@pytest.mark.parametrize("turns", [PARCEL, INVOICE], ids=["parcel", "invoice"])
@pytest.mark.parametrize("seed", range(5))
async def test_a_support_call_goes_through_its_stages(model, turns, seed):
    history = await talk(model, turns, seed=seed)
    used = strategies(history)

    assert all(one in tuple(ServiceStrategy) for one in used)
    assert all(not (a == b == c) for a, b, c in zip(used, used[1:], used[2:], strict=False))
    order = [tuple(ServiceStage).index(one) for one in stages(history)]
    assert all(b >= a for a, b in pairwise(order))
    assert {"identifying", "exploring", "resolving", "maintaining"} <= set(stages(history))
    assert {
        ServiceStrategy.IDENTITY,
        ServiceStrategy.EMOTION,
        ServiceStrategy.RESTATEMENT,
        ServiceStrategy.SUGGESTION,
        ServiceStrategy.INFORMATION,
        ServiceStrategy.IMPLEMENTATION,
    } <= set(used)
    assert all(len(one.reply.split()) <= CUSTOMER.reply_words for one in history)
    assert all(one.thought.reason for one in history)
    said = [one.reply for one in history]
    assert len(set(said)) == len(said)


async def test_what_was_told_is_said_back_once_and_not_asked_again(model):
    history = await talk(model, PARCEL)
    replies = [one.reply for one in history]
    summary = replies[strategies(history).index(ServiceStrategy.RESTATEMENT)]
    assert "4 4 7 1 9" in summary
    after = " ".join(replies[3:])
    assert "customer number" not in after


async def test_anger_is_met_with_calm_before_questions(model):
    thought, reply = await answer(model, "this is ridiculous my order is broken again")
    assert thought.strategy == ServiceStrategy.EMOTION
    assert (thought.reply_emotion, "calm" in thought.style) == ("sorry", True)
    assert "!" not in reply


async def test_a_voice_in_tears_is_met_with_calm_where_voices_may_be_read(model):
    crying = Paralinguistics(events=(VocalEvent("cry", 0.0, 1.0, 0.9),), uncertain=False)
    said = "my order number is 4 4 7 1 9"
    thought, _ = await answer(model, said, how=crying)
    assert thought.strategy == ServiceStrategy.EMOTION
    blind = Conduct(mode="customer_support", reflect_emotions=False)
    thought, _ = await answer(model, said, conduct=blind, how=crying)
    assert thought.strategy != ServiceStrategy.EMOTION


async def test_without_leave_no_feeling_is_named(model):
    blind = Conduct(mode="customer_support", reflect_emotions=False)
    for seed in range(6):
        _, reply = await answer(
            model, "i am furious my parcel never came", conduct=blind, seed=seed
        )
        assert not re.search(r"angry|annoyed|patience|worry", reply)


async def test_what_cannot_be_known_is_said_to_be_unknown(model):
    thought, reply = await answer(model, "where is my order right now")
    assert thought.strategy == ServiceStrategy.INFORMATION
    assert re.search(r"can't|don't know|won't guess|don't have", reply)


def test_no_line_states_a_fact_of_an_order_or_promises_one(book):
    claims = re.compile(
        r"\b(your (order|parcel|refund|account|money|payment) (is|was|has|will)|"
        r"(i|we)('ve| have|'ll| will) (sen[dt]|refund|cancel|credit|ship|order|reset|pass|forward)|"
        r"within (\w+ )?(hours|days|weeks)|guarantee|i('ve| have) (checked|looked))",
        re.IGNORECASE,
    )
    every = [line for pool in book.lines.values() for line in pool]
    every += [line for one in book.issues.values() for line in (*one.steps, *one.facts)]
    every += [line for one in book.details.values() for line in one.ask]
    assert len(every) > 150
    assert not [line.say for line in every if claims.search(line.say)]


async def test_secrets_are_refused_and_not_kept(model, book):
    card = "my card number is 4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1"
    _, reply = await answer(model, card)
    assert re.search("password|PIN", reply)
    assert not case_of(card, [], book).known


async def test_a_person_is_named_when_asked_for(model):
    thought, reply = await answer(model, "i want to speak to a real person")
    assert thought.strategy == ServiceStrategy.IMPLEMENTATION
    assert "service desk" in reply


@pytest.mark.parametrize(
    ("said", "issue", "known"),
    [
        ("the customer number is 88 12 34", None, {"number": "881234"}),
        ("i was charged forty dollars on monday", "billing", {"amount": "forty dollars"}),
        ("my router does not work since yesterday", "technical", {"when": "yesterday"}),
        ("my name is anna berg and my package is late", "delivery", {"name": "anna berg"}),
        ("i bought two shirts", None, {}),
        ("you can mail me at anna@mail.example", None, {"contact": "anna@mail.example"}),
    ],
)
def test_what_is_told_unasked_is_kept(book, said, issue, known):
    case = case_of(said, [], book)
    assert (case.issue.name if case.issue else None) == issue
    assert known.items() <= dict(case.known).items()
    assert bool(case.known) == bool(known)


def test_every_issue_and_detail_can_be_asked_for_and_told_of(book):
    for issue in book.issues.values():
        assert set(issue.needs) <= set(book.details)
        assert len(issue.steps) >= 2
        assert issue.facts
        assert not any(line.asks for line in issue.steps)
    assert set(book.reasons) == set(ServiceStrategy)


async def test_strategies_that_are_not_allowed_are_not_used(model):
    some = (ServiceStrategy.REFINEMENT, ServiceStrategy.INFORMATION, ServiceStrategy.OTHERS)
    conduct = Conduct(mode="customer_support", strategies=tuple(some))
    assert set(strategies(await talk(model, PARCEL, conduct))) <= set(some)


def test_the_only_strategy_allowed_may_go_on():
    one = (ServiceStrategy.OTHERS,)
    used = [Exchange(UserTurn("a"), "b", Thought(strategy=ServiceStrategy.OTHERS))] * 2
    conduct = Conduct(mode="customer_support", strategies=one)
    assert may_come_next(used, conduct) == frozenset(one)


async def test_a_new_matter_after_the_old_is_settled_begins_anew(model):
    turns = [*PARCEL[:11], "actually i can not log in either"]
    last = (await talk(model, turns))[-1]
    assert last.thought.stage in (ServiceStage.IDENTIFYING, ServiceStage.EXPLORING)


def test_the_profile_is_customer_support():
    conduct = read("customer_support").thinking.conduct
    assert conduct.mode == "customer_support"
