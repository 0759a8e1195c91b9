"""`KrakenClient`: every call as a method, and `send`, which makes all of them."""

from __future__ import annotations

import functools
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, NoReturn, Self, TypeVar, Unpack

import msgspec

from krakenasync.client.book import Book, Shelf
from krakenasync.client.calls import Action, Calls
from krakenasync.client.cancelling import EnsureCancelled, ensure_cancelled
from krakenasync.client.config import (
    Changes,
    Options,
    checked_hooks,
    checked_limits,
    checked_name,
    checked_window,
    has_methods,
)
from krakenasync.client.credentials import both_halves, settings_from
from krakenasync.client.deadman import DeadManSwitch, dead_man_switch
from krakenasync.client.events import Hook, Notifier
from krakenasync.client.frames import at_any_time, discreet
from krakenasync.client.limits import Limits, LimitsConfig
from krakenasync.client.nonces import KeyLane
from krakenasync.client.orders import PlacedOrder, PlaceOrder, ResolveOrder, place_order, resolve_order
from krakenasync.client.outcomes import outcome_of
from krakenasync.client.pages import Pages
from krakenasync.client.polling import BalanceSnapshot, poll_balances
from krakenasync.client.preview import Vocabulary, check_deadline, deadline_of
from krakenasync.client.queueing import Lane
from krakenasync.client.raw import raw_call
from krakenasync.client.recent import Recent
from krakenasync.client.road import Call, Road
from krakenasync.client.serverclock import ServerClock
from krakenasync.client.transport import Transport
from krakenasync.clock import SYSTEM_CLOCK, Clock, age, instant
from krakenasync.errors import OutcomeUnknown
from krakenasync.protocol.requests import Request, result_type
from krakenasync.protocol.retries import RetryPolicy
from krakenasync.protocol.specs import Effect
from krakenasync.protocol.tiers import Tier
from krakenasync.protocol.wire import Answer, reader
from krakenasync.spot.orders import OrderInfo
from krakenasync.state.given import is_shared, state_from
from krakenasync.state.nonces import NonceSource, tick_of

if TYPE_CHECKING:
    from krakenasync.client.over_httpx import HttpClient
    from krakenasync.state.memory import MemoryState
    from krakenasync.state.port import Store

__all__ = ["LIVE", "KrakenClient"]

R = TypeVar("R")

LIVE = "https://api.kraken.com"
_READ: Final = Effect.READ  # looking a member up on its enumeration is slow up to Python 3.11


class KrakenClient(Calls, Pages, Book):
    """An asynchronous client for Kraken's Spot REST API.

    Every call passes the limiter of its counter; a private one then waits for its key's lane, takes a nonce, is signed
    and sent. Failures that did no harm are retried. All clients of a key on an event loop share its counters and lane.

    Use it as an async context manager, or call `aclose` when done.

    Args:
        api_key: The public half of an API key; without one only public calls can be made.
        api_secret: Its private half, base64 as Kraken shows it.
        tier: The account's tier (`Tier` or its name); decides how fast private calls may go.
        base_url: Scheme and host, a path prefix is allowed.
        timeout: Seconds that one attempt may take, not counting the wait for the limiter.
        max_attempts: The most times that a call is sent, including the first attempt.
        nonce_unit: ``"ms"``, ``"us"`` or ``"ns"``; a key that was used with a finer unit needs that unit.
        account: A name for the account, if a process uses several of its keys: the matching engine counts per account
            and pair, not per key.
        nonce_window: The nonce window set on the key at Kraken, in ticks of the unit. Above 0, several private calls
            may be in flight at once.
        http_client: An httpx client to use instead of our own connections; you close it.
        transport: ``"express"`` uses our own connections on asyncio, and httpx's for trio, a proxy or `http_client`;
            ``"httpx"`` always uses httpx's. Or a `Transport` to share between clients: its address replaces
            `base_url`, and you close it.
        state: Where counters and nonces live. None: in this process; ``"sqlite:////absolute/path"`` (three slashes:
            relative to the working directory): with all processes of this machine that name the file;
            ``"redis://host:6379/0"``: with all machines; or a `Store` of your own.
        otp: The second factor, for a key that has a static one.
        limits: How the limiter counts.
        retry: How failed calls are repeated; `max_attempts` overrides its `attempts`.
        hooks: Called with an `Event` at each stage of each call.
        clock: The source of time.

    Raises:
        ConfigurationError: An argument cannot work; the message says which and why.
    """

    @discreet
    def __init__(
        self,
        api_key: str | None = None,
        api_secret: str | None = None,
        *,
        tier: Tier | str = Tier.STARTER,
        base_url: str = LIVE,
        timeout: float = 10.0,
        max_attempts: int | None = None,
        nonce_unit: str = "ms",
        nonce_window: int = 0,
        http_client: HttpClient | None = None,
        transport: Transport | str = "express",
        state: MemoryState | Store | str | None = None,
        otp: str | None = None,
        account: str | None = None,
        limits: LimitsConfig | None = None,
        retry: RetryPolicy | None = None,
        hooks: Iterable[Hook] = (),
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.tier = Tier.parse(tier)
        policy = RetryPolicy() if retry is None else retry
        self._options = Options(timeout=timeout, retry=policy).changed(max_attempts=max_attempts)
        credentials = both_halves(api_key, api_secret, otp)
        account = checked_name("account", account)
        has_methods("clock", clock, "monotonic", "wall_ns", what="a Clock, or leave it out for the machine's own")
        tick_of(nonce_unit)  # checked even without a key
        self._lent = isinstance(transport, Transport)
        way = transport if isinstance(transport, Transport) else Transport(base_url, http_client, kind=transport)
        kept = state_from(state, clock)
        key_id = credentials.key_id if credentials else None
        self._road = Road(
            way,
            Limits(kept, way.base_url, key_id, self.tier, checked_limits(limits), account=account),
            credentials,
            kept.nonces(f"{way.base_url} {key_id}", nonce_unit) if key_id else None,
            nonce_window=checked_window(nonce_window),
            policy=policy,
            notify=Notifier(checked_hooks(hooks)),
            clock=clock,
            lane=_lane(kept, f"{way.base_url} {key_id}"),
        )
        if is_shared(kept) and credentials:
            self._road.limits.key_lane = self._road.lane
        self._state = kept
        kept.join(self._road)
        self._recent = Recent(clock)
        self._clock = clock
        self._server_clock = ServerClock(clock)
        self._vocabulary = Vocabulary()
        self._shelf = Shelf(clock)

    @classmethod
    @discreet
    def from_env(cls, environ: Mapping[str, str] | None = None, **settings: Any) -> Self:
        """Make a client from the environment; keyword arguments take precedence.

        Reads KRAKEN_API_KEY, KRAKEN_API_SECRET, KRAKEN_TIER, KRAKEN_BASE_URL, KRAKEN_NONCE_UNIT,
        KRAKEN_NONCE_WINDOW and KRAKEN_STATE, or for each a file named by the variable with ``_FILE`` appended.

        Raises:
            ConfigurationError: A setting is missing its other half, or cannot work.
        """
        return cls(**settings_from(environ, without=settings), **settings)

    def with_options(self, **changes: Unpack[Changes]) -> Self:
        """Return a view of this client with other options, over the same connections and counters.

        Args:
            changes: `timeout`, `max_attempts`, `retry`, `lane` (``"urgent"``, ``"normal"``, ``"background"``) or
                `max_age`; see `krakenasync.client.config.Options`.

        Raises:
            ConfigurationError: An option does not exist, or its value cannot work.
        """
        view = object.__new__(type(self))
        view.__dict__.update(self.__dict__)
        view._options = self._options.changed(**changes)
        return view

    @property
    def identity(self) -> tuple[str, str | None]:
        """The base URL it talks to, and a hash that identifies its key without revealing it (None without a key)."""
        road = self._road
        return road.transport.base_url, road.credentials.key_id if road.credentials else None

    @property
    def patience(self) -> tuple[float, int]:
        """Seconds that an attempt of a call may take, and how many attempts there may be."""
        return self._options.timeout, self._options.retry.attempts

    @property
    def limits(self) -> Limits:
        """The limiter; ``kraken.limits.snapshot()`` shows every counter."""
        return self._road.limits

    async def send(self, request: Request[R], late: Callable[[], Mapping[str, Any]] | None = None) -> Answer[R]:
        """Make a call and return its result together with Kraken's warnings and the answer's bytes.

        Args:
            request: The call.
            late: Returns further parameters; called just before signing, after all waiting.

        Raises:
            InvalidArguments: A parameter is wrong; nothing was sent.
            KrakenError: The call failed.
        """
        spec, params = request.spec, request.params()
        if params:
            self._vocabulary.check(request)
            if (deadline := deadline_of(request)) is not None:
                await check_deadline(deadline, self._server_clock, self._urgent())
            spec = spec.of(params)
        call = Call(spec, params, _reader(type(request)), late)
        if spec.effect is _READ:
            return await self._make(call)
        began = instant(self._clock)
        try:
            return await self._make(call)
        except OutcomeUnknown as error:
            since = functools.partial(age, self._clock, began)
            outcome = outcome_of(request, self._urgent(), self._server_clock, error, age=since)
            error.resolver = outcome.resolve if outcome else None
            raise

    def _make(self, call: Call) -> Awaitable[Answer[Any]]:
        options = self._options
        if options.max_age is None or call.spec.effect is not _READ:
            return self._travel(call)
        return self._recent.get(call, options.max_age, call.lane(options), lambda: self._travel(call))

    def _travel(self, call: Call) -> Awaitable[Answer[Any]]:
        # Already a coroutine: wrapping it in another would only cost time.
        return self._road.travel(call, self._options)

    async def public(self, name: str, /, **params: Any) -> Any:
        """Make any public call by Kraken's name and return its raw result: text as text, fractions as Decimal.

        >>> await kraken.public("Ticker", pair="XBTUSD")  # doctest: +SKIP

        Args:
            name: Kraken's name, the end of the call's path, like ``"Ticker"``.
            params: Parameters under Kraken's names; those that are None are left out.

        Raises:
            InvalidArguments: `name` belongs to a private call, or a parameter cannot be sent.
            KrakenError: The call failed.
        """
        return (await self._make(raw_call(name, params, private=False))).result

    async def private(self, name: str, /, **params: Any) -> Any:
        """Make any private call by Kraken's name and return its raw result: text as text, fractions as Decimal.

        An endpoint that this version does not know is treated as a write: it is never repeated blindly.

        Args:
            name: Kraken's name, the end of the call's path, like ``"Balance"`` or ``"Earn/Strategies"``.
            params: Parameters under Kraken's names; those that are None are left out.

        Raises:
            InvalidArguments: `name` belongs to a public call, or a parameter cannot be sent.
            KrakenError: The call failed; `OutcomeUnknown` for a write that may have been carried out.
        """
        return (await self._make(raw_call(name, params, private=True))).result

    def poll_balances(
        self, every: float = 5.0, *, max_age: float = 0.0, on_error: str = "raise"
    ) -> AsyncGenerator[BalanceSnapshot, None]:
        """Yield the balances at a fixed interval, without end; all other calls take precedence.

        Args:
            every: Seconds from one poll to the next; a poll that was missed is skipped.
            max_age: Reuse an answer that another task of this client received if it is at most this many seconds old.
            on_error: ``"raise"`` ends the iteration with the error; ``"yield"`` reports it in a snapshot and continues,
                unless retrying cannot help.

        Raises:
            ConfigurationError: `every`, `max_age` or `on_error` cannot work.
            KrakenError: A poll failed.
        """
        view = self.with_options(lane="background", max_age=max_age)
        return poll_balances(view.balance, every, clock=self._clock, on_error=on_error)

    async def _place(self, wanted: PlaceOrder) -> PlacedOrder:
        # In the normal lane: a new order must not overtake a cancel; the calls that look for it may. After a refused
        # nonce it looks before it resends: the refused request may be a copy of one that was carried out.
        retry = msgspec.structs.replace(self._options.retry, nonce_tries=0)
        sender = self.with_options(max_age=None, retry=retry)
        return await place_order(sender, self._urgent(), self._server_clock, wanted)

    async def _resolve(self, wanted: ResolveOrder) -> PlacedOrder | None:
        return await resolve_order(self._urgent(), self._server_clock, wanted)

    async def _cancel(self, wanted: EnsureCancelled) -> OrderInfo:
        since = functools.partial(age, self._clock, instant(self._clock))
        return await ensure_cancelled(self._urgent(), self._server_clock, wanted, age=since)

    def _urgent(self) -> Self:
        """Return a view for finding out what became of an order: its calls go first and never reuse an old answer."""
        return self.with_options(lane=self._options.lane or Lane.URGENT, max_age=None)

    place_order = Action(PlaceOrder, _place)
    resolve_order = Action(ResolveOrder, _resolve)
    ensure_cancelled = Action(EnsureCancelled, _cancel)

    def dead_man_switch(self, timeout: int = 60) -> AbstractAsyncContextManager[DeadManSwitch]:
        """Have Kraken cancel all orders of the account if this program stops, or if the block ends with an error.

        Renews CancelAllOrdersAfter three times within `timeout` seconds, ahead of all other calls; see
        `krakenasync.client.deadman.dead_man_switch`.
        """
        return dead_man_switch(self.with_options(lane=Lane.URGENT).cancel_all_orders_after, timeout)

    async def aclose(self) -> None:
        """Close the connections, unless the caller provided them; the last client of a shared state closes that too."""
        if not self._lent:
            await self._road.transport.aclose()
        await self._state.part(self._road)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    @at_any_time
    def __repr__(self) -> str:
        who = repr(self._road.credentials) if self._road.credentials else "public calls only"
        way = self._road.transport
        return f"<KrakenClient {way.base_url} {self.tier.name.lower()} {who} {way.way}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a client cannot be pickled: make one in each process, ideally with a separate key")


@functools.cache
def _reader(request: type[Request[Any]]) -> Callable[[int, bytes], Answer[Any]]:
    """Return the function that reads an endpoint's answers, made once per endpoint."""
    return reader(result_type(request), request.spec.name)


def _lane(state: MemoryState, name: str) -> Callable[[NonceSource, int], KeyLane]:
    """Return what makes the lane of a key."""
    if not is_shared(state):
        return KeyLane
    from krakenasync.client.sharedlane import SharedLane  # noqa: PLC0415 - most clients share nothing

    return functools.partial(SharedLane, name=name, state=state)
