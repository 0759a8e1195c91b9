"""What can be concluded about a change to an order whose answer was lost, from looking at the order. Pure.

Sources: https://docs.kraken.com/api/docs/rest-api/amend-order, https://docs.kraken.com/api/docs/rest-api/edit-order
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol, TypeVar

from krakenasync.protocol.placement import Absent, Found, Sight, Suspect

__all__ = ["Version", "after_edit", "find_amend", "fits_edit"]


class Version(Protocol):
    """A version of an order, as OrderAmends lists it."""

    @property
    def amend_type(self) -> str:
        """``original``, ``user`` or ``restated``."""
        ...

    @property
    def time(self) -> datetime:
        """When the version was made."""
        ...


V = TypeVar("V", bound=Version)


def find_amend(wanted: Mapping[str, Any], versions: Sequence[V], since: datetime) -> tuple[Sight, V | None]:
    """Find the version that an amend made: the user's, not older than the amend, with every value that was asked for.

    Only the last of the user's versions can be it: an earlier one with the same values may be another amend's. An amend
    without absolute values leaves nothing to recognise.

    Args:
        wanted: The amend's ``order_qty``, ``display_qty``, ``limit_price``, ``trigger_price``; relative prices prove
            nothing and are ignored.
        versions: The order's versions, in any order.
        since: Earlier versions do not count.
    """
    recent = [version for version in versions if version.amend_type == "user" and version.time >= since]
    if not recent:
        return Absent(), None
    numbers = _numbers(wanted)
    fitting = [each for each in recent if all(getattr(each, name, None) == value for name, value in numbers.items())]
    newest = max(version.time for version in recent)
    last = [version for version in recent if version.time == newest]
    if numbers and all(version in fitting for version in last):
        return Found(), last[-1]
    return (Suspect() if fitting else Absent()), None


def after_edit(*, successor: bool, status: str | None) -> Sight:
    """Judge an edit, which cancels an order and places another.

    Args:
        successor: Whether an order was seen that was made from the old one.
        status: The old order's state; None if it was not seen.
    """
    if successor:
        return Found()
    # An edit cancels: an order that is open, filled or expired was not edited. One that is cancelled without a
    # successor may have one that does not show yet.
    return Suspect() if status in {None, "canceled"} else Absent()


def fits_edit(wanted: Mapping[str, Any], made: object) -> bool:
    """Whether an order may be the one that an edit made; one from another edit has other prices.

    Args:
        wanted: The edit's ``price`` and ``price2``; relative prices prove nothing and are ignored.
        made: The order's description, which has them by the same names.
    """
    numbers = _numbers(wanted)
    return all(getattr(made, name, None) == number for name, number in numbers.items())


def _numbers(wanted: Mapping[str, Any]) -> dict[str, Decimal]:
    """Return what was asked for in absolute numbers, by name."""
    return {name: number for name, value in wanted.items() if (number := _number(value)) is not None}


def _number(value: Any) -> Decimal | None:
    """Read an absolute number; return None for a relative price or no price at all."""
    if value is None or str(value).startswith(("+", "-", "#")) or str(value).endswith("%"):
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None
