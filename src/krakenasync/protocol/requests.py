"""A request is a frozen type: its fields are its parameters, `spec` is its facts, ``Request[R]`` names its answer."""

from __future__ import annotations

import functools
import typing
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from types import NoneType, UnionType
from typing import Annotated, Any, ClassVar, Final, Generic, Literal, Self, TypeVar, Union, get_args, get_origin

import msgspec

from krakenasync.errors import InvalidArguments
from krakenasync.protocol.fields import Marker
from krakenasync.protocol.nested import Typed, meant, plain
from krakenasync.protocol.specs import Spec

__all__ = ["Part", "Request", "Reshaped", "exclusive", "parts_of", "result_type"]

R = TypeVar("R")


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A group of parameters: a whole request, or an object inside one such as an order of a batch."""

    def check(self) -> None:
        """Check what no single parameter can show, such as two that exclude each other.

        Called once each parameter has passed its own check.

        Raises:
            InvalidArguments: The combination cannot be right.
        """

    def params(self) -> dict[str, Any]:
        """Return the parameters as they are sent, checked, without those that are left out.

        From then on each attribute is what was meant by what was given (see `meant`), for `check` and for comparisons.

        Raises:
            InvalidArguments: A parameter cannot be right; the message says which and why.
        """
        sent: dict[str, Any] = {}
        for attribute, wire_name, write, needed in _plan(type(self)):
            value = getattr(self, attribute)
            if value is not None or needed:
                if type(value) not in _AS_MEANT:
                    value = self._settle(attribute, wire_name, value)
                if (wire := write(wire_name, value)) is not None:
                    sent[wire_name] = wire
        self.check()
        return sent

    def _settle(self, attribute: str, wire_name: str, given: Any) -> Any:
        """Replace what was given by what is meant, and return it."""
        value = meant(wire_name, given, parts_of(type(self)).get(attribute))
        if value is not given:
            msgspec.structs.force_setattr(self, attribute, value)
        return value


class Request(Part, Generic[R], frozen=True, kw_only=True):
    """One call of Kraken's API; `R` is the type of its result."""

    spec: ClassVar[Spec]


class Reshaped:
    """Mixin of a result that is handed out in a different shape from the one on the wire."""

    __slots__ = ()

    arrives_as: ClassVar[Any]
    """The type that is decoded; `bytes` for a file."""
    enveloped: ClassVar[bool] = True
    """Whether it comes inside Kraken's envelope."""

    @classmethod
    def from_wire(cls, arrived: Any) -> Self:
        """Make the result from what arrived.

        Raises:
            msgspec.ValidationError: What arrived does not have the documented shape.
        """
        raise NotImplementedError


_AS_MEANT: Final = frozenset({str, int, bool, Decimal, float, datetime, NoneType})
"""The types of values that are always meant as they are."""


@functools.cache
def _plan(part: type[Part]) -> tuple[tuple[str, str, Callable[[str, Any], Any], bool], ...]:
    """Prepare, once per type, how each field is written, and whether it is required."""
    hints = typing.get_type_hints(part, include_extras=True)
    return tuple(
        (field.name, field.encode_name, _writer(hints[field.name]), field.required)
        for field in msgspec.structs.fields(part)
    )


def _writer(hint: Any) -> Callable[[str, Any], Any]:
    """Return the marker's writer for a field, or one that checks the value by its type."""
    if (marker := _marker(hint)) is not None:
        return marker.wire
    kinds = _kinds(hint)
    return plain if Any in kinds else Typed(*kinds).wire


def _marker(hint: Any) -> Marker | None:
    """Find the marker of a field, also inside ``Annotated[...] | None``."""
    if get_origin(hint) is Annotated:
        return next((extra for extra in get_args(hint)[1:] if isinstance(extra, Marker)), None)
    found = (_marker(inner) for inner in get_args(hint) if get_origin(inner) is Annotated)
    return next((marker for marker in found if marker is not None), None)


def _kinds(hint: Any) -> tuple[Any, ...]:
    """List the types that a field's values may have, besides None; Any if that is not known."""
    origin = get_origin(hint)
    if origin in {Union, UnionType}:
        return tuple(dict.fromkeys(kind for inner in get_args(hint) for kind in _kinds(inner)))
    if origin is Annotated:
        return _kinds(get_args(hint)[0])
    if origin is Literal:
        return tuple(dict.fromkeys(type(word) for word in get_args(hint)))
    if hint is NoneType:
        return ()
    found = origin or hint
    return (found if isinstance(found, type) else Any,)


@functools.cache
def parts_of(part: type[Part]) -> dict[str, type[Part]]:
    """Find, once per type, the kinds of part that its fields are or contain."""
    hints = typing.get_type_hints(part, include_extras=True)
    found = {attribute: _part_in(hints[attribute]) for attribute in part.__struct_fields__}
    return {attribute: inner for attribute, inner in found.items() if inner is not None}


def _part_in(hint: Any) -> type[Part] | None:
    if isinstance(hint, type) and issubclass(hint, Part):
        return hint
    return next((found for inner in get_args(hint) if (found := _part_in(inner)) is not None), None)


@functools.cache
def result_type(request: type[Request[Any]]) -> Any:
    """Return ``R`` of ``class Balance(Request[R])``, through any classes in between."""
    for cls in request.__mro__:
        for base in getattr(cls, "__orig_bases__", ()):
            if get_origin(base) is Request or (
                isinstance(get_origin(base), type) and issubclass(get_origin(base), Request)
            ):
                (result,) = get_args(base)
                if not isinstance(result, TypeVar):
                    return result
    raise TypeError(f"{request.__name__} does not name its result")


def exclusive(part: Part, *names: str, needed: bool = False) -> None:
    """Check that at most one of the named parameters is given (exactly one, if `needed`).

    Raises:
        InvalidArguments: More than one parameter was given, or none.
    """
    given = [name for name in names if getattr(part, name) is not None]
    if len(given) > 1:
        raise InvalidArguments(f"{' and '.join(given)} exclude each other", hint=f"give one of {', '.join(names)}")
    if needed and not given:
        raise InvalidArguments(f"one of {', '.join(names)} is needed")
