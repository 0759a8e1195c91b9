"""What a trading call and its answer contain, typed or raw: a raw one may contain anything without harm here."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from itertools import chain
from typing import Any

from krakenasync.protocol.charges import pair_key
from krakenasync.protocol.specs import Spec

__all__ = ["added", "base_volume", "got", "names", "orders", "pair_of", "rests", "volume"]


def pair_of(params: Mapping[str, Any]) -> str:
    """Return the pair that a call names, folded; "" if it names none."""
    return pair_key(str(params.get("pair", "")))


def orders(spec: Spec, params: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the orders that a call is to place."""
    if spec.name == "AddOrder":
        return [params]
    return [order if isinstance(order, Mapping) else {} for order in _listed(params, "orders")]


def added(spec: Spec, params: Mapping[str, Any], result: Any) -> list[tuple[Mapping[str, Any], Any]]:
    """Return the orders that were placed, each with its id; with `validate` there are none."""
    if spec.name == "AddOrder":
        return [(params, txid) for txid in _listed(result, "txid")]
    items = zip(orders(spec, params), _listed(result, "orders"), strict=False)
    return [(order, txid) for order, item in items if (txid := got(item, "txid"))]


def rests(order: Mapping[str, Any]) -> bool:
    """Whether an order may come to rest: one that is filled or gone at once takes up no place."""
    # Compared, not looked up: what a raw call contains may not be hashable.
    return order.get("ordertype") != "market" and order.get("timeinforce") not in ("IOC", "FOK")


def volume(given: Any) -> Decimal | None:
    """Read a volume; return None if it is not one."""
    try:
        read = Decimal(given)
    except (ArithmeticError, TypeError, ValueError):
        return None
    return read if read.is_finite() else None


def base_volume(order: Mapping[str, Any]) -> Decimal | None:
    """Read the volume of an order to place, if it is in base currency."""
    return None if "viqc" in str(order.get("oflags", "")) else volume(order.get("volume"))


def names(params: Mapping[str, Any]) -> list[str]:
    """Return the names of the orders that a call is about."""
    alone = (params.get(name) for name in ("txid", "cl_ord_id"))
    listed = (_listed(params, name) for name in ("orders", "cl_ord_ids"))
    return [str(name) for name in chain(alone, *listed) if name is not None]


def _listed(result: Any, name: str) -> list[Any]:
    """Read a list."""
    found = got(result, name)
    return found if isinstance(found, list) else []


def got(result: Any, name: str) -> Any:
    """Read a field of a result, typed or raw."""
    return result.get(name) if isinstance(result, Mapping) else getattr(result, name, None)
