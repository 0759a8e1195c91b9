"""Clearing: what must be reserved for an order, and the money that moves when it trades.

Whatever an account gains, the house loses, to the last decimal, and fees go to an account of their own; so the sum of
each asset over all accounts never changes. A trade's cost and fee have the pair's digits, the fee to the nearest; the
money that moves has the digits of the asset, rounded down. All is rounded over an order's trades together, so that what
was reserved is always enough.

Source: trades of the exchange that others have recorded. A cost of 68.42692 at 0.24 % has a fee of 0.16422, and in the
ledger 68.4269 and 0.1642 (https://github.com/ccxt/ccxt/issues/8204); a cost of 158.03510 at 0.2 % has a fee of 0.31607.
"""

from __future__ import annotations

import random
from decimal import ROUND_DOWN, ROUND_HALF_UP, ROUND_UP, Decimal
from typing import Final

import msgspec

from krakenasync.sandbox.accounts import Account
from krakenasync.sandbox.fees import Volumes
from krakenasync.sandbox.fills import Fill
from krakenasync.sandbox.listings import ASSETS, Asset
from krakenasync.sandbox.market import Market, PublicTrade
from krakenasync.sandbox.orders import Order

__all__ = ["CAPITALS", "Clearing", "Ids", "Movement", "reservation", "reserve"]

# Without 0, 1, I and O, as in the ids that Kraken shows.
CAPITALS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ234567"
ZERO: Final = Decimal(0)


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


class Ids:
    """Draws ids of Kraken's form."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def draw(self, kind: str) -> str:
        """Draw an id such as ``OXXXXX-XXXXX-XXXXXX`` for kind ``O``."""
        letters = "".join(self._chance.choices(CAPITALS, k=16))
        return f"{kind}{letters[:5]}-{letters[5:10]}-{letters[10:]}"


class Clearing:
    """Moves money between the accounts and the house.

    Attributes:
        house: The other side of every trade; the market maker's purse.
        fees: Where fees go.
        fills: Every account's trades, by the account's name, oldest first.
        movements: Every account's ledger, by the account's name, oldest first.
        volumes: The traded volumes, which decide the accounts' fees.
    """

    def __init__(self, accounts: dict[str, Account], market: Market, ids: Ids) -> None:
        self._accounts = accounts
        self._ids = ids
        self.house = Account("house", next(iter(accounts.values())).tier)
        self.fees = Account("fees", self.house.tier)
        self.fills: dict[str, list[Fill]] = {}
        self.movements: dict[str, list[Movement]] = {}
        self.volumes = Volumes(market)

    def fill(self, order: Order, trade: PublicTrade, *, maker: bool) -> Fill:
        """Carry out an order's part in a trade: money moves, the order shrinks."""
        account, pair = self._accounts[order.account], order.pair
        base, quote = ASSETS[pair.base], ASSETS[pair.quote]
        cost = _cost(order, trade)
        paid = quote.quantise(order.cost + cost, ROUND_DOWN) - quote.quantise(order.cost, ROUND_DOWN)
        rate = order.maker_rate if maker else order.taker_rate
        fee_asset = base if order.fee_in_base else quote
        order.owed += rate * (trade.volume if order.fee_in_base else cost)
        fee = order.owed.quantize(_fee_unit(order), ROUND_HALF_UP) - order.fee
        fill = Fill(
            txid=self._ids.draw("T"),
            order=order.txid,
            pair=pair,
            buy=order.buy,
            at=trade.at,
            price=trade.price,
            volume=trade.volume,
            cost=cost,
            fee=fee,
            fee_asset=fee_asset.name,
            maker=maker,
            number=trade.number,
        )
        sign = 1 if order.buy else -1
        kept = fee_asset.quantise(order.fee + fee, ROUND_DOWN) - order.kept
        if not order.buy and not order.fee_in_base:
            kept = min(kept, paid)  # no more than the sale of dust brings; the rest is kept from the next
        self._move(account, fill, base.name, sign * trade.volume, kept if order.fee_in_base else ZERO)
        self._move(account, fill, quote.name, -sign * paid, ZERO if order.fee_in_base else kept)
        order.filled += trade.volume
        order.cost += cost
        order.fee += fee
        order.kept += kept
        order.fills.append(fill)
        self.fills.setdefault(account.name, []).append(fill)
        self.volumes.add(account.name, pair, cost, trade.at)
        return fill

    def _move(self, account: Account, fill: Fill, asset: str, amount: Decimal, fee: Decimal) -> None:
        """Move one leg of a trade, with its fee.

        Dust that rounds to nothing leaves no line: https://github.com/rotki/rotki/pull/13038
        """
        if not amount and not fee:
            return
        account.balances[asset] += amount - fee
        self.house.balances[asset] -= amount
        self.fees.balances[asset] += fee
        self.movements.setdefault(account.name, []).append(
            Movement(
                txid=self._ids.draw("L"),
                refid=fill.txid,
                at=fill.at,
                kind="trade",
                asset=asset,
                amount=amount,
                fee=fee,
                balance=account.balances[asset],
            )
        )


def _fee_unit(order: Order) -> Decimal:
    """Return the smallest step of an order's fees, in the asset they are paid in."""
    pair = order.pair
    return Decimal(1).scaleb(-(pair.lot_decimals if order.fee_in_base else pair.cost_decimals))


def _cost(order: Order, trade: PublicTrade) -> Decimal:
    """Return what a trade costs. If an order says how much to spend, its last trade makes the sum exact.

    Recorded market orders cost 15.00000 where volume times price, in the digits they have, makes 15.00038:
    https://github.com/knowm/XChange (0_private_tradeshistory)
    """
    cost = order.pair.cost(trade.price * trade.volume)
    if order.worth is None or trade.volume < order.left:
        return cost
    rest = order.pair.cost(order.worth - order.cost)
    # The most that rounding the volume and each cost can account for.
    rounded = trade.price.scaleb(-order.pair.lot_decimals)
    rounded += Decimal(len(order.fills) + 1).scaleb(-order.pair.cost_decimals)
    return rest if abs(rest - cost) <= rounded else cost


def reservation(order: Order, price: Decimal) -> tuple[str, Decimal]:
    """Return what must be reserved for what is left of an order: (asset, amount).

    That is the most it may cost, as if all of it took liquidity, plus the fee where that comes on top.
    """
    return reserve(order, price * order.left)


def reserve(order: Order, worth: Decimal) -> tuple[str, Decimal]:
    """Return what must be reserved for an order, given what its rest is worth in the quote currency."""
    base, quote = ASSETS[order.pair.base], ASSETS[order.pair.quote]
    if order.buy:
        cost = quote.quantise(worth, ROUND_UP)
        fee = ZERO if order.fee_in_base else _fee_to_come(order, cost, quote)
        return quote.name, cost + fee
    fee = _fee_to_come(order, order.left, base) if order.fee_in_base else ZERO
    return base.name, order.left + fee


def _fee_to_come(order: Order, amount: Decimal, asset: Asset) -> Decimal:
    """Return the most that the fee of what is left can be, rounded together with the fees paid so far."""
    owed = (order.owed + order.taker_rate * amount).quantize(_fee_unit(order), ROUND_UP)
    return asset.quantise(owed, ROUND_UP) - order.kept
