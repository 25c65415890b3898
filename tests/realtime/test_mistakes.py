"""What goes wrong is told, and harms nothing else."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from realtime_client import LOUD, until

from voice_agent.errors import EngineError


@pytest.mark.parametrize(
    "message",
    [
        "{",
        "[1, 2]",
        "[" * 50_000,
        b"\x00\x01",
        '{"type": "no.such"}',
        '{"type": "input_audio_buffer.append", "audio": "!"}',
        '{"type": "input_audio_buffer.append", "audio": "AAAA"}',
        '{"type": "conversation.item.truncate", "item_id": "x", "content_index": 0, '
        '"audio_end_ms": ' + "9" * 5_000 + "}",
        '{"type": "conversation.item.delete", "item_id": "nothing"}',
    ],
)
async def test_a_bad_message_is_answered_and_does_no_harm(scene, message):
    client, session = await scene.client()
    await client.socket.send(message)
    assert (await client.error())["type"] == "invalid_request_error"
    await client.send("input_audio_buffer.append", audio=LOUD)
    await client.send("input_audio_buffer.commit")
    await client.until("conversation.item.done")
    assert not session.closed


@pytest.mark.parametrize("failure", [EngineError("no ears"), ZeroDivisionError()])
async def test_a_failure_of_the_agent_is_told_and_the_session_goes_on(scene, failure):
    client, session = await scene.client()

    def fail():
        raise failure

    session.before_feed = fail
    await client.send("input_audio_buffer.append", audio=LOUD, event_id="mine")
    error = await client.error()
    assert (error["type"], error["event_id"]) == ("server_error", "mine")
    session.before_feed = lambda: None
    await client.send("input_audio_buffer.append", audio=LOUD)
    await client.send("input_audio_buffer.commit")
    await client.until("conversation.item.done")


@pytest.mark.parametrize("scene", [{"limits": {"message_bytes": 65_536}}], indirect=True)
async def test_a_message_too_large_ends_only_its_own_connection(scene):
    client, session = await scene.client()
    other, _ = await scene.client()
    await client.send("input_audio_buffer.append", audio="A" * 70_000)
    assert (await client.closed())[0] == 1009
    await until(lambda: session.closed)
    await other.send("input_audio_buffer.append", audio=LOUD)
    await other.send("input_audio_buffer.commit")
    await other.until("conversation.item.done")


@pytest.fixture(scope="module")
def words():
    return st.sampled_from(
        [
            '{"type":"input_audio_buffer.append","audio":"' + LOUD + '"}',
            '{"type":"input_audio_buffer.append","audio":"AAA"}',
            '{"type":"input_audio_buffer.commit"}',
            '{"type":"input_audio_buffer.clear"}',
            '{"type":"response.create"}',
            '{"type":"response.cancel"}',
            '{"type":"response.create","response":{"tools":[{"type":"function","name":"x"}]}}',
            '{"type":"session.update","session":{"type":"realtime","tool_choice":"required",'
            '"tools":[{"type":"function","name":"x"}]}}',
            '{"type":"session.update","session":{"type":"realtime","tools":[]}}',
            '{"type":"conversation.item.create","item":{"type":"function_call","name":"x",'
            '"arguments":"{}","call_id":"call_1"}}',
            '{"type":"conversation.item.create","item":{"type":"function_call_output",'
            '"call_id":"call_1","output":""}}',
            '{"type":"conversation.item.delete","item_id":"item_call_1"}',
            '{"type":"conversation.item.delete","item_id":"item_said1"}',
            '{"type":"conversation.item.truncate","item_id":"item_reply1","content_index":0,'
            '"audio_end_ms":100}',
            '{"type":"session.update","session":{"type":"realtime","audio":{"input":'
            '{"turn_detection":null}}}}',
            '{"type":"session.update","session":{"type":"realtime","output_modalities":["text"]}}',
            '{"type":"voice_agent.conversation.delete"}',
            "{",
            "nonsense",
        ]
    )


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
async def test_messages_in_any_order_do_no_harm(scene, words, data):
    messages = data.draw(st.lists(words, max_size=15))
    client, _ = await scene.client()
    for message in messages:
        await client.socket.send(message)
    await client.send("conversation.item.retrieve", item_id="the end", event_id="end")
    while True:
        event = (await client.until("error"))[-1]["error"]
        assert event["code"] != "internal_error"
        if event["event_id"] == "end":
            break
    await client.socket.close()
