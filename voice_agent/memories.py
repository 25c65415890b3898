"""What is remembered of people, in the same SQLite file as their conversations.

A memory belongs to one person and to the conversation in which it was told last; it goes when
either of them asks for it.
"""

import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeVar

from voice_agent import memory_tables as tables
from voice_agent.memory_tables import Kept, Noticed
from voice_agent.person import Person, new_key

T = TypeVar("T")


class Caller(Protocol):
    """Runs a function with the database as its first argument, where the database is at home."""

    def __call__(self, function: Callable[..., T], *arguments: object) -> Awaitable[T]:
        """Returns what the function returns."""
        ...


class Memories:
    """The memories in one database.

    Args:
        call: Runs functions on the database.
    """

    def __init__(self, call: Caller) -> None:
        self._call = call

    async def admit(self, name: str, key: str | None) -> Person | None:
        """Lets a person in who comes over the network.

        A name that nothing is remembered under is free: whoever gives it gets a key, and keeps the
        name from the first memory on. Then only that key opens it.

        Args:
            name: The name that they give.
            key: The key that they show; None for none.

        Returns:
            The person with their key; None where the name is somebody else's.

        Raises:
            ValueError: It is no name.
        """
        person = Person.from_afar(name, key)
        row = await self._call(tables.lock, person.user)
        return person if row is None or person.holds(row[1]) else None

    async def people(self) -> list[tuple[str, int]]:
        """The names under which something is remembered, and how much."""
        return await self._call(tables.people)

    async def new_key(self, person: Person) -> str:
        """Gives a person another key; the old one opens nothing any more.

        Raises:
            UnknownMemory: Nothing is remembered of them.
        """
        key = new_key()
        await self._call(tables.set_key, person, key)
        return key

    async def keep(
        self, person: Person, session: str, noticed: Sequence[Noticed]
    ) -> list[str] | None:
        """Keeps what was noticed in a conversation.

        What is about the same as an earlier memory takes its place.

        Returns:
            Its ids in the same order; None where the name has become somebody else's.
        """
        if not noticed:
            return []
        return await self._call(tables.keep, person, session, noticed)

    async def search(self, person: Person, words: Sequence[str], limit: int) -> list[Kept]:
        """The memories with any of some words or of their inflected forms, the best match first.

        Args:
            person: Whose memories.
            words: Plain words; whatever they hold besides letters and digits parts them.
            limit: How many at most.
        """
        return await self._call(tables.search, person, words, limit)

    async def newest(
        self, person: Person, limit: int = -1, kinds: Sequence[str] = ()
    ) -> list[Kept]:
        """The newest memories, all of them by default, of some kinds or of any."""
        return await self._call(tables.newest, person, limit, kinds)

    async def named(self, person: Person, refs: Sequence[str]) -> list[Kept]:
        """The memories of these ids, as far as there are any."""
        return await self._call(tables.named, person, refs)

    async def export(self, person: Person) -> dict[str, Any]:
        """All that is remembered of a person, as data for JSON."""
        return await self._call(tables.export, person)

    async def erase(self, person: Person, ref: str | None = None) -> int:
        """Erases one memory, or all and the claim to the name; returns how many.

        Raises:
            UnknownMemory: There is no such memory.
            StoreError: It is erased, but another process kept the journal from being emptied.
        """
        return await self._call(tables.erase, person, ref)

    async def vectors(self, person: Person, model: str) -> dict[str, bytes]:
        """The embeddings by a model, by memory."""
        return await self._call(tables.vectors, person, model)

    async def set_vectors(self, person: Person, model: str, vectors: dict[str, bytes]) -> None:
        """Keeps embeddings by a model, by memory; those of memories erased since are dropped."""
        await self._call(tables.set_vectors, person, model, vectors)


def in_memory() -> Memories:
    """Memories in RAM, gone with the object."""
    database = sqlite3.connect(":memory:")
    for statement in tables.SCHEMA.split(";"):
        database.execute(statement)

    async def call(function: Callable[..., T], *arguments: object) -> T:
        return function(database, *arguments)

    return Memories(call)
