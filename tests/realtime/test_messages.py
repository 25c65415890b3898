"""What a client may send, and what it is told where that is wrong."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice_agent.events import Tool
from voice_agent.transports.realtime.protocol import (
    APPEND_BYTES,
    AppendAudio,
    CreateItem,
    RequestError,
    UpdateSession,
    parse,
)


def refused(message) -> RequestError:
    text = message if isinstance(message, str) else json.dumps(message)
    with pytest.raises(RequestError) as caught:
        parse(text)
    return caught.value


def update(**session) -> dict:
    return {"type": "session.update", "event_id": "mine", "session": {"type": "realtime"} | session}


TOOL = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather somewhere.",
    "parameters": {"type": "object", "properties": {"place": {"type": "string"}}},
}


def test_tools_are_read():
    event = parse(json.dumps(update(tools=[TOOL, {"type": "function", "name": "hang_up"}])))
    assert isinstance(event, UpdateSession)
    weather, hang_up = (tool.tool() for tool in event.session.tools)
    assert weather == Tool("get_weather", "The weather somewhere.", TOOL["parameters"])
    assert hang_up == Tool("hang_up", "", {"type": "object", "properties": {}})


def test_an_append_is_read():
    event = parse('{"type": "input_audio_buffer.append", "audio": "AAAA", "event_id": "e"}')
    assert event == AppendAudio(type="input_audio_buffer.append", audio="AAAA", event_id="e")


def test_what_stock_clients_send_by_default_is_taken():
    event = parse(
        json.dumps(
            update(
                model="gpt-realtime",
                instructions="Be kind.",
                output_modalities=["audio"],
                audio={
                    "input": {
                        "format": {"type": "audio/pcm", "rate": 24000},
                        "transcription": {"model": "gpt-4o-mini-transcribe", "language": "en"},
                        "noise_reduction": None,
                        "turn_detection": {"type": "semantic_vad", "eagerness": "high"},
                    },
                    "output": {"format": {"type": "audio/pcm"}, "voice": "marin", "speed": 1.0},
                },
                tools=[],
                tool_choice="auto",
                max_output_tokens="inf",
                tracing=None,
                truncation="auto",
                include=None,
                prompt=None,
            )
        )
    )
    assert isinstance(event, UpdateSession)
    assert event.session.audio.input.turn_detection.eagerness == "high"


@pytest.mark.parametrize(
    ("message", "code", "param"),
    [
        ("{", "invalid_json", None),
        ("", "invalid_json", None),
        ("[" * 100_000, "invalid_json", None),
        ('{"a":' * 100_000, "invalid_json", None),
        ("[]", "invalid_type", None),
        ("null", "invalid_type", None),
        ({}, "missing_required_parameter", "type"),
        ({"type": "no.such"}, "invalid_value", "type"),
        ({"type": 5}, "invalid_value", "type"),
        ({"type": "session.update"}, "missing_required_parameter", "session"),
        ({"type": "input_audio_buffer.append", "audio": 5}, "invalid_type", "audio"),
        ({"type": "input_audio_buffer.commit", "more": 1}, "unknown_parameter", "more"),
        (update(tool=[]), "unknown_parameter", "session.tool"),
        (update(tools=[TOOL | {"type": "mcp"}]), "unsupported_value", "session.tools[0].type"),
        (
            update(tools=[{"type": "function"}]),
            "missing_required_parameter",
            "session.tools[0].name",
        ),
        (update(tools=[TOOL | {"name": "a b"}]), "invalid_value", "session.tools[0].name"),
        (update(tools=[TOOL | {"name": "auto"}]), "invalid_value", "session.tools"),
        (update(tools=[TOOL, TOOL]), "invalid_value", "session.tools"),
        (update(tool_choice="always"), "invalid_value", "session.tool_choice"),
        (
            update(tool_choice={"type": "mcp", "server_label": "x"}),
            "unsupported_value",
            "session.tool_choice.type",
        ),
        (update(parallel_tool_calls=False), "unsupported_value", "session.parallel_tool_calls"),
        (
            {"type": "response.create", "response": {"tools": [TOOL | {"type": "mcp"}]}},
            "unsupported_value",
            "response.tools[0].type",
        ),
        (
            {"type": "conversation.item.create", "item": {"type": "item_reference"}},
            "invalid_value",
            "item.type",
        ),
        (
            {
                "type": "conversation.item.create",
                "item": {"type": "function_call_output", "output": "12 degrees"},
            },
            "missing_required_parameter",
            "item.call_id",
        ),
        (
            {
                "type": "conversation.item.create",
                "item": {"type": "function_call_output", "call_id": "c", "output": "x" * 100_001},
            },
            "invalid_value",
            "item.output",
        ),
        (update(max_output_tokens=9), "unsupported_value", "session.max_output_tokens"),
        (update(output_modalities=["video"]), "invalid_value", "session.output_modalities[0]"),
        (update(output_modalities=[]), "invalid_value", "session.output_modalities"),
        (
            update(audio={"input": {"turn_detection": {"type": "server_vad", "threshold": 2}}}),
            "invalid_value",
            "session.audio.input.turn_detection.threshold",
        ),
        (
            update(audio={"input": {"turn_detection": {"type": "magic"}}}),
            "invalid_value",
            "session.audio.input.turn_detection.type",
        ),
        (
            update(audio={"input": {"format": {"type": "audio/pcm", "rate": 16000}}}),
            "invalid_value",
            "session.audio.input.format.rate",
        ),
        (
            update(audio={"output": {"speed": 1.5}}),
            "unsupported_value",
            "session.audio.output.speed",
        ),
        (
            {
                "type": "conversation.item.create",
                "item": {"type": "message", "role": "system", "content": []},
            },
            "unsupported_value",
            "item.role",
        ),
        (
            {
                "type": "conversation.item.create",
                "item": {"type": "message", "role": "user", "content": [{"type": "input_text"}]},
            },
            "missing_required_parameter",
            "item.content[0].text",
        ),
        (
            {
                "type": "conversation.item.truncate",
                "item_id": "i",
                "content_index": 0,
                "audio_end_ms": 10**400,
            },
            "invalid_value",
            "audio_end_ms",
        ),
        (
            {
                "type": "conversation.item.truncate",
                "item_id": "i",
                "content_index": 0,
                "audio_end_ms": True,
            },
            "invalid_type",
            "audio_end_ms",
        ),
        ({"type": "response.create", "response": {"input": []}}, "unsupported_value",
         "response.input"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(message, code, param):
    refusal = refused(message)
    assert (refusal.code, refusal.param) == (code, param)
    assert refusal.message


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
def test_numbers_are_finite(number):
    refusal = refused(
        '{"type":"session.update","session":{"type":"realtime","audio":{"input":{"turn_detection":'
        f'{{"type":"server_vad","threshold":{number}}}}}}}}}}}'
    )
    assert refusal.code in ("invalid_value", "invalid_json")


def test_the_clients_own_id_is_told_back():
    assert refused(update(nothing=1)).event_id == "mine"
    assert refused('{"type": "no.such", "event_id": 7}').event_id is None


def test_what_is_told_back_is_short():
    refusal = refused({"type": "x" * 100_000})
    assert len(refusal.message) < 1_000
    refusal = refused({"type": "response.cancel", "y" * 100_000: 1})
    assert len(refusal.message) + len(refusal.param) < 2_000


def test_audio_beyond_15_mib_is_refused():
    limit = APPEND_BYTES * 4 // 3
    audio = {"type": "input_audio_buffer.append", "audio": "A" * limit}
    assert len(parse(json.dumps(audio)).audio) == limit
    audio["audio"] += "AAAA"
    assert refused(audio).param == "audio"


def test_a_huge_message_of_many_values_is_not_even_read():
    refusal = refused('{"type":"session.update","session":[' + "0," * 1_000_000 + "0]}")
    assert refusal.code == "invalid_message"


def test_items_hold_text_or_audio():
    content = [{"type": "input_audio", "audio": "AAAA", "transcript": None}]
    item = {"type": "message", "role": "user", "id": "mine", "content": content}
    event = parse(json.dumps({"type": "conversation.item.create", "item": item}))
    assert isinstance(event, CreateItem)
    assert event.item.id == "mine"


_KNOWN = st.sampled_from(
    "type event_id session audio input output format turn_detection item item_id content role id "
    "content_index audio_end_ms response instructions threshold session.update realtime message "
    "input_audio_buffer.append conversation.item.create response.create server_vad input_text "
    "conversation.item.truncate user text tools tool_choice function name parameters call_id "
    "function_call function_call_output output arguments".split()
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | _KNOWN,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(_KNOWN | st.text(max_size=5), inner, max_size=6)
    ),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None)
@given(message=st.dictionaries(_KNOWN, _JSON, max_size=6) | _JSON)
def test_any_json_is_either_an_event_or_refused(message):
    try:
        event = parse(json.dumps(message))
    except RequestError as refusal:
        event = refusal
    assert event.message if isinstance(event, RequestError) else event.type


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=200))
def test_any_text_is_refused_without_a_crash(text):
    with pytest.raises(RequestError):
        parse(text)
