"""A store on a Redis or Valkey server: for the processes of several machines.

One script does everything, atomically and by the server's clock. It is called by its digest (EVALSHA, which Redis 5 and
later, Valkey and most services know). Every key of a record has the record's hash tag, so a cluster keeps it in one
place; what the tag hashes tells neither API key nor exchange.

Source: https://redis.io/docs/latest/develop/programmability/eval-intro/
"""

from __future__ import annotations

import functools
import hashlib
from contextlib import suppress
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

import anyio

from krakenasync.clock import SYSTEM_CLOCK, Clock
from krakenasync.errors import ConfigurationError, StateUnavailable
from krakenasync.state.nonces import tick_of
from krakenasync.state.port import SCHEMA, Booking, Limit, Standing
from krakenasync.state.recall import Memory

if TYPE_CHECKING:
    from redis.asyncio import Redis

__all__ = ["SCRIPT", "RedisStore"]

SCRIPT: Final = files(__package__).joinpath("shared.lua").read_text(encoding="utf-8")

_SCHEMA_KEY: Final = "krakenasync:schema"
_PATIENCE: Final = 2.0
"""Seconds to wait for a connection or an answer."""
_LONGEST_NAP: Final = 1.0
"""Seconds after which a waiting caller asks again even if nobody called it up."""
_FIRST_TRY: Final = 0.02


class _Reply:
    """The script's answer."""

    __slots__ = ("blocked", "first", "level", "now", "seq", "wait")

    def __init__(self, text: bytes | str) -> None:
        parts = text.split()
        self.first = int(parts[0])
        self.wait = int(parts[1])
        self.level = float(parts[2])
        self.seq, self.now, self.blocked = (int(part) for part in parts[3:])


class RedisStore:
    """Keeps counters, nonces and lanes on a server that many machines reach.

    Works on asyncio; redis-py has no other.

    Args:
        url: ``redis://host:port/db``, ``rediss://`` for TLS, ``unix://`` for a socket.
        clock: The client's own steady clock; the counters follow the server's.
        script: Another text than ours, for tests.

    Raises:
        ConfigurationError: The URL cannot be read, or redis-py is not installed.
    """

    def __init__(self, url: str, clock: Clock = SYSTEM_CLOCK, *, script: str = SCRIPT) -> None:
        self._url = url
        self._script = script
        self._digest = hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()
        self._memory = Memory(clock)
        self._servers: WeakKeyDictionary[Any, Redis] = WeakKeyDictionary()
        self.calls = 0
        """Commands sent so far."""
        self._connect()

    def _connect(self) -> Redis:
        """Make a pool of connections; none is opened yet."""
        try:
            from redis.asyncio import ConnectionPool, Redis  # noqa: PLC0415 - only for those who use it
            from redis.asyncio.retry import Retry  # noqa: PLC0415 - the same
            from redis.backoff import ExponentialBackoff  # noqa: PLC0415 - the same
            from redis.exceptions import ConnectionError as LostConnection  # noqa: PLC0415 - the same
        except ImportError:
            raise ConfigurationError("a Redis state needs redis-py", hint="pip install 'krakenasync[redis]'") from None
        try:
            pool = ConnectionPool.from_url(
                self._url,
                socket_timeout=_PATIENCE,
                socket_connect_timeout=_PATIENCE,
                # A restarted server is found again; a silent one is not asked twice. A question that did arrive and
                # is repeated does no harm: what is charged twice decays, who enters twice enters once.
                retry=Retry(ExponentialBackoff(cap=0.3, base=0.02), 4, (LostConnection,)),
            )
            pool.connection_class(**pool.connection_kwargs)  # an unknown option shows only here
        except (ValueError, TypeError) as error:
            raise ConfigurationError(
                f"the state's URL cannot be read: {error}", hint="like redis://127.0.0.1:6379/0"
            ) from None
        return Redis(connection_pool=pool)

    def _server(self) -> Redis:
        """The running loop's connections."""
        import asyncio  # noqa: PLC0415 - redis-py's own loop; nothing else here needs to know which one runs

        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise ConfigurationError(
                "a Redis state works on asyncio only, for redis-py does", hint="use asyncio, or state='sqlite:///path'"
            ) from None
        found = self._servers.get(loop)
        if found is None:
            found = self._servers[loop] = self._connect()
        return found

    async def start(self) -> None:
        """See that the server runs scripts and that what it keeps is of our version.

        Raises:
            ConfigurationError: It does not, or it is not.
            StateUnavailable: It does not answer.
        """
        server = self._server()
        try:
            await server.set(_SCHEMA_KEY, SCHEMA, nx=True)
            found = await server.get(_SCHEMA_KEY)
        except (*_wrong(), OSError) as error:
            raise _failure(error) from None
        version = found.decode(errors="replace") if isinstance(found, bytes) else found
        if version is not None and version != str(SCHEMA):
            raise ConfigurationError(
                f"the Redis server holds schema {version}, this version of krakenasync writes {SCHEMA}",
                hint="let all processes run one version of krakenasync, or use another database number",
            )
        await self.peek("start", Limit(1.0, 1.0))

    async def _ask(self, question: str, key: str, *how: Any) -> _Reply:
        """Run the script by its digest."""
        words = " ".join(map(str, (question, *how)))
        server = self._server()
        self.calls += 1
        try:
            reply: Any = await server.evalsha(self._digest, 1, key, words)
        except (*_wrong(), OSError) as error:
            if type(error).__name__ != "NoScriptError":
                raise _failure(error) from error
            return await self._teach(server, key, words)
        return _Reply(reply)

    async def _teach(self, server: Redis, key: str, words: str) -> _Reply:
        """Run the script on a server that does not know it, or was restarted and forgot it."""
        self.calls += 1
        try:
            reply: Any = await server.eval(self._script, 1, key, words)
        except (*_wrong(), OSError) as error:
            raise _failure(error) from error
        return _Reply(reply)

    async def _counter(self, question: str, name: str, limit: Limit, *how: Any) -> _Reply:
        recall, asked = self._memory.recall(name), self._memory.now()
        reply = await self._ask(
            question,
            _key(name),
            recall.seq,
            recall.seen,
            recall.elapsed,
            limit.cap,
            limit.decay,
            f"{recall.level:.9f}",
            recall.blocked,
            *how,
        )
        if question != "peek":
            self._memory.note(
                name,
                asked,
                seq=reply.seq,
                seen=reply.now,
                level=reply.level,
                decay=limit.decay,
                blocked=reply.blocked,
            )
        return reply

    async def book(
        self, name: str, limit: Limit, cost: float, *, headroom: float = 0.0, longest: float = 1e9, initial: float = 0.0
    ) -> Booking:
        """Charge `cost` points and say when the call may be sent."""
        reply = await self._counter("book", name, limit, cost, headroom, longest, initial)
        charged = cost if reply.first else 0.0
        return Booking(name, limit, charged, reply.wait / 1e6, reply.level, reply.now + reply.wait)

    async def send(self, booking: Booking) -> float:
        """Ask at the due time whether to send now."""
        return (await self._counter("send", booking.name, booking.limit)).wait / 1e6

    async def give_back(self, booking: Booking) -> None:
        """Give a slot back that was not used."""
        if booking.made:
            await self._counter("give_back", booking.name, booking.limit, booking.cost, booking.due)

    async def adjust(
        self, name: str, limit: Limit, *, delta: float = 0.0, floor: float = 0.0, block: float = 0.0
    ) -> Standing:
        """Correct a counter by what Kraken's answers tell."""
        reply = await self._counter("adjust", name, limit, delta, floor, block)
        return Standing(reply.level, reply.wait / 1e6)

    async def peek(self, name: str, limit: Limit) -> Standing:
        """Look at a counter, without changing it."""
        reply = await self._counter("peek", name, limit, 0.0, 0.0, 0.0)
        return Standing(reply.level, reply.wait / 1e6)

    async def nonce(self, name: str, unit: str, floor: int = 0) -> int:
        """Return a nonce above all that were handed out; whole microseconds, also in nanoseconds."""
        tick, finer = _ticks(unit)
        return (await self._ask("nonce", _key(f"lane {name}"), 0, 0, 0, unit, tick, -(-floor // finer))).first * finer

    async def enter(self, name: str, who: str, *, lease: float, unit: str, floor: int = 0) -> int:
        """Wait for the lane of a key and return the nonce to send."""
        lane, key = f"lane {name}", _key(f"lane {name}")
        tick, finer = _ticks(unit)
        try:
            while True:
                recall, asked = self._memory.recall(lane), self._memory.now()
                reply = await self._ask(
                    "enter", key, *recall[:3], who, round(lease * 1e6), unit, tick, -(-floor // finer)
                )
                self._memory.note(lane, asked, seq=reply.seq, seen=reply.now)
                if reply.first:
                    return reply.first * finer
                await self._bell(f"{key}:bell:{who}", min(max(reply.wait / 1e6, _FIRST_TRY), _LONGEST_NAP))
        except BaseException:
            with anyio.CancelScope(shield=True), suppress(StateUnavailable):
                await self.leave(name, who)
            raise

    async def _bell(self, key: str, longest: float) -> None:
        """Sleep until somebody hands us the lane."""
        self.calls += 1
        try:
            await self._server().blpop([key], timeout=longest)
        except (*_wrong(), OSError) as error:
            raise _failure(error) from error

    async def leave(self, name: str, who: str) -> None:
        """Leave the lane, and hand it to the next in line."""
        await self._ask("leave", _key(f"lane {name}"), 0, 0, 0, who)

    async def aclose(self) -> None:
        """Close the running loop's connections; the next question opens others."""
        import asyncio  # noqa: PLC0415 - as above

        try:
            server = self._servers.pop(asyncio.get_running_loop(), None)
        except RuntimeError:
            return  # no asyncio, no connections
        if server is not None:
            await server.aclose()
            await server.connection_pool.disconnect()

    def __repr__(self) -> str:
        return f"<RedisStore {self.calls} calls>"


@functools.cache
def _wrong() -> tuple[type[Exception]]:
    """The root of redis-py's errors."""
    from redis.exceptions import RedisError  # noqa: PLC0415 - only for those who use it

    return (RedisError,)


def _failure(error: Exception) -> ConfigurationError | StateUnavailable:
    """Say in our words what went wrong, without the URL: it may hold a password."""
    from redis import exceptions as wrong  # noqa: PLC0415 - only for those who use it

    if isinstance(error, (wrong.AuthenticationError, wrong.AuthorizationError, wrong.NoPermissionError)):
        return ConfigurationError(
            f"the Redis server does not allow us that: {error}",
            hint="the state's user needs EVALSHA, EVAL, GET, SET, BLPOP and what the script calls",
        )
    if isinstance(error, wrong.ResponseError) and "unknown command" in str(error).lower():
        return ConfigurationError(f"the Redis server has no scripting: {error}", hint="use one that knows EVALSHA")
    if isinstance(error, wrong.ResponseError):
        return StateUnavailable(f"the Redis server refused: {error}")
    return StateUnavailable(f"the Redis server does not answer: {type(error).__name__}")


def _key(name: str) -> str:
    """Name a record: what is in braces decides a cluster's slot."""
    return f"krakenasync:{{{hashlib.sha256(name.encode()).hexdigest()[:16]}}}"


def _ticks(unit: str) -> tuple[int, int]:
    """Microseconds in the tick the script counts in, and how many of the unit's own ticks that is."""
    tick = tick_of(unit)
    return max(1, tick // 1000), max(1, 1000 // tick)
