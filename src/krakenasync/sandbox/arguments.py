"""Reading a call's parameters: text from forms, numbers and booleans from JSON; both mean the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from krakenasync.sandbox.refusals import invalid

__all__ = ["Arguments", "as_number"]

LONGEST: Final = 40
"""Digits beyond which a number is refused."""


class Arguments:
    """A call's parameters by Kraken's names. Empty ones count as left out."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        self._params = params

    def given(self, name: str) -> bool:
        """Whether a parameter came with a value."""
        return self._params.get(name) not in (None, "")

    def text(self, name: str, default: str | None = None) -> str:
        """Read text.

        Raises:
            Refusal: The parameter is missing and there is no default, or it is not text.
        """
        value = self._params.get(name)
        if value is None or value == "":
            if default is None:
                raise invalid(name)
            return default
        if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal)):
            raise invalid(name)
        return str(value)

    def spelled(self, name: str, default: str) -> str:
        """Read text or a switch, as text: a form's ``true`` and a JSON body's true are the same.

        Raises:
            Refusal: The value is neither.
        """
        value = self._params.get(name)
        return str(value).lower() if isinstance(value, bool) else self.text(name, default)

    def names(self, name: str) -> list[str]:
        """Read a comma list (a JSON list too); empty when left out."""
        value = self._params.get(name)
        parts = value if isinstance(value, list) else self.text(name, "").split(",")
        return [str(part).strip() for part in parts if str(part).strip()]

    def items(self, name: str) -> list[Any]:
        """Read a list whose members may be objects: a JSON list, or names in a comma list."""
        value = self._params.get(name)
        return value if isinstance(value, list) else list(self.names(name))

    def rows(self, name: str) -> list[Any]:
        """Read a parameter that must be a list; empty when left out.

        Raises:
            Refusal: The value is not a list, for instance the last value of a form that repeats the name.
        """
        if not self.given(name):
            return []
        value = self._params[name]
        if not isinstance(value, list):
            raise invalid(name)
        return value

    def empty(self) -> bool:
        """Whether no parameter came with a value."""
        return not any(map(self.given, self._params))

    def only(self, names: Iterable[str]) -> dict[str, Any]:
        """Return those of the named parameters that were given, as they came."""
        return {name: self._params[name] for name in names if self.given(name)}

    def flag(self, name: str) -> bool:
        """Read a switch: true, "true", 1 and "1" are on."""
        return str(self._params.get(name, "")).lower() in ("true", "1", "yes")

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        """Read a whole number.

        Raises:
            Refusal: The value is not a whole number, or is out of bounds.
        """
        text = self.text(name, str(default))
        try:
            number = int(text)
        except ValueError:
            raise invalid(name) from None
        if not low <= number <= high:
            raise invalid(name)
        return number

    def number(self, name: str, default: str | None = None) -> Decimal:
        """Read an exact number that is not negative.

        Raises:
            Refusal: The value is missing, negative or not a number.
        """
        return as_number(name, self.text(name, default))

    def word(self, name: str, words: frozenset[str], default: str | None = None) -> str:
        """Read one of several words.

        Raises:
            Refusal: The value is not one of them.
        """
        text = self.text(name, default)
        if text not in words:
            raise invalid(name)
        return text

    def instant(self, name: str) -> int | None:
        """Read RFC 3339 text as unix nanoseconds; None when left out.

        Raises:
            Refusal: The value is not such a text.
        """
        if not self.given(name):
            return None
        try:
            moment = datetime.fromisoformat(self.text(name))
        except ValueError:
            raise invalid(name) from None
        if moment.tzinfo is None:
            raise invalid(name)
        delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
        return ((delta.days * 86_400 + delta.seconds) * 10**6 + delta.microseconds) * 1000

    def part(self, name: str) -> Arguments | None:
        """Read a nested group such as ``close``; None when left out. XChange, in Java, always writes ``close={}``.

        Raises:
            Refusal: The value is not a group.
        """
        value = self._params.get(name)
        if value in (None, "", "{}"):
            return None
        if not isinstance(value, Mapping):
            raise invalid(name)
        return Arguments(value)


def as_number(name: str, text: str) -> Decimal:
    """Read an exact number that is not negative.

    Raises:
        Refusal: The text is negative or not a number.
    """
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise invalid(name) from None
    # 1e999999 is short as text, and overflows in its first product.
    if len(text) > LONGEST or not number.is_finite() or number < 0 or number.adjusted() > LONGEST:
        raise invalid(name)
    return number
