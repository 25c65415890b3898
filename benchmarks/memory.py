"""How long memory takes: ``python benchmarks/memory.py [--memories 10000] [--people 10]``.

Fills a store on disk with memories of one person, and a tenth as many of each other, and prints
the milliseconds of recalling for a turn, of looking at a turn for something new, of keeping it, and
of erasing one memory for good.
"""

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from pathlib import Path

from voice_agent.events import Exchange, Memory, UserTurn
from voice_agent.memory_tables import Noticed
from voice_agent.person import Person
from voice_agent.settings import Memory as Settings
from voice_agent.store import Store
from voice_agent.thinking.memory.noticing import notice
from voice_agent.thinking.memory.recollection import Recollection

RELATIONS = "sister brother mother father cousin aunt uncle niece nephew friend boss son".split()
NAMES = "Anna Tom Leo Mia Ruth Jack Emily Maria Paul Nina Omar Eva Hugo Clara Felix Zoe".split()
DOES = "works as a nurse in|lives in|moved to|is studying law in|got married in".split("|")
PLACES = "Leeds York Rome Paris Berlin Madrid Oslo Vienna Lisbon Dublin Athens Prague".split()
LIKES = "hiking swimming chess gardening pottery opera football baking sailing poetry".split()
TURNS = """what's my sister's name
my boss yelled at me today
hello how are you
do you remember where my brother lives
i went hiking with my cousin and it was lovely
i feel so sad and lonely today
what do you know about me
my mother called and we talked for an hour about the wedding in rome
i don't know what to do about my job
what did i tell you about paris""".splitlines()


def invented(chance: random.Random, number: int) -> Noticed:
    relation, name = chance.choice(RELATIONS), chance.choice(NAMES)
    text = f"your {relation} {name} {chance.choice(DOES)} {chance.choice(PLACES)}"
    if number % 3 == 0:
        text, relation = f"you love {chance.choice(LIKES)} near {chance.choice(PLACES)}", "hobby"
    memory = Memory("person", text, f"{relation} {name.lower()}", at=1.6e9 + 3600 * number)
    return Noticed(memory, f"slot {number}", "family")


def told(what: str, values: list[float]) -> None:
    values = sorted(1000 * value for value in values)
    at_95 = values[int(0.95 * len(values))]
    print(f"{what:8} median {statistics.median(values):7.2f} ms  95 % {at_95:7.2f} ms")


async def measure(folder: Path, memories: int, people: int) -> None:
    chance = random.Random(1)
    store = await Store.open(folder / "conversations.db")
    somebody = Person.here("somebody")
    for person in (somebody, *(Person.here(f"other {n}") for n in range(people - 1))):
        count = memories if person is somebody else memories // 10
        await store.memories.keep(person, "s0", [invented(chance, n) for n in range(count)])
    recollection = await Recollection.open(store, somebody, "s1", Settings())
    notice(UserTurn("my cat is ill"))

    answered = 0
    recalling, noticing, keeping, erasing = [], [], [], []
    for again in range(30):
        for text in TURNS:
            # A turn nobody has said before: nothing comes from an earlier measurement.
            turn = UserTurn(f"{text} {'really ' * again}".strip())
            begun = time.perf_counter()
            answered += bool(await recollection.recall(turn))
            recalling.append(time.perf_counter() - begun)
            begun = time.perf_counter()
            notice(turn)
            noticing.append(time.perf_counter() - begun)
    for number in range(30):
        begun = time.perf_counter()
        await recollection.take_in(Exchange(UserTurn(f"i live in {number} Park Lane"), ""))
        keeping.append(time.perf_counter() - begun)
    for kept in await store.memories.newest(somebody, 5):
        begun = time.perf_counter()
        await store.memories.erase(somebody, kept.ref)
        erasing.append(time.perf_counter() - begun)
    print(f"{memories} memories of one person, {memories // 10} of each of {people - 1} others")
    print(f"{answered} of {len(recalling)} turns brought something back")
    told("recall", recalling)
    told("notice", noticing)
    told("keep", keeping)
    told("erase", erasing)
    await recollection.close()
    await store.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--memories", type=int, default=10_000)
    parser.add_argument("--people", type=int, default=10)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as path:
        asyncio.run(measure(Path(path), arguments.memories, arguments.people))
