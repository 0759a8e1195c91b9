"""The facts of a call, besides its parameters: where it goes, what it needs, costs and does."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import Enum
from typing import Any, Final

import msgspec

from krakenasync.protocol.charges import ONE, PER_IP, Charge

__all__ = ["Body", "Effect", "Need", "Spec", "private_call", "public_call"]

SITE: Final = "https://docs.kraken.com"
DOCS: Final = f"{SITE}/api/docs/rest-api/"


class Effect(Enum):
    """What a call does to the account; decides whether it may be repeated."""

    READ = "read"
    """Changes nothing: may be repeated at any time."""
    WRITE = "write"
    """Changes orders: repeated only when it is known that nothing was done."""
    FUNDS = "funds"
    """Moves money: never repeated by the client."""


class Body(Enum):
    """How the parameters are sent."""

    QUERY = "query"
    FORM = "form"
    JSON = "json"


class Need(msgspec.Struct, frozen=True):
    """The key permissions an endpoint asks for, by the names GetApiKeyInfo uses.

    Source: https://docs.kraken.com/api/docs/rest-api/get-api-key-info
    """

    codes: tuple[str, ...] = ()
    every: bool = False
    """Whether all codes are needed; if not, one of them is enough. No codes: any valid key."""

    def met_by(self, granted: Collection[str]) -> bool:
        """Whether a key with the `granted` permissions may call the endpoint."""
        if not self.codes:
            return True
        return (all if self.every else any)(code in granted for code in self.codes)


NO_NEED: Final = Need()
"""Any valid key will do."""


class Spec(msgspec.Struct, frozen=True, kw_only=True):
    """The facts of one endpoint, stated once. Client, sandbox, documentation and command line are made from them."""

    name: str
    """Kraken's name, the end of the path: ``"AddOrder"``, ``"Earn/Strategies"``."""
    path: str
    """What is signed: starts at ``/0/``, whatever prefix the base URL has."""
    private: bool
    section: str
    source: str
    method: str = "POST"
    body: Body = Body.FORM
    effect: Effect = Effect.READ
    charge: Charge
    need: Need = NO_NEED
    binary: bool = False
    """Whether the answer is a file instead of Kraken's envelope."""
    beta: bool = False
    """Funding Beta: nonce in a header, query string signed, no envelope."""
    makes: str | None = None
    """The parameter that turns a read into a write, like ``new`` of DepositAddresses."""

    def of(self, params: Mapping[str, Any]) -> Spec:
        """Return the facts of a call with these parameters."""
        if self.makes is None or not params.get(self.makes):
            return self
        return msgspec.structs.replace(self, effect=Effect.WRITE)


def _address(page: str) -> str:
    return f"{SITE if page.startswith('/') else DOCS}{page}"


def public_call(name: str, section: str, page: str, *, charge: Charge = PER_IP) -> Spec:
    """Write the facts of a public call: GET with a query string.

    Args:
        name: Kraken's name of the call.
        section: The section of Kraken's documentation.
        page: The last part of the address of its page, or the whole path from the site's root.
        charge: The counter of the caller's IP address, or of that and the pair.
    """
    return Spec(
        name=name,
        path=f"/0/public/{name}",
        private=False,
        section=section,
        source=_address(page),
        method="GET",
        body=Body.QUERY,
        charge=charge,
    )


def private_call(
    name: str,
    section: str,
    page: str,
    *,
    need: Need = NO_NEED,
    effect: Effect = Effect.READ,
    charge: Charge = ONE,
    body: Body = Body.FORM,
    binary: bool = False,
    makes: str | None = None,
) -> Spec:
    """Write the facts of a private call: POST, signed.

    Args:
        name: Kraken's name of the call.
        section: The section of Kraken's documentation.
        page: The last part of the address of its page, or the whole path from the site's root.
        need: The permissions of the key.
        effect: What the call does to the account.
        charge: The counter that rises.
        body: Form, or JSON where nesting asks for it.
        binary: Whether the answer is a file.
        makes: The parameter that turns the call into a write.
    """
    return Spec(
        name=name,
        path=f"/0/private/{name}",
        private=True,
        section=section,
        source=_address(page),
        body=body,
        effect=effect,
        charge=charge,
        need=need,
        binary=binary,
        makes=makes,
    )
