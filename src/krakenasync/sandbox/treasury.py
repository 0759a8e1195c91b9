"""All that happens to money besides trading, put together."""

from __future__ import annotations

import random

from krakenasync.sandbox.accounts import KeyRing
from krakenasync.sandbox.deposits import Deposits
from krakenasync.sandbox.earn import Earn
from krakenasync.sandbox.exchange import Exchange
from krakenasync.sandbox.exports import Exports
from krakenasync.sandbox.ledger import Ledger
from krakenasync.sandbox.subaccounts import Subaccounts
from krakenasync.sandbox.withdrawals import Withdrawals

__all__ = ["Treasury"]


class Treasury:
    """The sandbox's ledger, and the parts that write to it.

    Args:
        exchange: Whose accounts and ledger are used.
        keys: Where accounts are opened.
        chance: Where references are drawn from.

    Attributes:
        ledger: Every movement, and the places money can be.
        deposits: Money that comes in.
        withdrawals: Money that goes out.
        earn: Money that is allocated.
        subaccounts: Which account is a subaccount of which.
        exports: The reports that were ordered.
    """

    def __init__(self, exchange: Exchange, keys: KeyRing, chance: random.Random) -> None:
        self.ledger = Ledger(exchange, keys.accounts, chance)
        self.deposits = Deposits(self.ledger)
        self.withdrawals = Withdrawals(self.ledger)
        self.earn = Earn(self.ledger)
        self.subaccounts = Subaccounts(keys, self.ledger)
        self.exports = Exports(chance)

    def settle(self, now: int) -> None:
        """Let everything happen that only takes time: deposits are credited, bound funds become free."""
        self.deposits.settle(now)
        self.earn.settle(now)
