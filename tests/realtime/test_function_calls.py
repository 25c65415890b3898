"""Calls of tools on the wire, as OpenAI Realtime has them."""

from itertools import count

from realtime_fakes import ENGINES, check, ending, reply_events

from voice_agent.dialogue.events import ReplyEnded, ReplyStarted, ToolCalled
from voice_agent.events import ReplyStatus, ToolCall
from voice_agent.transports.realtime.settings import Settings
from voice_agent.transports.realtime.translation import Translation

REPLY = ("resp_1", "item_2")
CALL = ToolCall("call_1", "get_weather", '{"place": "Ulm"}')
OTHER = ToolCall("call_2", "get_weather", '{"place": "Rome"}')
TOOL = {"type": "function", "name": "get_weather", "description": "The weather somewhere."}

CALLED = [
    "response.output_item.added",
    "conversation.item.added",
    "response.function_call_arguments.delta",
    "response.function_call_arguments.done",
    "response.output_item.done",
    "conversation.item.done",
]


def told(to: Translation, *events) -> list[dict]:
    numbers = count()
    messages = [
        {"event_id": f"event_{next(numbers)}"} | message
        for event in events
        for message in to.tell(event)
    ]
    for message in messages:
        check(message)
    return [message for message in messages if not message["type"].startswith("voice_agent.")]


def translation() -> Translation:
    return Translation("sess_1", Settings(), ENGINES, lambda: 0.0)


def completed(text: str = "") -> ReplyEnded:
    return ReplyEnded(*REPLY, ReplyStatus.COMPLETED, text, text, 0)


# --- what the client is told ----------------------------------------------------------------


def test_a_reply_that_only_calls_has_no_message():
    messages = told(
        translation(), ReplyStarted(*REPLY, None), ToolCalled("resp_1", "item_3", CALL), completed()
    )
    assert [m["type"] for m in messages] == ["response.created", *CALLED, "response.done"]
    added, _, delta, done, item_done, _ = messages[1:-1]
    assert added["item"] == {
        "id": "item_3",
        "object": "realtime.item",
        "type": "function_call",
        "status": "in_progress",
        "call_id": "call_1",
        "name": "get_weather",
        "arguments": "",
    }
    assert delta["delta"] == done["arguments"] == CALL.arguments
    assert {m["output_index"] for m in (added, delta, done, item_done)} == {0}
    assert item_done["item"]["status"] == "completed"
    assert item_done["item"]["arguments"] == CALL.arguments
    response = messages[-1]["response"]
    assert response["status"] == "completed"
    assert response["output"] == [item_done["item"]]


def test_words_before_a_call_are_a_message_of_the_same_response():
    to = translation()
    started, *words, spoken = reply_events(*REPLY, None, "Let me see")
    messages = told(to, started, *words, ToolCalled("resp_1", "item_3", CALL), spoken)
    kinds = [m["type"] for m in messages]
    # The tool is at work while the words are still being spoken.
    assert kinds.index("response.function_call_arguments.done") < kinds.index(
        "response.output_audio.done"
    )
    message, call = messages[-1]["response"]["output"]
    assert message["content"] == [{"type": "output_audio", "transcript": "Let me see"}]
    assert call["call_id"] == "call_1"
    at = {m["item_id"]: m["output_index"] for m in messages if "item_id" in m}
    assert at == {"item_2": 0, "item_3": 1}
    added = [m for m in messages if m["type"] == "conversation.item.added"]
    assert [m["previous_item_id"] for m in added] == [None, "item_2"]


def test_a_reply_may_call_several_tools():
    calls = [ToolCalled("resp_1", "item_3", CALL), ToolCalled("resp_1", "item_4", OTHER)]
    messages = told(translation(), ReplyStarted(*REPLY, None), *calls, completed())
    assert [m["type"] for m in messages] == ["response.created", *CALLED, *CALLED, "response.done"]
    output = messages[-1]["response"]["output"]
    assert [item["call_id"] for item in output] == ["call_1", "call_2"]
    done = [m for m in messages if m["type"] == "response.function_call_arguments.done"]
    assert [(m["output_index"], m["call_id"]) for m in done] == [(0, "call_1"), (1, "call_2")]


def test_a_cancelled_reply_keeps_the_calls_it_has_made():
    to = translation()
    words = reply_events(*REPLY, None, "Let me see")[:-1]
    told(to, *words, ToolCalled("resp_1", "item_3", CALL))
    messages = told(to, *ending(*REPLY, "Let me see", ReplyStatus.INTERRUPTED))
    response = next(m for m in messages if m["type"] == "response.done")["response"]
    assert response["status"] == "cancelled"
    message, call = response["output"]
    assert message["status"] == "incomplete"
    assert call["status"] == "completed"
    assert to.items.get("item_3").call == CALL


# --- what the client does -------------------------------------------------------------------


async def call_a_tool(client, session, call: ToolCall = CALL) -> None:
    """The reply that is under way calls a tool."""
    session.calls[call.id] = None
    session.emit(ToolCalled(session.running[0], f"item_{call.id}", call))
    await client.until("conversation.item.done")


async def give_back(client, call: str, output: str = "12 degrees", **item) -> None:
    item |= {"type": "function_call_output", "call_id": call, "output": output}
    await client.send("conversation.item.create", item=item)


async def test_tools_reach_the_session(scene):
    client, session = await scene.client()
    await client.send("session.update", session={"type": "realtime", "tools": [TOOL]})
    updated = (await client.until("session.updated"))[-1]["session"]
    assert updated["tools"] == [TOOL]
    (tool,), choice = session.tools
    assert (tool.name, tool.description, choice) == (TOOL["name"], TOOL["description"], "auto")


async def test_tools_outlive_a_deleted_conversation(scene):
    client, _ = await scene.client()
    await client.send("session.update", session={"type": "realtime", "tools": [TOOL]})
    await client.send("voice_agent.conversation.delete")
    await client.until("voice_agent.session")
    (tool,), _ = scene.agent.opened[1].tools
    assert tool.name == TOOL["name"]


async def test_one_reply_may_have_tools_of_its_own(scene):
    client, session = await scene.client()
    chosen = {"type": "function", "name": "get_weather"}
    await client.send("response.create", response={"tools": [TOOL], "tool_choice": chosen})
    await client.until("response.created")
    ((tool,), choice) = session.offered[-1]
    assert (tool.name, choice) == ("get_weather", "get_weather")
    assert session.tools == ((), "auto")
    session.finish()
    await client.until("response.done")
    await client.send("response.create", response={"tool_choice": chosen})
    error = await client.error()
    assert (error["code"], error["param"]) == ("invalid_value", "response.tool_choice")


async def test_the_session_may_require_what_one_reply_does_not(scene):
    client, session = await scene.client()
    update = {"type": "realtime", "tools": [TOOL], "tool_choice": "required"}
    await client.send("session.update", session=update)
    await client.send("response.create", response={"tool_choice": "none"})
    await client.until("response.created")
    assert session.offered[-1][1] == "none"
    session.finish()
    await client.until("response.done")
    await client.send("response.create")
    await client.until("response.created")
    assert session.offered[-1][1] == "required"


async def test_a_result_becomes_an_item(scene):
    client, session = await scene.client()
    await client.send("response.create")
    await client.until("response.created")
    await call_a_tool(client, session)
    await give_back(client, "call_1", id="mine")
    added, done = (await client.until("conversation.item.done"))[-2:]
    assert added["type"] == "conversation.item.added"
    assert added["item"] == done["item"]
    assert done["item"] == {
        "id": "mine",
        "object": "realtime.item",
        "type": "function_call_output",
        "status": "completed",
        "call_id": "call_1",
        "output": "12 degrees",
    }
    assert session.calls == {"call_1": "12 degrees"}
    await client.send("conversation.item.retrieve", item_id="mine")
    retrieved = (await client.until("conversation.item.retrieved"))[-1]
    assert retrieved["item"] == done["item"]


async def test_a_result_of_no_call_is_refused(scene):
    client, session = await scene.client()
    await give_back(client, "call_9")
    error = await client.error()
    assert (error["code"], error["param"]) == ("invalid_tool_call_id", "item.call_id")
    assert "call_9" in error["message"]
    session.calls["call_9"] = "12 degrees"
    await give_back(client, "call_9")
    error = await client.error()
    assert (error["code"], error["param"]) == ("invalid_value", "item.call_id")


async def test_the_reply_that_called_may_be_followed_before_it_is_over(scene):
    client, session = await scene.client()
    await client.send("response.create")
    await client.until("response.created")
    await client.send("response.create")
    assert (await client.error())["code"] == "conversation_already_has_active_response"
    await call_a_tool(client, session)
    await give_back(client, "call_1")
    session.busy = True
    await client.send("response.create", response={"metadata": {"of": "mine"}})
    await client.until("conversation.item.done")
    await client.send("conversation.item.retrieve", item_id="item_call_1")
    await client.until("conversation.item.retrieved")
    session.busy = False
    session.finish()
    await client.until("response.done")
    await session.respond()
    created = (await client.until("response.created"))[-1]["response"]
    assert created["metadata"] == {"of": "mine"}


async def test_a_call_of_an_earlier_conversation_can_be_restored(scene):
    client, session = await scene.client()
    call = {"type": "function_call", "id": "mine", "call_id": "call_7", "name": "get_weather",
            "arguments": "{}"}  # fmt: skip
    await client.send("conversation.item.create", item=call)
    done = (await client.until("conversation.item.done"))[-1]["item"]
    assert (done["id"], done["call_id"], done["status"]) == ("mine", "call_7", "completed")
    await give_back(client, "call_7")
    await client.until("conversation.item.done")
    assert session.calls == {"call_7": "12 degrees"}


async def test_a_call_has_no_audio_to_truncate_and_can_be_deleted(scene):
    client, session = await scene.client()
    await client.send("response.create")
    await client.until("response.created")
    await call_a_tool(client, session)
    place = {"item_id": "item_call_1", "content_index": 0, "audio_end_ms": 0}
    await client.send("conversation.item.truncate", **place)
    assert (await client.error())["param"] == "item_id"
    await client.send("conversation.item.delete", item_id="item_call_1")
    await client.until("conversation.item.deleted")
