"""The exchange itself: orders come in, trade, rest and leave; money moves between accounts and is never made.

Whatever an account gains, the house loses, to the last decimal, and fees go to an account of their own; so the sum over
all accounts of each asset is the same for ever.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from decimal import ROUND_UP, Decimal
from typing import Final

import msgspec

from krakenasync.clock import Clock
from krakenasync.sandbox.accounts import Account
from krakenasync.sandbox.listings import ASSETS
from krakenasync.sandbox.matching import Match, Matcher
from krakenasync.sandbox.orders import Fill, Order
from krakenasync.sandbox.refusals import INSUFFICIENT_FUNDS, ORDERS_LIMIT, POST_ONLY, Refusal, invalid

__all__ = ["Exchange", "Movement"]

# Without 0, 1, I and O, as in the ids that Kraken shows.
LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ234567"
ZERO: Final = Decimal(0)
USER_REQUESTED: Final = "User requested"


class Movement(msgspec.Struct, frozen=True, kw_only=True):
    """One line of an account's ledger.

    Attributes:
        txid: Kraken's id of the line (``L...``).
        refid: What caused it: a trade's id.
        at: Unix nanoseconds.
        amount: Signed, without the fee.
        balance: What the account had afterwards.
    """

    txid: str
    refid: str
    at: int
    kind: str
    asset: str
    amount: Decimal
    fee: Decimal
    balance: Decimal


class Exchange:
    """All accounts' orders and trades.

    Attributes:
        house: The other side of every trade with the seeded market.
        fees: Where fees go.
        fills: Every account's trades, by the account's name, oldest first.
        movements: Every account's ledger, by the account's name, oldest first.
    """

    def __init__(self, accounts: dict[str, Account], matcher: Matcher, clock: Clock, chance: random.Random) -> None:
        self._accounts = accounts
        self._matcher = matcher
        self._clock = clock
        self._chance = chance
        self._settled = clock.wall_ns()
        self._trades = 0
        self.house = Account("house", next(iter(accounts.values())).tier)
        self.fees = Account("fees", self.house.tier)
        self.fills: dict[str, list[Fill]] = {}
        self.movements: dict[str, list[Movement]] = {}

    def now(self) -> int:
        """Unix nanoseconds."""
        return self._clock.wall_ns()

    def new_id(self, kind: str) -> str:
        """Draw an id of Kraken's form, such as ``OXXXXX-XXXXX-XXXXXX`` for kind ``O``."""
        letters = "".join(self._chance.choices(LETTERS, k=16))
        return f"{kind}{letters[:5]}-{letters[5:10]}-{letters[10:]}"

    def settle(self) -> None:
        """Let everything happen that time alone brings: resting orders trade, others expire."""
        now, since = self.now(), self._settled
        if now <= since:
            return
        self._settled = now
        for account in self._accounts.values():
            for order in list(account.open.values()):
                self._settle_order(account, order, since, now)

    def _settle_order(self, account: Account, order: Order, since: int, now: int) -> None:
        until = min(now, order.expires) if order.expires else now
        for match in self._matcher.rest(order, max(since, order.starts), until):
            self._fill(account, match)
        if order.expires and now >= order.expires and order.status == "open":
            self._finish(account, order, "expired", order.expires, "GTD order expired")

    def check(self, account: Account, order: Order) -> None:
        """Check what depends on the account and the market: room, funds, post-only.

        Raises:
            Refusal: One of them does not hold.
        """
        if sum(resting.pair is order.pair for resting in account.open.values()) >= account.tier.open_orders:
            raise Refusal(ORDERS_LIMIT)
        quote = self._matcher.quote(order.pair, self.now())
        price = order.price if order.price is not None else (quote.ask if order.buy else quote.bid)
        if "post" in order.oflags and (price >= quote.ask if order.buy else price <= quote.bid):
            raise Refusal(POST_ONLY)
        order.hold_asset, order.hold = reservation(order, price)
        if order.hold > account.available(order.hold_asset):
            raise Refusal(INSUFFICIENT_FUNDS)

    def place(self, account: Account, order: Order) -> Order:
        """Take an order that was checked: it trades, rests or is cancelled at once, by its time in force.

        Raises:
            Refusal: Its client id is taken, or `check` does not hold.
        """
        if order.cl_ord_id is not None and self.find_client_id(account, order.cl_ord_id) is not None:
            raise invalid("cl_ord_id not unique")
        self.check(account, order)
        order.txid = self.new_id("O")
        account.orders[order.txid] = account.open[order.txid] = order
        now = self.now()
        if order.starts <= now:
            for match in self._matcher.enter(order, now):
                self._fill(account, match)
        if order.status == "open" and (order.kind == "market" or order.time_in_force in ("IOC", "FOK")):
            self._finish(account, order, "canceled", now, f"{order.time_in_force} order not filled")
        return order

    def cancel(self, account: Account, orders: Iterable[Order]) -> int:
        """Take resting orders out of the market; returns how many."""
        now, count = self.now(), 0
        for order in list(orders):
            if order.status == "open":
                self._finish(account, order, "canceled", now, USER_REQUESTED)
                count += 1
        return count

    def find_client_id(self, account: Account, cl_ord_id: str) -> Order | None:
        """Find the open order that bears a client id."""
        wanted = canonical_client_id(cl_ord_id)
        for order in account.open.values():
            if order.cl_ord_id is not None and canonical_client_id(order.cl_ord_id) == wanted:
                return order
        return None

    def _finish(self, account: Account, order: Order, status: str, at: int, reason: str | None) -> None:
        order.status, order.closed, order.reason, order.hold = status, at, reason, ZERO
        account.open.pop(order.txid, None)

    def _fill(self, account: Account, match: Match) -> None:
        """Carry out a trade: money moves, the order and the hold shrink."""
        order, pair = match.order, match.order.pair
        base, quote = ASSETS[pair.base], ASSETS[pair.quote]
        volume = base.quantise(match.volume)
        cost = pair.cost(match.price, volume)
        fee = pair.fee(cost, maker=match.maker)
        fee_asset = quote
        if order.fee_in_base:
            fee, fee_asset = base.quantise(fee / match.price, ROUND_UP), base
        self._trades += 1
        fill = Fill(
            txid=self.new_id("T"),
            order=order.txid,
            pair=pair,
            buy=order.buy,
            at=match.at,
            price=match.price,
            volume=volume,
            cost=cost,
            fee=fee,
            fee_asset=fee_asset.name,
            maker=match.maker,
            number=self._trades,
        )
        sign = 1 if order.buy else -1
        self._move(account, fill, base.name, sign * volume)
        self._move(account, fill, quote.name, -sign * cost)
        order.filled += volume
        order.cost += cost
        order.fee += fee
        order.fills.append(fill)
        self.fills.setdefault(account.name, []).append(fill)
        if order.left <= 0:
            self._finish(account, order, "closed", match.at, None)
        elif order.volume:
            order.hold = order.hold * order.left / (order.left + volume)

    def _move(self, account: Account, fill: Fill, asset: str, amount: Decimal) -> None:
        """Move one leg of a trade, with the fee if it is paid in this asset."""
        fee = fill.fee if asset == fill.fee_asset else ZERO
        account.balances[asset] += amount - fee
        self.house.balances[asset] -= amount
        self.fees.balances[asset] += fee
        self.movements.setdefault(account.name, []).append(
            Movement(
                txid=self.new_id("L"),
                refid=fill.txid,
                at=fill.at,
                kind="trade",
                asset=asset,
                amount=amount,
                fee=fee,
                balance=account.balances[asset],
            )
        )


def reservation(order: Order, price: Decimal) -> tuple[str, Decimal]:
    """Return what an order at a price reserves: (asset, amount), the taker fee included where it comes on top."""
    pair = order.pair
    cost = pair.cost(price, order.left)
    fee = pair.fee(cost, maker=False)
    if order.buy:
        return pair.quote, cost if order.fee_in_base else cost + fee
    base = ASSETS[pair.base]
    volume = base.quantise(order.left, ROUND_UP)
    return pair.base, volume + base.quantise(fee / price, ROUND_UP) if order.fee_in_base else volume


def canonical_client_id(text: str) -> str:
    """Fold the two ways to write a UUID; Kraken keeps the number behind them.

    Source: https://docs.kraken.com/api/docs/guides/spot-clordid
    """
    digits = text.replace("-", "").lower()
    return digits if len(digits) == 32 else text  # noqa: PLR2004 - hex digits of a UUID
