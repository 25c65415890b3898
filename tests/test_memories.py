"""Memories in the store: found by their words, apart for each person, and gone when erased."""

import hashlib
import random
import sqlite3
from dataclasses import replace

import pytest

from voice_agent.errors import StoreError, UnknownMemory
from voice_agent.events import Memory
from voice_agent.memories import in_memory
from voice_agent.memory_tables import Noticed
from voice_agent.person import LONGEST_NAME, Person, comparable, hashed
from voice_agent.store import _MIGRATIONS, APPLICATION_ID, Store

ADA, EVE = Person.here("Ada"), Person.here("Eve")


def noticed(text: str, slot: str = "", about: str = "", hints: str = "", **more) -> Noticed:
    return Noticed(Memory("fact", text, about, **more), slot or text, hints)


@pytest.fixture
async def store(tmp_path):
    store = await Store.open(tmp_path / "kept" / "conversations.db")
    yield store
    await store.close()


@pytest.fixture
def memories(store):
    return store.memories


def bytes_of(store) -> bytes:
    return b"".join(file.read_bytes() for file in store.path.parent.iterdir())


async def texts(memories, person, *words) -> list[str]:
    return [kept.memory.text for kept in await memories.search(person, words, 10)]


async def test_a_memory_is_found_by_any_form_of_its_words(memories):
    await memories.keep(ADA, "s", [noticed("your sister Anna is getting married", about="sister")])

    for word in ("sister", "sisters", "ANNA", "married", "marrying", "anna's"):
        assert await texts(memories, ADA, word) == ["your sister Anna is getting married"], word
    assert await texts(memories, ADA, "brother") == []
    assert await texts(memories, ADA) == []


async def test_a_memory_is_found_by_its_hints_and_best_by_what_it_is_about(memories):
    await memories.keep(ADA, "s1", [noticed("you work in a garden", about="job", hints="office")])
    await memories.keep(ADA, "s2", [noticed("you love your roses", about="garden")])

    (job,) = await memories.search(ADA, ["offices"], 10)
    assert (job.memory.text, job.hints, job.session) == ("you work in a garden", "office", "s1")
    assert await texts(memories, ADA, "gardens") == ["you love your roses", "you work in a garden"]


async def test_a_memory_comes_back_as_it_was(memories):
    memory = Memory("mood", "you felt sad", "sad", at=12.5, valence=-0.5, arousal=0.25)
    (ref,) = await memories.keep(ADA, "s", [Noticed(memory, "mood:sad")])

    (kept,) = await memories.newest(ADA)
    assert kept.memory == memory
    assert [one.memory for one in await memories.named(ADA, [ref, "mem_none"])] == [memory]


async def test_the_newest_take_the_place_of_what_they_are_about(memories):
    await memories.keep(ADA, "s1", [noticed("you live in Leeds", "home")])
    await memories.keep(ADA, "s2", [noticed("you live in York", "home")])
    await memories.keep(ADA, "s2", [noticed("you live in York", "home")])

    assert [kept.memory.text for kept in await memories.newest(ADA)] == ["you live in York"]
    assert await texts(memories, ADA, "leeds") == []
    assert await texts(memories, ADA, "york") == ["you live in York"]


async def test_a_correction_takes_the_place_of_what_was_wrong(memories):
    await memories.keep(ADA, "s", [noticed("your sister is called Anna", "sister:anna:name")])
    right = noticed("your sister is called Hannah", "sister:hannah:name")
    await memories.keep(ADA, "s", [replace(right, replaces=("sister:anna:name",))])

    assert await texts(memories, ADA, "sister") == ["your sister is called Hannah"]


async def test_people_never_see_each_others_memories(memories):
    (adas,) = await memories.keep(ADA, "s", [noticed("you live in Leeds", "home")])
    await memories.keep(EVE, "s", [noticed("you live in York", "home")])

    assert await texts(memories, EVE, "live", "leeds", "york") == ["you live in York"]
    assert await memories.named(EVE, [adas]) == []
    assert [m["text"] for m in (await memories.export(EVE))["memories"]] == ["you live in York"]
    with pytest.raises(UnknownMemory):
        await memories.erase(EVE, adas)
    await memories.set_vectors(EVE, "model", {adas: b"1234"})
    assert await memories.vectors(ADA, "model") == {}
    await memories.erase(EVE)
    assert await texts(memories, ADA, "leeds") == ["you live in Leeds"]


@pytest.mark.parametrize(
    "word",
    [
        '" OR text:leeds OR "',
        "leeds*",
        "person:1",
        "{text} : leeds",
        "NEAR(you leeds)",
        "a AND person : 1",
        "1",
        "'; DROP TABLE memories; --",
        "\x02leeds\x03",
        "^leeds",
    ],
)
async def test_nothing_can_be_smuggled_into_a_search(memories, word):
    await memories.keep(ADA, "s", [noticed("you live in Leeds")])
    await memories.keep(EVE, "s", [noticed("you live in York")])

    assert "you live in Leeds" not in await texts(memories, EVE, word, "york")
    assert len(await memories.newest(ADA)) == 1


@pytest.mark.parametrize(
    ("name", "other", "same"),
    [
        ("Ada", "ada", True),
        ("Ada", "ADA  ", True),
        ("Ada", "Ａｄａ", True),
        ("Ada", "A\u200bda", True),
        ("Ada", "Ada\u202e", True),
        ("Straße", "STRASSE", True),
        ("José", "Jose\u0301", True),
        ("ﬁona", "Fiona", True),
        ("Ada", "Аdа", False),
        ("Jose", "José", False),
        ("Ada Smith", "AdaSmith", False),
        ("Ada", "Ada'; --", False),
        ("Ada", "Ad%", False),
        ("Ada", "Ad_", False),
    ],
)
async def test_names_are_the_same_person_or_not(memories, name, other, same):
    await memories.keep(Person.here(name), "s", [noticed("you live in Leeds")])

    found = await texts(memories, Person.here(other), "leeds")

    assert found == (["you live in Leeds"] if same else [])


@pytest.mark.parametrize("name", ["", "  ", "\u200b\u200d", "\x00\x1f", "a" * (LONGEST_NAME + 1)])
def test_what_is_no_name_is_refused(name):
    with pytest.raises(ValueError, match="name"):
        comparable(name)


# --- whose name it is -------------------------------------------------------------------------


async def test_a_name_is_free_until_something_is_remembered(memories):
    first, second = await memories.admit("Ada", None), await memories.admit("ada", None)
    assert first.key != second.key

    assert await memories.keep(second, "s", [noticed("you live in Leeds")])

    assert await memories.admit("Ada", None) is None
    assert await memories.admit("Ada", "0" * 64) is None
    assert await memories.admit("Ada", first.key) is None
    assert (await memories.admit("ADA", second.key)).key == second.key


async def test_whoever_took_a_name_in_advance_gets_nothing(memories):
    squatter = await memories.admit("Ada", None)
    ada = await memories.admit("Ada", None)
    await memories.keep(ada, "s", [noticed("you live in Leeds")])

    assert await texts(memories, squatter, "leeds") == []
    assert await memories.newest(squatter) == []
    assert (await memories.export(squatter))["memories"] == []
    assert await memories.keep(squatter, "s2", [noticed("you live in York")]) is None
    assert await memories.erase(squatter) == 0
    assert await texts(memories, ada, "leeds", "york") == ["you live in Leeds"]


async def test_a_key_shown_for_a_free_name_is_kept(memories):
    ada = await memories.admit("Ada", None)
    assert (await memories.admit("Ada", ada.key)).key == ada.key
    assert (await memories.admit("Ada", "weak")).key != "weak"


async def test_a_name_used_on_the_machine_is_not_open_to_the_network(memories):
    await memories.keep(ADA, "s", [noticed("you live in Leeds")])
    assert await memories.admit("Ada", None) is None

    key = await memories.new_key(ADA)

    assert await texts(memories, await memories.admit("Ada", key), "leeds")
    other = await memories.new_key(ADA)
    assert await memories.admit("Ada", key) is None
    assert await memories.admit("Ada", other)


async def test_the_machine_itself_sees_what_came_over_the_network(memories):
    ada = await memories.admit("Ada", None)
    await memories.keep(ada, "s", [noticed("you live in Leeds")])

    assert await texts(memories, Person.here("ADA"), "leeds")
    assert await memories.people() == [("ada", 1)]


async def test_keys_are_kept_as_hashes_alone(store, memories):
    ada = await memories.admit("Ada", None)
    await memories.keep(ada, "s", [noticed("you live in Leeds")])

    assert ada.key.encode() not in bytes_of(store)
    assert bytes.fromhex(ada.key) not in bytes_of(store)
    assert hashed(ada.key) == hashlib.sha256(ada.key.encode()).digest()
    assert hashed(ada.key) in bytes_of(store)


async def test_an_erased_name_is_free_again(memories):
    ada = await memories.admit("Ada", None)
    await memories.keep(ada, "s", [noticed("you live in Leeds")])

    assert await memories.erase(ada) == 1

    assert await memories.people() == []
    other = await memories.admit("Ada", None)
    await memories.keep(other, "s", [noticed("you live in York")])
    assert await memories.admit("Ada", ada.key) is None


# --- erasing ----------------------------------------------------------------------------------


async def test_erasing_leaves_no_bytes(store, memories):
    chance, somebody = random.Random(1), Person.here("Quillandra Wexford")
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["".join(chance.choices(letters, k=6)) for _ in range(500)]
    for number in range(120):
        # Terms of one beginning are stored by their endings: only some have marks of their own.
        mark = f"zyxqu{chance.choice(letters)}vort{number:03}"
        text = f"you keep {mark} {' '.join(chance.choices(words, k=8))} at home"
        one = noticed(text, f"slot{number % 80}", mark, f"{mark}hint")
        await memories.keep(somebody, "s1", [one])
        await memories.keep(EVE, "s2", [noticed(f"you like {words[number]}", f"s{number}")])
    assert b"zyxqu" in bytes_of(store)

    assert b"quillandra" in bytes_of(store)

    assert await memories.erase(somebody) == 80

    left = bytes_of(store).lower()
    for part in (b"zyxqu", b"vort1", b"vort0"):
        assert part not in left
    assert b"quillandra" not in left
    assert (b"you like " + words[0].encode()) in left
    assert await texts(memories, EVE, words[0]) == [f"you like {words[0]}"]


async def test_erasing_one_leaves_the_others(store, memories):
    secret, _ = await memories.keep(
        ADA,
        "s",
        [
            noticed("you keep a zyxquorvian submarine", hints="wvutqhint"),
            noticed("you live in Leeds"),
        ],
    )
    await memories.set_vectors(ADA, "model", {secret: b"zyxquvector"})

    await memories.erase(ADA, secret)

    left = bytes_of(store)
    for part in (b"zyxq", b"rvian", b"submarin", b"wvutq", secret.encode()):
        assert part not in left
    assert await texts(memories, ADA, "leeds", "submarine") == ["you live in Leeds"]
    with pytest.raises(UnknownMemory, match=secret):
        await memories.erase(ADA, secret)


async def test_no_word_of_an_erased_memory_is_in_the_index(store, memories):
    await memories.keep(ADA, "s", [noticed("you keep zyxquorvian submarines")])
    await memories.keep(ADA, "s", [noticed("you live in Leeds")])
    await memories.keep(EVE, "s", [noticed("you live in York")])

    await memories.erase(ADA)

    database = sqlite3.connect(store.path)
    database.execute("CREATE VIRTUAL TABLE temp.v USING fts5vocab(main, memory_words, row)")
    terms = {row[0] for row in database.execute("SELECT term FROM v")}
    database.close()
    assert terms == {"2", "you", "live", "in", "york"}


async def test_superseded_words_go_with_the_next_erasure(store, memories):
    await memories.keep(ADA, "s", [noticed("you live in Zyxquorvia", "home")])
    (ref,) = await memories.keep(ADA, "s", [noticed("you live in Leeds", "home")])

    await memories.erase(ADA, ref)

    assert b"zyxq" not in bytes_of(store).lower()


async def test_erasing_beside_a_reading_process_is_told(store, memories):
    (ref,) = await memories.keep(ADA, "s", [noticed("you keep a submarine")])
    reader = sqlite3.connect(store.path)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM memories").fetchone()
    store_busy = "PRAGMA busy_timeout = 50"
    await store._call(lambda database: database.execute(store_busy))

    with pytest.raises(StoreError, match="the memory is erased, but another program"):
        await memories.erase(ADA, ref)

    reader.close()
    assert await memories.newest(ADA) == []


async def test_what_was_learned_goes_with_its_conversation(store, memories):
    await store.begin("sess_1", "Ada", {})
    await store.begin("sess_2", "Ada", {})
    await memories.keep(ADA, "sess_1", [noticed("you keep a zyxquorvian submarine")])
    await memories.keep(ADA, "sess_1", [noticed("you live in Leeds")])
    await memories.keep(ADA, "sess_2", [noticed("you live in Leeds")])

    await store.delete("sess_1")

    assert [kept.memory.text for kept in await memories.newest(ADA)] == ["you live in Leeds"]
    assert b"zyxq" not in bytes_of(store)
    await store.delete("sess_2")
    assert await memories.people() == []


async def test_a_file_from_before_there_were_memories_is_brought_up_to_date(tmp_path):
    path = tmp_path / "c.db"
    with sqlite3.connect(path) as database:
        database.executescript(_MIGRATIONS[0])
        database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        database.execute("PRAGMA user_version = 1")
        database.execute("INSERT INTO sessions VALUES ('sess_1', NULL, '{}', 1.0, NULL)")

    store = await Store.open(path)
    assert [session.id for session in await store.sessions()] == ["sess_1"]
    assert await store.memories.keep(ADA, "sess_1", [noticed("you live in Leeds")])
    await store.close()


async def test_memories_in_ram_are_as_good_as_those_on_disk():
    memories = in_memory()
    await memories.keep(ADA, "s", [noticed("you live in Leeds", "home")])
    await memories.keep(ADA, "s", [noticed("you live in York", "home")])

    assert await texts(memories, ADA, "live") == ["you live in York"]
    assert await texts(in_memory(), ADA, "live") == []
