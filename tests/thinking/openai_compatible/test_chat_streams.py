"""What a server sends becomes text, whole characters and whole calls, and closing stops it."""

import asyncio
import json
from contextlib import aclosing, suppress

import pytest
from scripted_chat_server import chunk, saying, scripted, sending

from voice_agent.errors import EngineError
from voice_agent.events import Prompt, Tool, ToolCall, UserTurn

pytest.importorskip("openai", reason="needs the extra 'remote'")

PROMPT = Prompt(UserTurn("i lost my job"), seed=7)
WEATHER = Tool("weather", "Tells the weather.", {"type": "object", "properties": {"city": {}}})
WITH_TOOLS = Prompt(UserTurn("what is the weather"), tools=(WEATHER, Tool("time")))


async def all_of(model, prompt: Prompt = PROMPT) -> list[str | ToolCall]:
    return [piece async for piece in model.generate(prompt)]


async def test_the_text_comes_in_the_pieces_in_which_it_is_sent(engine):
    async with (
        scripted(saying("<think>x</think>", "I am", " so sorry.")) as server,
        engine(server.url) as model,
    ):
        assert await all_of(model) == ["<think>x</think>", "I am", " so sorry."]


async def test_the_request_says_what_the_options_and_the_prompt_say(engine, monkeypatch):
    monkeypatch.setenv("SOME_KEY", " secret\n")
    options = {
        "model": "large",
        "api_key_env": "SOME_KEY",
        "temperature": 0.4,
        "top_p": 0.9,
        "max_tokens": 300,
        "extra_body": {"chat_template_kwargs": {"enable_thinking": False}},
    }
    async with scripted(saying("Hm.")) as server, engine(server.url, **options) as model:
        await all_of(model)
        (request,) = [exchange.request for exchange in server.exchanges]
    body = request.body
    assert request.headers["authorization"] == "Bearer secret"
    assert (body["model"], body["seed"], body["stream"]) == ("large", 7, True)
    assert (body["temperature"], body["top_p"], body["max_tokens"]) == (0.4, 0.9, 300)
    assert body["chat_template_kwargs"] == {"enable_thinking": False}
    assert "i lost my job" in body["messages"][-1]["content"]
    assert "tools" not in body
    assert "stop" not in body


async def test_without_a_name_the_first_model_of_the_server_is_asked(engine):
    models = {"object": "list", "data": [{"id": "one"}, {"id": "two"}]}
    async with scripted(saying("Hm."), models=models) as server, engine(server.url) as model:
        await all_of(model)
        assert server.bodies[0]["model"] == "one"


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
async def test_what_a_model_reasons_on_its_own_is_dropped(engine, field):
    events = [chunk(**{field: "Let me think."}), chunk(content="Hello."), chunk(finish="stop")]
    async with scripted(sending(*events)) as server, engine(server.url) as model:
        assert await all_of(model) == ["Hello."]


async def test_a_model_that_only_reasons_is_told_from_one_that_says_nothing(engine):
    events = [chunk(reasoning_content="Let me think."), chunk(finish="length")]
    async with scripted(sending(*events)) as server, engine(server.url) as model:
        with pytest.raises(EngineError, match="enable_thinking"):
            await all_of(model)


async def test_chunks_without_a_choice_and_comments_are_passed_over(engine):
    odd = [b": keep-alive\n\n", {"id": "c", "choices": [], "usage": {"total_tokens": 3}}]
    step = sending(*odd, chunk(role="assistant"), chunk(content="Yes."), *odd, chunk(finish="stop"))
    async with scripted(step) as server, engine(server.url) as model:
        assert await all_of(model) == ["Yes."]


@pytest.mark.parametrize("cut", range(1, 4))
async def test_a_character_split_over_two_packets_comes_whole(engine, cut):
    event = f"data: {json.dumps(chunk(content='Oh 🙂.'), ensure_ascii=False)}\n\n".encode()
    middle = event.index("🙂".encode()) + cut

    async def step(exchange):
        await exchange.begin()
        await exchange.say("Well, ")
        await exchange.send(event[:middle])
        await asyncio.sleep(0.01)
        await exchange.send(event[middle:])
        await exchange.end()

    async with scripted(step) as server, engine(server.url) as model:
        assert await all_of(model) == ["Well, ", "Oh 🙂."]


async def test_a_character_split_over_two_tokens_comes_whole(engine):
    async with scripted(saying("Oh \ud83d", "\ude42.")) as server, engine(server.url) as model:
        assert await all_of(model) == ["Oh ", "🙂."]


async def test_half_a_character_is_never_given_out(engine):
    async with scripted(saying("a\ud83d", "b\ude42", "c")) as server, engine(server.url) as model:
        said = "".join(await all_of(model))
    assert said.encode()
    assert [letter for letter in said if letter.isascii()] == ["a", "b", "c"]


# --- thoughts alone -------------------------------------------------------------------------

THOUGHT = Prompt(UserTurn("i lost"), aim="thought", tools=(WEATHER,))


async def test_a_thought_is_asked_for_with_its_end_and_closed_where_the_server_leaves_it_out(
    engine,
):
    step = saying("<think><need>rest", "</need>")
    async with scripted(step) as server, engine(server.url, max_tokens=2000) as model:
        assert "".join(await all_of(model, THOUGHT)) == "<think><need>rest</need></think>"
        (body,) = server.bodies
    assert body["stop"] == ["</think>"]
    assert body["max_tokens"] < 2000
    # The tools stay in place, so that the reply begins with what the server has read already.
    assert (len(body["tools"]), body["tool_choice"]) == (1, "none")


@pytest.mark.parametrize("cut", range(len("</think>") + 1))
async def test_a_server_that_does_not_know_to_stop_is_stopped(engine, cut):
    tag = "</think>"
    gone = []

    async def step(exchange):
        await exchange.begin()
        await exchange.say("<think>a<b", tag[:cut], tag[cut:] + "And")
        await exchange.until_gone()
        gone.append(True)

    async with scripted(step) as server, engine(server.url) as model:
        assert "".join(await all_of(model, THOUGHT)) == "<think>a<b</think>"
        await asyncio.wait_for(server.exchanges[0].gone.wait(), 5)
    assert gone


async def test_a_thought_that_changes_nothing_is_empty(engine):
    step = sending(chunk(role="assistant", content=""), chunk(finish="stop"))
    async with scripted(step) as server, engine(server.url) as model:
        assert await all_of(model, THOUGHT) == []


# --- ends -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "whole"),
    [
        ("<think>x</think>I am so", "<think>x</think>I am so…"),
        ("<think>x</think>I am sorry.", "<think>x</think>I am sorry."),
        ("Yes, I", "Yes, I…"),
    ],
)
async def test_a_reply_that_was_too_long_trails_off(engine, said, whole):
    async with scripted(saying(said, reason="length")) as server, engine(server.url) as model:
        assert "".join(await all_of(model)) == whole


async def test_a_thought_that_left_no_room_for_the_reply_is_an_error(engine):
    step = saying("<think><need>to", reason="length")
    async with scripted(step) as server, engine(server.url) as model:
        with pytest.raises(EngineError, match="max_tokens"):
            await all_of(model)


async def test_an_answer_that_was_filtered_is_an_error(engine):
    step = saying("Well", reason="content_filter")
    async with scripted(step) as server, engine(server.url) as model:
        stream = model.generate(PROMPT)
        assert await anext(stream) == "Well"
        with pytest.raises(EngineError, match="content filter"):
            await anext(stream)


async def test_an_answer_is_over_with_its_end_though_the_connection_stays_open(engine):
    async def step(exchange):
        await exchange.begin()
        await exchange.say("Yes.")
        await exchange.event(chunk(finish="stop"))
        await exchange.until_gone()

    async with scripted(step) as server, engine(server.url, token_s=0.1) as model:
        assert await all_of(model) == ["Yes."]
        await asyncio.wait_for(server.exchanges[0].gone.wait(), 5)


# --- tools ----------------------------------------------------------------------------------


def piece(index: int | None = 0, id: str | None = None, name: str | None = None, arguments=None):
    function = {"name": name, "arguments": arguments}
    call = {"index": index, "id": id, "function": {k: v for k, v in function.items() if v}}
    return chunk(tool_calls=[{k: v for k, v in call.items() if v is not None}])


CALLS = {
    "in pieces": [
        piece(0, "a", "weather", ""),
        piece(0, None, None, '{"city":'),
        piece(0, None, None, ' "Rome"}'),
        piece(1, "b", "time"),
    ],
    "whole": [piece(0, "a", "weather", '{"city": "Rome"}'), piece(1, "b", "time", "{}")],
    "mixed with each other": [
        piece(0, "a", "weather"),
        piece(1, "b", "time"),
        piece(0, None, None, '{"city": "Rome"}'),
    ],
    "all with the same index": [
        piece(0, "a", "weather", '{"city":'),
        piece(0, "a", None, ' "Rome"}'),
        piece(0, "b", "time", "{}"),
    ],
    "without an index": [
        piece(None, "a", "weather", '{"city":'),
        piece(None, None, None, ' "Rome"}'),
        piece(None, "b", "time"),
    ],
    "as objects": [piece(0, "a", "weather", {"city": "Rome"}), piece(1, "b", "time")],
    "with the name again": [
        piece(0, "a", "weather", '{"city":'),
        piece(0, "a", "weather", ' "Rome"}'),
        piece(1, "b", "time", "{}"),
    ],
}


@pytest.mark.parametrize("form", CALLS)
@pytest.mark.parametrize("reason", ["tool_calls", "stop"])
async def test_calls_of_tools_come_whole(engine, form, reason):
    step = sending(chunk(content="Let me see."), *CALLS[form], chunk(finish=reason))
    async with scripted(step) as server, engine(server.url) as model:
        pieces = await all_of(model, WITH_TOOLS)
    assert pieces == [
        "Let me see.",
        ToolCall("a", "weather", '{"city": "Rome"}'),
        ToolCall("b", "time", "{}"),
    ]


async def test_calls_without_an_id_get_one_each(engine):
    calls = [piece(0, None, "time"), piece(1, None, "weather")]
    async with (
        scripted(sending(*calls, chunk(finish="tool_calls"))) as server,
        engine(server.url) as model,
    ):
        first, second = await all_of(model, WITH_TOOLS)
    assert (first.name, second.name) == ("time", "weather")
    assert first.id
    assert second.id
    assert first.id != second.id


async def test_a_call_that_was_cut_off_is_not_made(engine):
    calls = [piece(0, "a", "weather", '{"city": "Ro'), chunk(finish="length")]
    async with scripted(sending(*calls)) as server, engine(server.url) as model:
        with pytest.raises(EngineError, match="max_tokens"):
            await all_of(model, WITH_TOOLS)


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        ("auto", "auto"),
        ("none", "none"),
        ("required", "required"),
        ("time", {"type": "function", "function": {"name": "time"}}),
    ],
)
async def test_the_server_is_told_of_the_tools(engine, choice, sent):
    prompt = Prompt(UserTurn("hm"), tools=WITH_TOOLS.tools, tool_choice=choice)
    async with scripted(saying("Hm.")) as server, engine(server.url) as model:
        await all_of(model, prompt)
        (body,) = server.bodies
    weather, time = (tool["function"] for tool in body["tools"])
    assert body["tool_choice"] == sent
    assert weather["parameters"] == dict(WEATHER.parameters)
    assert (weather["name"], weather["description"]) == ("weather", "Tells the weather.")
    assert time["parameters"] == {"type": "object", "properties": {}}


# --- closing --------------------------------------------------------------------------------

WORDS = ("<think>", "x", "</think>", "I ", "am ", "sorry.")


async def stuttering(exchange):
    """Says each word, and then nothing more until the client goes."""
    await exchange.begin()
    await exchange.say(*WORDS)
    await exchange.until_gone()


@pytest.mark.parametrize("taken", range(len(WORDS) + 1))
async def test_closing_at_any_token_closes_the_connection(engine, taken):
    async with scripted(stuttering) as server, engine(server.url) as model:
        async with aclosing(model.generate(PROMPT)) as stream:
            assert [await anext(stream) for _ in range(taken)] == list(WORDS[:taken])
        if taken:
            await asyncio.wait_for(server.exchanges[0].gone.wait(), 5)
        else:
            assert not server.exchanges


@pytest.mark.parametrize("taken", range(len(WORDS) + 1))
async def test_cancelling_at_any_token_closes_the_connection(engine, taken):
    reached = asyncio.Event()

    async def slow(exchange):
        await exchange.begin()
        await exchange.say(*WORDS[:taken])
        reached.set() if not taken else None
        await exchange.until_gone()

    async def listen():
        heard = 0
        async with aclosing(model.generate(PROMPT)) as stream:
            async for _ in stream:
                heard += 1
                if heard == taken:
                    reached.set()

    async with scripted(slow) as server, engine(server.url) as model:
        task = asyncio.create_task(listen())
        await asyncio.wait_for(reached.wait(), 5)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert task.cancelled()
        await asyncio.wait_for(server.exchanges[0].gone.wait(), 5)


async def test_the_connection_of_a_finished_answer_serves_the_next(engine, chat_server):
    """A new one would cost a handshake before each answer."""
    seen = []
    async with chat_server.serve(ttft_ms=0, rate=1e6, seen=seen) as url, engine(url) as model:
        for _ in range(3):
            assert await all_of(model)
    assert len(seen) == 3
    assert len({request.port for request in seen}) == 1
