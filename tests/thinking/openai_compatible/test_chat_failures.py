"""A server that fails: what is tried again, what is said about it, and when it is given up."""

import asyncio
import json
import logging
import time
from email.utils import formatdate

import pytest
from scripted_chat_server import chunk, error, refusing, saying, scripted, sending

from voice_agent.errors import EngineError, EngineUnavailable
from voice_agent.events import Exchange, Prompt, UserTurn

pytest.importorskip("openai", reason="needs the extra 'remote'")

SECRET = "i lost my job"
PROMPT = Prompt(UserTurn(SECRET))
TALK = tuple(Exchange(UserTurn(f"turn {n}"), f"reply {n}") for n in range(5))
OK = saying("Hello", ".")


async def all_of(model, prompt: Prompt = PROMPT) -> str:
    return "".join([piece async for piece in model.generate(prompt)])


async def silent(exchange):
    await exchange.until_gone()


async def beginning(exchange):
    await exchange.begin()
    await exchange.event(chunk(role="assistant", content=""))
    await exchange.until_gone()


async def dying(exchange):
    """Hangs up without a word."""


async def dying_after_the_status(exchange):
    await exchange.begin()


def dying_after(*texts: str):
    async def step(exchange):
        await exchange.begin()
        await exchange.say(*texts)

    return step


async def dying_in_a_body(exchange):
    """Has announced more than it sends."""
    event = f"data: {json.dumps(chunk(content='Hello'))}\n\n"
    await exchange.send(f"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{event}".encode())


# --- time -----------------------------------------------------------------------------------


@pytest.mark.parametrize("step", [silent, beginning])
async def test_a_first_token_that_does_not_come_is_given_up(engine, step):
    async with scripted(step) as server, engine(server.url, first_token_s=0.1) as model:
        with pytest.raises(EngineError, match=r"no token within 0.1 s.*`first_token_s`"):
            await all_of(model)
        await asyncio.wait_for(server.exchanges[0].gone.wait(), 5)
        assert len(server.exchanges) == 1


async def test_a_stall_between_tokens_is_given_up(engine):
    async def step(exchange):
        await exchange.begin()
        await exchange.say("Hello")
        await exchange.until_gone()

    async with scripted(step) as server, engine(server.url, token_s=0.05) as model:
        stream = model.generate(PROMPT)
        assert await anext(stream) == "Hello"
        with pytest.raises(EngineError, match="`token_s`"):
            await anext(stream)
        await asyncio.wait_for(server.exchanges[0].gone.wait(), 5)
        assert len(server.exchanges) == 1


async def test_the_time_a_listener_takes_is_not_counted(engine):
    async with scripted(saying("a", "b", "c")) as server, engine(server.url, token_s=0.5) as model:
        stream = model.generate(PROMPT)
        said = await anext(stream)
        await asyncio.sleep(0.6)
        assert said + "".join([piece async for piece in stream]) == "abc"


# --- once more ------------------------------------------------------------------------------

PASSING = {
    "hangs up": dying,
    "hangs up after the status": dying_after_the_status,
    "timeout": refusing(408, error("too slow")),
    "conflict": refusing(409, error("busy")),
    "too many": refusing(429, error("wait"), Retry_After="0"),
    "internal": refusing(500, error("oops")),
    "bad gateway": refusing(502, b"<html>Bad gateway</html>"),
    "still loading": refusing(503, error("Loading model")),
    "error in place of a token": sending({"error": {"message": "out of memory", "code": 500}}),
}


@pytest.mark.parametrize("failure", PASSING)
async def test_what_fails_before_the_first_token_is_asked_again(engine, failure):
    async with scripted(PASSING[failure], OK) as server, engine(server.url) as model:
        assert await all_of(model) == "Hello."
        assert len(server.exchanges) == 2


@pytest.mark.parametrize("failure", PASSING)
async def test_but_not_for_ever(engine, failure):
    async with scripted(PASSING[failure]) as server, engine(server.url, retries=1) as model:
        with pytest.raises(EngineError):
            await all_of(model)
        assert len(server.exchanges) == 2


@pytest.mark.parametrize(
    "headers",
    [
        {"Retry_After": "0.2"},
        {"retry_after_ms": "200"},
    ],
)
async def test_a_server_is_asked_again_when_it_wants_to_be(engine, headers):
    async with (
        scripted(refusing(429, error("wait"), **headers), OK) as server,
        engine(server.url) as model,
    ):
        began = time.monotonic()
        assert await all_of(model) == "Hello."
        assert time.monotonic() - began >= 0.2


@pytest.mark.parametrize("later", ["60", formatdate(time.time() + 3600, usegmt=True)])
async def test_a_server_that_wants_more_time_than_there_is_is_given_up_at_once(engine, later):
    step = refusing(429, error("wait"), Retry_After=later)
    async with scripted(step) as server, engine(server.url, first_token_s=20) as model:
        began = time.monotonic()
        with pytest.raises(EngineError, match="429"):
            await all_of(model)
        assert time.monotonic() - began < 5
        assert len(server.exchanges) == 1


@pytest.mark.parametrize(
    ("step", "match"),
    [
        (dying_after("Hello"), "broke off"),
        (dying_in_a_body, "connection"),
        (sending(chunk(content="Hello"), {"error": {"message": "out of memory"}}), "out of memory"),
        (sending(chunk(content="Hello"), b"data: {oops\n\n"), "no chat completion"),
        (sending(chunk(content="Hello"), b'data: {"choices": "\xf0\x9f'), "broke off|no chat"),
    ],
    ids=["hangs up", "hangs up in a body", "error", "garbage", "half a character"],
)
async def test_nothing_is_asked_again_once_something_was_said(engine, step, match):
    async with scripted(step, OK) as server, engine(server.url, retries=5) as model:
        stream = model.generate(PROMPT)
        assert await anext(stream) == "Hello"
        with pytest.raises(EngineError, match=match):
            await anext(stream)
        assert len(server.exchanges) == 1


# --- what a server does not take ------------------------------------------------------------

TOO_LONG = {
    "vLLM": (400, "This model's maximum context length is 2048 tokens. However, you requested 9."),
    "llama.cpp": (400, "the request exceeds the available context size, try increasing it"),
    "SGLang": (400, "The input (9 tokens) is longer than the model's context length (4 tokens)."),
    "OpenAI": (400, "Please reduce the length of the messages."),
}


@pytest.mark.parametrize("server_of", TOO_LONG)
async def test_a_conversation_that_is_too_long_loses_its_older_half(engine, server_of):
    status, message = TOO_LONG[server_of]
    refusal = refusing(status, error(message, code="context_length_exceeded"))
    async with scripted(refusal, OK) as server, engine(server.url, retries=0) as model:
        assert await all_of(model, Prompt(UserTurn("now"), TALK)) == "Hello."
        before, after = (str(body["messages"]) for body in server.bodies)
    assert all(f"turn {n}" in before for n in range(5))
    assert [n for n in range(5) if f"turn {n}" in after] == [3, 4]
    assert "<words>now</words>" in after


@pytest.mark.parametrize("message", [message for _, message in TOO_LONG.values()][:3])
async def test_the_message_alone_tells_that_it_is_too_long(engine, message):
    as_event = sending({"error": {"message": message}})
    for refusal in (refusing(400, error(message)), as_event):
        async with scripted(refusal, OK) as server, engine(server.url, retries=0) as model:
            assert await all_of(model, Prompt(UserTurn("now"), TALK)) == "Hello."


@pytest.mark.parametrize(("history", "asked"), [(TALK, 2), ((), 1)])
async def test_it_is_shortened_only_once(engine, history, asked):
    refusal = refusing(400, error("maximum context length is 5 tokens"))
    async with scripted(refusal) as server, engine(server.url) as model:
        with pytest.raises(EngineError, match=r"limits\.history_turns"):
            await all_of(model, Prompt(UserTurn("now"), history))
        assert len(server.exchanges) == asked


async def test_a_parameter_that_a_server_does_not_know_is_left_out_from_then_on(engine):
    def unsupported(name):
        return refusing(400, error("Unsupported", code="unsupported_parameter", param=name))

    steps = (unsupported("max_tokens"), unsupported("temperature"), OK)
    async with scripted(*steps) as server, engine(server.url, temperature=0.1) as model:
        assert await all_of(model) == "Hello."
        assert await all_of(model) == "Hello."
        *_, last = server.bodies
        assert len(server.bodies) == 4
    assert last["max_completion_tokens"] == 800
    assert "max_tokens" not in last
    assert "temperature" not in last


async def test_an_extra_parameter_is_found_in_a_list_of_what_is_wrong(engine):
    detail = [{"type": "extra_forbidden", "loc": ["body", "seed"], "msg": "no", "input": 1}]
    async with (
        scripted(refusing(422, {"detail": detail}), OK) as server,
        engine(server.url) as model,
    ):
        assert await all_of(model) == "Hello."
        assert "seed" not in server.bodies[1]


async def test_a_value_that_is_wrong_is_told_and_not_left_out(engine):
    refusal = refusing(400, error("temperature is too high", param="temperature", code="too_big"))
    async with scripted(refusal) as server, engine(server.url, temperature=2) as model:
        with pytest.raises(EngineError, match="temperature is too high"):
            await all_of(model)
        assert len(server.exchanges) == 1


@pytest.mark.parametrize("status", [401, 403])
async def test_a_wrong_key_is_told_without_showing_it(engine, status):
    refusal = refusing(status, error("Incorrect API key provided: sk-secret"))
    async with scripted(refusal) as server, engine(server.url, api_key="sk-secret") as model:
        with pytest.raises(EngineUnavailable, match="api_key_env") as told:
            await all_of(model)
        assert "sk-secret" not in str(told.value)
        assert "sk-secret" not in repr(model._options)
        assert len(server.exchanges) == 1


async def test_an_unknown_model_is_told_with_those_that_there_are(engine):
    models = {"object": "list", "data": [{"id": "qwen"}, {"id": "llama"}]}
    async with (
        scripted(refusing(404, error("no such model")), models=models) as server,
        engine(server.url, model="gwen") as model,
    ):
        with pytest.raises(EngineUnavailable, match=r"'gwen'.*llama, qwen"):
            await all_of(model)


async def test_an_address_without_chat_completions_is_told(engine):
    async with (
        scripted(refusing(404, b"<html>not here</html>"), models_status=404) as server,
        engine(server.url, model="gwen") as model,
    ):
        with pytest.raises(EngineUnavailable, match="base_url"):
            await all_of(model)


async def test_an_account_without_credit_is_not_asked_again(engine):
    refusal = refusing(429, error("You exceeded your quota", code="insufficient_quota"))
    async with scripted(refusal) as server, engine(server.url) as model:
        with pytest.raises(EngineUnavailable, match="credit"):
            await all_of(model)
        assert len(server.exchanges) == 1


GARBAGE = {
    "html": refusing(200, b"<html>Welcome</html>"),
    "json": refusing(200, {"hello": "there"}),
    "no json": sending(b"data: {oops\n\n"),
    "a number": sending(5),
    "a list": sending([1, 2]),
    "choices of text": sending({"choices": "none"}),
    "content of numbers": sending(chunk(content=[1, 2])),
    "broken bytes": sending(b'data: {"choices": "\xff\xfe"}\n\n'),
}


@pytest.mark.parametrize("kind", GARBAGE)
async def test_garbage_is_told_from_an_answer(engine, kind):
    async with scripted(GARBAGE[kind]) as server, engine(server.url, retries=0) as model:
        with pytest.raises(EngineError, match="base_url"):
            await all_of(model)


async def test_neither_errors_nor_logs_hold_what_was_said(engine, caplog):
    caplog.set_level(logging.DEBUG, logger="voice_agent")
    echo = {"detail": [{"msg": "wrong", "loc": ["body"], "input": {"messages": SECRET}}]}
    steps = (refusing(422, echo), refusing(500, error(f"failed: {'x' * 500}")))
    for step in steps:
        async with scripted(step) as server, engine(server.url, retries=1) as model:
            with pytest.raises(EngineError) as told:
                await all_of(model)
            logging.getLogger("voice_agent").warning("failed", exc_info=told.value)
            assert len(str(told.value)) < 400
    assert SECRET not in caplog.text


# --- from the beginning ---------------------------------------------------------------------


async def test_a_server_that_is_not_there_is_told_at_once(engine, unused_tcp_port):
    with pytest.raises(EngineUnavailable, match="start a server there"):
        async with engine(f"http://127.0.0.1:{unused_tcp_port}/v1"):
            pass


async def test_a_server_that_goes_away_is_told(engine):
    async with scripted(OK) as server:
        url = server.url
        opened = engine(url, retries=0)
        model = await opened.__aenter__()
    with pytest.raises(EngineError, match=url):
        await all_of(model)
    await opened.__aexit__(None, None, None)


@pytest.mark.parametrize(
    ("settings", "options", "match"),
    [
        ({"models_status": 401}, {}, "api_key_env"),
        ({"models_status": 404}, {}, "`model`"),
        ({"models": {"object": "list", "data": []}}, {}, "`model`"),
        ({"models": b"<html>Welcome</html>"}, {}, "base_url"),
        ({"models_status": 503, "models": error("Loading model")}, {}, "Loading model"),
        ({}, {"api_key_env": "NO_SUCH_VARIABLE"}, "NO_SUCH_VARIABLE"),
        ({}, {"api_key": "schlüssel"}, "characters"),
    ],
    ids=["key", "no list", "empty list", "garbage", "loading", "no variable", "odd key"],
)
async def test_what_is_wrong_is_told_before_the_first_turn(engine, settings, options, match):
    async with scripted(OK, **settings) as server:
        with pytest.raises(EngineUnavailable, match=match):
            async with engine(server.url, **options):
                pass


@pytest.mark.parametrize("status", [404, 500])
async def test_a_server_that_lists_no_models_serves_one_that_is_named(engine, status):
    async with (
        scripted(OK, models_status=status) as server,
        engine(server.url, model="mine") as model,
    ):
        assert await all_of(model) == "Hello."
        assert server.bodies[0]["model"] == "mine"


# --- prefill --------------------------------------------------------------------------------


async def test_the_server_reads_ahead_when_it_is_told_to(engine):
    whole = {"id": "c", "choices": [{"index": 0, "message": {"role": "assistant", "content": "H"}}]}
    prompt = Prompt(UserTurn(""), TALK)
    async with scripted(refusing(200, whole)) as server:
        async with engine(server.url) as model:
            await model.prepare(prompt)
            assert not server.exchanges
        async with engine(server.url, prefill=True) as model:
            await model.prepare(prompt)
            (body,) = server.bodies
    assert body["max_tokens"] == 1
    assert not body.get("stream")
    assert "turn 4" in str(body["messages"])


@pytest.mark.parametrize("step", [dying, silent, refusing(500, error("oops")), refusing(200, b"")])
async def test_reading_ahead_never_fails(engine, step):
    async with (
        scripted(step) as server,
        engine(server.url, prefill=True, first_token_s=0.1) as model,
    ):
        await model.prepare(PROMPT)
        assert len(server.exchanges) == 1
