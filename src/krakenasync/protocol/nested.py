"""Values that have no marker of their own: written by their type, nested ones item by item."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any, NoReturn

import msgspec

from krakenasync.errors import InvalidArguments, InvalidType
from krakenasync.protocol.bodies import DEEPEST
from krakenasync.protocol.exact import decimal_text, exact, whole
from krakenasync.protocol.fields import Marker, Text, Wire, sendable
from krakenasync.protocol.moments import Instant
from krakenasync.protocol.quoting import quoted

__all__ = ["List", "Typed", "meant", "plain"]


class Typed(Marker):
    """A value of one of the given types; a text must not be empty. A bool is not an int.

    Args:
        kinds: The types. One with `params` stands for an object inside the request, like an order of a batch.
    """

    def __init__(self, *kinds: type) -> None:
        self._kinds = kinds
        self._flag = bool in kinds
        self._parts = [kind.__name__ for kind in kinds if hasattr(kind, "params")]

    def wire(self, name: str, value: Any) -> Wire:  # noqa: D102 - see Marker
        if not (self._flag if isinstance(value, bool) else isinstance(value, self._kinds)):
            what = " or ".join(map(_what, self._kinds))
            hint = f"pass {self._parts[0]}(...), or a dict of its parameters" if self._parts else None
            raise InvalidType(f"{name} must be {what}, not {type(value).__name__}", hint=hint)
        return Text().wire(name, value) if isinstance(value, str) else plain(name, value)


def _what(kind: type) -> str:
    """Name a type in a sentence."""
    name = kind.__name__
    return "True or False" if kind is bool else f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


class List(Marker):
    """A list that is sent as a list: a JSON array, or bracketed names in a form.

    Args:
        each: How its items are checked and written; None: each by its type.
        least: The smallest number of items that Kraken takes.
        most: The largest number.
    """

    def __init__(self, each: Marker | None = None, *, least: int = 1, most: int | None = None) -> None:
        self._write: Callable[[str, Any], Wire | None] = each.wire if each else plain
        self._least = least
        self._most = most

    def wire(self, name: str, value: Any) -> list[Any]:  # noqa: D102 - see Marker
        if isinstance(value, (str, bytes, bytearray, memoryview)) or not isinstance(value, Sequence):
            raise InvalidType(f"{name} must be a sequence, not {type(value).__name__}")
        if len(value) < self._least or (self._most is not None and len(value) > self._most):
            limits = f"at least {self._least}" if self._most is None else f"{self._least} to {self._most}"
            raise InvalidArguments(f"{name} holds {len(value)} items, Kraken takes {limits}")
        return [self._write(name, item) for item in value]


def meant(name: str, value: Any, part: type[msgspec.Struct] | None = None) -> Any:
    """Return what a given value stands for: a member of an enumeration for its value, a dict for the part it describes.

    Args:
        name: The parameter's name at Kraken.
        value: What was given. It is returned unchanged if it stands for itself.
        part: The kind of object that the parameter is, or contains, if any.

    Raises:
        InvalidArguments: A dict describes no such part.
    """
    if isinstance(value, Enum):
        return value.value
    if part is not None and isinstance(value, Mapping):
        return _described(name, value, part)
    if isinstance(value, (list, tuple)):
        items = [_item(name, item, part) for item in value]
        if all(map(operator.is_, items, value)):
            return value
        return tuple(items) if isinstance(value, tuple) else items  # a request that could be hashed still can be
    return value


def _item(name: str, item: Any, part: type[msgspec.Struct] | None) -> Any:
    """Apply `meant` to an item of a list; lists in it are left alone."""
    return item if isinstance(item, (list, tuple)) else meant(name, item, part)


def _described(name: str, value: Mapping[Any, Any], part: type[msgspec.Struct]) -> msgspec.Struct:
    """Make a part from the dict that describes it by Kraken's names, so that it is checked like one."""
    known = {field.encode_name: field for field in msgspec.structs.fields(part)}
    if unknown := [key for key in value if key not in known]:
        hint = f"{part.__name__} has {', '.join(known)}"
        raise InvalidArguments(f"{name} holds {', '.join(map(quoted, unknown))[:100]}", hint=hint)
    if lacking := [key for key, field in known.items() if field.required and value.get(key) is None]:
        raise InvalidArguments(f"{name} lacks {', '.join(lacking)}", hint=f"{part.__name__}(...) needs it")
    return part(**{known[key].name: item for key, item in value.items()})


def plain(name: str, value: Any, inside: tuple[int, ...] = ()) -> Wire:
    """Write a value that has no marker, by its type.

    Args:
        name: What it is called in messages.
        value: The value.
        inside: The containers around it, by identity, the outermost first.

    Raises:
        InvalidArguments: The value cannot be sent. `InvalidType` if its type has no wire form.
    """
    write = _PLAIN.get(type(value))
    if write is not None:
        return write(name, value)
    if isinstance(value, Enum):
        return plain(name, value.value, inside)
    if isinstance(value, msgspec.Struct) and hasattr(value, "params"):
        params: Callable[[], dict[str, Any]] = value.params  # nested parts are Parts
        return params()
    if isinstance(value, (dict, list, tuple)):
        return _nested(name, value, inside)
    if isinstance(value, datetime):
        return Instant().wire(name, value)
    for kind, write in _PLAIN.items():
        if isinstance(value, kind):  # the caller's own class, derived from one of these
            return write(name, value)
    raise InvalidType(f"{name} cannot be sent as {type(value).__name__}")


def _nested(name: str, value: dict[Any, Any] | list[Any] | tuple[Any, ...], inside: tuple[int, ...]) -> Wire:
    """Write a value that contains others."""
    if id(value) in inside or len(inside) >= DEEPEST:
        raise InvalidArguments(f"{name} contains itself, or is nested more than {DEEPEST} deep")
    within = (*inside, id(value))
    if not isinstance(value, dict):
        return [plain(name, item, within) for item in value]
    return {
        _key(name, key): plain(f"{name}[{key}]"[:100], item, within) for key, item in value.items() if item is not None
    }


def _key(name: str, key: Any) -> str:
    """Write a name inside a value."""
    if isinstance(key, int) and not isinstance(key, bool):
        return str(whole(f"a key of {name}", key))
    if not isinstance(key, str):
        raise InvalidType(f"a key of {name} must be a str, not {type(key).__name__}")
    return sendable(f"a key of {name}", key)


def _float(name: str, value: float) -> NoReturn:
    raise InvalidType(f"{name}={value} is a float", hint="floats are inexact: pass Decimal('0.1') or '0.1'")


_PLAIN: dict[type, Callable[[str, Any], Wire]] = {
    str: sendable,
    bool: lambda _name, value: value,
    int: whole,
    Decimal: lambda name, value: decimal_text(exact(name, value)),
    float: _float,
}
