"""A Kraken that fits in a test: the parts put together."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping
from decimal import Decimal

import anyio
import httpx
import msgspec
from anyio.lowlevel import checkpoint

from krakenasync.clock import Clock, SystemClock
from krakenasync.errors import ConfigurationError
from krakenasync.protocol.refusals import throttled
from krakenasync.protocol.tiers import Tier
from krakenasync.protocol.wire import envelope
from krakenasync.sandbox.accounts import Account, ApiKey, KeyRing
from krakenasync.sandbox.app import Lose, SandboxApp
from krakenasync.sandbox.auth import Gatekeeper
from krakenasync.sandbox.calls import Call, Reply
from krakenasync.sandbox.clocks import NANOS, SandboxClock
from krakenasync.sandbox.config import ALL_PERMISSIONS, SandboxConfig
from krakenasync.sandbox.control import control_app
from krakenasync.sandbox.endpoints.context import World
from krakenasync.sandbox.exchange import Exchange
from krakenasync.sandbox.faults import Faults
from krakenasync.sandbox.gateway import Gateway
from krakenasync.sandbox.limits import Limits
from krakenasync.sandbox.market import Market
from krakenasync.sandbox.reckoning import as_usual
from krakenasync.sandbox.routing import endpoint_name
from krakenasync.sandbox.snapshot import DAMAGED, dump, load
from krakenasync.sandbox.stats import Stats
from krakenasync.sandbox.treasury import Treasury

__all__ = ["AnswerLost", "Sandbox"]


class AnswerLost(httpx.ReadError):
    """A lost answer, as httpx raises it in process; over a socket the connection is closed instead."""

    def __init__(self) -> None:
        super().__init__("the sandbox lost this answer, as it was told to")


class Sandbox:
    """A local Kraken: an ASGI app with accounts, a market, counters and faults behind it.

    Args:
        config: The settings, such as how strict and how slow it is.
        clock: Where its time comes from.
        answer_lost: Makes the exception that a lost answer raises in process, for callers that do not use httpx.

    Attributes:
        app: The ASGI app, for a transport in process.
        keys: The API keys by label; the demo keys are labelled like their accounts.
        accounts: The accounts by name.
        faults: The faults to play.
        stats: What was seen so far.
        limits: The counters.
        exchange: Orders, trades and movements of money.
        market: The seeded market.
        clock: Its time; `advance` moves it.
        moment: When the last snapshot was made, by both of its clocks.
        treasury: The ledger, and all that happens to money besides trading.
    """

    @as_usual
    def __init__(
        self,
        config: SandboxConfig | None = None,
        clock: Clock | None = None,
        *,
        answer_lost: Callable[[], Exception] = AnswerLost,
    ) -> None:
        self.config = config or SandboxConfig()
        self.clock = SandboxClock(clock or SystemClock(), self.config.speed)
        # Each use has a random stream of its own: one more fault must not change the ids of the orders.
        ids, fault_chance, references, self._delays = (
            random.Random(f"{self.config.seed}:{use}")  # noqa: S311 - repeatable on purpose
            for use in ("ids", "faults", "references", "delays")
        )
        self.keys = KeyRing(self.config, self.clock.wall_ns() // NANOS)
        self.accounts = self.keys.accounts
        self.market = Market(self.config.seed)
        self.limits = Limits(self.config, self.clock)
        self.exchange = Exchange(self.accounts, self.market, self.clock, ids)
        self.faults = Faults(fault_chance)
        self.stats = Stats()
        self.treasury = Treasury(self.exchange, self.keys, references)
        world = World(self.config, self.market, self.exchange, self.limits, self.treasury)
        gatekeeper = Gatekeeper(self.config, self.keys, self.clock)
        self._gateway = Gateway(world, gatekeeper, self.clock, self.stats)
        self._in_flight: Counter[str] = Counter()
        self._answer_lost = answer_lost
        self.moment = self.clock.monotonic(), self.clock.wall_ns()
        self.app = self.asgi(self._lose)

    def asgi(self, lose: Lose) -> SandboxApp:
        """Make an ASGI app that loses answers in the given way."""
        control = control_app(self.keys, self.limits, self.faults, self.stats, self.treasury, self.clock)
        return SandboxApp(self.handle, control, self.clock, lose)

    @as_usual
    def open_account(self, name: str, balances: Mapping[str, str | Decimal], *, tier: Tier | None = None) -> Account:
        """Open one more account; `add_key` gives it a key.

        Raises:
            ConfigurationError: There is already an account of that name.
        """
        return self.keys.open_account(name, balances, tier=tier)

    def add_key(
        self,
        account: str,
        *,
        label: str | None = None,
        api_key: str | None = None,
        api_secret: str | None = None,
        permissions: tuple[str, ...] = ALL_PERMISSIONS,
        nonce_window: int = 0,
    ) -> ApiKey:
        """Make one more key for an account.

        Raises:
            ConfigurationError: The label (the account's name by default) or the key is taken.
        """
        return self.keys.add(
            self.accounts[account],
            label=label,
            api_key=api_key,
            api_secret=api_secret,
            permissions=permissions,
            nonce_window=nonce_window,
        )

    def level(self, key: ApiKey | str) -> float:
        """Return a key's current counter, in points, by the key or its label."""
        return self.limits.level(self.keys[key] if isinstance(key, str) else key)

    @as_usual
    def advance(self, seconds: float) -> None:
        """Let time pass at once, and let everything happen that is due by then.

        Raises:
            ConfigurationError: Time would go back.
        """
        self.clock.advance(seconds)
        self.exchange.settle()
        self.treasury.settle(self.clock.wall_ns())

    def snapshot(self) -> bytes:
        """Return the exact state as JSON, for a file; `restore` goes on from there.

        It contains the keys' secrets, including those that were given to the sandbox.

        Raises:
            ConfigurationError: Something was put into the sandbox that cannot be written.
        """
        self.moment = self.clock.monotonic(), self.clock.wall_ns()
        return dump(self, {"clock": self.clock.base, "root": self}, leave_out=frozenset({"app", "_in_flight"}))

    @classmethod
    @as_usual
    def restore(cls, data: bytes, clock: Clock | None = None) -> Sandbox:
        """Make a sandbox that goes on from a snapshot of another one.

        Time that has passed since then by the clock has passed here too: orders expire, dead man's switches fire.

        Args:
            data: What `snapshot` wrote.
            clock: Where time comes from.

        Raises:
            ConfigurationError: The data are not a snapshot.
        """
        sandbox = cls.__new__(cls)
        vars(sandbox).update(load(data, {"clock": clock or SystemClock()}, sandbox))
        try:
            sandbox.clock.resume(*sandbox.moment)
        except (AttributeError, TypeError):
            raise ConfigurationError(DAMAGED) from None
        sandbox._in_flight = Counter()  # noqa: SLF001 - the sandbox's own attribute
        sandbox.app = sandbox.asgi(sandbox._lose)  # noqa: SLF001 - and its own method
        return sandbox

    async def handle(self, call: Call) -> Reply | None:
        """Answer a call, including its travel in both directions and any faults.

        Returns:
            The answer, or None if the caller is to see a broken connection.
        """
        name, most = endpoint_name(call.method, call.quoted_path), self.config.most_at_once
        if not most or not call.api_key:
            return await self._handle(call, name)
        if self._in_flight[call.api_key] >= most:
            return await self._handle(call, name, throttled=True)
        self._in_flight[call.api_key] += 1
        try:
            await checkpoint()  # without latency no call would ever meet another one
            return await self._handle(call, name)
        finally:
            self._in_flight[call.api_key] -= 1

    async def _handle(self, call: Call, name: str, *, throttled: bool = False) -> Reply | None:
        self.stats.requests[name] += 1
        fault = self.faults.draw(name)
        await self._travel(fault.seconds if fault and not fault.late_answer else 0.0)
        reply: Reply | None
        if fault is None:
            reply = self._throttled(name) if throttled else self._gateway.answer(call)
        else:
            self.stats.faults[name, fault.name] += 1
            true_reply = self._gateway.answer(call) if fault.executes else Reply(b"")
            reply = fault.spoil(true_reply, self.clock.wall_ns() // NANOS)
        await self._travel(fault.seconds if fault and fault.late_answer else 0.0)
        return reply

    def _throttled(self, name: str) -> Reply:
        """Refuse a private call made while too many of its key were in flight; Kraken does not say how many."""
        code = throttled(self.clock.wall_ns() // NANOS + 1)
        self.stats.refused[name, code] += 1
        return Reply(envelope(msgspec.UNSET, code))

    async def _lose(self, _send: object) -> None:
        raise self._answer_lost()

    async def _travel(self, extra: float) -> None:
        """Wait for as long as the request or the answer travels."""
        delay = self.config.latency + extra
        if self.config.jitter:
            delay += self._delays.uniform(0, self.config.jitter)
        if delay:
            await anyio.sleep(delay)

    def __repr__(self) -> str:
        return f"Sandbox({self.config.account_tier.name.lower()}, {len(self.accounts)} accounts, {self.stats!r})"
