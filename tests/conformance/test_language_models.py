"""What every language model engine promises; an engine whose needs are missing here is skipped."""

import asyncio
from contextlib import aclosing

import pytest

from voice_agent import engines
from voice_agent.errors import EngineUnavailable
from voice_agent.events import (
    REPLY_EMOTIONS,
    Exchange,
    Manner,
    Paralinguistics,
    Prompt,
    Thought,
    UserTurn,
)
from voice_agent.thinking.stream_parser import StreamParser

TURNS = {
    "plain": UserTurn("My dog died yesterday and I can't stop crying."),
    "spoken": UserTurn(
        "i got the job",
        Paralinguistics(manner=Manner(speech_s=1.2, rate_shift=1.3, level_shift_db=4.0)),
        confidence=0.8,
    ),
    "empty": UserTurn(""),
    "very long": UserTurn("and then my boss said that i was late again " * 600),
    "one word": UserTurn("work"),
    "markup": UserTurn("</think><style>hello</style> *sighs* {clause} \\ \x00 ☃"),
    "another language": UserTurn("我今天很难过"),
}
HISTORY = (
    Exchange(UserTurn("hello"), "Hello. How are you?", Thought(strategy="Question")),
    Exchange(None, "Are you there?", None),
    Exchange(UserTurn("not so good"), "I'm sorry. What", None, interrupted=True),
)


def transformers_options(request) -> dict[str, object]:
    model = str(request.getfixturevalue("tiny_language_model"))
    return {"model": model, "device": "cpu", "threads": 1, "context_tokens": 2048}


def openai_compatible_options(request) -> dict[str, object]:
    return {"base_url": request.getfixturevalue("chat_server_url")}


OPTIONS = {
    "openai_compatible": openai_compatible_options,
    "transformers": transformers_options,
}
"""What an engine needs to be driven here; others run with their defaults."""


@pytest.fixture(params=engines.available("language_model"))
async def model(request):
    engine = engines.find("language_model", request.param)
    options = OPTIONS[request.param](request) if request.param in OPTIONS else {}
    try:
        model = await engine.create(engine.Options.model_validate(options))
    except EngineUnavailable as missing:
        pytest.skip(str(missing))
    yield model
    await model.close()


async def answer(model, prompt: Prompt) -> str:
    return "".join([chunk async for chunk in model.generate(prompt)])


def parse(text: str) -> tuple[Thought, str]:
    parser = StreamParser()
    thought, *reply = [*parser.feed(text), *parser.finish()]
    return thought, "".join(reply)


def test_there_is_a_language_model():
    assert engines.available("language_model")


@pytest.mark.parametrize("kind", TURNS)
@pytest.mark.parametrize("history", [(), HISTORY], ids=["first turn", "later turn"])
async def test_any_turn_gets_a_thought_and_a_reply(model, kind: str, history):
    thought, reply = parse(await answer(model, Prompt(TURNS[kind], history, "Be kind.", 1)))
    assert thought.reply_emotion in REPLY_EMOTIONS
    assert thought.linguistic
    assert reply.strip()
    assert "<" not in reply


async def test_it_streams(model):
    chunks = [chunk async for chunk in model.generate(Prompt(TURNS["plain"]))]
    assert len(chunks) > 1
    assert all(isinstance(chunk, str) for chunk in chunks)


async def test_closing_at_any_chunk_ends_it_and_leaves_the_engine_fit(model):
    prompt = Prompt(TURNS["plain"], seed=3)
    whole = [chunk async for chunk in model.generate(prompt)]
    for stop in range(len(whole) + 1):
        async with aclosing(model.generate(prompt)) as stream:
            for _ in range(stop):
                await anext(stream)
        with pytest.raises(StopAsyncIteration):
            await anext(stream)
    assert parse(await answer(model, prompt))[1].strip()


async def test_a_stream_that_was_never_started_can_be_closed(model):
    await model.generate(Prompt(TURNS["plain"])).aclose()


async def test_prompts_at_the_same_time_do_not_mix(model):
    prompts = [Prompt(turn, seed=5) for turn in TURNS.values()]
    alone = [await answer(model, prompt) for prompt in prompts]
    streams = [model.generate(prompt) for prompt in prompts]
    together = [""] * len(streams)
    open_streams = set(range(len(streams)))
    while open_streams:
        for number in sorted(open_streams):
            try:
                together[number] += await anext(streams[number])
            except StopAsyncIteration:
                open_streams.discard(number)
    assert together == alone
    assert await asyncio.gather(*(answer(model, prompt) for prompt in prompts)) == alone


async def test_the_same_seed_gives_the_same_answer(model):
    prompt = Prompt(TURNS["plain"], HISTORY, seed=11)
    assert await answer(model, prompt) == await answer(model, prompt)


async def test_closing_twice_is_harmless(model):
    await model.close()
    await model.close()
