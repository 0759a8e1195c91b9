"""Earn: strategies, allocations, and the operations that change them.

Source: https://docs.kraken.com/api/docs/category/rest-api/earn
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from krakenasync.sandbox.clocks import timestamp
from krakenasync.sandbox.earn import STRATEGIES, Leaving, Lot, Position, Strategy, find_strategy, total
from krakenasync.sandbox.endpoints.context import Context, Handler
from krakenasync.sandbox.funding import funding_asset, read_amount
from krakenasync.sandbox.listings import ASSETS, Asset
from krakenasync.sandbox.refusals import Refusal, invalid
from krakenasync.sandbox.valuation import worth

__all__ = ["HANDLERS"]

INVALID_AMOUNT: Final = "EGeneral:Invalid arguments:Invalid amount"
LARGEST_PAGE: Final = 65_535
ZERO: Final = Decimal(0)
CLASS: Final = "currency"


def allocate(context: Context) -> bool:
    """Begin an allocation."""
    strategy, amount = _operation(context)
    price = worth(context.world.market, strategy.asset, context.now)
    context.world.treasury.earn.allocate(context.account, strategy, amount, price, context.now)
    return True


def deallocate(context: Context) -> bool:
    """Begin a deallocation."""
    strategy, amount = _operation(context)
    context.world.treasury.earn.deallocate(context.account, strategy, amount, context.now)
    return True


def allocate_status(context: Context) -> dict[str, bool]:
    """Return whether the last allocation is still under way."""
    position = _position(context)
    return {"pending": position is not None and context.now < position.allocating}


def deallocate_status(context: Context) -> dict[str, bool]:
    """Return whether the last deallocation is still under way."""
    position = _position(context)
    return {"pending": position is not None and context.now < position.deallocating}


def strategies(context: Context) -> dict[str, Any]:
    """List strategies; all on one page unless a limit is given."""
    arguments = context.arguments
    asset = funding_asset(arguments.text("asset")).name if arguments.given("asset") else None
    kinds = arguments.names("lock_type")
    found = [each for each in STRATEGIES if asset in (None, each.asset) and (not kinds or each.kind in kinds)]
    found.sort(key=lambda each: ASSETS[each.asset].altname, reverse=not arguments.flag("ascending"))
    begin = arguments.whole("cursor", 0, 0, len(STRATEGIES))
    end = begin + (arguments.whole("limit", 0, 0, LARGEST_PAGE) or len(STRATEGIES))
    return {
        "items": [_strategy_row(each) for each in found[begin:end]],
        "next_cursor": str(end) if end < len(found) else None,
    }


def allocations(context: Context) -> dict[str, Any]:
    """List what is allocated, and what was, by strategy."""
    arguments, now = context.arguments, context.now
    shown = funding_asset(arguments.text("converted_asset", "ZUSD"))
    unit = worth(context.world.market, shown.name, now)
    if not unit:
        raise invalid("converted_asset")
    positions = [
        position
        for position in context.world.treasury.earn.of(context.account)
        if position.allocated or not arguments.flag("hide_zero_allocations")
    ]
    if not arguments.flag("ascending"):
        positions.reverse()
    prices = {each.strategy.asset: worth(context.world.market, each.strategy.asset, now) / unit for each in positions}
    whole = sum((position.allocated * prices[position.strategy.asset] for position in positions), ZERO)
    return {
        "converted_asset": shown.altname,
        "converted_asset_class": CLASS,
        "total_allocated": f"{whole:.4f}",
        "total_rewarded": "0.0000",
        "next_cursor": None,
        "items": [_position_row(each, prices[each.strategy.asset], now) for each in positions],
    }


def _operation(context: Context) -> tuple[Strategy, Decimal]:
    """Read the strategy, and the amount of its asset."""
    strategy = find_strategy(context.arguments.text("strategy_id"))
    try:
        return strategy, read_amount(context.arguments, ASSETS[strategy.asset])
    except Refusal:
        raise Refusal(INVALID_AMOUNT) from None


def _position(context: Context) -> Position | None:
    strategy = find_strategy(context.arguments.text("strategy_id"))
    return context.world.treasury.earn.find(context.account, strategy)


def _strategy_row(strategy: Strategy) -> dict[str, Any]:
    low, high = strategy.apr
    row: dict[str, Any] = {
        "id": strategy.id,
        "asset": ASSETS[strategy.asset].altname,
        "asset_class": CLASS,
        "lock_type": strategy.lock(),
        "apr_estimate": {"low": low, "high": high},
        "user_min_allocation": strategy.least,
        "allocation_fee": "0.0000",
        "deallocation_fee": "0.0000",
        "auto_compound": {"type": "enabled"},
        "yield_source": {"type": strategy.source},
        "can_allocate": strategy.by_hand,
        "can_deallocate": strategy.by_hand,
        "allocation_restriction_info": [],
    }
    return {**row, "user_cap": strategy.most} if strategy.most is not None else row


def _position_row(position: Position, price: Decimal, now: int) -> dict[str, Any]:
    asset = ASSETS[position.strategy.asset]
    amounts: dict[str, Any] = {"total": _amount(asset, position.allocated, price)}
    begun = [lot for lot in position.lots if now < position.allocating and lot is position.lots[-1]]
    bonding = [lot for lot in position.lots if lot.until > now and lot not in begun]
    unbonding = [each for each in position.leaving if each.done <= now]
    under_way = total(begun) - total(each for each in position.leaving if now < each.done)
    if bonding:
        amounts["bonding"] = _bucket(asset, bonding, price)
    if unbonding:
        amounts["unbonding"] = _bucket(asset, unbonding, price)
    if under_way:
        amounts["pending"] = _amount(asset, under_way, price)
    return {
        "strategy_id": position.strategy.id,
        "native_asset": asset.altname,
        "asset_class": CLASS,
        "is_utilized": False,
        "amount_allocated": amounts,
        "total_rewarded": _amount(asset, ZERO, price),
    }


def _bucket(asset: Asset, parts: Iterable[Lot | Leaving], price: Decimal) -> dict[str, Any]:
    """Write the funds in one state, part by part."""
    rows = [
        {
            "created_at": timestamp(part.at),
            "expires": timestamp(part.until if isinstance(part, Lot) else part.free),
            **_amount(asset, part.amount, price),
        }
        for part in parts
    ]
    return {**_amount(asset, total(parts), price), "allocation_count": len(rows), "allocations": rows}


def _amount(asset: Asset, amount: Decimal, price: Decimal) -> dict[str, str]:
    return {"native": asset.text(amount), "converted": f"{amount * price:.4f}"}


HANDLERS: Final[Mapping[str, Handler]] = {
    "Earn/Allocate": allocate,
    "Earn/Deallocate": deallocate,
    "Earn/AllocateStatus": allocate_status,
    "Earn/DeallocateStatus": deallocate_status,
    "Earn/Strategies": strategies,
    "Earn/Allocations": allocations,
}
