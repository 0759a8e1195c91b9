"""What an error quotes of a value it refuses: enough to recognise it, never all of a long value."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from krakenasync.protocol.signing import KEY_LENGTH, SECRET_LENGTH

__all__ = ["quoted"]

_MOST: Final = 100
"""The most characters, or digits of a number."""
_LOOKED_AT: Final = 1000
"""Characters that are searched before all but the first hundred are cut off."""
_BITS: Final = 332
"""Bits of a number with that many digits. Longer ones are not written at all: Python refuses beyond 4,300 digits."""
_B64: Final = "[A-Za-z0-9+/]"
_KEY: Final = re.compile(rf"(?<!{_B64})(?:{_B64}{{{SECRET_LENGTH - 2}}}==|{_B64}{{{KEY_LENGTH}}})(?!{_B64}|=)")
"""One of the halves of a key, with its padding."""


def quoted(value: object) -> str:
    """Write a value for a message: a number bare, all else as in code, shortened. Never fails.

    What looks like one of Kraken's keys, or a key's secret, is not repeated: it may have been put in the wrong place.

    >>> quoted("a b"), quoted(5), quoted("x" * 200_000)[-8:]
    ("'a b'", '5', 'xxxxxxx…')
    >>> quoted("secret=kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg==")
    "'secret=<88 characters that look like a key>'"
    """
    if isinstance(value, int) and value.bit_length() > _BITS:
        return f"<an int of {value.bit_length()} bits>"
    try:
        # A text that is cut first is still longer, by its quotes, than what is kept of it.
        shown = value[:_LOOKED_AT] if isinstance(value, (str, bytes, bytearray)) else value
        text = str(shown) if isinstance(shown, Decimal) else _KEY.sub(_unsaid, repr(shown)[: 2 * _LOOKED_AT])
    except Exception:  # noqa: BLE001 - what cannot be shown, like a list nested too deep, is refused in words too
        return f"<{type(value).__name__}>"
    return text if len(text) <= _MOST else f"{text[: _MOST - 1]}…"


def _unsaid(found: re.Match[str]) -> str:
    """Name a key by its length; a text of only one kind of characters is not a key, but an address or a hash."""
    kinds = (str.isupper, str.islower, str.isdecimal)
    mixed = all(any(map(kind, found[0])) for kind in kinds)
    return f"<{len(found[0])} characters that look like a key>" if mixed else found[0]
