"""A store in an SQLite file: for the processes of one machine.

Every question is one write transaction of some tens of microseconds, so it is run on the event loop itself: handing it
to a thread would cost more. Only the wait for another process's transaction is asynchronous. The file survives a killed
process; a machine that loses power may lose the last seconds, in which the calendar stands in for the nonce.

Source: https://www.sqlite.org/wal.html (all processes must be on one machine; one writer at a time)
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar
from weakref import WeakSet

import anyio
import msgspec

from krakenasync.clock import SYSTEM_CLOCK, Clock
from krakenasync.errors import ConfigurationError, StateUnavailable
from krakenasync.protocol.quoting import quoted
from krakenasync.state.keeping import RecordStore, Work
from krakenasync.state.port import SCHEMA

__all__ = ["SqliteStore"]

A = TypeVar("A")

_MARK: Final = 0x4B524B41
"""The file's application id ("KRKA"): distinguishes our files from others."""
_PATIENCE: Final = 5.0
"""Seconds to wait for other processes' transactions."""
_PAUSE: Final = 0.0005
_READ: Final = "SELECT body FROM records WHERE name = ?"
_WRITE: Final = "INSERT INTO records VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET body = excluded.body"
_TABLE: Final = "CREATE TABLE IF NOT EXISTS records (name TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID"
_encode: Final = msgspec.msgpack.Encoder().encode
_BUSY: Final = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


class SqliteStore(RecordStore):
    """Keeps the records in a file that all processes of this machine may share.

    Time is the machine's steady clock, which is the same for all its processes and is never set. After a reboot it
    starts again; then nothing is credited for the time before.

    Args:
        path: The file; it is created if missing, its folder is not. A relative one is taken from the folder that is
            current now, whatever becomes current later.
        clock: The source of time.

    Raises:
        ConfigurationError: No file can have that path, or it is one of SQLite's own names for something else.
    """

    def __init__(self, path: str | Path, clock: Clock = SYSTEM_CLOCK) -> None:
        super().__init__(clock)
        if str(path) == ":memory:" or str(path).startswith("file:"):
            hint = "leave state out for this process alone, or name a file"
            raise ConfigurationError(
                f"a state in {quoted(str(path))} shares nothing: it takes a file's path", hint=hint
            )
        try:
            self.path = Path(path).absolute()
            possible = b"\0" not in os.fsencode(self.path)
        except (UnicodeEncodeError, OSError):  # the current folder may no longer exist
            possible = False
        if not possible:
            raise ConfigurationError(f"no file can have the path {quoted(str(path))} here", hint="name another file")
        self._threads = threading.local()
        _STORES.add(self)

    async def start(self) -> None:
        """Prepare the file.

        Raises:
            ConfigurationError: The file cannot be written to, is not one of ours, or is of another version.
        """
        await self._patiently(lambda: self._within(lambda _file: None))

    async def change(self, work: Work) -> list[Any]:
        """Do the work in one transaction."""

        def transaction(file: sqlite3.Connection) -> list[Any]:
            def read(kind: type[Any], name: str, /) -> Any:
                found = file.execute(_READ, (name,)).fetchone()
                return msgspec.msgpack.decode(found[0], type=kind) if found else None

            written, answers = work(read, self.micros())
            for name, record in written.items():
                file.execute(_WRITE, (name, _encode(record)))
            return answers

        return await self._patiently(lambda: self._within(transaction))

    def _within(self, work: Callable[[sqlite3.Connection], A]) -> A:
        """Do the work in one write transaction, the first one of a connection in a file that is prepared for it."""
        file = self._file()
        file.execute("BEGIN IMMEDIATE")
        try:
            if not self._threads.prepared:  # also after a file was removed, which makes the next connection a new one
                _prepare(file)
            done = work(file)
            file.execute("COMMIT")
        except BaseException:
            if file.in_transaction:
                file.execute("ROLLBACK")
            raise
        self._threads.prepared = True
        return done

    async def _patiently(self, work: Callable[[], A]) -> A:
        """Do the work, waiting while another process holds the lock."""
        deadline = self._clock.monotonic() + _PATIENCE
        while True:
            try:
                return work()
            except (sqlite3.Error, msgspec.DecodeError) as error:
                if not _busy(error) or self._clock.monotonic() > deadline:
                    raise self._failure(error) from error
            await anyio.sleep(_PAUSE)

    def _failure(self, error: Exception) -> ConfigurationError | StateUnavailable:
        if isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode & 0xFF in {
            sqlite3.SQLITE_READONLY,
            sqlite3.SQLITE_CANTOPEN,
            sqlite3.SQLITE_PERM,
        }:
            return ConfigurationError(
                f"the state file {self.path} cannot be written: {error}",
                hint="the folder must exist, and this user must be allowed to write to the file and the folder",
            )
        if isinstance(error, msgspec.DecodeError) or error.__class__ is sqlite3.DatabaseError:
            return ConfigurationError(f"{self.path} is not a state file of krakenasync", hint="name another file")
        return StateUnavailable(
            f"the state file {self.path} does not answer: {error}",
            hint="is its disk full, or does a stopped process hold it? it has to be on a local disk",
        )

    def _file(self) -> sqlite3.Connection:
        """This thread's connection, a new one if its file was removed meanwhile: others have made another since."""
        file: sqlite3.Connection | None = getattr(self._threads, "file", None)
        if file is not None and self._threads.identity != _identity(self.path):
            self.let_go()
            file = None
        if file is None:
            file = self._threads.file = _open(self.path)
            self._threads.identity = _identity(self.path)
            self._threads.prepared = False
        return file

    def let_go(self) -> None:
        """Close this thread's connection; the next question opens another."""
        file: sqlite3.Connection | None = getattr(self._threads, "file", None)
        self._threads.file = None
        if file is not None:
            file.close()

    async def aclose(self) -> None:
        """Close this thread's connection; the next question opens another."""
        self.let_go()

    def __repr__(self) -> str:
        return f"<SqliteStore {self.path}>"


_STORES: Final[WeakSet[SqliteStore]] = WeakSet()


def _before_fork() -> None:
    """Close what a child would inherit.

    SQLite assumes that the child's connections have the locks of inherited ones, which only the parent has. Once the
    parent ends, it would remove the log to which the child still writes, and others would be given the same nonces.

    Source: https://www.sqlite.org/howtocorrupt.html (carrying an open database connection across a fork)
    """
    for store in list(_STORES):
        store.let_go()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork)


def _identity(path: Path) -> tuple[int, int] | None:
    """Return what tells a file from another with its path; None if there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _open(path: Path) -> sqlite3.Connection:
    file = sqlite3.connect(path, timeout=0, isolation_level=None)
    try:
        file.execute("PRAGMA journal_mode = WAL")
        file.execute("PRAGMA synchronous = NORMAL")
    except BaseException:
        file.close()
        raise
    return file


def _prepare(file: sqlite3.Connection) -> None:
    """Make an empty file ours; check that any other file is ours."""
    (mark,) = file.execute("PRAGMA application_id").fetchone()
    (version,) = file.execute("PRAGMA user_version").fetchone()
    (tables,) = file.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if not mark and not tables:
        file.execute(f"PRAGMA application_id = {_MARK}")
    elif mark != _MARK:
        raise ConfigurationError("the state file is some other program's database", hint="name another file")
    elif version != SCHEMA:
        raise ConfigurationError(
            f"the state file has schema {version}, this version of krakenasync writes {SCHEMA}",
            hint="let all processes run one version of krakenasync, or name another file",
        )
    file.execute(_TABLE)
    file.execute(f"PRAGMA user_version = {SCHEMA}")  # always: a file that cannot be written fails here


def _busy(error: Exception) -> bool:
    return isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode & 0xFF in _BUSY
