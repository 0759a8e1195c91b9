"""Funding Beta, Kraken's newer interface for deposits and withdrawals: what its calls share, and what can be moved.

Methods, addresses, limits and transfers have modules of their own.

These calls use real HTTP verbs and parameters in the path, carry the nonce in a header, sign the path with its
query string, and answer without the envelope; an error has an HTTP error status (see `protocol.problems`). No page
states what they cost; they are counted like any private call. Kraken calls the interface a beta, so names may change.

Amounts are in units of the asset given with them. Moments are aware datetimes in UTC. What Kraken leaves out of
an answer is None, or an empty list. Assets have their newer names: Bitcoin is ``BTC``.

Source: https://docs.kraken.com/exchange/guides/rest/funding
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar, Final, TypeVar

import msgspec

from krakenasync.errors import InvalidArguments
from krakenasync.protocol.charges import ONE
from krakenasync.protocol.requests import Part, Request, exclusive
from krakenasync.protocol.specs import Body, Effect, Need, Spec
from krakenasync.spot.values import AssetClass, AssetName, Direction, Word

__all__ = [
    "QUERY",
    "AssetAmount",
    "AssetOfClass",
    "Bare",
    "Beta",
    "FundableAssets",
    "FundingAsset",
    "FundingAssets",
    "Listing",
    "NamedAsset",
    "Scope",
    "beta_call",
]

R = TypeVar("R")

QUERY: Final = ("query-funds",)
"""The permission for every call that changes nothing."""


class AssetOfClass(Part, frozen=True, kw_only=True):
    """An asset with its class, ``currency`` or ``tokenized_asset``, as Funding Beta names it.

    As a filter, the class alone is enough, and is required; as a currency for equivalents, the name is required.
    """

    name: AssetName | None = None
    asset_class: AssetClass | None = msgspec.field(name="class", default=None)


class Scope(Part, frozen=True, kw_only=True):
    """A method, a network or a group of networks: one of the three, by its id."""

    method_id: Word | None = None
    network_id: Word | None = None
    network_group_id: Word | None = None

    def check(self) -> None:
        """Refuse none of them, or several."""
        exclusive(self, "method_id", "network_id", "network_group_id", needed=True)


def beta_call(
    name: str, path: str, page: str, *, method: str = "GET", need: tuple[str, ...] = QUERY, effect: Effect = Effect.READ
) -> Spec:
    """Write the facts of a Funding Beta call.

    Args:
        name: Our name of the call, the client's method.
        path: Its path below ``/funding/``.
        page: The last part of the address of its page.
        method: The HTTP verb.
        need: Permissions of the key; one is enough.
        effect: What the call does to the account.
    """
    return Spec(
        name=f"FundingBeta/{name}",
        path=f"/funding/{path}",
        private=True,
        section="funding-beta",
        source=f"https://docs.kraken.com/api-reference/funding-beta/{page}",
        method=method,
        body=Body.QUERY if method in {"GET", "DELETE"} else Body.JSON,
        effect=effect,
        charge=ONE,
        need=Need(need),
        beta=True,
    )


class Beta(Request[R], frozen=True, kw_only=True):
    """A Funding Beta call.

    Attributes:
        account_id: Act on this account or subaccount.
    """

    account_id: Word | None = None

    def params(self) -> dict[str, Any]:
        """Return the parameters, with those gathered in `body` or `filters` among the others.

        Raises:
            InvalidArguments: A parameter cannot be right, or is given both there and on its own.
        """
        sent = super().params()
        for gathered in ("body", "filters"):
            more = sent.pop(gathered, {})
            if twice := sorted(more.keys() & sent.keys()):
                raise InvalidArguments(f"{', '.join(twice)} is given both in {gathered} and outside it")
            sent |= more
        return sent


class Listing(Beta[R], frozen=True, kw_only=True):
    """A call that is answered in pages. `cursor` excludes any filter.

    Attributes:
        filters: Query parameters by Kraken's names that are not spelled out here.
    """

    cursor: Word | None = None
    filters: dict[str, Any] | None = None

    def check(self) -> None:
        """Refuse a filter with a cursor, and a filter by asset that has no class."""
        asset = getattr(self, "asset", None)
        if asset is not None and asset.asset_class is None:
            raise InvalidArguments("asset lacks class", hint="the class alone is a filter, the name alone is not")
        if self.cursor is None:
            return
        others = [name for name in self.__struct_fields__ if name not in {"cursor", "account_id", "direction"}]
        given = [name for name in others if getattr(self, name) is not None]
        if given:
            raise InvalidArguments(f"cursor excludes {', '.join(given)}", hint="it remembers the first call's filters")


class Bare(msgspec.Struct, frozen=True, kw_only=True):
    """An answer without the envelope.

    Kraken answers ``{}`` where there are no rows; a page that has other fields but no rows is refused.
    """

    enveloped: ClassVar[bool] = False
    nothing: ClassVar[bytes] = b"{}"
    """The body as which ``{}`` is read."""


class FundingAsset(msgspec.Struct, frozen=True, kw_only=True):
    """An asset with its class: ``currency`` or ``tokenized_asset``. Bitcoin is ``BTC`` here."""

    name: str
    asset_class: str | None = msgspec.field(name="class", default=None)


class AssetAmount(msgspec.Struct, frozen=True, kw_only=True):
    """An amount of an asset."""

    asset: FundingAsset
    amount: Decimal


class NamedAsset(msgspec.Struct, frozen=True):
    """An asset whose class is given separately."""

    name: str


class FundingAssets(Bare, frozen=True, kw_only=True):
    """The assets that can be moved, by their class."""

    currency: list[NamedAsset] = msgspec.field(default_factory=list)
    tokenized_asset: list[NamedAsset] = msgspec.field(default_factory=list)


class FundableAssets(Beta[FundingAssets], frozen=True, kw_only=True):
    """The assets that can be deposited or withdrawn, by their class."""

    spec: ClassVar[Spec] = beta_call("Assets", "v1/assets/{direction}", "list-funding-assets")

    direction: Direction
    asset_class: AssetClass | None = None
