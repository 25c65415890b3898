"""The order and the shape of what a client is told."""

from dataclasses import asdict
from itertools import count

import pytest
from realtime_fakes import ENGINES, check, ending, reply_events, speech, turn_events

from voice_agent.dialogue.events import (
    Caption,
    Considering,
    Disclosed,
    PlaybackPaused,
    PlaybackResumed,
    ReplyAudio,
    ReplyEnded,
    ReplyStarted,
    SessionFailed,
    SpeechIgnored,
    SpeechStarted,
    UserItem,
)
from voice_agent.events import Hypothesis, ReplyStatus, Thought, UserTurn
from voice_agent.transports.realtime.items import KEPT_ITEMS
from voice_agent.transports.realtime.options import Pcm, Pcmu
from voice_agent.transports.realtime.responses import Wish
from voice_agent.transports.realtime.settings import Settings
from voice_agent.transports.realtime.translation import Translation

REPLY = ("resp_1", "item_2")


def translation(**settings) -> Translation:
    return Translation("sess_1", Settings(**settings), ENGINES, lambda: 7.0)


def told(to: Translation, *events) -> list[dict]:
    numbers = count()
    messages = []
    for event in events:
        for message in to.tell(event):
            message = {"event_id": f"event_{next(numbers)}"} | message
            check(message)
            messages.append(message)
    return messages


def kinds(messages) -> list[str]:
    return [m["type"] for m in messages if not m["type"].startswith("voice_agent.")]


def one(messages, kind: str) -> dict:
    (found,) = [message for message in messages if message["type"] == kind]
    return found


def test_a_spoken_turn_comes_in_the_protocols_order():
    messages = told(translation(), *turn_events("item_1", "hello there"))
    assert kinds(messages) == [
        "input_audio_buffer.speech_started",
        "conversation.item.input_audio_transcription.delta",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.input_audio_transcription.delta",
        "conversation.item.input_audio_transcription.completed",
        "conversation.item.done",
    ]
    assert one(messages, "input_audio_buffer.speech_started")["audio_start_ms"] == 1000
    assert one(messages, "input_audio_buffer.speech_stopped")["audio_end_ms"] == 2500
    completed = one(messages, "conversation.item.input_audio_transcription.completed")
    assert completed["transcript"] == "hello there"
    assert completed["usage"] == {"type": "duration", "seconds": 1.5}
    deltas = [m["delta"] for m in messages if m["type"].endswith("transcription.delta")]
    assert "".join(deltas) == "hello there"
    assert {m["item_id"] for m in messages if "item_id" in m} == {"item_1"}
    item = one(messages, "conversation.item.done")["item"]
    assert item["status"] == "completed"
    assert item["content"] == [{"type": "input_audio", "transcript": "hello there"}]


def test_a_spoken_reply_comes_in_the_protocols_order():
    to = translation()
    told(to, *turn_events("item_1", "hello there"))
    messages = told(to, *reply_events(*REPLY, "item_1", "I hear you"))
    assert kinds(messages) == [
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_audio_transcript.delta",
        "response.output_audio.delta",
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "response.output_item.done",
        "conversation.item.done",
        "response.done",
    ]
    assert one(messages, "conversation.item.added")["previous_item_id"] == "item_1"
    done = one(messages, "response.done")["response"]
    assert done["status"] == "completed"
    assert done["output"][0]["content"] == [{"type": "output_audio", "transcript": "I hear you"}]
    assert done["usage"]["input_token_details"] == {
        "audio_tokens": 15,
        "text_tokens": 2,
        "cached_tokens": 0,
    }
    assert done["usage"]["output_token_details"] == {"audio_tokens": 10, "text_tokens": 3}
    assert done["usage"]["total_tokens"] == 30
    thought = one(messages, "voice_agent.thought")
    assert thought["thought"]["paralinguistic"] == "tone"
    assert thought["response_id"] == "resp_1"


def test_the_end_of_the_playback_adds_only_our_own_events():
    to = translation()
    told(to, *reply_events(*REPLY, None, "I hear you"))
    messages = told(to, *ending(*REPLY, "I hear you", ReplyStatus.COMPLETED))
    assert [m["type"] for m in messages] == ["voice_agent.latency"]
    assert messages[0]["response_id"] == "resp_1"
    assert messages[0]["latency_ms"]["endpoint"] == 300.0


@pytest.mark.parametrize(
    ("status", "wire", "reason"),
    [
        (ReplyStatus.INTERRUPTED, "cancelled", "turn_detected"),
        (ReplyStatus.CANCELLED, "cancelled", "client_cancelled"),
        (ReplyStatus.FAILED, "failed", None),
    ],
)
def test_a_reply_that_is_cut_short_closes_all_that_was_opened(status, wire, reason):
    to = translation()
    told(to, *reply_events(*REPLY, None, "I hear you")[:-1])
    messages = told(to, *ending(*REPLY, "I hear you", status, heard_ms=230))
    cut = status is not ReplyStatus.FAILED
    assert kinds(messages) == [
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "response.output_item.done",
        "conversation.item.done",
        "response.done",
        *(["conversation.item.truncated"] if cut else []),
    ]
    done = one(messages, "response.done")["response"]
    assert done["status"] == wire
    assert done["status_details"].get("reason") == reason
    assert done["output"][0]["status"] == "incomplete"
    if cut:
        assert one(messages, "conversation.item.truncated")["audio_end_ms"] == 230
        assert to.items.get("item_2").text == "I"


def test_an_interruption_after_all_was_sent_only_truncates():
    to = translation()
    told(to, *reply_events(*REPLY, None, "I hear you"))
    messages = told(to, *ending(*REPLY, "I hear you", ReplyStatus.INTERRUPTED, 100))
    assert kinds(messages) == ["conversation.item.truncated"]


def test_nothing_of_a_reply_is_told_after_its_end():
    to = translation()
    told(to, *reply_events(*REPLY, None, "I hear you")[:-1])
    told(to, *ending(*REPLY, "I hear you", ReplyStatus.INTERRUPTED))
    assert told(to, ReplyAudio(*REPLY, speech(0.1))) == []


def test_a_written_reply_has_text_and_no_audio():
    to = translation(modality="text")
    messages = told(to, *reply_events(*REPLY, None, "I hear you"))
    assert kinds(messages) == [
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        *["response.output_text.delta"] * 3,
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "conversation.item.done",
        "response.done",
    ]
    assert one(messages, "response.output_text.done")["text"] == "I hear you"
    assert one(messages, "response.created")["response"]["output_modalities"] == ["text"]


def test_a_wish_holds_for_one_reply():
    to = translation()
    to.wish = Wish("audio", Pcmu(type="audio/pcmu"), {"of": "mine"})
    first = told(to, *reply_events("resp_1", "item_1", None, "one"))
    second = told(to, *reply_events("resp_2", "item_2", None, "two"))
    assert one(first, "response.done")["response"]["metadata"] == {"of": "mine"}
    assert one(first, "response.created")["response"]["audio"]["output"]["format"] == {
        "type": "audio/pcmu"
    }
    assert one(second, "response.created")["response"]["metadata"] is None
    pcm = one(second, "response.created")["response"]["audio"]["output"]["format"]
    assert pcm == Pcm().model_dump()


def test_what_was_told_of_a_transcript_is_never_taken_back():
    to = translation()
    messages = told(
        to,
        SpeechStarted("item_1", 0.0),
        Caption("item_1", Hypothesis("I can", stable="I can")),
        Caption("item_1", Hypothesis("I can't go", stable="I can")),
        Caption("item_1", Hypothesis("ice cream", stable="ice")),
        UserItem("item_1", UserTurn("ice cream", turn_events("item_1", "x")[2].how)),
    )
    deltas = [m["delta"] for m in messages if m["type"].endswith("transcription.delta")]
    assert deltas == ["I can"]
    captions = [m["text"] for m in messages if m["type"] == "voice_agent.caption"]
    assert captions == ["I can", "I can't go", "ice cream"]
    assert one(messages, "conversation.item.done")["item"]["content"][0]["transcript"] == (
        "ice cream"
    )


def test_without_transcription_only_captions_are_told():
    messages = told(translation(transcribed=False), *turn_events("item_1", "hello there"))
    assert not [kind for kind in kinds(messages) if "transcription" in kind]
    assert one(messages, "voice_agent.caption")["text"] == "hello there"


def test_push_to_talk_hears_of_no_speech_but_of_the_commit():
    messages = told(translation(turn_detection=None), *turn_events("item_1", "hello there"))
    assert "input_audio_buffer.speech_started" not in kinds(messages)
    assert "input_audio_buffer.speech_stopped" not in kinds(messages)
    assert "input_audio_buffer.committed" in kinds(messages)


def test_speech_that_was_none_stops_without_an_item():
    to = translation()
    messages = told(to, SpeechStarted("item_1", 1.0), SpeechIgnored("item_1"))
    assert [m["type"] for m in messages] == [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "voice_agent.speech_ignored",
    ]
    assert messages[1]["audio_end_ms"] == 7000
    assert to.items.get("item_1") is None


def test_a_sound_that_never_counted_as_speech_is_only_our_event():
    messages = told(translation(), SpeechIgnored("item_1"))
    assert [m["type"] for m in messages] == ["voice_agent.speech_ignored"]


def test_a_pause_of_the_playback_is_told():
    to = translation()
    told(to, ReplyStarted(*REPLY, None))
    messages = told(to, PlaybackPaused(*REPLY, 120), PlaybackResumed(*REPLY))
    assert [m["type"] for m in messages] == [
        "voice_agent.playback.paused",
        "voice_agent.playback.resumed",
    ]
    assert messages[0]["heard_ms"] == 120


def test_typed_words_become_an_item_under_the_clients_own_id():
    to = translation()
    to.item_id = "mine"
    messages = told(to, UserItem("item_9", UserTurn("hello")))
    assert kinds(messages) == ["conversation.item.added", "conversation.item.done"]
    assert messages[0]["item"]["id"] == "mine"
    assert messages[0]["item"]["content"] == [{"type": "input_text", "text": "hello"}]
    assert to.items.get("mine").key == "item_9"
    assert to.items.newest == "mine"


def test_failures_are_errors_of_the_server():
    (message,) = told(translation(), SessionFailed("engine_failed", "no ears"))
    assert message["error"]["type"] == "server_error"
    assert message["error"]["code"] == "engine_failed"


def test_old_items_are_let_go():
    to = translation()
    for number in range(3 * KEPT_ITEMS):
        told(to, UserItem(f"item_{number}", UserTurn("hello")))
    assert to.items.get("item_0") is None
    assert to.items.get(f"item_{3 * KEPT_ITEMS - 1}") is not None
    assert len(to.items) == KEPT_ITEMS


def test_a_failed_reply_without_a_word_is_closed_too():
    to = translation()
    messages = told(
        to, ReplyStarted(*REPLY, None), ReplyEnded(*REPLY, ReplyStatus.FAILED, "", "", 0)
    )
    assert one(messages, "response.done")["response"]["status"] == "failed"


def test_a_draft_of_a_thought_is_told_with_all_its_fields():
    thought = Thought("They lost a job.", stimulus="my job", need="to be heard")
    (message,) = told(translation(), Considering("item_1", thought))
    assert message["type"] == "voice_agent.thought.draft"
    assert message["item_id"] == "item_1"
    assert message["thought"] == asdict(thought)


def test_what_a_person_has_to_be_told_is_told():
    (message,) = told(translation(), Disclosed("You are talking to a machine."))
    assert message["type"] == "voice_agent.disclosure"
    assert message["text"] == "You are talking to a machine."
