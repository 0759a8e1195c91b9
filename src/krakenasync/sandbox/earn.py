"""Earn: strategies, and what accounts have allocated to them. Each operation goes on for a while after its answer.

Allocated funds still belong to the account, as a separate balance (``DOT.B``). No rewards are paid.

Source: https://docs.kraken.com/api/docs/category/rest-api/earn
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

import msgspec

from krakenasync.sandbox.accounts import Account
from krakenasync.sandbox.clocks import NANOS
from krakenasync.sandbox.ledger import Ledger
from krakenasync.sandbox.listings import ASSETS
from krakenasync.sandbox.refusals import Refusal, invalid

__all__ = ["STRATEGIES", "Earn", "Leaving", "Lot", "Position", "Strategy", "find_strategy", "total"]

BUSY: Final = (
    "EEarnings:Busy:Another (de)allocation for the same strategy is in progress, please try again in a few minutes"
)
BELOW_MINIMUM: Final = "EEarnings:Below min:(De)allocation operation amount less than minimum"
ABOVE_MAXIMUM: Final = "EEarnings:Above max:The allocation would exceed the user limit"
INSUFFICIENT: Final = "EEarnings:Insufficient funds:Insufficient funds to complete the (de)allocation request"
NOT_ALLOWED: Final = "EEarnings:Permission denied:The user's tier is not high enough"
OPERATION: Final = 30 * NANOS
"""How long an allocation or deallocation takes."""
DAY: Final = 86_400
ZERO: Final = Decimal(0)


class Strategy(msgspec.Struct, frozen=True, kw_only=True):
    """A way to earn.

    Attributes:
        asset: The asset's id.
        kind: ``instant``, ``bonded`` or ``flex``; flex funds are not allocated by hand.
        apr: The estimate, in percent.
        bonding: Days before funds earn.
        unbonding: Days before funds that were taken out are free.
        least: The minimum amount, in US dollars.
        most: The most an account may have in it, in the asset; None for no limit.
    """

    id: str
    asset: str
    kind: str
    apr: tuple[str, str]
    bonding: int = 0
    unbonding: int = 0
    least: str = "1"
    most: str | None = None
    source: str = "staking"

    @property
    def token(self) -> str:
        """The balance that shows what is allocated."""
        return f"{ASSETS[self.asset].altname}.B"

    @property
    def by_hand(self) -> bool:
        """Whether a call may allocate to it."""
        return self.kind != "flex"

    def lock(self) -> dict[str, Any]:
        """Write how its funds are bound."""
        lock: dict[str, Any] = {"type": self.kind, "payout_frequency": 7 * DAY}
        if self.kind == "bonded":
            lock |= {
                "bonding_period": self.bonding * DAY,
                "bonding_period_variable": False,
                "bonding_rewards": False,
                "exit_queue_period": 0,
                "unbonding_period": self.unbonding * DAY,
                "unbonding_period_variable": False,
                "unbonding_rewards": False,
            }
        return lock


STRATEGIES: Final = (
    Strategy(id="ESRFUO3-Q62XD-WIOIL7", asset="DOT", kind="instant", apr=("8.0000", "12.0000")),
    Strategy(id="ESDQCOL-WTZEU-NU55QF", asset="XETH", kind="bonded", apr=("2.5000", "4.0000"), bonding=2, unbonding=5),
    Strategy(id="ESJ4KQ2-6QPRA-X7MHBD", asset="SOL", kind="bonded", apr=("4.0000", "7.0000"), unbonding=3, most="1000"),
    Strategy(id="ESMWVX6-JAPVY-23L3CV", asset="ADA", kind="instant", apr=("2.0000", "3.0000")),
    Strategy(id="ESXUM7H-SJHQ6-KOQNNI", asset="XXBT", kind="flex", apr=("0.1000", "0.2000"), source="off_chain"),
    Strategy(id="ESRXRPV-2RSYB-XDQJTD", asset="ZUSD", kind="flex", apr=("2.0000", "4.0000"), source="off_chain"),
)


def find_strategy(name: str) -> Strategy:
    """Look a strategy up by its id.

    Raises:
        Refusal: There is no such strategy.
    """
    for strategy in STRATEGIES:
        if strategy.id == name:
            return strategy
    raise invalid("Invalid strategy ID")


class Lot(msgspec.Struct):
    """An allocation; it bonds until `until` (unix nanoseconds)."""

    at: int
    until: int
    amount: Decimal


class Leaving(msgspec.Struct, frozen=True):
    """A deallocation: under way until `done`, unbonding until `free`."""

    at: int
    done: int
    free: int
    amount: Decimal


class Position(msgspec.Struct, kw_only=True):
    """What an account has in one strategy.

    Attributes:
        lots: What is allocated and not leaving, oldest first.
        leaving: What is on its way out.
        allocating: When the last allocation ends; 0 if there was none.
        deallocating: The same for the last deallocation.
    """

    account: Account
    strategy: Strategy
    opened: int
    lots: list[Lot] = []
    leaving: list[Leaving] = []
    allocating: int = 0
    deallocating: int = 0

    @property
    def staying(self) -> Decimal:
        """What is allocated and not leaving."""
        return total(self.lots)

    @property
    def allocated(self) -> Decimal:
        """All of it, including what is leaving."""
        return self.staying + total(self.leaving)

    def busy(self, now: int) -> bool:
        """Whether an operation is under way."""
        return now < max(self.allocating, self.deallocating)

    def take(self, amount: Decimal) -> None:
        """Take from the lots, the oldest first."""
        for lot in self.lots:
            taken = min(lot.amount, amount)
            lot.amount -= taken
            amount -= taken
        self.lots = [lot for lot in self.lots if lot.amount]


class Earn:
    """All accounts' positions."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._positions: dict[tuple[str, str], Position] = {}

    def of(self, account: Account) -> list[Position]:
        """List an account's positions, past ones too, oldest first."""
        return [position for position in self._positions.values() if position.account is account]

    def find(self, account: Account, strategy: Strategy) -> Position | None:
        """Return the account's position in a strategy, if it ever had one."""
        return self._positions.get((account.name, strategy.id))

    def allocate(self, account: Account, strategy: Strategy, amount: Decimal, price: Decimal, now: int) -> None:
        """Begin an allocation. The money is bound at once; the operation takes a while.

        Args:
            account: Whose money it is.
            strategy: Where it goes.
            amount: How much, of the strategy's asset.
            price: What one unit is worth in dollars.
            now: Unix nanoseconds.

        Raises:
            Refusal: The strategy is not open, another operation is under way, or the amount is out of bounds.
        """
        if not strategy.by_hand:
            raise Refusal(NOT_ALLOWED)
        position = self.find(account, strategy) or Position(account=account, strategy=strategy, opened=now)
        if position.busy(now):
            raise Refusal(BUSY)
        if amount * price < Decimal(strategy.least):
            raise Refusal(BELOW_MINIMUM)
        if strategy.most is not None and position.allocated + amount > Decimal(strategy.most):
            raise Refusal(ABOVE_MAXIMUM)
        if amount > account.available(strategy.asset):
            raise Refusal(INSUFFICIENT)
        self._positions[account.name, strategy.id] = position
        position.allocating = now + OPERATION
        position.lots.append(Lot(now, now + OPERATION + strategy.bonding * DAY * NANOS, amount))
        self._book(position, strategy.asset, strategy.token, amount, "allocation", now)

    def deallocate(self, account: Account, strategy: Strategy, amount: Decimal, now: int) -> None:
        """Begin a deallocation; the money comes back when the operation is over and unbonding has ended.

        Raises:
            Refusal: Another operation is under way, or that much is not allocated.
        """
        position = self.find(account, strategy)
        if position is not None and position.busy(now):
            raise Refusal(BUSY)
        if position is None or amount > position.staying:
            raise Refusal(INSUFFICIENT)
        position.take(amount)
        done = position.deallocating = now + OPERATION
        position.leaving.append(Leaving(now, done, done + strategy.unbonding * DAY * NANOS, amount))

    def settle(self, now: int) -> None:
        """Give back what is free by now."""
        for position in self._positions.values():
            free = [each for each in position.leaving if each.free <= now]
            for each in free:
                position.leaving.remove(each)
                strategy = position.strategy
                self._book(position, strategy.token, strategy.asset, each.amount, "deallocation", each.free)

    def _book(self, position: Position, source: str, target: str, amount: Decimal, subtype: str, at: int) -> None:
        """Move an amount from one balance of the account to another, in two lines with one reference."""
        refid = self._ledger.new_transfer_id("E")
        for asset, signed in ((source, -amount), (target, amount)):
            self._ledger.book(position.account, asset, signed, kind="earn", refid=refid, at=at, subtype=subtype)


def total(parts: Iterable[Lot | Leaving]) -> Decimal:
    """Add up the amounts."""
    return sum((part.amount for part in parts), ZERO)
