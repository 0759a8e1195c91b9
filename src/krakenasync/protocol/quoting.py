"""What an error quotes of a value it refuses: enough to know it by, never all of what is long."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

__all__ = ["quoted"]

_MOST: Final = 100
"""Characters, and digits of a number."""
_KEY: Final = re.compile(r"(?=.*[0-9])(?=.*[A-Z])(?=.*[a-z])[A-Za-z0-9+/]{40,}={0,2}\s*")
_LOOKED_AT: Final = 200
_BITS: Final = 332
"""Of a number of so many digits. Longer ones are not written at all: Python refuses to, beyond 4,300 digits."""


def quoted(value: object) -> str:
    """Write a value for a message: a number bare, all else as it stands in code, cut. Never fails.

    What looks like a key, or a part of one that was put in the wrong place, is not repeated.

    >>> quoted("a b"), quoted(5), quoted("x y" * 200_000)[-8:]
    ("'a b'", '5', 'yx yx yx…')
    >>> quoted("kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg==")
    '<88 characters that look like a key>'
    """
    if isinstance(value, str) and _KEY.fullmatch(value[:_LOOKED_AT]):
        return f"<{len(value)} characters that look like a key>"
    if isinstance(value, int) and value.bit_length() > _BITS:
        return f"<an int of {value.bit_length()} bits>"
    try:
        # A text that is cut first stays longer than what is kept of it, by its quotes.
        shown = value[:_MOST] if isinstance(value, (str, bytes, bytearray)) else value
        text = str(shown) if isinstance(shown, Decimal) else repr(shown)
    except Exception:  # noqa: BLE001 - what cannot be shown, like a list nested too deep, is refused in words too
        return f"<{type(value).__name__}>"
    return text if len(text) <= _MOST else f"{text[: _MOST - 1]}…"
