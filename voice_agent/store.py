"""Conversations in SQLite: each turn is on disk as soon as it is finished.

The file belongs to the person: it can be read, exported and deleted, and what is deleted is
overwritten. All work happens in a thread of the store's own, never on the event loop.
"""

import asyncio
import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self, TypeVar

import platformdirs
from pydantic import TypeAdapter

from voice_agent import memory_tables
from voice_agent.errors import StoreError, UnknownConversation
from voice_agent.events import TurnRecord
from voice_agent.memories import Memories
from voice_agent.workers import Worker

T = TypeVar("T")

APPLICATION_ID = 0x56_6F_41_67
"""Marks a SQLite file as ours ("VoAg")."""

BUSY_S = 10.0
"""How long to wait for another process that is writing."""

_MIGRATIONS = (
    """
    CREATE TABLE sessions (
        id TEXT PRIMARY KEY,
        user TEXT,
        engines TEXT NOT NULL,
        started REAL NOT NULL,
        ended REAL
    ) STRICT;
    CREATE TABLE turns (
        session TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
        turn INTEGER NOT NULL,
        at REAL NOT NULL,
        user TEXT NOT NULL,
        thought TEXT NOT NULL,
        reply TEXT NOT NULL,
        heard TEXT NOT NULL,
        status TEXT NOT NULL,
        latency TEXT NOT NULL,
        engines TEXT NOT NULL,
        PRIMARY KEY (session, turn)
    ) STRICT;
    CREATE INDEX sessions_by_start ON sessions (started);
    """,
    memory_tables.SCHEMA,
    "ALTER TABLE turns ADD COLUMN tools TEXT NOT NULL DEFAULT '[]'",
)
"""One script for each version of the schema; ``user_version`` counts those that have run."""

_COLUMNS = tuple(field.name for field in fields(TurnRecord))
_AS_JSON = ("user", "thought", "latency", "engines", "tools")
"""The columns of a turn are the fields of its record; those with parts are kept as JSON."""

_PUT_TURN = (
    f"INSERT INTO turns (session, at, {', '.join(_COLUMNS)}) "
    f"VALUES (?, ?{', ?' * len(_COLUMNS)}) ON CONFLICT (session, turn) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS)
)

_record = TypeAdapter(TurnRecord)


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A conversation in the store.

    Attributes:
        id: Its id.
        user: Whose it is, where known.
        engines: The engines that it began with.
        started: When it began.
        ended: When it ended; None while it runs or where its process died.
        turns: Number of finished turns.
    """

    id: str
    user: str | None
    engines: Mapping[str, str]
    started: datetime
    ended: datetime | None
    turns: int


def default_path() -> Path:
    """The file in the user's data folder, as the platform has it."""
    return platformdirs.user_data_path("voice-agent", appauthor=False) / "conversations.db"


class Store:
    """The conversations of a machine's user. Several processes may use one file at once.

    Attributes:
        path: The file.
        memories: What is remembered of people, in the same file.
    """

    def __init__(self, path: Path, worker: Worker, database: sqlite3.Connection) -> None:
        """Use ``open``."""
        self.path = path
        self._worker = worker
        self._database = database
        self._closed = False
        self.memories = Memories(self._call)

    @classmethod
    async def open(cls, path: Path | None = None) -> Self:
        """Opens the file, creating it where there is none, for its owner's eyes only.

        Args:
            path: The SQLite file; by default the one in the user's data folder.

        Raises:
            StoreError: It cannot be opened, is damaged, or is some other program's file.
        """
        path = path or default_path()
        worker = Worker.thread("store")
        try:
            return cls(path, worker, await worker.call(_open, path))
        except BaseException:
            worker.close()
            raise

    async def begin(self, session: str, user: str | None, engines: Mapping[str, str]) -> None:
        """Enters a new conversation."""
        await self._write(
            "INSERT INTO sessions (id, user, engines, started) VALUES (?, ?, ?, ?)",
            (session, user, json.dumps(dict(engines)), time.time()),
        )

    async def add(self, session: str, record: TurnRecord) -> None:
        """Keeps a finished turn; when this returns, it is on the disk.

        A turn of the same number is replaced: more may become known of what was heard.

        Raises:
            UnknownConversation: The conversation was never begun, or has been deleted.
        """
        try:
            await self._write(_PUT_TURN, _to_row(session, record))
        except StoreError as error:
            if "FOREIGN KEY" in str(error):
                raise _unknown(session) from error
            raise

    async def end(self, session: str) -> None:
        """Marks a conversation as ended; nothing happens if it has been deleted."""
        await self._write("UPDATE sessions SET ended = ? WHERE id = ?", (time.time(), session))

    async def sessions(self) -> list[StoredSession]:
        """All conversations, the newest first."""
        return await self._call(_sessions)

    async def session(self, session: str) -> StoredSession:
        """One conversation.

        Raises:
            UnknownConversation: There is none of that id.
        """
        return await self._call(_session, session)

    async def turns(self, session: str) -> list[TurnRecord]:
        """The finished turns of a conversation, in order.

        Raises:
            UnknownConversation: There is none of that id.
        """
        return await self._call(_turns, session)

    async def export(self, session: str) -> dict[str, Any]:
        """All that is kept of a conversation, as data for JSON.

        Raises:
            UnknownConversation: There is none of that id.
        """
        return await self._call(_export, session)

    async def delete(self, session: str) -> None:
        """Deletes a conversation and overwrites its bytes in the file and in its journal.

        What was learned of the person in it goes with it.

        Raises:
            UnknownConversation: There is none of that id.
            StoreError: It is deleted, but another process kept the journal from being emptied.
        """
        await self._call(_delete, session)

    async def close(self) -> None:
        """Closes the file. Harmless when called twice."""
        if not self._closed:
            self._closed = True
            await self._worker.call(self._database.close)
            self._worker.close()

    async def _write(self, statement: str, values: tuple[object, ...]) -> None:
        def write(database: sqlite3.Connection) -> None:
            with database:
                database.execute(statement, values)

        await self._call(write)

    async def _call(self, function: Callable[..., T], *arguments: object) -> T:
        def work() -> T:
            with _explained(self.path):
                return function(self._database, *arguments)

        # A turn that waits to be written is written even if whoever waits for it is cancelled.
        return await asyncio.shield(self._worker.call(work))


# --- in the store's thread ------------------------------------------------------------------


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, ValueError, OSError) as error:
        if "not a database" in str(error):
            raise StoreError(f"{path} is not a file of conversations; name another") from error
        if isinstance(error, ValueError) or "malformed" in str(error):
            raise StoreError(
                f"{path} is damaged; move it away to begin anew, or restore a copy of it"
            ) from error
        raise StoreError(f"{path}: {error}") from error


def _open(path: Path) -> sqlite3.Connection:
    with _explained(path):
        if path.is_dir():
            raise StoreError(f"{path} is a folder; name a file in it")
        if not path.parent.is_dir():
            path.parent.mkdir(parents=True, mode=0o700)
        # SQLite gives its journals the permissions of the file, so this covers them too.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        database = sqlite3.connect(path, timeout=BUSY_S)
        try:
            _prepare(path, database)
        except BaseException:
            database.close()
            raise
        return database


def _prepare(path: Path, database: sqlite3.Connection) -> None:
    (version,) = database.execute("PRAGMA user_version").fetchone()
    (application,) = database.execute("PRAGMA application_id").fetchone()
    (tables,) = database.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if tables and application != APPLICATION_ID:
        raise StoreError(f"{path} is another program's database; name another file")
    if version > len(_MIGRATIONS):
        raise StoreError(f"{path} was written by a newer version of the agent; update the agent")
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("PRAGMA foreign_keys = ON")
    database.execute("PRAGMA secure_delete = ON")
    if version < len(_MIGRATIONS):
        _migrate(database)


def _migrate(database: sqlite3.Connection) -> None:
    """Brings the schema up to date; of two processes that do it at once, one finds it done."""
    database.execute("BEGIN IMMEDIATE")
    with database:
        (version,) = database.execute("PRAGMA user_version").fetchone()
        for script in _MIGRATIONS[version:]:
            for statement in script.split(";"):
                database.execute(statement)
        database.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        database.execute(f"PRAGMA user_version = {len(_MIGRATIONS)}")


_SESSIONS = """
    SELECT id, user, engines, started, ended,
           (SELECT count(*) FROM turns WHERE session = sessions.id)
    FROM sessions
"""


def _sessions(database: sqlite3.Connection) -> list[StoredSession]:
    return [_to_session(row) for row in database.execute(f"{_SESSIONS} ORDER BY started DESC")]


def _session(database: sqlite3.Connection, session: str) -> StoredSession:
    row = database.execute(f"{_SESSIONS} WHERE id = ?", (session,)).fetchone()
    if row is None:
        raise _unknown(session)
    return _to_session(row)


def _turns(database: sqlite3.Connection, session: str) -> list[TurnRecord]:
    _session(database, session)
    return [record for _, record in _dated_turns(database, session)]


def _export(database: sqlite3.Connection, session: str) -> dict[str, Any]:
    about = _session(database, session)
    return {
        "id": about.id,
        "user": about.user,
        "started": about.started.isoformat(),
        "ended": about.ended.isoformat() if about.ended else None,
        "engines": dict(about.engines),
        "turns": [
            {"at": at.isoformat(), **_record.dump_python(record, mode="json")}
            for at, record in _dated_turns(database, session)
        ],
    }


def _delete(database: sqlite3.Connection, session: str) -> None:
    with database:
        gone = database.execute("DELETE FROM sessions WHERE id = ?", (session,)).rowcount
        memory_tables.forget_session(database, session)
    if not gone:
        raise _unknown(session)
    memory_tables.scrub(database, f"conversation {session} is")


def _unknown(session: str) -> UnknownConversation:
    return UnknownConversation(f"there is no conversation {session!r} in the store")


def _to_row(session: str, record: TurnRecord) -> tuple[object, ...]:
    data = _record.dump_python(record, mode="json")
    data |= {name: json.dumps(data[name], ensure_ascii=False) for name in _AS_JSON}
    return (session, time.time(), *(data[name] for name in _COLUMNS))


def _dated_turns(
    database: sqlite3.Connection, session: str
) -> Iterator[tuple[datetime, TurnRecord]]:
    rows = database.execute(
        f"SELECT at, {', '.join(_COLUMNS)} FROM turns WHERE session = ? ORDER BY turn", (session,)
    )
    for at, *values in rows:
        data = dict(zip(_COLUMNS, values, strict=True))
        data |= {name: json.loads(data[name]) for name in _AS_JSON}
        yield _moment(at), _record.validate_python(data)


def _to_session(row: tuple[Any, ...]) -> StoredSession:
    id_, user, engines, started, ended, turns = row
    return StoredSession(
        id=id_,
        user=user,
        engines=json.loads(engines),
        started=_moment(started),
        ended=None if ended is None else _moment(ended),
        turns=turns,
    )


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
