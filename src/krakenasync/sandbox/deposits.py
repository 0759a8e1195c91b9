"""Incoming money: addresses to send it to, and deposits that are pending until the chain has confirmed them."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec

from krakenasync.sandbox.accounts import Account
from krakenasync.sandbox.clocks import NANOS
from krakenasync.sandbox.funding import INVALID_AMOUNT, Method, address_for
from krakenasync.sandbox.ledger import Ledger
from krakenasync.sandbox.refusals import TOO_MANY_ADDRESSES, Refusal

__all__ = ["MOST_ADDRESSES", "Deposit", "DepositAddress", "Deposits"]

MOST_ADDRESSES: Final = 5
"""Addresses of a method that an account may have."""
INVOICE_SECONDS: Final = 3600
MINUTE: Final = 60 * NANOS


class DepositAddress(msgspec.Struct, kw_only=True):
    """Where an account can be sent money to.

    Attributes:
        expires: Unix nanoseconds; 0 for never.
        last_used: When a deposit came to it last, in unix nanoseconds; 0 for never.
    """

    method: Method
    address: str
    expires: int = 0
    last_used: int = 0

    @property
    def used(self) -> bool:
        """Whether a deposit has come to it."""
        return self.last_used > 0


class Deposit(msgspec.Struct, kw_only=True):
    """Money on its way in.

    Attributes:
        at: When it was seen, in unix nanoseconds.
        due: When it is confirmed and credited.
    """

    account: Account
    method: Method
    refid: str
    txid: str
    address: str
    amount: Decimal
    at: int
    due: int

    def status(self, now: int) -> str:
        """Return Kraken's word for the deposit's status."""
        return "Success" if now >= self.due else "Pending"


class Deposits:
    """All accounts' addresses and deposits."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._addresses: dict[tuple[str, str], list[DepositAddress]] = {}
        self._deposits: list[Deposit] = []
        self._pending: list[Deposit] = []

    def addresses(self, account: Account, method: Method) -> list[DepositAddress]:
        """List an account's addresses of a method, newest first; one is there from the start, unless they expire."""
        found = self._of(account, method)
        if not found and not method.invoices:
            found.append(self._make(account, method, 0))
        return found[::-1]

    def new_address(self, account: Account, method: Method, now: int) -> DepositAddress:
        """Make one more address.

        Raises:
            Refusal: The account has too many addresses.
        """
        self.addresses(account, method)
        found = self._of(account, method)
        if len([known for known in found if not 0 < known.expires <= now]) >= MOST_ADDRESSES:
            raise Refusal(TOO_MANY_ADDRESSES)
        found.append(self._make(account, method, now + INVOICE_SECONDS * NANOS if method.invoices else 0))
        return found[-1]

    def send(self, account: Account, method: Method, amount: Decimal, now: int) -> Deposit:
        """Send money to an account from outside; it is credited when the method's time has passed.

        Raises:
            Refusal: The amount is less or more than the method accepts.
        """
        if amount < method.minimum or (method.limit is not None and amount > method.limit):
            raise Refusal(INVALID_AMOUNT)
        known = self.addresses(account, method)
        address = known[0] if known else self.new_address(account, method, now)
        address.last_used = now
        deposit = Deposit(
            account=account,
            method=method,
            refid=self._ledger.new_refid(),
            txid=self._ledger.new_hash(),
            address=address.address,
            amount=amount,
            at=now,
            due=now + method.minutes * MINUTE,
        )
        self._deposits.append(deposit)
        self._pending.append(deposit)
        return deposit

    def settle(self, now: int) -> None:
        """Credit what is confirmed by now."""
        due = [deposit for deposit in self._pending if deposit.due <= now]
        if not due:
            return
        self._pending = [deposit for deposit in self._pending if deposit.due > now]
        for deposit in sorted(due, key=lambda deposit: deposit.due):
            self._ledger.move(
                deposit.account,
                self._ledger.outside,
                deposit.method.asset,
                deposit.amount,
                kind="deposit",
                refid=deposit.refid,
                at=deposit.due,
            )

    def of(self, account: Account) -> list[Deposit]:
        """List an account's deposits, newest first."""
        return [deposit for deposit in reversed(self._deposits) if deposit.account is account]

    def _of(self, account: Account, method: Method) -> list[DepositAddress]:
        return self._addresses.setdefault((account.name, method.id), [])

    def _make(self, account: Account, method: Method, expires: int) -> DepositAddress:
        number = len(self._of(account, method))
        return DepositAddress(method=method, address=address_for(method, account.name, number), expires=expires)
