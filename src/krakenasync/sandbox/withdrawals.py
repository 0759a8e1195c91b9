"""Outgoing money: saved addresses, fees, and withdrawals that can be cancelled for a while."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final, NamedTuple

import msgspec

from krakenasync.sandbox.accounts import Account
from krakenasync.sandbox.clocks import NANOS
from krakenasync.sandbox.funding import INSUFFICIENT, INVALID_AMOUNT, METHODS, Method, address_for
from krakenasync.sandbox.ledger import Ledger
from krakenasync.sandbox.listings import ASSETS
from krakenasync.sandbox.refusals import Refusal, invalid

__all__ = ["SavedAddress", "Withdrawal", "Withdrawals"]

DUPLICATE_KEY: Final = "EFunding:Duplicate withdraw key"
UNKNOWN_KEY: Final = "EFunding:Unknown withdraw key"
MAX_FEE: Final = "EFunding:Max fee exceeded"
WRONG_ADDRESS: Final = "EFunding:Invalid withdrawal address"
OVER_LIMIT: Final = "EFunding:Withdrawal limit exceeded"
INITIAL_SECONDS: Final = 5
"""How long a withdrawal is checked before it is under way."""
QUOTED: Final = 300 * NANOS
"""How long a quoted fee is valid."""
DAY: Final = 86_400 * NANOS
OWNER: Final = "a wallet of one's own"
ZERO: Final = Decimal(0)


class SavedAddress(msgspec.Struct, kw_only=True):
    """An address that a person has saved, under the name they gave it.

    Attributes:
        method: The method it was saved for, or one of those in its scope.
        scope: What Funding Beta saved it for: ``method_id``, ``network_id`` or ``network_group_id``, of `method`.
    """

    id: str
    method: Method
    address: str
    key: str
    memo: str = ""
    description: str = ""
    scope: str = "method_id"

    def serves(self, method: Method) -> bool:
        """Whether money can be sent here by a method."""
        there = method.scopes.get(self.scope)
        return there is not None and there == self.method.scopes[self.scope]


class Withdrawal(msgspec.Struct, kw_only=True):
    """Money on its way out.

    Attributes:
        amount: What arrives: net of the fee.
        at: Unix nanoseconds.
        canceled: Whether it was cancelled.
    """

    account: Account
    method: Method
    refid: str
    txid: str
    address: str
    key: str
    address_id: str
    amount: Decimal
    fee: Decimal
    at: int
    canceled: bool = False

    @property
    def gross(self) -> Decimal:
        """What it took from the account."""
        return self.amount + self.fee

    def status(self, now: int) -> str:
        """Return Kraken's word for the withdrawal's status."""
        if self.canceled:
            return "Failure"
        age = now - self.at
        if age >= self.method.minutes * 60 * NANOS:
            return "Success"
        return "Pending" if age >= INITIAL_SECONDS * NANOS else "Initial"


class Quote(NamedTuple):
    """A fee that is valid until a moment, in unix nanoseconds."""

    method: Method
    fee: Decimal
    until: int


class Withdrawals:
    """All accounts' saved addresses and withdrawals."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._saved: dict[str, dict[str, SavedAddress]] = {}
        self._all: list[Withdrawal] = []
        self._quotes: dict[str, Quote] = {}
        self._number = 0

    def saved(self, account: Account) -> dict[str, SavedAddress]:
        """Return the addresses that an account has saved, by id; every account starts with one per method."""
        if account.name not in self._saved:
            self._saved[account.name] = {address.id: address for address in self._first_ones(account)}
        return self._saved[account.name]

    def save(self, account: Account, method: Method, address: str, key: str, memo: str = "") -> SavedAddress:
        """Save one more address. Nobody has to confirm it by e-mail here.

        Raises:
            Refusal: There is already an address of that name.
        """
        known = self.saved(account)
        self.check_free(account, key)
        saved = SavedAddress(id=self._new_id(), method=method, address=address, key=key, memo=memo)
        known[saved.id] = saved
        return saved

    def check_free(self, account: Account, key: str) -> None:
        """Check that no address has that name yet.

        Raises:
            Refusal: There is already one.
        """
        if any(saved.key == key for saved in self.saved(account).values()):
            raise Refusal(DUPLICATE_KEY)

    def find(self, account: Account, asset: str, key: str) -> SavedAddress:
        """Look up an address by its asset's id and its name.

        Raises:
            Refusal: There is no such address.
        """
        for saved in self.saved(account).values():
            if saved.key == key and saved.method.asset == asset:
                return saved
        raise Refusal(UNKNOWN_KEY)

    def limit(self, account: Account, method: Method, now: int) -> Decimal:
        """Return the most that an account can withdraw now, fee included."""
        return max(ZERO, min(method.daily - self.gone(account, method, now), account.available(method.asset)))

    def gone(self, account: Account, method: Method, now: int) -> Decimal:
        """Return what an account has withdrawn by a method in the last 24 hours, fees included."""
        return sum(
            (
                each.gross
                for each in self._all
                if each.account is account and each.method == method and not each.canceled and each.at > now - DAY
            ),
            ZERO,
        )

    def check(self, account: Account, method: Method, gross: Decimal, now: int) -> None:
        """Check that an amount may leave.

        Raises:
            Refusal: The amount is too small, more than the balance, or more than is allowed per day.
        """
        if gross < method.least_out or gross <= method.fee:
            raise Refusal(INVALID_AMOUNT)
        if gross > account.available(method.asset):
            raise Refusal(INSUFFICIENT)
        if gross > self.limit(account, method, now):
            raise Refusal(OVER_LIMIT)

    def withdraw(
        self,
        account: Account,
        saved: SavedAddress,
        gross: Decimal,
        now: int,
        *,
        method: Method | None = None,
        max_fee: Decimal | None = None,
        expected: str | None = None,
    ) -> Withdrawal:
        """Send money to a saved address; it leaves the account at once.

        Args:
            account: Whose money it is.
            saved: Where it goes.
            gross: What it takes from the account, fee included.
            now: Unix nanoseconds.
            method: How it travels, where the address serves several methods.
            max_fee: The most it may cost.
            expected: The address that the caller expects.

        Raises:
            Refusal: The fee is higher, the address is another one, or `check` refuses the amount.
        """
        method = method or saved.method
        if expected is not None and expected != saved.address:
            raise Refusal(WRONG_ADDRESS)
        if max_fee is not None and method.fee > max_fee:
            raise Refusal(MAX_FEE)
        self.check(account, method, gross, now)
        withdrawal = Withdrawal(
            account=account,
            method=method,
            refid=self._ledger.new_refid(),
            txid=self._ledger.new_hash(),
            address=saved.address,
            key=saved.key,
            address_id=saved.id,
            amount=gross - method.fee,
            fee=method.fee,
            at=now,
        )
        self._all.append(withdrawal)
        self._book(withdrawal, -withdrawal.amount, withdrawal.fee, now)
        return withdrawal

    def cancel(self, withdrawal: Withdrawal, now: int) -> bool:
        """Cancel a withdrawal; the account gets everything back.

        Returns:
            Whether it was still possible.
        """
        if withdrawal.status(now) not in ("Initial", "Pending"):
            return False
        withdrawal.canceled = True
        self._book(withdrawal, withdrawal.amount, -withdrawal.fee, now)
        return True

    def quote(self, method: Method, now: int) -> str:
        """Guarantee a method's fee for a while, and return the token for it."""
        for old in [old for old, quote in self._quotes.items() if quote.until < now]:
            del self._quotes[old]
        token = self._ledger.new_hash()
        self._quotes[token] = Quote(method, method.fee, now + QUOTED)
        return token

    def quoted(self, token: str, method: Method, now: int) -> Decimal:
        """Return the fee that a token guarantees, however often it was used.

        Raises:
            Refusal: The token is unknown, too old, or for another method.
        """
        quote = self._quotes.get(token)
        if quote is None or quote.method != method or quote.until < now:
            raise invalid("fee token")
        return quote.fee

    def of(self, account: Account) -> list[Withdrawal]:
        """List an account's withdrawals, newest first."""
        return [withdrawal for withdrawal in reversed(self._all) if withdrawal.account is account]

    def _book(self, withdrawal: Withdrawal, amount: Decimal, fee: Decimal, now: int) -> None:
        asset = withdrawal.method.asset
        self._ledger.move(
            withdrawal.account,
            self._ledger.outside,
            asset,
            amount,
            kind="withdrawal",
            refid=withdrawal.refid,
            at=now,
            fee=fee,
        )

    def _first_ones(self, account: Account) -> Iterator[SavedAddress]:
        """Yield one address of each method, named like ``xbt-bitcoin``."""
        for method in METHODS:
            words = f"{ASSETS[method.asset].altname} {method.network}".lower().split()
            owner = f"{OWNER} of {account.name}"
            yield SavedAddress(
                id=self._new_id(), method=method, address=address_for(method, owner, 0), key="-".join(words)
            )

    def _new_id(self) -> str:
        self._number += 1
        return f"addr-{self._number}"
