"""The store in a file: what can be wrong with the file, and what outlives a process."""

import os
import sqlite3
import subprocess
import sys

import anyio
import anyio.lowlevel
import msgspec
import pytest

from krakenasync.errors import ConfigurationError, StateUnavailable
from krakenasync.state import sqlite as module
from krakenasync.state.port import Limit
from krakenasync.state.sqlite import SqliteStore
from krakenasync.testing import VirtualClock
from krakenasync.testing.questions import adjust, book, new_nonce, peek

LIMIT = Limit(4.0, 2.0)


def start(path):
    """Open a store as a client does, and let go of it."""

    async def main():
        store = SqliteStore(path)
        try:
            await store.start()
        finally:
            await store.aclose()

    anyio.run(main)


def test_a_missing_folder_is_refused_at_the_start(tmp_path):
    """The error names the file and says what it needs."""
    with pytest.raises(ConfigurationError, match=r"missing.state\.db cannot be written.*folder must exist"):
        start(tmp_path / "missing" / "state.db")


def test_a_read_only_file_is_refused_at_the_start(tmp_path, monkeypatch):
    """A file that can be read but not written is found out before the first call."""
    path = tmp_path / "state.db"
    start(path)
    connect = sqlite3.connect
    monkeypatch.setattr(module.sqlite3, "connect", lambda path, **how: connect(f"file:{path}?mode=ro", uri=True, **how))
    with pytest.raises(ConfigurationError, match="cannot be written"):
        start(path)


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path):
    """A text file is neither read as state nor written over."""
    path = tmp_path / "notes.txt"
    path.write_text("buy low, sell high\n" * 100)
    with pytest.raises(ConfigurationError, match="not a state file"):
        start(path)
    assert path.read_text().startswith("buy low")


def test_a_file_that_is_refused_is_let_go_of(tmp_path, monkeypatch):
    """A program that goes on without it keeps no handle to it, however often it tries."""
    (path := tmp_path / "notes.txt").write_text("buy low, sell high\n" * 100)
    connect, opened = sqlite3.connect, []

    def connecting(*where, **how):
        opened.append(connect(*where, **how))
        return opened[-1]

    monkeypatch.setattr(module.sqlite3, "connect", connecting)
    with pytest.raises(ConfigurationError):
        start(path)
    (file,) = opened
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        file.execute("SELECT 1")


def test_another_programs_database_is_refused_and_left_alone(tmp_path):
    """No table of ours appears in it."""
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE trades (price TEXT)")
    other.close()
    with pytest.raises(ConfigurationError, match="some other program"):
        start(path)
    with sqlite3.connect(path) as other:
        assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("trades",)]
    other.close()


def test_another_programs_database_is_refused_also_while_it_is_empty(tmp_path):
    """The mark it bears says whose it is."""
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as other:
        other.execute("PRAGMA application_id = 7")
    other.close()
    with pytest.raises(ConfigurationError, match="some other program"):
        start(path)


def test_a_foreign_schema_is_refused_at_the_start(tmp_path):
    """State of another version is not misread."""
    path = tmp_path / "state.db"
    start(path)
    with sqlite3.connect(path) as other:
        other.execute("PRAGMA user_version = 99")
    other.close()
    with pytest.raises(ConfigurationError, match="schema 99"):
        start(path)


def test_level_and_nonce_are_known_after_a_restart(tmp_path):
    """Another process finds the counter where the last one left it, and nonces go on, whatever the calendar says."""
    clock = VirtualClock()

    async def first():
        store = SqliteStore(tmp_path / "state.db", clock)
        await store.start()
        await book(store, "counter", LIMIT, 4.0)
        nonce = await new_nonce(store, "key", "ms")
        await store.aclose()
        return nonce

    async def second():
        store = SqliteStore(tmp_path / "state.db", clock)
        await store.start()
        found = (await peek(store, "counter", LIMIT)).level, await new_nonce(store, "key", "ms")
        await store.aclose()
        return found

    nonce = anyio.run(first)
    clock.advance(1.0)
    clock.step_wall(-60)
    level, after = anyio.run(second)
    assert level == pytest.approx(2.0)
    assert after > nonce


def test_a_reboot_credits_nothing_and_ends_no_block_late(tmp_path):
    """The steady clock begins anew: the counter stands where it stood, a block goes on for what was left of it."""
    late, early = VirtualClock(), VirtualClock()
    late.advance(1e6)

    async def ask(clock, **how):
        store = SqliteStore(tmp_path / "state.db", clock)
        await store.start()
        found = await adjust(store, "counter", LIMIT, **how)
        await store.aclose()
        return found

    anyio.run(lambda: ask(late, floor=3.0, block=5.0))
    found = anyio.run(lambda: ask(early))
    assert found.level == pytest.approx(3.0)
    assert found.blocked_for == pytest.approx(5.0)


def test_a_file_that_stays_locked_is_unavailable(tmp_path, monkeypatch):
    """Another program that never lets go is an error in words of ours, and the event loop goes on meanwhile."""
    monkeypatch.setattr(module, "_PATIENCE", 0.02)
    path = tmp_path / "state.db"
    start(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    turns = []

    async def count():
        while True:
            turns.append(1)
            await anyio.lowlevel.checkpoint()

    async def main():
        store = SqliteStore(path)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(count)
            with pytest.raises(StateUnavailable, match="does not answer"):
                await book(store, "counter", LIMIT, 1.0)
            tasks.cancel_scope.cancel()
        await store.aclose()

    anyio.run(main)
    other.close()
    assert len(turns) > 10


def failure(kind, code=None):
    """An error as sqlite3 raises it; one that it finds without asking SQLite has no code."""
    error = kind("x")
    if code is not None:
        error.sqlite_errorcode = code
    return error


def answered(path, *failures):
    """Ask a store whose work fails so often before it is done."""
    left = list(failures)

    def work(_read, _now):
        if left:
            raise left.pop(0)
        return {}, ["done"]

    async def main():
        store = SqliteStore(path)
        try:
            return await store.change(work)
        finally:
            await store.aclose()

    return anyio.run(main)


@pytest.mark.parametrize("code", [sqlite3.SQLITE_BUSY, sqlite3.SQLITE_BUSY_SNAPSHOT, sqlite3.SQLITE_LOCKED_SHAREDCACHE])
def test_a_lock_is_waited_for_whatever_sqlite_says_about_it(tmp_path, code):
    """The low byte of a code is the kind of error, the rest a detail."""
    assert answered(tmp_path / "state.db", failure(sqlite3.OperationalError, code)) == ["done"]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (failure(sqlite3.OperationalError, sqlite3.SQLITE_READONLY_DIRECTORY), ConfigurationError),
        (failure(sqlite3.OperationalError, sqlite3.SQLITE_CANTOPEN_ISDIR), ConfigurationError),
        (failure(sqlite3.OperationalError, sqlite3.SQLITE_PERM), ConfigurationError),
        (msgspec.DecodeError("x"), ConfigurationError),
        (failure(sqlite3.OperationalError, sqlite3.SQLITE_FULL), StateUnavailable),
        (failure(sqlite3.ProgrammingError), StateUnavailable),
    ],
    ids=["read-only folder", "a folder", "not permitted", "no record", "disk full", "closed"],
)
def test_an_error_tells_whether_the_file_is_wrong_or_only_unavailable(tmp_path, error, told):
    """The first needs another setting, and the second may pass."""
    with pytest.raises(told):
        answered(tmp_path / "state.db", error)


@pytest.mark.parametrize("undone", [False, True])
def test_work_that_fails_leaves_nothing_behind_and_the_file_free(tmp_path, undone):
    """Neither what it had written nor its lock: this process and every other one go on."""

    def work(file):
        file.execute("CREATE TABLE half_done (x)")
        if undone:
            file.execute("ROLLBACK")  # as SQLite does by itself when the disk is full
        raise ZeroDivisionError

    def found(file):
        return file.execute("SELECT * FROM sqlite_master WHERE name = 'half_done'").fetchall()

    async def main():
        store, other = SqliteStore(tmp_path / "state.db"), SqliteStore(tmp_path / "state.db")
        await store.start()
        with pytest.raises(ZeroDivisionError):
            store._within(work)
        assert [each._within(found) for each in (other, store)] == [[], []]
        for each in (other, store):
            await each.aclose()

    anyio.run(main)


def test_a_store_that_was_closed_opens_the_file_anew(tmp_path):
    """Its connection is really closed, for a child of this process must not inherit it; the next one is kept open."""

    async def main():
        store = SqliteStore(tmp_path / "state.db")
        await store.start()
        before = store._file()
        await store.aclose()
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            before.execute("SELECT 1")
        await store.start()
        assert store._file() is store._file() is not before
        await store.aclose()
        await store.aclose()  # twice does no harm

    anyio.run(main)


def test_a_relative_path_is_taken_from_where_it_was_named(tmp_path, monkeypatch):
    """A program that becomes a daemon changes its folder: its next connection opens the same file."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    store = SqliteStore("state.db")

    async def main():
        before = await new_nonce(store, "key", "ns")
        store.let_go()
        monkeypatch.chdir(tmp_path / "elsewhere")
        assert await new_nonce(store, "key", "ns") > before
        await store.aclose()

    anyio.run(main)
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_file_that_was_removed_is_made_anew(tmp_path):
    """By whatever cleans up temporary folders, between two clients of a process: the second one can work."""
    store = SqliteStore(tmp_path / "state.db")

    async def main():
        await store.start()
        await store.aclose()
        for file in tmp_path.iterdir():
            file.unlink()
        assert await new_nonce(store, "key", "ms")
        await store.aclose()

    anyio.run(main)
    start(tmp_path / "state.db")  # it is marked as ours


def test_a_file_that_was_removed_under_an_open_store_is_left_for_the_new_one(tmp_path):
    """Two processes that counted in two files would give the same nonces."""
    one, other = SqliteStore(tmp_path / "state.db"), SqliteStore(tmp_path / "state.db")

    async def main():
        await new_nonce(one, "key", "ns")
        for file in tmp_path.iterdir():
            file.unlink()
        far = await new_nonce(other, "key", "ns", floor=2**62)
        assert await new_nonce(one, "key", "ns") > far
        await one.aclose()
        await other.aclose()

    anyio.run(main)


@pytest.mark.parametrize("path", [":memory:", "file:state.db?mode=memory"])
def test_a_name_of_sqlites_own_is_refused(path):
    """What is in memory shares nothing with other processes."""
    with pytest.raises(ConfigurationError, match="shares nothing"):
        SqliteStore(path)


def test_a_relative_path_from_nowhere_is_refused(tmp_path, monkeypatch):
    """The current folder may have been removed."""
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(ConfigurationError, match="no file can have"):
        SqliteStore("state.db")


_FORK = """
import anyio, os, sys
from krakenasync.state.port import Nonce
from krakenasync.state.sqlite import SqliteStore

def nonce(store):
    async def ask():
        await store.start()
        return (await store.ask(Nonce("key", "ms", 0)))[0]
    return anyio.run(ask)

store = SqliteStore(sys.argv[1])
found = [nonce(store)]
here, there = os.pipe(), os.pipe()
if not os.fork():
    nonce(store)
    os.write(there[1], b"!")
    os.read(here[0], 1)
    nonce(store)
    os.write(there[1], b"!")
    os.read(here[0], 1)
    os._exit(0)
os.read(there[0], 1)
anyio.run(store.aclose)
os.write(here[1], b"!")
os.read(there[0], 1)
sys.stdout.write(str(os.path.exists(sys.argv[1] + "-wal")))
os.write(here[1], b"!")
os.wait()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_goes_on_when_its_parent_ends(tmp_path):
    """The parent leaves the log in place that its child writes to: else others would not see what it wrote."""
    done = subprocess.run(
        [sys.executable, "-c", _FORK, tmp_path / "state.db"], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "True"
