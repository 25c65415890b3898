"""OpenAI's own client has its tools called: the whole agent, with a model that calls them."""

import json

import pytest
import tool_calling_model
from realtime_fakes import served
from test_openai_client import of, openai, until
from tool_calling_model import CALLS, SAYS_BEFORE

from voice_agent import config
from voice_agent.agent import Agent

WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather somewhere.",
    "parameters": {
        "type": "object",
        "properties": {"place": {"type": "string"}},
        "required": ["place"],
    },
}
REPORTS = {"Ulm": "rain", "Rome": "sun"}


@pytest.fixture
async def address(tmp_path, monkeypatch):
    tool_calling_model.install(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    settings = config.load(
        "embedded",
        store__path=tmp_path / "conversations.db",
        thinking__language_model__engine="tool_calling",
    )
    agent = await Agent.create(settings)
    async with served(agent) as address:
        yield address
    await agent.close()


async def ask(connection, text: str) -> None:
    content = [{"type": "input_text", "text": text}]
    item = {"type": "message", "role": "user", "content": content}
    await connection.conversation.item.create(item=item)
    await connection.response.create()


async def run(connection, call) -> None:
    """Does what the tool does, and hands in what comes of it."""
    place = json.loads(call.arguments)["place"]
    output = {"type": "function_call_output", "call_id": call.call_id, "output": REPORTS[place]}
    await connection.conversation.item.create(item=output)


@pytest.mark.parametrize("modality", ["audio", "text"])
async def test_tools_are_called_and_their_results_told(address, modality):
    async with openai(address).realtime.connect(model="any") as connection:
        await connection.session.update(
            session={
                "type": "realtime",
                "output_modalities": [modality],
                "tools": [WEATHER],
                "tool_choice": "auto",
            }
        )
        updated = (await until(connection, "session.updated"))[-1]
        assert updated.session.tools[0].name == "get_weather"
        await ask(connection, "What is the weather like in Ulm and in Rome?")
        events = await until(connection, "response.done")
        response = events[-1].response
        assert response.status == "completed"
        message, *calls = response.output
        part = message.content[0]
        assert (part.transcript if modality == "audio" else part.text) == SAYS_BEFORE
        assert [call.type for call in calls] == ["function_call"] * 2
        done = of(events, "response.function_call_arguments.done")
        for call, event, made in zip(calls, done, CALLS, strict=True):
            assert call.call_id == event.call_id == made.id
            assert call.name == event.name == made.name
            assert call.arguments == event.arguments == made.arguments
            assert call.id == event.item_id

        for call in reversed(calls):
            await run(connection, call)
        await connection.response.create()
        events = await until(connection, "response.done")
        outputs = [
            event.item
            for event in of(events, "conversation.item.done")
            if event.item.type == "function_call_output"
        ]
        assert [item.output for item in outputs] == ["sun", "rain"]
        (message,) = events[-1].response.output
        part = message.content[0]
        said = part.transcript if modality == "audio" else part.text
        assert "I know of 2 calls." in said
        assert said.index("Ulm") < said.index("rain") < said.index("Rome") < said.index("sun")


async def test_a_client_that_answers_calls_as_they_come_needs_not_wait(address):
    """Many clients go on the moment a call is complete, without waiting for ``response.done``."""
    async with openai(address).realtime.connect(model="any") as connection:
        await connection.session.update(session={"type": "realtime", "tools": [WEATHER]})
        await ask(connection, "What is the weather like in Ulm and in Rome?")
        responses = []
        while len(responses) < 2:
            event = await connection.recv()
            assert event.type != "error", event
            if event.type == "response.function_call_arguments.done":
                await run(connection, event)
                await connection.response.create()
            elif event.type == "response.done":
                responses.append(event.response)
        called, answered = responses
        assert [response.status for response in responses] == ["completed"] * 2
        assert called.output[0].content[0].transcript == SAYS_BEFORE
        assert "rain" in answered.output[0].content[0].transcript
        assert "sun" in answered.output[0].content[0].transcript


async def test_a_result_for_no_call_is_an_error(address):
    async with openai(address).realtime.connect(model="any") as connection:
        output = {"type": "function_call_output", "call_id": "call_no", "output": "x"}
        await connection.conversation.item.create(item=output)
        error = (await until(connection, "error"))[-1].error
        assert (error.type, error.code) == ("invalid_request_error", "invalid_tool_call_id")


async def test_without_tools_nothing_is_called(address):
    async with openai(address).realtime.connect(model="any") as connection:
        await ask(connection, "What is the weather like in Ulm?")
        events = await until(connection, "response.done")
        assert [item.type for item in events[-1].response.output] == ["message"]
