"""What comes back in a conversation: what fits, to whom it belongs, and never an error."""

import logging
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from voice_agent.errors import StoreError
from voice_agent.events import Exchange, Memory, Thought, UserTurn
from voice_agent.memories import in_memory
from voice_agent.memory_tables import Noticed
from voice_agent.person import Person
from voice_agent.settings import Memory as Settings
from voice_agent.store import Store
from voice_agent.thinking.memory.recollection import Recollection

ADA, EVE = Person.here("Ada"), Person.here("Eve")
SET = yaml.safe_load((Path(__file__).parent / "told_and_asked.yaml").read_text())


@pytest.fixture
async def store(tmp_path):
    store = await Store.open(tmp_path / "kept" / "conversations.db")
    yield store
    await store.close()


async def talk(store, person, session, *said, **settings) -> Recollection:
    recollection = await Recollection.open(store, person, session, Settings(**settings))
    for text in said:
        await recollection.take_in(Exchange(UserTurn(text), "I see.", Thought()))
    return recollection


async def recalled(recollection, text) -> list[str]:
    return [memory.text for memory in await recollection.recall(UserTurn(text))]


async def test_a_fact_comes_back_in_a_later_conversation(store):
    first = await talk(store, ADA, "s1", "my sister Anna is getting married in June")
    (memory, *_) = await first.recall(UserTurn("i talked to my sister"))
    assert not memory.earlier
    await first.close()

    second = await talk(store, ADA, "s2")
    memories = await second.recall(UserTurn("i talked to my sister"))

    assert {memory.text for memory in memories} == {
        "your sister is called Anna",
        "your sister Anna is getting married in June",
    }
    assert all(memory.earlier for memory in memories)


async def test_nobody_gets_what_somebody_else_told(store):
    await talk(store, ADA, "s1", "my sister is called Anna", "i live in Leeds")
    eve = await talk(store, EVE, "s2", "i live in York")

    for question in ("what's my sister's name", "where do i live", "what do you know about me"):
        assert set(await recalled(eve, question)) <= {"you live in York"}


@pytest.mark.parametrize("person", [None, ADA])
async def test_what_is_told_without_a_name_or_with_memory_off_stays_in_the_conversation(
    store, person
):
    off = {} if person is None else {"enabled": False}
    first = await talk(store, person, "s1", "my sister is called Anna", **off)
    assert await recalled(first, "what's my sister's name") == ["your sister is called Anna"]
    await first.close()

    assert await recalled(first, "what's my sister's name") == []
    second = await talk(store, person, "s2", **off)
    assert await recalled(second, "what's my sister's name") == []
    assert b"Anna" not in b"".join(f.read_bytes() for f in store.path.parent.iterdir())


async def test_people_without_a_name_are_apart(store):
    await talk(store, None, "s1", "my sister is called Anna")
    assert await recalled(await talk(store, None, "s2"), "what's my sister's name") == []


async def test_questions_find_what_was_told():
    """30 questions on 31 facts of one person; with the reasoner's floors, not its best figures."""
    alone = SimpleNamespace(memories=in_memory())
    recollection = await talk(alone, ADA, "s1", *SET["told"])
    first = among = 0
    missed = []
    for question, wanted in SET["asked"]:
        fits = [
            bool(re.search(wanted, text.lower())) for text in await recalled(recollection, question)
        ]
        first += fits[:1] == [True]
        among += any(fits)
        missed += [] if any(fits) else [question]

    assert len(SET["asked"]) == 30
    assert first >= 27, first
    assert among >= 29, missed


@pytest.mark.parametrize("text", SET["not_known"] + SET["small_talk"])
async def test_what_was_not_told_is_not_made_up_and_small_talk_brings_nothing_up(text):
    alone = SimpleNamespace(memories=in_memory())
    recollection = await talk(alone, ADA, "s1", *SET["told"])

    assert await recalled(recollection, text) == []


async def test_at_most_so_many_come_back(store):
    said = [f"i love my garden and its {flower}" for flower in "roses tulips lilies".split()]
    people = [f"my friend {name} lives in Rome" for name in ("Anna", "Tom", "Leo", "Mia")]
    recollection = await talk(store, ADA, "s1", *said, *people, recalled=3)

    assert len(await recalled(recollection, "i met my friend")) == 3
    assert len(await recalled(recollection, "what do you know about me")) == 3


async def test_a_question_for_everything_gives_facts_rather_than_moods(store):
    said = ("i live in Leeds", "i feel anxious about my exam", "my dog is called Max")
    recollection = await talk(store, ADA, "s1", *said)

    assert await recalled(recollection, "what do you know about me") == [
        "your dog is called Max",
        "you live in Leeds",
    ]


async def keep(recollection, *memories) -> None:
    noticed = [Noticed(memory, memory.text) for memory in memories]
    await recollection._memories.keep(recollection._person, "s0", noticed)


async def test_of_two_that_fit_the_one_told_in_a_like_mood_comes_first(store):
    glad = Memory("fact", "your exam went so well", "exam", at=1e9, valence=0.9, arousal=0.5)
    low = Memory("fact", "your exam went so badly", "exam", at=1e9, valence=-0.9, arousal=-0.2)
    recollection = await talk(store, ADA, "s1", emotion_weight=0.5)
    await keep(recollection, low, glad)

    sad = await recalled(recollection, "i cried about my exam, i am so sad")
    happy = await recalled(recollection, "i am so happy and excited about my exam")

    assert sad == [low.text, glad.text]
    assert happy == [glad.text, low.text]

    blind = await talk(store, ADA, "s2", emotion_weight=0.0)
    one_way = await recalled(blind, "i cried about my exam, i am so sad")
    assert one_way == await recalled(blind, "i am so happy and excited about my exam")


async def test_of_two_that_fit_the_later_comes_first(store):
    old = Memory("fact", "you had an exam in spring", "exam", at=1e9)
    new = Memory("fact", "you had an exam in winter", "exam", at=1.7e9)
    recollection = await talk(store, ADA, "s1")
    await keep(recollection, new, old)

    assert await recalled(recollection, "i thought about the exam") == [new.text, old.text]


async def test_what_helped_comes_back_when_one_feels_low(store):
    recollection = await talk(
        store,
        ADA,
        "s1",
        "i am so stressed and anxious",
        "going for a walk helped",
        "i live in Leeds",
    )

    low = await recalled(recollection, "i feel awful and so sad, i can't stop crying")
    fine = await recalled(recollection, "i had a lovely breakfast, i am so happy")

    assert low == ["going for a walk helped"]
    assert fine == []


async def test_danger_is_neither_kept_nor_answered_with_memories(store):
    recollection = await talk(
        store,
        ADA,
        "s1",
        "my sister is called Anna",
        "i want to kill myself and my sister is a nurse",
    )

    assert await recalled(recollection, "my sister found me, i took pills to end my life") == []
    assert await recalled(recollection, "what do you know about me") == [
        "your sister is called Anna"
    ]


async def test_a_turn_without_words_is_nothing(store):
    recollection = await talk(store, ADA, "s1", "", "i live in Leeds")
    await recollection.take_in(Exchange(None, "Hello?"))

    assert await recalled(recollection, "") == []
    assert await recalled(recollection, "where do i live") == ["you live in Leeds"]


async def test_a_broken_store_costs_memories_and_nothing_else(store, caplog):
    recollection = await talk(store, ADA, "s1", "my sister is called Anna")

    async def broken(*_):
        raise StoreError("disk with the secret Anna on fire")

    recollection._memories._call = broken
    with caplog.at_level(logging.DEBUG):
        assert await recollection.recall(UserTurn("what's my sister's name")) == ()
        await recollection.take_in(Exchange(UserTurn("i live in Leeds"), ""))

    assert [record.error for record in caplog.records] == ["StoreError", "StoreError"]
    for record in caplog.records:
        line = f"{record.getMessage()} {vars(record)}".lower()
        assert not re.search("anna|leeds|sister|ada", line.replace("adapter", ""))


async def test_who_loses_the_name_in_mid_conversation_goes_on_without_it(store):
    late = await store.memories.admit("Ada", None)
    recollection = await talk(store, late, "s1")
    await talk(store, await store.memories.admit("Ada", None), "s2", "i live in Leeds")

    await recollection.take_in(Exchange(UserTurn("i live in York"), ""))

    assert await recalled(recollection, "where do i live") == ["you live in York"]
    kept = await store.memories.newest(Person.here("Ada"))
    assert [one.memory.text for one in kept] == ["you live in Leeds"]


async def test_an_erased_memory_does_not_come_back(store):
    recollection = await talk(store, ADA, "s1", "i live in Leeds")
    await store.memories.erase(ADA)

    assert await recalled(recollection, "where do i live") == []
    await recollection.take_in(Exchange(UserTurn("i live in York"), ""))
    assert await recalled(recollection, "where do i live") == ["you live in York"]
