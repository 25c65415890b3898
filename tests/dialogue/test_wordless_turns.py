"""Sounds of a person that are no words: what is ignored, what is shown and what is answered."""

import pytest
from scripted import Analyzer

from voice_agent.dialogue.events import (
    HeardHow,
    ReplyAudio,
    ReplyEnded,
    SpeechIgnored,
    TurnEnded,
    UserItem,
)
from voice_agent.events import ReplyStatus

WORDS = "what should we do about the garden this year"
BODILY = ["cough", "sneeze", "throat clearing", "sigh", "snore"]


def final(person) -> list[str]:
    """What the sounds were called of which a final reading was told."""
    told = [event.how for event in person.of(HeardHow) if event.final]
    return [sound.label for how in told for sound in how.events]


@pytest.mark.parametrize("sound", BODILY)
async def test_a_sound_of_the_body_is_no_turn(call, voice, sound):
    person = await call("", analyzer=Analyzer(sound))
    await person.say(await voice(WORDS))
    await person.wait(4)
    assert person.of(SpeechIgnored)
    assert not person.of(UserItem)
    assert final(person) == []


async def test_laughter_is_shown_and_not_answered(call, voice):
    person = await call("", analyzer=Analyzer("laugh"))
    await person.say(await voice(WORDS))
    await person.wait(4)
    assert not person.of(UserItem)
    assert final(person) == ["laugh"]
    kinds = [type(event) for event in person.events]
    assert kinds[-1] is SpeechIgnored


@pytest.mark.parametrize("sound", ["cry", "scream"])
async def test_crying_is_answered(call, voice, sound):
    person = await call("", analyzer=Analyzer(sound))
    await person.say(await voice("Oh no!"))
    await person.wait(8)
    (item,) = person.of(UserItem)
    assert item.turn.text == ""
    assert final(person) == [sound]
    assert person.of(TurnEnded)[0].record.status is ReplyStatus.COMPLETED


@pytest.mark.parametrize("sound", [*BODILY, "laugh"])
async def test_such_sounds_do_not_interrupt(call, voice, sound):
    analyzer = Analyzer()
    person = await call(WORDS, "", analyzer=analyzer)
    await person.say(await voice(WORDS))
    while not person.of(ReplyAudio):
        await person.wait(0.02)
    await person.wait(0.5)
    analyzer.sound = sound
    await person.say(await voice(WORDS))
    await person.wait(8)
    assert [event.status for event in person.of(ReplyEnded)] == [ReplyStatus.COMPLETED]
    assert len(person.of(UserItem)) == 1
    assert final(person) == ([sound] if sound == "laugh" else [])


async def test_words_beside_a_cough_are_words(call, voice):
    person = await call(WORDS, analyzer=Analyzer("cough"))
    await person.say(await voice(WORDS))
    await person.wait(8)
    assert [event.turn.text for event in person.of(UserItem)] == [WORDS]


async def test_a_doubtful_sound_does_not_make_speech_a_cough(call, voice):
    person = await call("", analyzer=Analyzer("cough", confidence=0.4))
    await person.say(await voice(WORDS))
    await person.wait(8)
    assert len(person.of(UserItem)) == 1


async def test_the_usual_voice_is_learnt_from_speech_alone(call, voice):
    analyzer = Analyzer("cry")
    person = await call("", WORDS, "", analyzer=analyzer)
    speech = await voice(WORDS)
    await person.say(speech)
    await person.wait(8)
    assert person.of(UserItem)
    assert analyzer.learnt == []
    analyzer.sound = None
    await person.say(speech)
    await person.wait(8)
    assert len(analyzer.learnt) == 1
    analyzer.sound = "cough"
    await person.say(speech)
    await person.wait(4)
    assert len(analyzer.learnt) == 1
