"""Trades and ledger entries, by page and by id.

Source: https://docs.kraken.com/api/docs/category/rest-api/account-data
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from krakenasync.protocol.bounds import HISTORY_IDS
from krakenasync.protocol.kinds import TRIGGERED
from krakenasync.sandbox.accounts import Account
from krakenasync.sandbox.arguments import Arguments
from krakenasync.sandbox.endpoints.context import Context, Handler
from krakenasync.sandbox.exchange import Movement
from krakenasync.sandbox.fills import Fill, consolidated
from krakenasync.sandbox.ledger import Transfer, asset_of, base_of
from krakenasync.sandbox.listings import find_asset
from krakenasync.sandbox.orders import seconds
from krakenasync.sandbox.paging import Row, by_offset
from krakenasync.sandbox.refusals import INVALID_ARGUMENTS, INVALID_ORDER, Refusal, invalid
from krakenasync.spot.values import Consolidation, LedgerType, TradeType, words

__all__ = ["HANDLERS", "consolidates", "ledger_row", "lines_by_trade", "trade_groups", "trade_row"]

FIAT: Final = frozenset({"ZUSD", "ZEUR"})
TRADE_TYPES: Final = words(TradeType)
LEDGER_TYPES: Final = words(LedgerType)
CONSOLIDATIONS: Final = words(Consolidation) | {""}
ON: Final = frozenset({"true", "1", "yes", ""})
SPOT_POSITION: Final = "TKH2SE-M7IF5-CFI7LT"
"""The position id that every trade without margin has: recorded answers of different accounts have the same."""


def trades_history(context: Context) -> dict[str, Any]:
    """List a page of the account's trades, newest first; what one order took at once is one row by default."""
    arguments = context.arguments
    kind = arguments.word("type", TRADE_TYPES, "all")
    lines = lines_by_trade(context) if arguments.flag("ledgers") else {}
    # Nothing is traded on margin here, so there are no positions.
    groups = trade_groups(context, merged=consolidates(arguments)) if kind in ("all", "no position") else []
    rows = [Row(group[0].txid, group[0].at, group) for group in groups]
    moments = {fill.txid: fill.at for fill in context.world.exchange.fills.get(context.account.name, ())}
    return by_offset(arguments, rows, "trades", lambda group: trade_row(context.account, group, lines), moments)


def query_trades(context: Context) -> dict[str, Any]:
    """Show trades by id: a first part's id shows all that its order took at once, any other only that part."""
    apart, together = (trade_groups(context, merged=merged) for merged in (False, True))
    known = {group[0].txid: group for group in (*apart, *together)}
    return _by_ids(context, "txid", INVALID_ORDER, known, lambda group: trade_row(context.account, group, {}))


def ledgers(context: Context) -> dict[str, Any]:
    """List a page of the account's ledger, newest first."""
    arguments = context.arguments
    kind = arguments.word("type", LEDGER_TYPES, "all")
    assets = [_asset_id(name) for name in arguments.names("asset") if name != "all"]
    listed = arguments.text("aclass", "currency") == "currency"
    lines = context.world.treasury.ledger.lines(context.account)
    rows = [
        Row(line.txid, line.at, line)
        for line in lines
        if listed and (not assets or line.asset in assets) and kind in ("all", line.kind)
    ]
    return by_offset(arguments, rows, "ledger", ledger_row, {line.txid: line.at for line in lines})


def query_ledgers(context: Context) -> dict[str, Any]:
    """Show ledger entries by id."""
    known = {line.txid: line for line in context.world.treasury.ledger.lines(context.account)}
    return _by_ids(context, "id", f"{INVALID_ARGUMENTS}:id", known, ledger_row)


def open_positions(context: Context) -> dict[str, Any] | list[Any]:
    """List margin positions: none, because nothing is traded on margin here."""
    return [] if context.arguments.word("consolidation", CONSOLIDATIONS, "") else {}


def consolidates(arguments: Arguments) -> bool:
    """Whether to show what one order took at once as one trade: yes, unless the call asks for its parts."""
    return arguments.spelled("consolidate_taker", "").lower() in ON


def trade_row(account: Account, group: list[Fill], lines: Mapping[str, list[str]]) -> dict[str, Any]:
    """Write trades of one order as one row.

    Kraken lists under ``trades`` those that close the position which a trade opened; here there are none.

    Args:
        account: Whose trades they are.
        group: The trades; the row has the first one's id and time.
        lines: The ids of ledger entries by trade; empty if they were not asked for.
    """
    first, pair = group[0], group[0].pair
    kind = traded_as(account.orders[first.order].kind) if first.order in account.orders else "limit"
    volume, cost = (sum(parts, Decimal(0)) for parts in zip(*((fill.volume, fill.cost) for fill in group), strict=True))
    row: dict[str, Any] = {
        "ordertxid": first.order,
        "postxid": SPOT_POSITION,
        "pair": pair.name,
        "aclass": "forex",
        "time": seconds(first.at),
        "type": "buy" if first.buy else "sell",
        "ordertype": kind,
        "price": pair.long_price_text(cost / volume if len(group) > 1 else first.price),
        "cost": pair.cost_text(cost),
        "fee": pair.cost_text(sum((fill.fee_in_quote for fill in group), Decimal(0))),
        "vol": f"{volume:.8f}",
        "margin": pair.cost_text(Decimal(0)),
        "leverage": "0",
        "misc": "",
        "trade_id": first.number,
        "maker": first.maker,
    }
    if lines:
        row["ledgers"] = [line for fill in group for line in lines.get(fill.txid, [])]
    return row


def traded_as(kind: str) -> str:
    """Return an order's kind as its trades name it: triggered kinds have names of their own.

    >>> traded_as("stop-loss-limit"), traded_as("trailing-stop"), traded_as("take-profit"), traded_as("limit")
    ('stop limit', 'stop market', 'touched market', 'limit')

    Source: https://github.com/Brendan-Blanchard/kraken-async-rs (recorded answers)
    """
    if kind not in TRIGGERED:
        return kind
    how = "touched" if kind.startswith("take-profit") else "stop"
    return f"{how} {'limit' if kind.endswith('-limit') else 'market'}"


def ledger_row(line: Movement) -> dict[str, Any]:
    """Write a line of the ledger."""
    asset = asset_of(line.asset)
    return {
        "refid": line.refid,
        "time": seconds(line.at),
        "type": line.kind,
        "subtype": line.subtype if isinstance(line, Transfer) else "tradespot",
        "aclass": "currency",
        "subclass": "fiat" if base_of(line.asset) in FIAT else "crypto",
        "asset": line.asset,
        "amount": asset.text(line.amount),
        "fee": asset.text(line.fee),
        "balance": asset.text(line.balance),
    }


def trade_groups(context: Context, *, merged: bool) -> list[list[Fill]]:
    """Return the account's trades, newest first: each alone, or grouped by what one taker's order took at once."""
    fills = sorted(context.world.exchange.fills.get(context.account.name, ()), key=lambda fill: fill.at)
    return (consolidated(fills) if merged else [[fill] for fill in fills])[::-1]


def lines_by_trade(context: Context) -> dict[str, list[str]]:
    """Return the ids of ledger entries by the trade they belong to."""
    found: dict[str, list[str]] = {}
    for line in context.world.exchange.movements.get(context.account.name, ()):
        found.setdefault(line.refid, []).append(line.txid)
    return found


def _by_ids(
    context: Context, name: str, unknown: str, known: Mapping[str, Any], write: Callable[[Any], Any]
) -> dict[str, Any]:
    """Write the rows that a call names; `unknown` is the error string for an id that does not exist."""
    wanted = context.arguments.names(name)
    if not 0 < len(wanted) <= HISTORY_IDS:
        raise invalid(name)
    if not all(each in known for each in wanted):
        raise Refusal(unknown)
    return {each: write(known[each]) for each in wanted}


def _asset_id(name: str) -> str:
    """Return the id of an asset by any of its names; balances with a suffix may be listed nowhere."""
    try:
        return find_asset(name).name
    except Refusal:
        if "." in name:
            return name
        raise


HANDLERS: Final[Mapping[str, Handler]] = {
    "TradesHistory": trades_history,
    "QueryTrades": query_trades,
    "Ledgers": ledgers,
    "QueryLedgers": query_ledgers,
    "OpenPositions": open_positions,
}
