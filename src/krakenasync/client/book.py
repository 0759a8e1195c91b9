"""The book of names, fetched when needed and kept for a while; with it, prices can be asked for by any name."""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeVar

import anyio

from krakenasync.client.loops import PerLoop
from krakenasync.clock import Clock, Instant, age, instant
from krakenasync.errors import InvalidArguments, InvalidType, KrakenError, RateLimitTimeout
from krakenasync.protocol.requests import Request
from krakenasync.protocol.wire import Answer
from krakenasync.spot.market import AssetPairs, Assets, Ticker, TickerInfo
from krakenasync.spot.names import NameBook
from krakenasync.spot.values import AssetClass

__all__ = ["Book", "Shelf"]

R = TypeVar("R")

CURRENCY: Final = "currency"
HOUR: Final = 3600.0


class _Entry:
    """The book of one asset class, as it was last fetched."""

    def __init__(self) -> None:
        self.book: NameBook | None = None
        self.at = Instant(0.0, 0)
        self.error: KrakenError | None = None
        self.rounds = 0
        """How often it was fetched, successfully or not."""


class Shelf:
    """Where a client and all its views keep their books. However many callers ask at once, each is fetched once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: dict[str, _Entry] = {}
        self._locks: PerLoop[anyio.Lock] = PerLoop()

    async def get(self, asset_class: str, max_age: float, fetch: Callable[[], Awaitable[NameBook]]) -> NameBook:
        """Return a book that is recent enough, or was fetched while this caller waited.

        Raises:
            KrakenError: The book cannot be fetched.
        """
        entry = self._entries.setdefault(asset_class, _Entry())
        if entry.book is not None and age(self._clock, entry.at) < max_age:
            return entry.book
        rounds = entry.rounds
        async with self._locks.get((id(self), asset_class), anyio.Lock):
            if entry.rounds == rounds:
                await self._fetch(entry, fetch)
            if entry.error is not None:
                raise copy.copy(entry.error) from entry.error
            assert entry.book is not None  # noqa: S101 - a round ends with a book or an error
            return entry.book

    async def _fetch(self, entry: _Entry, fetch: Callable[[], Awaitable[NameBook]]) -> None:
        try:
            entry.book, entry.error = await fetch(), None
            entry.at = instant(self._clock)
        except RateLimitTimeout:
            raise  # that caller's deadline was too short: the next caller asks
        except KrakenError as error:
            entry.error = error
        entry.rounds += 1


class Book:
    """The client's methods that look assets and pairs up by any name."""

    _shelf: Shelf

    async def send(self, request: Request[R], late: Callable[[], Mapping[str, Any]] | None = None) -> Answer[R]:
        """Make a call."""
        raise NotImplementedError

    async def names(self, asset_class: AssetClass = CURRENCY, *, max_age: float = HOUR) -> NameBook:
        """Return the book of names: assets and pairs by any of Kraken's names, their digits and minimums.

        >>> btc = (await kraken.names()).pair("BTC/USD")  # doctest: +SKIP
        >>> btc.quantize_price("30000.26"), btc.quantize_volume("0.123456789"), btc.ordermin  # doctest: +SKIP

        Args:
            asset_class: ``"currency"``, or ``"tokenized_asset"`` for xStocks, which have a book of their own.
            max_age: Seconds for which the book that was fetched last is reused; all views of a client share it.

        Raises:
            KrakenError: The book cannot be fetched.
        """
        if isinstance(max_age, bool) or not isinstance(max_age, (int, float)):
            raise InvalidType(f"max_age must be seconds, not {type(max_age).__name__}")
        if not isinstance(asset_class, str):
            raise InvalidType(f"asset_class must be a str, not {type(asset_class).__name__}")

        async def fetch() -> NameBook:
            given = None if asset_class == CURRENCY else asset_class
            assets = await self.send(Assets(aclass=given))
            pairs = await self.send(AssetPairs(aclass_base=given))
            return NameBook(assets.result, pairs.result)

        return await self._shelf.get(asset_class, max_age, fetch)

    async def ticker_of(self, *names: str, asset_class: AssetClass = CURRENCY) -> dict[str, TickerInfo]:
        """Return the prices of pairs, keyed by exactly the names that were asked for.

        >>> (await kraken.ticker_of("BTC/USD", "ETHEUR"))["BTC/USD"].last.price  # doctest: +SKIP

        Raises:
            UnknownAsset: Kraken lists no such pair; the hint lists similar names.
            InvalidArguments: No name was given.
        """
        if not names:
            raise InvalidArguments("ticker_of() needs names", hint="ticker() without names gives every pair")
        book = await self.names(asset_class)
        ids = dict.fromkeys(book.pair(name).id for name in names)
        given = None if asset_class == CURRENCY else asset_class
        answer = await self.send(Ticker(pair=tuple(ids), asset_class=given))
        return book.as_asked(names, answer.result)
