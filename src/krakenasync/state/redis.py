"""A store on a Redis or Valkey server: for the processes of several machines.

One script does everything, atomically and by the server's clock. It is called by its digest (EVALSHA, which Redis 5 and
later, Valkey and most services know). Every key of a record has the record's hash tag, so a cluster keeps it in one
place; the hashed part of the tag reveals neither API key nor exchange.

Source: https://redis.io/docs/latest/develop/programmability/eval-intro/
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib.resources import files
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from krakenasync.clock import SYSTEM_CLOCK, Clock
from krakenasync.errors import ConfigurationError, StateUnavailable
from krakenasync.state.lines import NOT_DUE
from krakenasync.state.port import SCHEMA, Book, Enter, GiveBack, Leave, Limit, Nonce, Peek, Step, Store
from krakenasync.state.recall import Memory
from krakenasync.state.records import is_due
from krakenasync.state.rediserrors import CrossSlot, connection_errors, failure, redis_errors
from krakenasync.state.spelling import key_of, owner_of, read, record_of, replies, spell
from krakenasync.state.wire import Wire, packed, packed_word, place_of, pool_of

if TYPE_CHECKING:
    from redis.asyncio import ConnectionPool

__all__ = ["SCRIPT", "RedisStore"]

SCRIPT: Final = files(__package__).joinpath("shared.lua").read_text(encoding="utf-8")

_SCHEMA_KEY: Final = "krakenasync:schema"
_LONGEST_NAP: Final = 1.0
"""Seconds after which a waiting caller asks again even if it was not called up."""
_FIRST_TRY: Final = 0.02
_SLOTS: Final = 16
"""Records looked at on start: on a cluster of several servers, at least one of them is on another server."""


class _Ways:
    """One event loop's connections: one for questions, some for callers that wait to be called up."""

    def __init__(self, pool: ConnectionPool) -> None:
        from redis.asyncio import Redis  # noqa: PLC0415 - only for users of Redis

        self.server = Redis(connection_pool=pool)
        self.wire = Wire(pool)

    async def aclose(self) -> None:
        await self.wire.aclose()
        await self.server.aclose()
        await self.server.connection_pool.disconnect()


class RedisStore(Store):
    """Keeps counters, nonces and lanes on a server that many machines can reach.

    Works on asyncio only, like redis-py. A caller that is cancelled while it asks leaves no slot and no place behind.

    Args:
        url: ``redis://host:port/db``, ``rediss://`` for TLS, ``unix://`` for a socket.
        clock: The client's own steady clock; the counters follow the server's.
        script: A script to use instead of ours, for tests.

    Raises:
        ConfigurationError: The URL cannot be read, or redis-py is not installed.
    """

    def __init__(self, url: str, clock: Clock = SYSTEM_CLOCK, *, script: str = SCRIPT) -> None:
        self._url = url
        self._script = script
        self._heads: dict[int, bytes] = {}
        self._digest = hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()
        self._memory = Memory(clock)
        self._ways: WeakKeyDictionary[Any, _Ways] = WeakKeyDictionary()
        self._apart = False
        self._undoing: set[asyncio.Task[Any]] = set()
        self.calls = 0
        """Commands sent so far."""
        pool = pool_of(url)  # a URL that cannot be read fails here
        self._where = place_of(pool)

    def _way(self) -> _Ways:
        """The running loop's connections."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise ConfigurationError(
                "a Redis state works on asyncio only, for redis-py does", hint="use asyncio, or state='sqlite:////path'"
            ) from None
        found = self._ways.get(loop)
        if found is None:
            found = self._ways[loop] = _Ways(pool_of(self._url))
        return found

    async def start(self) -> None:
        """Check that the server runs scripts and that its data is of our version.

        Raises:
            ConfigurationError: The server does not run scripts, or its data is of another version.
            StateUnavailable: The server does not answer.
        """
        server = self._way().server
        try:
            await server.set(_SCHEMA_KEY, SCHEMA, nx=True)
            found = await server.get(_SCHEMA_KEY)
        except redis_errors() as error:
            raise failure(error, self._where) from None
        version = found.decode(errors="replace") if isinstance(found, bytes) else found
        if version is not None and version != str(SCHEMA):
            raise ConfigurationError(
                f"the Redis server holds schema {version}, this version of krakenasync writes {SCHEMA}",
                hint="let all processes run one version of krakenasync, or use another database number",
            )
        await self.ask(*(Peek(f"start {number}", Limit(1.0, 1.0)) for number in range(_SLOTS)))

    async def ask(self, *steps: Step) -> list[Any]:
        """Answer the steps in their order, in one call of the script."""
        if not self._apart:
            try:
                return await self._run(steps)
            except CrossSlot:
                self._apart = True
        answers: list[Any] = []
        due = True
        for _owner, group in groupby(steps, owner_of):  # a cluster keeps the records of two owners in two places
            asked = list(group)
            if not due:
                early = [isinstance(step, Enter) and step.if_due for step in asked]
                found = iter(await self._run([step for step, no in zip(asked, early, strict=True) if not no]))
                answers += [NOT_DUE if no else next(found) for no in early]
                continue
            answers += await self._run(asked)
            due = all(is_due(step, answer) for step, answer in zip(asked, answers[-len(asked) :], strict=True))
        return answers

    async def _run(self, steps: Sequence[Step]) -> list[Any]:
        """Run the script by its digest, or whole if the server has been restarted and has forgotten it."""
        if not steps:
            return []
        names = [record_of(step) for step in steps]
        numbers = {name: number for number, name in enumerate(dict.fromkeys(names), 1)}
        asked = self._memory.now()
        recalls = [self._memory.recall(name) for name in numbers]
        question = spell(recalls, [numbers[name] for name in names], steps)
        how = b"".join([_packed_key(name) for name in numbers]) + packed_word(question)
        try:
            try:
                text = await self._command(steps, self._begun(len(numbers)) + how)
            except redis_errors() as error:
                if type(error).__name__ != "NoScriptError":
                    raise
                text = await self._command(steps, self._begun(len(numbers), whole=True) + how)
        except redis_errors() as error:
            raise failure(error, self._where) from error
        answers, latest = [], {}
        for step, name, reply in zip(steps, names, replies(text), strict=True):
            answers.append(read(step, reply))
            if reply[1] >= 0 and not isinstance(step, (Nonce, Peek)):  # else nothing was changed
                latest[name] = step, reply
        for name, (step, reply) in latest.items():
            self._note(step, name, reply, asked)
        return answers

    def _begun(self, records: int, *, whole: bool = False) -> bytes:
        """Return the start of a command about this many records, with the script's digest, or the whole script."""
        if whole:
            return packed("EVAL", self._script, str(records), more=records + 1)
        found = self._heads.get(records)
        if found is None:
            found = self._heads[records] = packed("EVALSHA", self._digest, str(records), more=records + 1)
        return found

    async def _command(self, steps: Sequence[Step], command: bytes) -> bytes:
        """Send a command and wait for its answer; once more if the connection was lost.

        Repeating a question that did arrive is safe: what is charged twice decays, and entering twice enters once.
        """
        try:
            return await self._command_once(steps, command)
        except connection_errors():
            return await self._command_once(steps, command)

    async def _command_once(self, steps: Sequence[Step], command: bytes) -> bytes:
        self.calls += 1
        text: bytes = await self._way().wire.ask(command, functools.partial(self._undo, steps))
        return text

    def _undo(self, steps: Sequence[Step], text: bytes) -> None:
        """Give back what a cancelled caller booked, and leave the lane that it entered."""
        answers = [read(step, reply) for step, reply in zip(steps, replies(text), strict=True)]
        undone = list(_undone(steps, answers))
        if undone:
            task = asyncio.ensure_future(self._forgive(undone))
            self._undoing.add(task)
            task.add_done_callback(self._undoing.discard)

    async def _forgive(self, steps: Sequence[Step]) -> None:
        with suppress(StateUnavailable, ConfigurationError):
            await self.ask(*steps)

    def _note(self, step: Step, name: str, reply: tuple[float, ...], asked: float) -> None:
        """Remember how a record stands."""
        _first, _wait, seq, seen, *more = reply
        if isinstance(step, (Nonce, Enter, Leave)):
            self._memory.note(name, asked, seq=int(seq), seen=int(seen))
            return
        level, blocked, pace, margin = more
        self._memory.note(
            name,
            asked,
            seq=int(seq),
            seen=int(seen),
            level=level,
            decay=step.limit.decay,
            blocked=int(blocked),
            pace=pace,
            margin=margin,
        )

    async def called(self, name: str, who: str, longest: float) -> None:
        """Sleep until the caller is called up."""
        self.calls += 1
        bell = f"{key_of(f'lane {name}')}:bell:{who}"
        try:
            await self._way().server.blpop([bell], timeout=min(max(longest, _FIRST_TRY), _LONGEST_NAP))
        except redis_errors() as error:
            raise failure(error, self._where) from error

    async def aclose(self) -> None:
        """Close the running loop's connections; the next question opens others."""
        try:
            ways = self._ways.pop(asyncio.get_running_loop(), None)
        except RuntimeError:
            return  # no asyncio, no connections
        if ways is not None:
            if self._undoing:
                await asyncio.wait(self._undoing)
            await ways.aclose()

    def __repr__(self) -> str:
        return f"<RedisStore {self.calls} calls>"


@functools.lru_cache(4096)
def _packed_key(record: str) -> bytes:
    return packed_word(key_of(record))


def _undone(steps: Sequence[Step], answers: Sequence[Any]) -> Iterator[Step]:
    """Return the steps that undo the steps of a caller."""
    for step, answer in zip(steps, answers, strict=True):
        if isinstance(step, Book) and answer.made:
            yield GiveBack(step.name, step.limit, answer.cost, answer.due, answer.booked)
        elif isinstance(step, Enter) and answer.wait >= 0:
            yield Leave(step.name, step.who)
