"""The book of names: assets and pairs found by any of Kraken's names for them.

Three layers of names exist side by side: the id that keys answers (``XXBT``, ``XXBTZUSD``), the altname (``XBT``,
``XBTUSD``) and the common name (``BTC``, ``BTC/USD``). Pair names follow no rule by which they could be taken apart, so
they are only ever looked up; those that Kraken does not list are composed from a pair's base and quote.

Sources: https://docs.kraken.com/api/docs/rest-api/get-asset-info,
https://docs.kraken.com/api/docs/rest-api/get-tradable-asset-pairs,
https://support.kraken.com/hc/en-us/articles/360001206766-Bitcoin-currency-code-XBT-vs-BTC
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final, Generic, TypeVar

from krakenasync.errors import InvalidArguments, InvalidType, UnknownAsset
from krakenasync.protocol.quoting import quoted
from krakenasync.spot.listed import Asset, Pair
from krakenasync.spot.market import AssetInfo, AssetPair

__all__ = ["SUFFIXES", "NameBook"]

T = TypeVar("T")

PEOPLE_SAY: Final = MappingProxyType({"XBT": "BTC", "XDG": "DOGE"})
"""Altname -> the common name, which Kraken also uses wherever it shows names to people."""

SUFFIXES: Final[Mapping[str, str]] = MappingProxyType(
    {
        ".S": "staked",
        ".M": "opt-in rewards",
        ".B": "yield-bearing",
        ".F": "auto-earning in Kraken Rewards",
        ".T": "tokenised asset",
        ".P": "parachain crowdloan",
        ".HOLD": "on hold",
    }
)
"""What the suffix of a balance's key means. Such balances are read-only: trade and move them through the base asset.

Source: https://docs.kraken.com/api/docs/rest-api/get-account-balance; .P and .HOLD are on no page, but in live names.
"""

_SUFFIXED: Final = re.compile(r"(?P<stem>[^.]+)(?P<suffix>\.[A-Z]+)", re.IGNORECASE)
_BONDED: Final = re.compile(r"(?P<base>.*[A-Za-z])(?P<days>\d{2})")
"""Bonding days come before the suffix, two digits: ``DOT28.S``, ``KSM07.S``. ``ETH2.S`` is not one of those."""
_IRREGULAR: Final = {"ETH2": "ETH", "FLOWH": "FLOW"}
"""Stems of suffixed names that are neither an asset nor an asset with its bonding days."""


class _Index(Generic[T]):
    """Things by their names: the id first, then Kraken's other names, then names composed from them."""

    def __init__(self, what: str) -> None:
        self._what = what
        self.by_id: dict[str, T] = {}
        self._known: tuple[dict[str, set[str]], ...] = ({}, {}, {})

    def add(self, key: str, thing: T, listed: Iterable[str | None], composed: Iterable[str] = ()) -> None:
        """Enter a thing under its id and its other names."""
        self.by_id[key] = thing
        for names, known in zip(([key], listed, composed), self._known, strict=True):
            for name in names:
                if name:
                    known.setdefault(name.upper(), set()).add(key)

    def find(self, name: str) -> T | None:
        """Look up by any name, in upper or lower case.

        Raises:
            InvalidArguments: Several things have the name, or it is empty.
        """
        if not isinstance(name, str):
            raise InvalidType(f"the name of {self._what} must be a str, not {type(name).__name__}")
        wanted = name.strip()
        if not wanted:
            raise InvalidArguments(f"the name of {self._what} is empty", hint="give it one, like 'BTC' or 'BTC/USD'")
        if wanted in self.by_id:
            return self.by_id[wanted]
        for known in self._known:
            keys = known.get(wanted.upper(), ())
            if len(keys) > 1:
                raise InvalidArguments(
                    f"{quoted(name)} is the name of {' and of '.join(sorted(keys))}", hint="say which by its id"
                )
            for key in keys:
                return self.by_id[key]
        return None

    def unknown(self, name: str) -> UnknownAsset:
        """Return the error for a name that does not exist, with the names that are like it."""
        import difflib  # noqa: PLC0415 - for this one message

        names = {each for known in self._known for each in known}
        close = difflib.get_close_matches(name.strip().upper(), sorted(names), n=3)
        hint = f"did you mean {' or '.join(close)}?" if close else None
        what = self._what.removeprefix("a ").removeprefix("an ")
        return UnknownAsset(f"Kraken lists no {what} {quoted(name)}", hint=hint)


class NameBook:
    """All names of the assets and pairs of one class; `KrakenClient.names` fetches and keeps one.

    Args:
        assets: The result of Assets.
        pairs: The result of AssetPairs.
    """

    def __init__(self, assets: Mapping[str, AssetInfo], pairs: Mapping[str, AssetPair]) -> None:
        self._assets: _Index[Asset] = _Index("an asset")
        self._pairs: _Index[Pair] = _Index("a pair")
        for key, info in assets.items():
            asset = Asset(
                id=key,
                altname=info.altname,
                name=PEOPLE_SAY.get(info.altname, info.altname),
                base=key,
                decimals=info.decimals,
                display_decimals=info.display_decimals,
                info=info,
            )
            self._assets.add(key, asset, (asset.altname, asset.name))
        for key, asset in self.assets.items():
            if _SUFFIXED.fullmatch(key):
                self._assets.by_id[key] = self._suffixed(key, asset) or asset
        for key, row in pairs.items():
            if isinstance(row.base, str) and isinstance(row.quote, str):  # what Kraken leaves out is UNSET
                self._enter(key, row)

    def _enter(self, key: str, row: AssetPair) -> None:
        base, quote = self._of_pair(row.base), self._of_pair(row.quote)
        pair = Pair(id=key, altname=row.altname, name=f"{base.name}/{quote.name}", base=base, quote=quote, info=row)
        composed = [
            f"{first}/{second}"
            for first in (base.id, base.altname, base.name)
            for second in (quote.id, quote.altname, quote.name)
        ]
        self._pairs.add(key, pair, (row.altname, row.wsname), (*composed, base.name + quote.name))

    def _of_pair(self, key: str) -> Asset:
        """Find a pair's base or quote; its digits are unknown if Assets does not list it (another asset class)."""
        found = self._assets.by_id.get(key)
        return found or Asset(id=key, altname=key, name=PEOPLE_SAY.get(key, key), base=key, listed=False)

    @property
    def assets(self) -> Mapping[str, Asset]:
        """The listed assets by id."""
        return MappingProxyType(self._assets.by_id)

    @property
    def pairs(self) -> Mapping[str, Pair]:
        """The listed pairs by id."""
        return MappingProxyType(self._pairs.by_id)

    def asset(self, name: str) -> Asset:
        """Find an asset by any of its names, or the balance that a suffixed key stands for, listed or not.

        >>> book.asset("BTC").id, book.asset("DOT28.S").bonding_days, book.asset("XBT.F").base  # doctest: +SKIP
        ('XXBT', 28, 'XXBT')

        Raises:
            UnknownAsset: The name does not exist; the hint lists similar names.
            InvalidArguments: Several assets have the name.
        """
        found = self._assets.find(name) or self._suffixed(name.strip())
        if found is None:
            raise self._assets.unknown(name)
        return found

    def pair(self, name: str) -> Pair:
        """Find a pair by any of its names: ``XXBTZUSD``, ``XBTUSD``, ``XBT/USD``, ``BTC/USD``, ``BTCUSD``.

        Raises:
            UnknownAsset: The name does not exist; the hint lists similar names.
            InvalidArguments: Several pairs have the name.
        """
        found = self._pairs.find(name)
        if found is None:
            raise self._pairs.unknown(name)
        return found

    def as_asked(self, names: Iterable[str], result: Mapping[str, T]) -> dict[str, T]:
        """Key an answer about pairs by the names that were asked for, in their order.

        >>> book.as_asked(["BTC/USD"], await kraken.ticker("XBTUSD"))["BTC/USD"].last.price  # doctest: +SKIP

        Args:
            names: Pairs by any of their names.
            result: What Kraken answered, by pair id or any other name.

        Raises:
            UnknownAsset: A name is not a pair's, or the answer has nothing about it.
        """
        known = [(self._pairs.find(key), value) for key, value in result.items()]
        found = {pair.id: value for pair, value in known if pair is not None}
        answer: dict[str, Any] = {}
        for name in names:
            pair = self.pair(name)
            if pair.id not in found:
                raise UnknownAsset(f"the answer has nothing about {name}", hint=f"it has {', '.join(result)}")
            answer[name] = found[pair.id]
        return answer

    def _suffixed(self, name: str, listed: Asset | None = None) -> Asset | None:
        """Read a suffixed name through its base."""
        match = _SUFFIXED.fullmatch(name)
        if match is None:
            return None
        stem, suffix = match["stem"], match["suffix"].upper()
        base, days = self._stem(stem)
        if base is None:
            return None
        known = listed or base
        return Asset(
            id=listed.id if listed else name,
            altname=listed.altname if listed else name,
            name=f"{base.name}{suffix}" if days is None else f"{base.name}{days:02}{suffix}",
            base=base.id,
            suffix=suffix,
            meaning=SUFFIXES.get(suffix, ""),
            bonding_days=days,
            decimals=known.decimals,
            display_decimals=known.display_decimals,
            listed=listed is not None,
            info=known.info,
        )

    def _stem(self, stem: str) -> tuple[Asset | None, int | None]:
        """Find the asset before a suffix, and its bonding days if the name has them."""
        irregular = _IRREGULAR.get(stem.upper())
        found = self._assets.find(stem) or (self._assets.find(irregular) if irregular else None)
        bonded = _BONDED.fullmatch(stem)
        if found is None and bonded is not None:
            return self._assets.find(bonded["base"]), int(bonded["days"])
        return found, None

    def __repr__(self) -> str:
        return f"<NameBook of {len(self.assets)} assets and {len(self.pairs)} pairs>"
