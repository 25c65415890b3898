"""Whole conversations in which engines fail in the midst of what they do."""

from collections.abc import AsyncIterator, Awaitable, Callable
from copy import deepcopy
from itertools import pairwise

import pytest
from failing_engines import Ears, Mind, Reader, Voice, agent_of
from scripted import Person

from voice_agent import lineup
from voice_agent.agent import Agent
from voice_agent.dialogue.events import Caption, ReplyEnded, SessionFailed, TurnEnded
from voice_agent.events import EngineSwitched, ReplyStatus, TurnRecord

SAID = "what should we do about the garden this year"
REPLY = "Well, we could plant some beans, and a tree in the corner."

Talk = Callable[..., Awaitable[Person]]


def engines(**changed: list) -> dict[str, list]:
    """Two of each kind, the first of which works."""
    return {
        "recognizer": [Ears("ears", SAID), Ears("other ears", SAID)],
        "paralinguistics": [Reader("reader", "sad"), Reader("other reader", "sad")],
        "language_model": [Mind("mind", REPLY), Mind("other mind", REPLY)],
        "synthesizer": [Voice("voice"), Voice("other voice")],
    } | changed


@pytest.fixture
async def agent_with(tmp_path) -> AsyncIterator[Callable[..., Awaitable[Agent]]]:
    agents: list[Agent] = []

    async def create(**changed: list) -> Agent:
        agents.append(await agent_of(tmp_path, **engines(**changed)))
        return agents[-1]

    yield create
    for agent in agents:
        await agent.close()


async def visit(agent: Agent) -> Person:
    person = Person()
    person.session = await agent.open(person.hear)
    return person


def switches(person: Person) -> list[tuple[str, str, str]]:
    return [(one.kind, one.failed, one.instead) for one in person.of(EngineSwitched)]


def records(person: Person) -> list[TurnRecord]:
    return [event.record for event in person.of(TurnEnded)]


def answered_as_ever(person: Person) -> None:
    """The last turn was heard, answered and spoken to its end, and nothing was said of trouble."""
    record = records(person)[-1]
    assert record.user.text == SAID
    assert record.user.how.emotion["sad"] > 0.9
    assert record.reply == record.heard == REPLY
    assert record.status is ReplyStatus.COMPLETED
    assert person.heard_words().endswith(REPLY)
    assert person.of(SessionFailed) == []


BROKEN = {
    "recognizer": [
        [Ears("ears", "what should they", "feed", after_s=0.7)],
        [Ears("ears", "never mind", "feed", "bug", after_s=1.3)],
        [Ears("ears", "never mind", "settle")],
    ],
    "paralinguistics": [
        [Reader("reader", "happy", True)],
        [Reader("reader", "happy", True, "bug")],
    ],
    "language_model": [[Mind("mind", REPLY, 0)], [Mind("mind", REPLY, 0, "bug")]],
    "synthesizer": [
        [Voice("voice", breaks_at=0)],
        [Voice("voice", breaks_at=2, overlap=0.4)],
        [Voice("voice", breaks_at=1, trouble="bug", level_db=-35, rate=16_000)],
    ],
}


@pytest.mark.parametrize(
    ("kind", "broken"),
    [(kind, way) for kind, ways in BROKEN.items() for way in range(len(ways))],
)
async def test_the_turn_goes_on_with_another_engine(kind, broken, agent_with, voice):
    (first,), second = deepcopy(BROKEN[kind][broken]), engines()[kind][1]
    agent = await agent_with(**{kind: [first, second]})
    person = await visit(agent)
    await person.say(await voice(SAID))
    await person.wait(8)
    answered_as_ever(person)
    assert switches(person) == [(kind, first.name, second.name)]
    assert records(person)[0].engines[kind] == second.name
    assert agent.engines[kind] == second.name
    assert agent.resting == {kind: (first.name,)}


async def test_all_may_fail_in_the_same_turn(agent_with, voice):
    changed = {kind: [*deepcopy(ways[0]), engines()[kind][1]] for kind, ways in BROKEN.items()}
    person = await visit(await agent_with(**changed))
    await person.say(await voice(SAID))
    await person.wait(8)
    answered_as_ever(person)
    assert sorted(kind for kind, _, _ in switches(person)) == sorted(BROKEN)


async def test_captions_never_take_back_what_was_confirmed(agent_with, voice):
    ears = Ears("ears", "what should they do about it", "feed", after_s=1.9)
    person = await visit(await agent_with(recognizer=[ears, Ears("other ears", SAID)]))
    await person.say(await voice(f"{SAID}, {SAID}"))
    await person.wait(8)
    confirmed = [caption.hypothesis.stable for caption in person.of(Caption)]
    assert any(confirmed)
    for earlier, later in pairwise(confirmed):
        assert later.startswith(earlier)
    assert records(person)[0].user.text == SAID


async def test_other_conversations_are_not_disturbed(agent_with, voice):
    ears = Ears("ears", SAID)
    agent = await agent_with(recognizer=[ears, Ears("other ears", SAID)])
    unlucky, other = await visit(agent), await visit(agent)
    audio = await voice(SAID)
    half = len(audio) // 2
    await other.say(audio[:half])
    ears.breaks, ears.after_s = "feed", 0.0
    await unlucky.say(audio[:half])
    ears.breaks = ""
    for person in (unlucky, other):
        await person.say(audio[half:])
        await person.wait(8)
        answered_as_ever(person)
    assert switches(unlucky) == [("recognizer", "ears", "other ears")]
    assert switches(other) == []
    assert records(unlucky)[0].engines["recognizer"] == "other ears"
    assert records(other)[0].engines["recognizer"] == "ears"


@pytest.mark.parametrize("kind", BROKEN)
async def test_an_engine_that_has_rested_is_asked_again(kind, agent_with, voice, monkeypatch):
    monkeypatch.setattr(lineup, "REST_S", 0.0)
    (first,) = deepcopy(BROKEN[kind][0])
    agent = await agent_with(**{kind: [first, engines()[kind][1]]})
    person = await visit(agent)
    audio = await voice(SAID)
    await person.say(audio)
    await person.wait(8)
    vars(first).update(vars(engines()[kind][0]))  # it is mended
    await person.say(audio)
    await person.wait(8)
    answered_as_ever(person)
    assert len(switches(person)) >= 1
    assert records(person)[1].engines[kind] == first.name
    assert agent.resting == {}


async def test_a_model_that_has_begun_to_speak_is_not_talked_over(agent_with, voice):
    mind = Mind("mind", REPLY, after=5)
    person = await visit(await agent_with(language_model=[mind]))
    await person.say(await voice(SAID))
    await person.wait(8)
    record = records(person)[0]
    assert record.reply.startswith("Well, we could plant some")
    assert "lost my thread" in record.reply
    assert record.engines["language_model"] == "embedded"
    assert switches(person) == [("language_model", "mind", "embedded")]
    await person.say(await voice(SAID))
    await person.wait(8)
    assert len(mind.prompts) == 1
    assert records(person)[1].status is ReplyStatus.COMPLETED


async def test_where_nobody_can_speak_the_conversation_goes_on(agent_with, voice):
    mute = Voice("voice", breaks_at=2)
    person = await visit(await agent_with(synthesizer=[mute]))
    audio = await voice(SAID)
    await person.say(audio)
    await person.wait(8)
    assert [failed.code for failed in person.of(SessionFailed)] == ["engine_failed"]
    assert person.of(ReplyEnded)[0].status is ReplyStatus.FAILED
    mute.breaks_at = None
    await person.say(audio)
    await person.wait(8)
    assert records(person)[1].status is ReplyStatus.COMPLETED
