"""Fee schedules written out: the step an account's volume has reached, and the steps of a pair.

Source: https://docs.kraken.com/api/docs/rest-api/get-trade-volume
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from krakenasync.sandbox.listings import FOREX, MAKER, TAKER, Pair

__all__ = ["fee_row", "schedule_of", "schedule_row"]

NONE: Final = "0.0000"

Schedule = tuple[tuple[int, str], ...]
"""Steps: the volume in dollars at which each begins, and its fee in percent."""


def schedule_of(pair: Pair, *, maker: bool) -> Schedule:
    """Return a pair's schedule; on pairs of two fiat currencies makers and takers pay the same."""
    if pair.forex:
        return FOREX
    return MAKER if maker else TAKER


def fee_row(schedule: Schedule, volume: Decimal) -> dict[str, Any]:
    """Write the fee of a volume as TradeVolume does, in percent."""
    place = _reached(schedule, volume)
    following = schedule[place + 1] if place + 1 < len(schedule) else None
    return {
        "fee": _text(schedule[place][1]),
        "minfee": _text(schedule[-1][1]),
        "maxfee": _text(schedule[0][1]),
        "nextfee": _text(following[1]) if following else None,
        "tiervolume": _text(schedule[place][0]),
        "nextvolume": _text(following[0]) if following else None,
    }


def schedule_row(pair: Pair, volume: Decimal) -> dict[str, Any]:
    """Write a pair's whole schedule as TradeVolume does."""
    takers, makers = schedule_of(pair, maker=False), schedule_of(pair, maker=True)
    reached = _reached(takers, volume)
    return {
        "pair": pair.name,
        "class": "forex",
        "tiers": [
            {
                "maker_fee": _text(maker),
                "taker_fee": _text(taker),
                "min_spot_volume": _text(least),
                "min_futures_volume": NONE,
                "min_assets_on_platform": NONE,
                "active": place == reached,
            }
            for place, ((least, taker), (_, maker)) in enumerate(zip(takers, makers, strict=True))
        ],
    }


def _reached(schedule: Schedule, volume: Decimal) -> int:
    """Return the index of the step that a volume has reached."""
    return max(place for place, (least, _) in enumerate(schedule) if volume >= least)


def _text(number: str | int) -> str:
    return f"{Decimal(number):.4f}"
