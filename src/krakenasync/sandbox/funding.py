"""The ways in and out: methods, networks, limits and addresses. The figures are the sandbox's own.

Only Kraken's calls show its own figures; the names of methods and the shape of their rows follow recorded answers of
https://docs.kraken.com/api/docs/rest-api/get-deposit-methods and .../get-withdrawal-methods
"""

from __future__ import annotations

import hashlib
import uuid
from decimal import Decimal
from typing import Final

import msgspec

from krakenasync.sandbox.arguments import Arguments
from krakenasync.sandbox.listings import Asset, find_asset
from krakenasync.sandbox.refusals import Refusal, invalid

__all__ = [
    "GROUPS",
    "INSUFFICIENT",
    "INVALID_AMOUNT",
    "METHODS",
    "NO_METHOD",
    "Method",
    "address_for",
    "find_method",
    "funding_asset",
    "group_id",
    "method_by_id",
    "methods_of",
    "read_amount",
]

INVALID_AMOUNT: Final = "EFunding:Invalid amount"
INSUFFICIENT: Final = "EFunding:Insufficient funds"
NO_METHOD: Final = "EFunding:No funding method"
UNKNOWN_ASSET: Final = "EFunding:Unknown asset"
LARGEST: Final = Decimal(10**12)
"""An amount above this is taken for a typing error."""
HEX: Final = "0123456789abcdef"
BECH32: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
BASE58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


GROUPS: Final = {"Ethereum": "EVM"}
"""A network -> the group of networks that share its form of address.

Source: https://docs.kraken.com/exchange/guides/rest/funding
"""


def group_id(name: str) -> str:
    """Return what Funding Beta calls a group of networks."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"network group:{name}"))


class Method(msgspec.Struct, frozen=True, kw_only=True):
    """A way to deposit and withdraw an asset.

    Attributes:
        asset: The asset's id.
        minimum: The least that can be deposited.
        least_out: The least that can be withdrawn, fee included.
        fee: What a withdrawal costs.
        daily: The most that can be withdrawn in 24 hours, fees included.
        limit: The most that one deposit may be; None for no limit.
        minutes: How long a deposit or withdrawal takes.
        prefix: How its addresses begin; empty where there are none.
        alphabet: The characters that the rest of an address is made of.
        length: How many of them it has.
    """

    asset: str
    name: str
    network: str
    minimum: Decimal
    least_out: Decimal
    fee: Decimal
    daily: Decimal
    limit: Decimal | None = None
    minutes: int = 10
    prefix: str = ""
    alphabet: str = HEX
    length: int = 40

    @property
    def id(self) -> str:
        """What Funding Beta calls it."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"method:{self.asset}:{self.name}"))

    @property
    def network_id(self) -> str:
        """What Funding Beta calls its network."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"network:{self.network}"))

    @property
    def group(self) -> str:
        """The group that its network belongs to; empty if there is none."""
        return GROUPS.get(self.network, "")

    @property
    def scopes(self) -> dict[str, str]:
        """The scopes for which an address can be saved: kind of id -> id, from the narrowest to the widest."""
        scopes = {"method_id": self.id, "network_id": self.network_id}
        return {**scopes, "network_group_id": group_id(self.group)} if self.group else scopes

    @property
    def invoices(self) -> bool:
        """Whether each deposit is made to an invoice of its own."""
        return self.network == "Lightning"


def _method(
    asset: str,
    name: str,
    network: str,
    figures: str,
    address: tuple[str, str, int] = ("", "", 0),
    *,
    minutes: int,
    limit: str | None = None,
) -> Method:
    """Make a method; `figures` are the least in, the least out, the fee and the most a day."""
    minimum, least_out, fee, daily = map(Decimal, figures.split())
    prefix, alphabet, length = address
    return Method(
        asset=asset,
        name=name,
        network=network,
        minimum=minimum,
        least_out=least_out,
        fee=fee,
        daily=daily,
        limit=Decimal(limit) if limit else None,
        minutes=minutes,
        prefix=prefix,
        alphabet=alphabet,
        length=length,
    )


METHODS: Final = (
    _method("XXBT", "Bitcoin", "Bitcoin", "0.0001 0.0004 0.00002 100", ("bc1q", BECH32, 38), minutes=30),
    _method(
        "XXBT", "Bitcoin Lightning", "Lightning", "0.00001 0.00001 0 0.1", ("lnbc", BECH32, 180), minutes=1, limit="0.1"
    ),
    _method("XETH", "Ether (Hex)", "Ethereum", "0.001 0.002 0.0007 2000", ("0x", HEX, 40), minutes=5),
    _method("XXDG", "Dogecoin", "Dogecoin", "5 10 4 2000000", ("D", BASE58, 33), minutes=40),
    _method("ADA", "ADA", "Cardano", "1 3 0.6 1000000", ("addr1", BECH32, 54), minutes=10),
    _method("BCH", "Bitcoin Cash", "Bitcoin Cash", "0.001 0.002 0.0001 2000", ("q", BECH32, 41), minutes=150),
    _method("DOT", "Polkadot", "Polkadot", "1 1.2 0.05 50000", ("1", BASE58, 47), minutes=5),
    _method("SOL", "Solana", "Solana", "0.02 0.05 0.01 20000", ("", BASE58, 44), minutes=1),
    _method("USDT", "Tether USD (ERC20)", "Ethereum", "1 10 4 1000000", ("0x", HEX, 40), minutes=5),
    _method("USDT", "Tether USD (TRC20)", "Tron", "2 10 2.5 1000000", ("T", BASE58, 33), minutes=2),
    _method("ZEUR", "SEPA", "SEPA", "1 3 1 500000", minutes=1440),
    _method("ZUSD", "Fedwire", "Fedwire", "1 10 4 500000", minutes=720),
)


def funding_asset(name: str, aclass: str = "currency") -> Asset:
    """Look up an asset that can be moved; those with a suffix only show what is bound elsewhere.

    Raises:
        Refusal: There is no such asset of that class, or it cannot be moved.
    """
    if aclass != "currency":
        raise invalid("aclass")
    try:
        asset = find_asset(name)
    except Refusal:
        raise Refusal(UNKNOWN_ASSET) from None
    if "." in asset.name:
        raise Refusal(UNKNOWN_ASSET)
    return asset


def methods_of(asset: Asset) -> list[Method]:
    """List the ways to move an asset."""
    return [method for method in METHODS if method.asset == asset.name]


def find_method(asset: Asset, name: str) -> Method:
    """Look a method up by its asset and its name.

    Raises:
        Refusal: There is no such method.
    """
    for method in methods_of(asset):
        if method.name == name:
            return method
    raise Refusal(NO_METHOD)


def method_by_id(name: str) -> Method:
    """Look up a method by its Funding Beta id.

    Raises:
        Refusal: There is no such method.
    """
    for method in METHODS:
        if method.id == name:
            return method
    raise Refusal(NO_METHOD)


def address_for(method: Method, owner: str, number: int) -> str:
    """Make an address; the same one for the same owner and number."""
    seed = f"{method.asset}:{method.name}:{owner}:{number}".encode()
    if not method.prefix and not method.length:
        return f"DE{int.from_bytes(hashlib.sha256(seed).digest()[:8]) % 10**20:020d}"
    value = int.from_bytes(hashlib.shake_256(seed).digest(128))
    letters = []
    for _ in range(method.length):
        value, letter = divmod(value, len(method.alphabet))
        letters.append(method.alphabet[letter])
    return method.prefix + "".join(letters)


def read_amount(arguments: Arguments, asset: Asset, name: str = "amount") -> Decimal:
    """Read an amount of an asset, with no more digits than its bookkeeping has.

    Raises:
        Refusal: The amount is missing, not above 0, or has more digits.
    """
    amount = arguments.number(name)
    if not 0 < amount < LARGEST or amount != asset.quantise(amount):
        raise Refusal(INVALID_AMOUNT)
    return asset.quantise(amount)
