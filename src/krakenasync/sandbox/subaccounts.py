"""Masters and their subaccounts, and the public ids by which accounts refer to each other.

Source: https://docs.kraken.com/api/docs/category/rest-api/subaccounts
"""

from __future__ import annotations

import base64
import hashlib
from decimal import Decimal

from krakenasync.sandbox.accounts import Account, KeyRing
from krakenasync.sandbox.ledger import Ledger
from krakenasync.sandbox.refusals import PERMISSION_DENIED, Refusal, invalid

__all__ = ["Subaccounts", "public_id"]


def public_id(account: Account) -> str:
    """Return an account's public id (its IIBAN), which follows from its name."""
    digest = hashlib.sha256(account.name.encode()).digest()
    letters = base64.b32encode(digest[1:6]).decode()
    return f"AA{digest[0] % 90 + 10} N84G {letters[:4]} {letters[4:]}"


class Subaccounts:
    """Which account is a subaccount of which master."""

    def __init__(self, keys: KeyRing, ledger: Ledger) -> None:
        self._keys = keys
        self._ledger = ledger
        self._master_of: dict[str, str] = {}

    def create(self, master: Account, username: str) -> Account:
        """Open an empty account that belongs to another.

        Raises:
            Refusal: The name is taken, or the master is a subaccount itself.
        """
        if master.name in self._master_of:
            raise Refusal(PERMISSION_DENIED)
        if username in self._keys.accounts:
            raise invalid("username")
        account = self._keys.open_account(username, {}, tier=master.tier)
        self._master_of[username] = master.name
        return account

    def of(self, master: Account) -> list[Account]:
        """List an account's subaccounts."""
        return [self._keys.accounts[name] for name, owner in self._master_of.items() if owner == master.name]

    def master(self, account: Account) -> Account | None:
        """Return the master of a subaccount, or None if it is not one."""
        owner = self._master_of.get(account.name)
        return self._keys.accounts[owner] if owner else None

    def find(self, name: str, public: str) -> Account:
        """Look up an account by its public id, written with or without blanks or dashes between its groups.

        Args:
            name: The parameter that contains it, for the refusal.
            public: The id.

        Raises:
            Refusal: There is no such account.
        """
        wanted = "".join(public.replace("-", " ").split()).upper()
        for account in self._keys.accounts.values():
            if public_id(account).replace(" ", "") == wanted:
                return account
        raise invalid(name)

    def acting(self, account: Account, public: str) -> Account:
        """Return the account a key acts on: its own, or a subaccount of its own.

        Raises:
            Refusal: The account is somebody else's.
        """
        if not public:
            return account
        wanted = self.find("account_id", public)
        if wanted is not account and wanted not in self.of(account):
            raise Refusal(PERMISSION_DENIED)
        return wanted

    def transfer(self, source: Account, target: Account, asset: str, amount: Decimal, now: int) -> str:
        """Move money between two accounts and return the transfer's id. The caller has checked the balance."""
        refid = self._ledger.new_transfer_id("T")
        for account, signed in ((source, -amount), (target, amount)):
            self._ledger.book(account, asset, signed, kind="transfer", refid=refid, at=now)
        return refid
