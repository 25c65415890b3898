"""What a client can do with its own turns and the agent's."""

from base64 import b64encode

import numpy as np
from realtime_client import LOUD
from realtime_fakes import ending, reply_events, turn_events

from voice_agent.events import ReplyStatus


async def test_audio_reaches_the_session(scene):
    client, session = await scene.client()
    for _ in range(5):
        await client.send("input_audio_buffer.append", audio=LOUD)
    await client.send("input_audio_buffer.commit")
    events = await client.until("conversation.item.done")
    assert "input_audio_buffer.committed" in [event["type"] for event in events]
    heard = np.concatenate(session.fed)
    assert heard.size == 8_000
    assert np.abs(heard[500:-500] - 0.5).max() < 0.01


async def test_an_empty_commit_is_refused(scene):
    client, _ = await scene.client()
    await client.send("input_audio_buffer.commit", event_id="mine")
    error = await client.error()
    assert error["code"] == "input_audio_buffer_commit_empty"
    assert error["event_id"] == "mine"


async def test_clear_forgets(scene):
    client, session = await scene.client()
    await client.send("input_audio_buffer.append", audio=LOUD)
    await client.send("input_audio_buffer.clear")
    await client.until("input_audio_buffer.cleared")
    assert session.fed == []


async def test_what_the_session_tells_is_told_in_order(scene):
    client, session = await scene.client()
    session.tell(turn_events("item_1", "hello there"))
    session.tell(reply_events("resp_1", "item_2", "item_1", "I hear you"))
    session.tell(ending("resp_1", "item_2", "I hear you", ReplyStatus.COMPLETED))
    events = await client.until("voice_agent.latency")
    kinds = [event["type"] for event in events]
    assert kinds.index("conversation.item.done") < kinds.index("response.created")
    assert kinds.index("response.output_audio.delta") < kinds.index("response.done")
    assert len({event["event_id"] for event in events}) == len(events)


async def test_a_typed_turn_is_answered(scene):
    client, session = await scene.client()
    content = [{"type": "input_text", "text": "hello"}]
    item = {"type": "message", "role": "user", "id": "mine", "content": content}
    await client.send("conversation.item.create", item=item)
    added = (await client.until("conversation.item.done"))[-1]
    assert added["item"]["id"] == "mine"
    await client.send("response.create", response={"instructions": "Be brief."})
    await client.until("response.content_part.added")
    assert session.asked == ["Be brief."]
    session.finish()
    done = (await client.until("response.done"))[-1]["response"]
    assert done["status"] == "completed"


async def test_a_recorded_turn_is_heard_as_one_item(scene):
    client, session = await scene.client()
    item = {"type": "message", "role": "user", "id": "mine"}
    await client.send(
        "conversation.item.create",
        item=item | {"content": [{"type": "input_audio", "audio": LOUD}]},
    )
    events = await client.until("conversation.item.done")
    assert events[-1]["item"]["id"] == "mine"
    assert events[-1]["item"]["content"][0]["type"] == "input_audio"
    kinds = [event["type"] for event in events]
    assert not [kind for kind in kinds if kind.startswith("input_audio_buffer")]
    assert {event["item_id"] for event in events if "item_id" in event} == {"mine"}
    assert session.turn_taking.automatic


async def test_silence_is_no_item(scene):
    client, session = await scene.client()
    audio = b64encode(bytes(4_800)).decode()
    content = [{"type": "input_audio", "audio": audio}]
    item = {"type": "message", "role": "user", "content": content}
    await client.send("conversation.item.create", item=item)
    assert (await client.error())["code"] == "invalid_audio"
    assert session.turn_taking.automatic


async def test_items_can_be_retrieved_and_deleted(scene):
    client, session = await scene.client()
    session.tell(turn_events("item_1", "hello there"))
    await client.until("conversation.item.done")
    await client.send("conversation.item.retrieve", item_id="item_1")
    retrieved = (await client.until("conversation.item.retrieved"))[-1]
    assert retrieved["item"]["content"][0]["transcript"] == "hello there"
    await client.send("conversation.item.delete", item_id="item_1")
    await client.until("conversation.item.deleted")
    for request in ("retrieve", "delete"):
        await client.send(f"conversation.item.{request}", item_id="item_1")
        assert (await client.error())["code"] == "item_not_found"


async def test_one_response_at_a_time(scene):
    client, session = await scene.client()
    await client.send("response.create")
    await client.until("response.created")
    await client.send("response.create")
    error = await client.error()
    assert error["code"] == "conversation_already_has_active_response"
    session.finish()
    await client.until("response.done")
    await client.send("response.create")
    await client.until("response.created")


async def test_a_response_is_cancelled(scene):
    client, _ = await scene.client()
    await client.send("response.cancel")
    assert (await client.error())["code"] == "response_cancel_not_active"
    await client.send("response.create")
    await client.until("response.created")
    await client.send("response.cancel", response_id="resp_other")
    assert (await client.error())["param"] == "response_id"
    await client.send("response.cancel", response_id="resp_1")
    done = (await client.until("response.done"))[-1]["response"]
    assert done["status_details"] == {"type": "cancelled", "reason": "client_cancelled"}


async def test_one_reply_in_text(scene):
    client, session = await scene.client()
    await client.send("response.create", response={"output_modalities": ["text"]})
    await client.until("response.output_text.delta")
    assert session.aloud == [False]
    assert session.turn_taking.aloud
    session.finish()
    done = (await client.until("response.done"))[-1]["response"]
    assert done["output"][0]["content"] == [{"type": "output_text", "text": "I hear you"}]


async def test_truncating_takes_the_transcript_back(scene):
    client, session = await scene.client()
    await client.send("response.create")
    await client.until("response.created")
    session.finish()
    await client.until("voice_agent.latency")
    truncate = {"item_id": "item_reply1", "content_index": 0}
    await client.send("conversation.item.truncate", **truncate, audio_end_ms=9_000)
    assert (await client.error())["param"] == "audio_end_ms"
    await client.send("conversation.item.truncate", **truncate, audio_end_ms=200)
    assert (await client.until("conversation.item.truncated"))[-1]["audio_end_ms"] == 200
    await client.send("conversation.item.retrieve", item_id="item_reply1")
    assert (await client.until("conversation.item.retrieved"))[-1]["item"]["content"] == []


async def test_an_update_reaches_the_session(scene):
    client, session = await scene.client()
    detection = {"type": "server_vad", "silence_duration_ms": 600, "threshold": 0.7,
                 "create_response": False}  # fmt: skip
    await client.send(
        "session.update",
        session={
            "type": "realtime",
            "instructions": "Be kind.",
            "audio": {"input": {"turn_detection": detection}},
        },
    )
    updated = (await client.until("session.updated"))[-1]["session"]
    assert updated["instructions"] == "Be kind."
    assert updated["audio"]["input"]["turn_detection"]["silence_duration_ms"] == 600
    assert session.instructions == "Be kind."
    vad, endpointing = session.hearing
    assert (vad.threshold, endpointing.max_wait_ms) == (0.7, 600)
    assert not session.turn_taking.create_response


async def test_a_refused_update_changes_nothing(scene):
    client, session = await scene.client()
    before = session.turn_taking
    await client.send(
        "session.update",
        event_id="mine",
        session={"type": "realtime", "instructions": "x", "tools": [{"type": "mcp"}]},
    )
    error = await client.error()
    assert (error["code"], error["event_id"]) == ("unsupported_value", "mine")
    assert session.instructions == ""
    assert session.turn_taking == before
