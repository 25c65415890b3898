"""The loop of one conversation, on the sample clock."""

import dataclasses

import numpy as np
import pytest
from scripted import Model

from voice_agent.dialogue.events import (
    Caption,
    PlaybackPaused,
    PlaybackResumed,
    ReplyAudio,
    ReplyEnded,
    ReplySpoken,
    ReplyStarted,
    SessionFailed,
    SpeechIgnored,
    SpeechStarted,
    SpeechStopped,
    Thinking,
    TurnEnded,
    UserItem,
)
from voice_agent.dialogue.reply import APOLOGY
from voice_agent.errors import Overloaded
from voice_agent.events import ReplyStatus
from voice_agent.settings import Config, Limits

QUESTION = "what should we do about the garden this year"
REPLY = f"Well now, one two three four five six seven: {QUESTION}."


def names(events):
    return [type(event).__name__ for event in events]


async def test_a_turn_is_heard_thought_about_and_answered(call, voice):
    person = await call(QUESTION)
    await person.wait(0.5)
    await person.say(await voice(QUESTION))
    await person.wait(8)

    order = [
        SpeechStarted, Caption, SpeechStopped, UserItem, ReplyStarted, Thinking, ReplyAudio,
        ReplySpoken, ReplyEnded, TurnEnded,
    ]  # fmt: skip
    first = [names(person.events).index(kind.__name__) for kind in order]
    assert first == sorted(first)
    record = person.of(TurnEnded)[0].record
    assert record.user.text == QUESTION
    assert record.user.how is not None
    assert record.user.how.manner.pitch_hz is not None
    assert record.reply == record.heard == REPLY
    assert record.status is ReplyStatus.COMPLETED
    assert (record.thought.linguistic, record.thought.paralinguistic) == ("words", "voice")
    assert person.heard_words() == REPLY


async def test_every_step_of_the_latency_is_recorded_in_order(call, voice):
    person = await call(QUESTION)
    await person.say(await voice(QUESTION))
    await person.wait(8)
    latency = person.of(TurnEnded)[0].record.latency
    steps = dataclasses.astuple(latency)
    assert None not in steps
    assert 100 < latency.endpoint < 1500
    assert latency.endpoint <= latency.asr_final
    assert latency.first_token <= latency.first_audio <= latency.voice_to_voice


async def test_the_answer_is_prepared_once_and_used(call, voice):
    model = Model()
    person = await call(QUESTION, model=model)
    await person.say(await voice(QUESTION))
    await person.wait(8)
    assert [prompt.turn.text for prompt in model.prompts] == [QUESTION]


async def test_speech_that_goes_on_makes_the_prepared_answer_stale(call, voice):
    model = Model()
    text = "i was thinking about the garden and whether we should plant roses"
    person = await call(text, model=model)
    speech = await voice("I was thinking about the garden")
    await person.say(speech)
    await person.wait(0.2)
    await person.say(await voice("and whether we should plant roses."))
    await person.wait(8)
    assert len(model.prompts) >= 2, "the pause was not speculated on"
    assert [event.turn.text for event in person.of(UserItem)] == [text]
    assert person.of(TurnEnded)[0].record.reply.endswith(f"{text}.")


async def test_an_interruption_silences_the_agent_and_cuts_the_context(call, voice):
    model = Model()
    person = await call(QUESTION, "stop it is fine", model=model)
    await person.say(await voice(QUESTION))
    while not person.of(ReplyAudio):
        await person.wait(0.02)
    await person.wait(1.6)
    began = person.session.clock
    await person.say(await voice("Stop, it is fine."))
    await person.wait(8)

    last_audio = max(
        time
        for event, time in zip(person.events, person.times, strict=True)
        if isinstance(event, ReplyAudio) and event.reply == person.of(ReplyStarted)[0].reply
    )
    assert last_audio - began <= 0.15
    ended = person.of(ReplyEnded)[0]
    assert ended.status is ReplyStatus.INTERRUPTED
    assert REPLY.startswith(ended.heard.strip())
    played = (person.of(PlaybackPaused)[0].heard_ms / 1000) / 0.3
    assert abs(len(ended.heard.split()) - played) <= 1
    assert model.prompts[-1].turn.text == "stop it is fine"
    assert model.prompts[-1].history[-1].reply == ended.heard
    assert model.prompts[-1].history[-1].interrupted


async def test_a_backchannel_makes_the_agent_pause_and_go_on(call, voice):
    person = await call(QUESTION, "yeah", model=Model())
    await person.say(await voice(QUESTION))
    while not person.of(ReplyAudio):
        await person.wait(0.02)
    await person.wait(1)
    await person.say(await voice("yeah"))
    await person.wait(8)
    assert person.of(PlaybackPaused)
    assert person.of(PlaybackResumed)
    assert person.of(SpeechIgnored)
    record = person.of(TurnEnded)[0].record
    assert record.status is ReplyStatus.COMPLETED
    assert record.heard == REPLY
    assert person.heard_words() == REPLY
    assert len(person.of(TurnEnded)) == 1


async def test_going_on_before_the_answer_was_heard_makes_one_turn_of_both(call, voice):
    model = Model()
    person = await call("i went to see my mother", "she was not well at all", model=model)
    await person.say(await voice("I went to see my mother."))
    while not person.of(ReplyStarted):
        await person.wait(0.02)
    await person.say(await voice("She was not well at all."))
    await person.wait(10)
    assert person.of(ReplyEnded)[0].heard_ms < 500
    assert model.prompts[-1].turn.text == "i went to see my mother she was not well at all"
    assert model.prompts[-1].history == ()


async def test_a_failing_model_leaves_nobody_in_silence(call, voice):
    person = await call(QUESTION, QUESTION, model=Model(fail_after=0))
    await person.say(await voice(QUESTION))
    await person.wait(8)
    assert person.of(SessionFailed)[0].code == "engine_failed"
    assert person.of(TurnEnded)[0].record.heard == APOLOGY


async def test_a_failing_recognizer_costs_one_turn_and_not_the_conversation(call, voice):
    person = await call("FAIL", QUESTION)
    speech = await voice(QUESTION)
    await person.say(speech)
    await person.wait(3)
    assert person.of(SessionFailed)
    await person.say(speech)
    await person.wait(8)
    assert person.of(UserItem)[-1].turn.text == QUESTION
    assert person.of(TurnEnded)[-1].record.status is ReplyStatus.COMPLETED


async def test_push_to_talk_ends_a_turn_only_by_hand(call, voice):
    person = await call(QUESTION)
    person.session.turn_taking.automatic = False
    await person.say(await voice(QUESTION))
    await person.wait(3)
    assert not person.of(UserItem)
    item = await person.session.commit()
    assert [event.item for event in person.of(UserItem)] == [item]
    await person.wait(6)
    assert person.of(TurnEnded)[0].record.reply == REPLY


async def test_a_commit_without_speech_is_no_turn(call):
    person = await call(QUESTION)
    person.session.turn_taking.automatic = False
    await person.wait(1)
    assert await person.session.commit() is None


async def test_typed_words_are_answered_in_writing_where_nothing_is_to_be_spoken(call):
    person = await call()
    person.session.turn_taking.aloud = False
    await person.session.say("hello there")
    await person.session.respond()
    await person.session.quiet()
    record = person.of(TurnEnded)[0].record
    assert record.user.how is None
    assert (
        record.heard == record.reply == "Well now, one two three four five six seven: hello there."
    )
    assert not person.of(ReplyAudio)


async def test_the_client_tells_how_much_was_heard(call):
    model = Model()
    person = await call(model=model)
    await person.session.say("hello there")
    await person.session.respond()
    await person.wait(2)
    item = person.of(ReplyStarted)[0].item
    with pytest.raises(ValueError, match="audio_end_ms is 999000"):
        await person.session.truncate(item, 999_000)
    await person.session.truncate(item, 900)
    assert person.of(ReplyEnded)[0].heard.split() == ["Well", "now,", "one"]
    await person.session.truncate(item, 600)
    await person.session.say("go on")
    await person.session.respond()
    await person.session.quiet()
    assert model.prompts[-1].history[-1].reply.split() == ["Well", "now,"]


async def test_a_deleted_item_is_not_remembered(call):
    model = Model()
    person = await call(model=model)
    item = await person.session.say("my secret")
    await person.session.respond()
    await person.wait(6)
    await person.session.delete(item)
    await person.session.say("go on")
    await person.session.respond()
    await person.session.quiet()
    assert all(exchange.user is None for exchange in model.prompts[-1].history)
    with pytest.raises(KeyError):
        await person.session.delete(item)


async def test_a_turn_without_end_is_answered_as_it_stands(call, voice):
    settings = Config(limits=Limits(turn_seconds=2))
    person = await call(QUESTION, settings=settings)
    speech = await voice(QUESTION)
    await person.say(np.tile(speech, 2))
    assert person.of(UserItem)


async def test_a_conversation_that_is_too_long_is_refused_more_audio(call):
    person = await call(settings=Config(limits=Limits(session_minutes=0.02)))
    with pytest.raises(Overloaded, match="begin a new one"):
        await person.wait(3)


async def test_the_voice_of_the_agent_is_sent_no_further_ahead_than_allowed(call):
    person = await call()
    await person.session.say("hello there")
    await person.session.respond()
    await person.session.quiet()
    lead = Config().speaking.lead_ms / 1000
    assert len(person.heard_audio()) / 24000 <= lead + 0.05
    await person.wait(1)
    assert len(person.heard_audio()) / 24000 <= lead + 1.05


async def test_closing_in_mid_sentence_keeps_what_was_heard(call):
    person = await call()
    await person.session.say("hello there")
    await person.session.respond()
    await person.wait(1)
    await person.session.close()
    await person.session.close()
    assert person.of(TurnEnded)[0].record.status is ReplyStatus.INTERRUPTED
