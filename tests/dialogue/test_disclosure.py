"""People are told that they talk to a machine: at the start, and every three hours."""

from voice_agent.dialogue.disclosure import Disclosure
from voice_agent.dialogue.events import Disclosed, ReplyStarted, TurnEnded
from voice_agent.settings import Config, Safety

TEXT = Config().safety.disclosure


async def test_it_is_told_before_anything_else(call, voice):
    person = await call("hello there")
    await person.say(await voice("hello there"))
    await person.wait(6)
    assert [event.text for event in person.of(Disclosed)] == [TEXT]
    assert isinstance(person.events[0], Disclosed)
    assert TEXT not in person.of(TurnEnded)[0].record.reply


async def test_in_writing_too(call):
    person = await call()
    await person.session.say("hello")
    assert isinstance(person.events[0], Disclosed)


def test_it_is_told_again_every_three_hours():
    disclosure = Disclosure(Safety())
    told = [second for second in range(0, 8 * 3600, 60) if disclosure.due(second)]
    assert told == [0, 3 * 3600, 6 * 3600]


def test_a_conversation_that_sleeps_is_told_once_when_it_goes_on():
    disclosure = Disclosure(Safety(disclosure_hours=1))
    assert disclosure.due(0)
    assert disclosure.due(10 * 3600)
    assert not disclosure.due(10 * 3600 + 60)


async def test_where_nobody_can_read_it_is_said_before_the_first_answer(call, voice):
    settings = Config(safety=Safety(disclosure_spoken=True))
    person = await call("hello there", "what now", settings=settings)
    await person.say(await voice("hello there"))
    await person.wait(12)
    await person.say(await voice("what now"))
    await person.wait(8)
    first, second = (ended.record.reply for ended in person.of(TurnEnded))
    assert first.startswith(f"{TEXT} Well now")
    assert TEXT not in second
    assert len(person.of(ReplyStarted)) == 2
