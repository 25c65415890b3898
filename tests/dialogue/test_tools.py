"""Tools in the dialogue: calls, results, and a person who speaks in between."""

from collections.abc import AsyncIterator

import pytest
from scripted import WORD_S, Model

from voice_agent.dialogue.events import (
    PlaybackPaused,
    ReplyAudio,
    ReplyEnded,
    ReplyStarted,
    SpeechIgnored,
    SpeechStarted,
    ToolCalled,
    TurnEnded,
    UserItem,
)
from voice_agent.errors import EngineError
from voice_agent.events import Prompt, ReplyStatus, Tool, ToolCall, ToolUse

WEATHER = Tool("get_weather", "The weather somewhere.")
QUESTION = "what will the weather be like in the city of ulm"
FILLER = "Let me look that up, it will take just a moment."
CALL = ToolCall("call_1", "get_weather", '{"place": "Ulm"}')
RESULT = "twelve degrees and rain"


class Caller(Model):
    """Calls its tools once, with words before, and then says what they brought and what was said.

    Attributes:
        says: The words before the calls.
        calls: What it calls, as soon as it is asked something with tools at hand.
    """

    def __init__(self, says: str = FILLER, *calls: ToolCall, breaks: bool = False) -> None:
        super().__init__()
        self.says = says
        self.calls = calls or (CALL,)
        self.breaks = breaks

    async def generate(self, prompt: Prompt) -> AsyncIterator[str | ToolCall]:
        self.prompts.append(prompt)
        yield "<think><linguistic>words</linguistic><emotion>neutral</emotion></think>"
        used = [use for past in prompt.history for use in past.tools]
        if prompt.tools and prompt.tool_choice != "none" and not used:
            yield self.says
            for call in self.calls:
                yield call
            if self.breaks:
                raise EngineError("the model went away")
            return
        yield f"Here is what I know by now: {said(used)}. {prompt.turn.text}"


def said(used: list[ToolUse]) -> str:
    return " and ".join(use.output or "nothing yet" for use in used) or "nothing at all"


def used(prompt: Prompt) -> list[tuple[ToolUse, ...]]:
    return [past.tools for past in prompt.history if past.tools]


async def talk(call, *turns: str, model: Caller):
    person = await call(*turns, model=model)
    person.session.set_tools((WEATHER,))
    return person


async def ask(person) -> ToolCall:
    """A typed question, up to the call of a tool."""
    await person.session.say(QUESTION)
    await person.session.respond()
    while not person.of(ToolCalled):
        await person.wait(0.02)
    return person.of(ToolCalled)[-1].call


# --- calls and results ----------------------------------------------------------------------


async def test_a_tool_is_called_while_the_words_before_are_spoken_and_its_result_told(call):
    model = Caller()
    person = await talk(call, model=model)
    assert await ask(person) == CALL
    assert not person.of(ReplyEnded), "the tool could have been at work for long"
    await person.wait(6)
    first = person.of(ReplyEnded)[0]
    assert (first.status, first.heard) == (ReplyStatus.COMPLETED, FILLER)

    await person.session.add_tool_output(CALL.id, RESULT)
    await person.session.respond()
    await person.wait(8)
    prompt = model.prompts[-1]
    assert prompt.turn.text == ""
    assert prompt.history[-1].user.text == QUESTION
    assert prompt.history[-1].reply == FILLER
    assert prompt.history[-1].tools == (ToolUse(CALL, RESULT),)
    assert RESULT in person.of(ReplyEnded)[-1].heard
    records = {event.record.turn: event.record for event in person.of(TurnEnded)}
    assert records[1].reply == FILLER
    assert len(model.prompts) == 2


async def test_call_and_result_are_kept_in_the_store(call, tmp_path):
    person = await talk(call, model=Caller())
    await ask(person)
    await person.wait(6)
    await person.session.add_tool_output(CALL.id, RESULT)
    await person.session.quiet()
    store = person.session._answering._store
    (turn,) = await store.turns(person.session.id)
    assert turn.tools == (ToolUse(CALL, RESULT),)


async def test_a_reply_may_call_without_a_word(call):
    person = await talk(call, model=Caller(""))
    await ask(person)
    await person.wait(0.1)
    ended = person.of(ReplyEnded)[0]
    assert (ended.status, ended.text, ended.heard_ms) == (ReplyStatus.COMPLETED, "", 0)
    assert not person.of(ReplyAudio)


async def test_a_reply_goes_on_with_some_results_open(call):
    rome = ToolCall("call_2", "get_weather", '{"place": "Rome"}')
    model = Caller("", CALL, rome)
    person = await talk(call, model=model)
    await ask(person)
    await person.wait(0.1)
    await person.session.add_tool_output("call_2", "sun")
    await person.session.respond()
    await person.wait(0.1)
    assert used(model.prompts[-1]) == [(ToolUse(CALL), ToolUse(rome, "sun"))]


async def test_results_go_to_their_own_calls_once(call):
    person = await talk(call, model=Caller())
    with pytest.raises(KeyError):
        await person.session.add_tool_output(CALL.id, RESULT)
    await ask(person)
    await person.session.add_tool_output(CALL.id, RESULT)
    with pytest.raises(ValueError, match="has its output already"):
        await person.session.add_tool_output(CALL.id, RESULT)


async def test_no_two_calls_have_one_id(call):
    person = await talk(call, model=Caller("", CALL, CALL, ToolCall("", "get_weather", "{}")))
    await ask(person)
    ids = [event.call.id for event in person.of(ToolCalled)]
    assert ids[0] == CALL.id
    assert len(set(ids)) == 3
    assert all(ids)


async def test_tools_can_be_offered_for_one_reply_alone(call):
    model = Caller()
    person = await call(model=model)
    await person.session.say(QUESTION)
    await person.session.respond(tools=(WEATHER,), tool_choice="required")
    await person.session.quiet()
    assert (model.prompts[-1].tools, model.prompts[-1].tool_choice) == ((WEATHER,), "required")
    await person.wait(6)
    await person.session.respond()
    await person.session.quiet()
    assert (model.prompts[-1].tools, model.prompts[-1].tool_choice) == ((), "auto")


async def test_a_call_of_a_model_that_then_fails_stands(call):
    model = Caller(breaks=True)
    person = await talk(call, model=model)
    await ask(person)
    await person.wait(6)
    assert person.of(ReplyEnded)[0].status is ReplyStatus.FAILED
    await person.session.add_tool_output(CALL.id, RESULT)
    await person.session.respond()
    await person.session.quiet()
    assert used(model.prompts[-1]) == [(ToolUse(CALL, RESULT),)]


async def test_a_restored_call_is_part_of_the_conversation(call):
    model = Caller()
    person = await talk(call, model=model)
    await person.session.say(QUESTION)
    _, restored = await person.session.add_tool_call(CALL)
    assert restored == CALL
    await person.session.add_tool_output(CALL.id, RESULT)
    await person.session.respond()
    await person.session.quiet()
    (prompt,) = model.prompts
    assert [past.user.text if past.user else None for past in prompt.history] == [QUESTION, None]
    assert prompt.history[-1].tools == (ToolUse(CALL, RESULT),)


async def test_a_deleted_call_is_not_remembered_and_a_deleted_result_can_come_again(call):
    model = Caller("")
    person = await talk(call, model=model)
    await ask(person)
    await person.wait(0.1)
    result = await person.session.add_tool_output(CALL.id, "wrong")
    await person.session.delete(result)
    await person.session.add_tool_output(CALL.id, RESULT)
    await person.session.respond()
    await person.session.quiet()
    assert used(model.prompts[-1]) == [(ToolUse(CALL, RESULT),)]
    await person.wait(8)
    await person.session.delete(person.of(ToolCalled)[0].item)
    await person.session.respond(tools=())
    await person.session.quiet()
    assert used(model.prompts[-1]) == []


# --- the person speaks in between -----------------------------------------------------------


async def test_speaking_over_the_words_before_a_call_keeps_the_call(call, voice):
    model = Caller()
    person = await talk(call, "stop it is fine", model=model)
    await ask(person)
    await person.wait(1.5)
    await person.say(await voice("Stop, it is fine."))
    await person.wait(8)
    assert person.of(ReplyEnded)[0].status is ReplyStatus.INTERRUPTED
    # The result comes when the conversation is long somewhere else.
    await person.session.add_tool_output(CALL.id, RESULT)
    await person.session.say("and now")
    await person.session.respond()
    await person.session.quiet()
    *_, second, third = model.prompts
    assert used(second) == [(ToolUse(CALL),)]
    assert second.turn.text == "stop it is fine"
    assert second.history[0].interrupted
    assert FILLER.startswith(second.history[0].reply.strip())
    assert third.turn.text == "and now"
    assert used(third) == [(ToolUse(CALL, RESULT),)]


async def test_speaking_before_a_word_was_heard_keeps_the_call_too(call, voice):
    model = Caller()
    person = await talk(call, "and in rome as well please", model=model)
    await ask(person)
    await person.say(await voice("And in Rome as well, please."))
    await person.wait(8)
    assert person.of(ReplyEnded)[0].heard_ms < 600
    prompt = model.prompts[-1]
    assert prompt.turn.text == "and in rome as well please"
    assert prompt.history[0].user.text == QUESTION
    assert used(prompt) == [(ToolUse(CALL),)]


async def test_speaking_while_the_tool_runs_is_answered_and_the_result_after_it(call, voice):
    model = Caller()
    person = await talk(call, "how long will that take", model=model)
    await ask(person)
    await person.wait(6)
    assert person.of(ReplyEnded)[0].status is ReplyStatus.COMPLETED
    await person.say(await voice("How long will that take?"))
    await person.wait(8)
    assert "nothing yet" in person.of(ReplyEnded)[1].heard
    await person.session.add_tool_output(CALL.id, RESULT)
    await person.session.respond()
    await person.wait(8)
    assert RESULT in person.of(ReplyEnded)[2].heard
    assert model.prompts[-1].history[0].tools == (ToolUse(CALL, RESULT),)
    assert model.prompts[-1].history[1].user.text == "how long will that take"
    assert len(model.prompts) == 3


async def test_a_result_that_comes_while_the_person_speaks_is_told_with_the_answer_to_that(
    call, voice
):
    model = Caller()
    person = await talk(call, "how long will that take", model=model)
    await ask(person)
    await person.wait(6)
    speech = await voice("How long will that take?")
    await person.say(speech[: len(speech) // 2])
    assert len(person.of(SpeechStarted)) == 1
    await person.session.add_tool_output(CALL.id, RESULT)
    assert await person.session.respond() is None
    assert len(person.of(ReplyStarted)) == 1, "the agent spoke while the person did"
    await person.say(speech[len(speech) // 2 :])
    await person.wait(12)
    assert len(person.of(ReplyStarted)) == 2, "the result was told twice"
    answer = person.of(ReplyEnded)[-1].heard
    assert RESULT in answer
    assert "how long will that take" in answer


async def test_what_was_no_speech_after_all_holds_the_result_back_no_longer(call, voice):
    model = Caller()
    person = await talk(call, "", model=model)
    await ask(person)
    await person.wait(6)
    await person.say((await voice("mm"))[:6_000])
    assert person.of(SpeechStarted)
    await person.session.add_tool_output(CALL.id, RESULT)
    assert await person.session.respond() is None
    await person.wait(10)
    assert person.of(SpeechIgnored)
    assert not person.of(UserItem)[1:]
    assert RESULT in person.of(ReplyEnded)[-1].heard
    assert len(person.of(ReplyStarted)) == 2


async def test_speaking_over_the_result_leaves_it_to_be_asked_for_again(call, voice):
    model = Caller("")
    person = await talk(call, "say that again please", model=model)
    await ask(person)
    await person.wait(0.1)
    await person.session.add_tool_output(CALL.id, RESULT)
    await person.session.respond()
    await person.wait(1.5)
    await person.say(await voice("Say that again, please."))
    await person.wait(12)
    cut, again = person.of(ReplyEnded)[1:]
    assert cut.status is ReplyStatus.INTERRUPTED
    assert RESULT not in cut.heard
    assert RESULT in again.heard
    prompt = model.prompts[-1]
    assert prompt.history[0].tools == (ToolUse(CALL, RESULT),)
    assert prompt.history[1].reply == cut.heard
    assert prompt.history[1].interrupted
    assert len(person.of(ToolCalled)) == 1


async def test_a_result_that_is_there_before_the_words_are_over_waits_for_their_end(call):
    model = Caller()
    person = await talk(call, model=model)
    await ask(person)
    await person.session.add_tool_output(CALL.id, RESULT)
    assert await person.session.respond() is None
    assert len(model.prompts) == 1
    await person.wait(len(FILLER.split()) * WORD_S + 8)
    first, second = person.of(ReplyEnded)
    assert (first.status, first.heard) == (ReplyStatus.COMPLETED, FILLER)
    assert RESULT in second.heard


async def test_a_cancelled_reply_is_not_gone_on_with(call):
    person = await talk(call, model=Caller())
    await ask(person)
    await person.session.add_tool_output(CALL.id, RESULT)
    await person.session.respond()
    await person.session.cancel()
    await person.wait(3)
    assert len(person.of(ReplyStarted)) == 1
    assert person.of(ReplyEnded)[0].status is ReplyStatus.CANCELLED


async def test_going_on_is_left_to_the_client_where_no_tool_was_called(call):
    person = await talk(call, model=Caller())
    person.session.set_tools(())
    await person.session.say(QUESTION)
    await person.session.respond()
    with pytest.raises(Exception, match="a reply is under way"):
        await person.session.respond()


# --- answers that were only prepared --------------------------------------------------------


async def test_a_call_of_an_answer_that_was_only_prepared_is_never_told(call, voice):
    model = Caller()
    text = "i was thinking about the garden and whether we should plant roses"
    person = await talk(call, text, model=model)
    await person.say(await voice("I was thinking about the garden"))
    await person.wait(0.2)
    assert model.prompts, "the pause was not speculated on"
    assert not person.of(ToolCalled)
    await person.say(await voice("and whether we should plant roses."))
    await person.wait(8)
    assert len(model.prompts) >= 2
    assert len(person.of(ToolCalled)) == 1
    told = [type(event) for event in person.events]
    assert told.index(ToolCalled) > told.index(ReplyStarted)


async def test_an_answer_prepared_with_other_tools_is_not_used(call, voice):
    model = Caller()
    person = await talk(call, QUESTION, model=model)
    speech = await voice(QUESTION)
    await person.say(speech)
    while not model.prompts:
        await person.wait(0.02)
    assert not person.of(ReplyStarted)
    person.session.set_tools(())
    await person.wait(8)
    assert not person.of(ToolCalled)
    assert model.prompts[-1].tools == ()


async def test_a_pause_of_the_playback_does_not_lose_the_call(call, voice):
    model = Caller()
    person = await talk(call, "yeah", model=model)
    await ask(person)
    await person.wait(1)
    await person.say(await voice("yeah"))
    await person.wait(8)
    assert person.of(PlaybackPaused)
    assert person.of(ReplyEnded)[0].heard == FILLER
    assert len(person.of(ToolCalled)) == 1
