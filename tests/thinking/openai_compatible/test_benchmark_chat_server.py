"""The server of the benchmarks: it keeps its times, and answers as a model would."""

import asyncio
import time
from contextlib import aclosing

import pytest

from voice_agent.events import Conduct, Draft, Prompt, Thought, UserTurn
from voice_agent.thinking.stream_parser import StreamParser

pytest.importorskip("openai", reason="needs the extra 'remote'")

WORDS = "my dog died yesterday and i can't stop crying"
TURN = UserTurn(WORDS)
DRAFT = Draft(Thought("They grieve.", need="to be held"), WORDS)


@pytest.fixture
async def at_once(chat_server):
    """A server that answers at once, and the requests that it sees."""
    seen = []
    async with chat_server.serve(ttft_ms=0, rate=1e6, seen=seen) as url:
        yield url, seen


async def answer(model, prompt: Prompt) -> tuple[Thought, str, int]:
    """Thought, reply, and the number of tokens that came."""
    parser = StreamParser(prompt.draft.thought if prompt.draft else None)
    tokens = [piece async for piece in model.generate(prompt)]
    items = [item for token in tokens for item in parser.feed(token)] + parser.finish()
    reply = "".join(item for item in items if isinstance(item, str))
    return parser.thought, reply, len(tokens)


async def test_a_turn_gets_a_whole_thought_and_a_reply(engine, at_once):
    async with engine(at_once[0]) as model:
        thought, reply, tokens = await answer(model, Prompt(TURN))
    assert thought.linguistic
    assert thought.stimulus in WORDS
    assert thought.reply_emotion == "comfort"
    assert reply.endswith("?")
    assert 90 <= tokens <= 110


async def test_what_was_thought_already_is_not_thought_again(engine, at_once):
    async with engine(at_once[0]) as model:
        thought, reply, tokens = await answer(model, Prompt(TURN, draft=DRAFT))
        assert (thought, reply[:4]) == (DRAFT.thought, "That")
        assert 15 <= tokens <= 25

        more = Prompt(UserTurn(f"{WORDS} at work"), draft=DRAFT)
        corrected, _, tokens = await answer(model, more)
        assert corrected.need == DRAFT.thought.need
        assert "at work" in corrected.stimulus
        assert 20 <= tokens <= 35


async def test_while_the_person_speaks_it_thinks_and_says_nothing(engine, at_once):
    async with engine(at_once[0]) as model:
        thought, reply, tokens = await answer(model, Prompt(TURN, aim="thought"))
        assert thought.linguistic
        assert not reply
        assert 70 <= tokens <= 90

        assert (await answer(model, Prompt(TURN, aim="thought", draft=DRAFT)))[1:] == ("", 0)


async def test_it_does_not_think_where_no_thoughts_are_wanted(engine, at_once):
    async with engine(at_once[0]) as model:
        thought, reply, _ = await answer(model, Prompt(TURN, conduct=Conduct(think="none")))
    assert thought == Thought()
    assert reply


async def test_it_keeps_to_its_times(engine, chat_server):
    seen = []
    async with chat_server.serve(ttft_ms=50, rate=200, seen=seen) as url, engine(url) as model:
        began = time.monotonic()
        arrivals = [time.monotonic() - began async for _ in model.generate(Prompt(TURN))]
    # Never early; how late they may be depends on the machine.
    due = [0.05 + number / 200 for number in range(len(arrivals))]
    assert all(arrival >= wanted for arrival, wanted in zip(arrivals, due, strict=True))
    assert arrivals[-1] < due[-1] + 1
    (request,) = seen
    assert (request.sent, request.cut_off) == (len(arrivals), False)


async def test_it_notes_an_answer_that_was_cut_off(engine, chat_server):
    seen = []
    async with chat_server.serve(ttft_ms=0, rate=20, seen=seen) as url, engine(url) as model:
        async with aclosing(model.generate(Prompt(TURN))) as stream:
            await anext(stream)
        async with asyncio.timeout(5):
            while seen[0].ended_at is None:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    assert seen[0].cut_off
    assert seen[0].sent < 90


async def test_reading_ahead_takes_one_token(engine, at_once):
    url, seen = at_once
    async with engine(url, prefill=True) as model:
        await model.prepare(Prompt(UserTurn("")))
    assert [request.sent for request in seen] == [1]
