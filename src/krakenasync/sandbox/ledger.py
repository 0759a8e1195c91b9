"""The ledger: every movement of money as a line of an account, and the places besides accounts where money can be.

What one place gains another loses, to the last decimal. So the sum of each asset over all accounts, the house, the
fees, the futures wallets and the outside world never changes; `Ledger.places` lists them.

Source: https://docs.kraken.com/api/docs/rest-api/get-ledgers
"""

from __future__ import annotations

import random
import re
import string
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

import msgspec

from krakenasync.sandbox.accounts import Account
from krakenasync.sandbox.clearing import CAPITALS
from krakenasync.sandbox.exchange import Exchange, Movement
from krakenasync.sandbox.listings import ASSETS, Asset, find_asset
from krakenasync.sandbox.refusals import Refusal

__all__ = ["Ledger", "Transfer", "asset_of", "base_of"]

ZERO: Final = Decimal(0)
LETTERS: Final = string.ascii_letters + string.digits
SUFFIXED: Final = re.compile(r"(.+?)(\d*)\.([A-Z]+)")
"""``DOT28.S``: the asset, days of bonding, the kind of balance."""


class Transfer(Movement, frozen=True, kw_only=True):
    """A line that does not come from a trade.

    Attributes:
        subtype: What kind of transfer it was, in Kraken's words.
    """

    subtype: str = ""


class Ledger:
    """Books movements of money other than trades.

    Attributes:
        outside: The world beyond the exchange: what was withdrawn, less what was deposited.
        futures: The futures wallets, by the account's name.
    """

    def __init__(self, exchange: Exchange, accounts: dict[str, Account], chance: random.Random) -> None:
        self._exchange = exchange
        self._accounts = accounts
        self._chance = chance
        self.outside = Account("outside", exchange.house.tier)
        self.futures: dict[str, Account] = {}

    def places(self) -> Iterator[Account]:
        """Yield all places where money can be."""
        yield from self._accounts.values()
        yield from (self._exchange.house, self._exchange.fees, self.outside)
        yield from self.futures.values()

    def futures_wallet(self, account: Account) -> Account:
        """Return the account's futures wallet."""
        return self.futures.setdefault(account.name, Account(f"{account.name}'s futures wallet", account.tier))

    def move(
        self,
        account: Account,
        other: Account,
        asset: str,
        amount: Decimal,
        *,
        kind: str,
        refid: str,
        at: int,
        fee: Decimal = ZERO,
        subtype: str = "",
    ) -> None:
        """Move money from another place into an account, or out of it, with a line in the account's ledger.

        Args:
            account: Whose ledger gets the line.
            other: The other place; it gets no line.
            asset: The asset's id.
            amount: Signed, without the fee.
            kind: Kraken's type of the line.
            refid: What caused it.
            at: Unix nanoseconds.
            fee: What the exchange keeps on top; negative when it is given back.
            subtype: Kraken's subtype.
        """
        other.balances[asset] -= amount
        self._exchange.fees.balances[asset] += fee
        self.book(account, asset, amount, kind=kind, refid=refid, at=at, fee=fee, subtype=subtype)

    def book(
        self,
        account: Account,
        asset: str,
        amount: Decimal,
        *,
        kind: str,
        refid: str,
        at: int,
        fee: Decimal = ZERO,
        subtype: str = "",
    ) -> None:
        """Write one leg of a movement; the caller must write the other."""
        account.balances[asset] += amount - fee
        line = Transfer(
            txid=self._exchange.new_id("L"),
            refid=refid,
            at=at,
            kind=kind,
            asset=asset,
            amount=amount,
            fee=fee,
            balance=account.balances[asset],
            subtype=subtype,
        )
        self._exchange.movements.setdefault(account.name, []).append(line)

    def lines(self, account: Account) -> list[Movement]:
        """Return the account's ledger, newest first.

        What happened while nobody looked is booked late, so the balances are worked out here, in order of time.
        """
        ordered = sorted(self._exchange.movements.get(account.name, ()), key=lambda line: line.at)
        left = dict(account.balances)
        found = []
        for line in reversed(ordered):
            balance = left.get(line.asset, ZERO)
            found.append(msgspec.structs.replace(line, balance=balance))
            left[line.asset] = balance - line.amount + line.fee
        return found

    def new_refid(self) -> str:
        """Draw a reference in the form that deposits and withdrawals have (``FTQcuak-V6Za8qrWnhzTx67yYHz8Tg``)."""
        letters = "".join(self._chance.choices(LETTERS, k=27))
        return f"FT{letters[:5]}-{letters[5:]}"

    def new_transfer_id(self, kind: str) -> str:
        """Draw a reference in the form that transfers have (``BOIUSIF-M7DLMN-UXZ3P5``)."""
        letters = "".join(self._chance.choices(CAPITALS, k=18))
        return f"{kind}{letters[:6]}-{letters[6:12]}-{letters[12:]}"

    def new_hash(self) -> str:
        """Draw the id of a transaction on a chain."""
        return self._chance.randbytes(32).hex()


def asset_of(name: str) -> Asset:
    """Return the asset behind a balance; one whose suffix is not listed is treated like its base asset."""
    if name in ASSETS:
        return ASSETS[name]
    base = base_of(name)
    like = ASSETS.get(base)
    return Asset(name, name, like.decimals, like.display_decimals) if like else Asset(name, name, 8, 5)


def base_of(name: str) -> str:
    """Return the id of the asset that a balance is made of: ``DOT`` for ``DOT28.S``, ``XXBT`` for ``XBT.M``."""
    suffixed = SUFFIXED.fullmatch(name)
    if suffixed is None:
        return name
    try:
        return find_asset(suffixed[1]).name
    except Refusal:
        return suffixed[1]
