"""The names of an order: when two client order ids are the same, and what is a user reference.

Kraken keeps a UUID as a number, so its spelling does not matter.

Source: https://docs.kraken.com/api/docs/guides/spot-clordid, https://docs.kraken.com/api/docs/rest-api/cancel-order
"""

from __future__ import annotations

from typing import Final

__all__ = ["fold_id", "is_userref", "same_id"]

_HEX_DIGITS: Final = 32
"""Of a UUID without its dashes."""


def fold_id(text: str) -> str:
    """Write a UUID in one way, with or without dashes; other text stays as it is.

    >>> fold_id("6D1B345E-2821-40E2-AD83-4ECB18A06876"), fold_id("A-1")
    ('6d1b345e282140e2ad834ecb18a06876', 'A-1')
    """
    digits = text.replace("-", "").lower()
    return digits if len(digits) == _HEX_DIGITS else text


def same_id(one: str | None, other: str) -> bool:
    """Compare two client order ids as Kraken does.

    >>> same_id("6D1B345E-2821-40E2-AD83-4ECB18A06876", "6d1b345e282140e2ad834ecb18a06876"), same_id("a-1", "a1")
    (True, False)
    """
    return one is not None and fold_id(one) == fold_id(other)


def is_userref(name: str) -> bool:
    """Whether a name given for a txid is a user reference, which several orders may have.

    >>> is_userref("-7"), is_userref("OU22CG-KLAF2-FWUDD7")
    (True, False)
    """
    return name.removeprefix("-").isdecimal()
