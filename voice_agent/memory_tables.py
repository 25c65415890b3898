"""The tables of memories: what can be asked of them and done to them, in SQL.

Memories are searched by an FTS5 index; when one is erased, its words are taken out of the index
and overwritten in the file. Everything here runs where the database is at home.
"""

import re
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import uuid4

from voice_agent.errors import StoreError, UnknownMemory
from voice_agent.events import Memory
from voice_agent.person import Person, hashed

SCHEMA = """
    CREATE TABLE people (
        id INTEGER PRIMARY KEY,
        user TEXT NOT NULL UNIQUE,
        key BLOB
    ) STRICT;
    CREATE TABLE memories (
        id INTEGER PRIMARY KEY,
        ref TEXT NOT NULL UNIQUE,
        person INTEGER NOT NULL REFERENCES people (id),
        session TEXT NOT NULL,
        slot TEXT NOT NULL,
        kind TEXT NOT NULL,
        about TEXT NOT NULL,
        text TEXT NOT NULL,
        hints TEXT NOT NULL,
        at REAL NOT NULL,
        valence REAL NOT NULL,
        arousal REAL NOT NULL,
        model TEXT,
        vector BLOB,
        UNIQUE (person, slot)
    ) STRICT;
    CREATE INDEX memories_by_session ON memories (session);
    CREATE INDEX memories_by_time ON memories (person, at);
    CREATE VIRTUAL TABLE memory_words USING fts5 (
        person, about, text, hints, content='memories', content_rowid='id',
        tokenize='porter unicode61 remove_diacritics 2'
    )
"""
"""``user`` is the name as it is compared, ``key`` the SHA-256 of the person's key; without one the
name cannot be used over the network. ``slot`` tells what a memory is about so closely that a later
one takes its place; ``hints`` are further words that it is found by."""


@dataclass(frozen=True, slots=True)
class Noticed:
    """Something worth remembering.

    Attributes:
        memory: It.
        slot: What it is about, so closely that a later one of the same slot takes its place.
        hints: Further words that it is to be found by.
        replaces: Other slots that are no longer true.
    """

    memory: Memory
    slot: str
    hints: str = ""
    replaces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Kept:
    """A memory as it is kept.

    Attributes:
        ref: Its public id.
        session: The conversation in which it was told last.
        memory: It.
        hints: Further words that it is found by.
    """

    ref: str
    session: str
    memory: Memory
    hints: str = ""


Row = tuple[Any, ...]

_COLUMNS = "ref, session, kind, text, about, at, valence, arousal, hints"
_UNINDEX = (
    "INSERT INTO memory_words (memory_words, rowid, person, about, text, hints) "
    "SELECT 'delete', id, person, about, text, hints FROM memories WHERE "
)
_INDEX = (
    "INSERT INTO memory_words (rowid, person, about, text, hints) "
    "SELECT id, person, about, text, hints FROM memories WHERE "
)
_UNUSED = "DELETE FROM people WHERE NOT EXISTS (SELECT 1 FROM memories WHERE person = people.id)"


def forget_session(database: sqlite3.Connection, session: str) -> None:
    """Takes what was learned in a conversation out of the tables; part of a transaction."""
    _remove(database, "session = ?", (session,))
    database.execute(_UNUSED)


def scrub(database: sqlite3.Connection, what: str) -> None:
    """Overwrites what was taken out of the tables, in the index, the file and its journal.

    Args:
        database: The database, with no transaction open and with ``secure_delete`` on.
        what: What was erased, for the error.

    Raises:
        StoreError: Another process kept the journal from being emptied.
    """
    with database:
        # Words that were taken out stay in the index until its parts are merged.
        database.execute("INSERT INTO memory_words (memory_words) VALUES ('optimize')")
    # The pages are overwritten in the file, but older ones may lie in the journal still.
    (busy, *_) = database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise StoreError(
            f"{what} erased, but another program holds the journal of its file, where it can be "
            "found until that program ends"
        )


def lock(database: sqlite3.Connection, user: str) -> tuple[int, bytes | None] | None:
    """Id and hashed key of whoever has a name; None where it is free."""
    row: tuple[int, bytes | None] | None = database.execute(
        "SELECT id, key FROM people WHERE user = ?", (user,)
    ).fetchone()
    return row


def _id_of(database: sqlite3.Connection, person: Person) -> int | None:
    """The person's id in the tables; None where there is nothing that they may have."""
    row = lock(database, person.user)
    return row[0] if row is not None and person.holds(row[1]) else None


def people(database: sqlite3.Connection) -> list[tuple[str, int]]:
    """The names under which something is remembered, and how much."""
    return database.execute(
        "SELECT user, count(*) FROM people JOIN memories ON person = people.id "
        "GROUP BY user ORDER BY user"
    ).fetchall()


def set_key(database: sqlite3.Connection, person: Person, key: str) -> None:
    """Gives a person another key."""
    with database:
        changed = database.execute(
            "UPDATE people SET key = ? WHERE id = ?", (hashed(key), _id_of(database, person))
        ).rowcount
    if not changed:
        raise UnknownMemory(f"nothing is remembered of {person.name!r}")


def keep(
    database: sqlite3.Connection, person: Person, session: str, noticed: Sequence[Noticed]
) -> list[str] | None:
    """Keeps what was noticed; gives its ids, None where the name is somebody else's."""
    refs = [f"mem_{uuid4().hex[:20]}" for _ in noticed]
    with database:
        database.execute(
            "INSERT INTO people (user, key) VALUES (?, ?) ON CONFLICT DO NOTHING",
            (person.user, None if person.key is None else hashed(person.key)),
        )
        id_ = _id_of(database, person)
        if id_ is None:
            return None
        for ref, one in zip(refs, noticed, strict=True):
            memory = one.memory
            for slot in (*one.replaces, one.slot):
                _remove(database, "person = ? AND slot = ?", (id_, slot))
            row = database.execute(
                "INSERT INTO memories (ref, person, session, slot, kind, about, text, hints, at, "
                "valence, arousal) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(ref, id_, session, one.slot, memory.kind),
                    *(memory.about, memory.text, one.hints, memory.at),
                    *(memory.valence, memory.arousal),
                ),
            ).lastrowid
            database.execute(f"{_INDEX} id = ?", (row,))
    return refs


def _remove(database: sqlite3.Connection, where: str, values: tuple[object, ...]) -> int:
    database.execute(f"{_UNINDEX} {where}", values)
    return database.execute(f"DELETE FROM memories WHERE {where}", values).rowcount


def search(
    database: sqlite3.Connection, person: Person, words: Sequence[str], limit: int
) -> list[Kept]:
    """The memories with any of some words, the best match first."""
    id_ = _id_of(database, person)
    terms = [part for word in words for part in re.findall(r"[^\W_]+", word)]
    if id_ is None or not terms:
        return []
    # Each term is quoted, so that none of them can be a word of FTS5's language.
    any_term = " OR ".join(f'"{term}"' for term in terms)
    rows = database.execute(
        "SELECT rowid FROM memory_words WHERE memory_words MATCH ? "
        "AND rank MATCH 'bm25(0, 3, 1, 1)' ORDER BY rank LIMIT ?",
        (f'person : "{id_}" AND {{about text hints}} : ({any_term})', limit),
    )
    best = [row[0] for row in rows]
    found = {
        row[0]: _to_kept(row[1:])
        for row in database.execute(
            f"SELECT id, {_COLUMNS} FROM memories WHERE person = ? "
            f"AND id IN ({', '.join('?' * len(best))})",
            (id_, *best),
        )
    }
    return [found[number] for number in best]


def newest(
    database: sqlite3.Connection, person: Person, limit: int, kinds: Sequence[str]
) -> list[Kept]:
    """The newest memories; all for a negative limit, of any kind for no kinds."""
    among = f"AND kind IN ({', '.join('?' * len(kinds))})" if kinds else ""
    rows = database.execute(
        f"SELECT {_COLUMNS} FROM memories WHERE person = ? {among} ORDER BY at DESC, id LIMIT ?",
        (_id_of(database, person), *kinds, limit),
    )
    return [_to_kept(row) for row in rows]


def named(database: sqlite3.Connection, person: Person, refs: Sequence[str]) -> list[Kept]:
    """The memories of some ids."""
    rows = database.execute(
        f"SELECT {_COLUMNS} FROM memories WHERE person = ? AND ref IN "
        f"({', '.join('?' * len(refs))})",
        (_id_of(database, person), *refs),
    )
    return [_to_kept(row) for row in rows]


def export(database: sqlite3.Connection, person: Person) -> dict[str, Any]:
    """All that is remembered of a person, as data for JSON."""
    return {
        "user": person.user,
        "memories": [
            {
                "id": kept.ref,
                "kind": kept.memory.kind,
                "about": kept.memory.about,
                "text": kept.memory.text,
                "at": datetime.fromtimestamp(kept.memory.at, UTC).isoformat(),
                "valence": kept.memory.valence,
                "arousal": kept.memory.arousal,
                "session_id": kept.session,
            }
            for kept in newest(database, person, -1, ())
        ],
    }


def erase(database: sqlite3.Connection, person: Person, ref: str | None) -> int:
    """Erases one memory or, for no id, all; returns how many."""
    one, which = ("AND ref = ?", (ref,)) if ref is not None else ("", ())
    with database:
        id_ = _id_of(database, person)
        gone = _remove(database, f"person = ? {one}", (id_, *which))
        database.execute(_UNUSED)
    if ref is not None and not gone:
        raise UnknownMemory(f"there is no memory {ref[:64]!r} of {person.name!r}")
    scrub(database, f"{gone} memories are" if gone != 1 else "the memory is")
    return gone


def vectors(database: sqlite3.Connection, person: Person, model: str) -> dict[str, bytes]:
    """The embeddings by a model, by memory."""
    return dict(
        database.execute(
            "SELECT ref, vector FROM memories WHERE person = ? AND model = ?",
            (_id_of(database, person), model),
        )
    )


def set_vectors(
    database: sqlite3.Connection, person: Person, model: str, vectors: dict[str, bytes]
) -> None:
    """Keeps embeddings, by memory."""
    id_ = _id_of(database, person)
    rows: Iterable[tuple[object, ...]] = (
        (model, vector, id_, ref) for ref, vector in vectors.items()
    )
    with database:
        database.executemany(
            "UPDATE memories SET model = ?, vector = ? WHERE person = ? AND ref = ?", rows
        )


def _to_kept(row: Row) -> Kept:
    ref, session, kind, text, about, at, valence, arousal, hints = row
    return Kept(ref, session, Memory(_kind(kind), text, about, at, valence, arousal), hints)


def _kind(kind: str) -> Literal["fact", "person", "mood", "helped"]:
    if kind in ("fact", "person", "mood", "helped"):
        return kind  # type: ignore[return-value]
    raise ValueError(f"no kind of memory: {kind}")
