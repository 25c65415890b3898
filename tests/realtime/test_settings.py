"""What a client asks of the session, and what it means for the dialogue."""

import pytest
from realtime_fakes import ENGINES, check

from voice_agent.dialogue.turn import TurnTaking
from voice_agent.settings import Endpointing, Vad
from voice_agent.transports.realtime.options import SessionUpdate
from voice_agent.transports.realtime.protocol import RequestError
from voice_agent.transports.realtime.settings import Settings

WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather somewhere.",
    "parameters": {"type": "object", "properties": {"place": {"type": "string"}}},
}
HANG_UP = {"type": "function", "name": "hang_up"}


def updated(settings=None, **session) -> Settings:
    update = SessionUpdate.model_validate({"type": "realtime"} | session)
    return (settings or Settings()).updated(update)


def heard(**input) -> dict:
    return {"audio": {"input": input}}


def test_by_default_turns_end_adaptively():
    settings, configured = Settings(), Endpointing()
    assert settings.endpointing(configured) is configured
    assert settings.vad(Vad()) == Vad()
    taking = settings.turn_taking()
    assert (taking.automatic, taking.create_response, taking.interrupt_response) == (True,) * 3


def test_a_named_silence_is_waited_for_exactly():
    settings = updated(**heard(turn_detection={"type": "server_vad", "silence_duration_ms": 700}))
    endpointing = settings.endpointing(Endpointing())
    assert endpointing.min_wait_ms == endpointing.max_wait_ms == 700
    assert endpointing.likely_ms <= 700


def test_server_vad_without_a_silence_adapts():
    settings = updated(**heard(turn_detection={"type": "server_vad", "threshold": 0.7,
                                               "prefix_padding_ms": 250}))  # fmt: skip
    assert settings.endpointing(Endpointing()) == Endpointing()
    vad = settings.vad(Vad())
    assert (vad.threshold, vad.preroll_ms) == (0.7, 250)


def test_eagerness_moves_the_wait():
    def wait(eagerness):
        asked = {"type": "semantic_vad", "eagerness": eagerness}
        return updated(**heard(turn_detection=asked)).endpointing(Endpointing())

    low, medium, high = wait("low"), wait("medium"), wait("high")
    assert low.max_wait_ms > medium.max_wait_ms > high.max_wait_ms
    assert low.eagerness < medium.eagerness < high.eagerness
    assert wait("auto") == Endpointing()


def test_no_turn_detection_is_push_to_talk():
    taking = updated(**heard(turn_detection=None)).turn_taking()
    assert taking == TurnTaking(False, False, False)


def test_what_is_left_out_stays():
    first = updated(
        instructions="Be brief.",
        output_modalities=["text"],
        **heard(turn_detection=None, transcription=None, format={"type": "audio/pcmu"}),
    )
    assert updated(first) == first
    assert updated(first, audio={"output": {"voice": "marin"}}) == first
    assert updated(first, instructions="").instructions == ""


def test_text_replies_are_not_aloud():
    assert not updated(output_modalities=["text"]).turn_taking().aloud
    assert updated(output_modalities=["audio"]).turn_taking().aloud


@pytest.mark.parametrize(
    "session",
    [
        {},
        heard(turn_detection=None, transcription=None),
        heard(turn_detection={"type": "server_vad", "silence_duration_ms": 400}),
        {"output_modalities": ["text"], "instructions": "x"},
        heard(format={"type": "audio/pcma"}),
        {"tools": [WEATHER, HANG_UP], "tool_choice": "required"},
        {"tools": [WEATHER], "tool_choice": {"type": "function", "name": "get_weather"}},
    ],
)
def test_the_session_object_is_the_protocols(session):
    described = updated(**session).describe("sess_1", 2_000_000_000, ENGINES)
    check({"type": "session.updated", "event_id": "e", "session": described})


def test_the_session_object_names_what_really_runs():
    asked = {"audio": {"output": {"voice": "marin"}}, "model": "gpt-realtime"}
    described = updated(**asked).describe("sess_1", 1, ENGINES)
    assert described["model"] == "mind"
    assert described["audio"]["output"]["voice"] == "mouth"
    assert described["audio"]["input"]["transcription"] == {"model": "ears"}


def test_the_session_object_tells_of_its_tools():
    described = updated(tools=[WEATHER, HANG_UP]).describe("sess_1", 1, ENGINES)
    assert described["tools"] == [WEATHER, HANG_UP]
    assert described["tool_choice"] == "auto"


@pytest.mark.parametrize(
    "choice", ["required", {"type": "function", "name": "get_weather"}], ids=["any", "one"]
)
def test_a_tool_that_is_not_there_cannot_be_required(choice):
    with pytest.raises(RequestError) as caught:
        updated(tools=[], tool_choice=choice)
    assert (caught.value.code, caught.value.param) == ("invalid_value", "session.tool_choice")
    settings = updated(tools=[WEATHER], tool_choice=choice)
    with pytest.raises(RequestError):
        updated(settings, tools=[])
