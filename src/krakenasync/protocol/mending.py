"""A second reading for answers with an unexpected null, empty list or empty text.

Kraken's pages do not say where a null may occur. Where a field has a default, a null is read as if the field were not
there, so that one odd null does not hide a whole answer. An empty map has come as ``[]``, and one of Kraken's own
examples has ``"userref": ""`` for no userref. This is slow, and is done only when the first reading failed.

Source of the example: https://github.com/krakenfx/api-specs (OpenOrders)
"""

from __future__ import annotations

import functools
import types
import typing
from typing import Any, Final, get_args, get_origin

import msgspec

__all__ = ["mended"]

_READ: Final = msgspec.json.Decoder(float_hook=lambda text: msgspec.Raw(text.encode()))  # digit by digit as received


def mended(kind: Any, body: bytes) -> bytes | None:
    """Return the answer's bytes without values that `kind` cannot contain but can do without; None if there are none.

    Args:
        kind: The type that the answer is to be read into.
        body: The answer.

    Raises:
        msgspec.DecodeError: The answer is not JSON.
    """
    read = _READ.decode(body)
    kept = _kept(kind, read) if read else read
    return None if kept == read else msgspec.json.encode(kept)


def _kept(kind: Any, value: Any) -> Any:
    """Leave out what is null or empty and not needed, and read ``[]`` as a map where one is expected, at any depth."""
    if value == [] and _is_object(kind):
        return {}
    if isinstance(value, list):
        inner = _inner(kind)
        return [_kept(inner, item) for item in value]
    if not isinstance(value, dict):
        return value
    struct = _struct(kind)
    if struct is None:
        inner = _inner(kind)
        return {key: _kept(inner, item) for key, item in value.items()}
    fields = _fields(struct)
    return {
        key: _kept(fields[key][0] if key in fields else None, item)
        for key, item in value.items()
        if key not in fields or item not in fields[key][1]
    }


def _struct(kind: Any) -> Any:
    """Return the struct that a type names, also as one of several or with its parameters."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind
    origin = get_origin(kind)
    if isinstance(origin, type) and issubclass(origin, msgspec.Struct):
        return kind
    return next((found for each in get_args(kind) if origin not in {dict, list} and (found := _struct(each))), None)


def _is_object(kind: Any) -> bool:
    """Whether a type is a map or a struct, and no list could be of that type."""
    each = get_args(kind) if get_origin(kind) in {types.UnionType, typing.Union} else (kind,)
    origins = [get_origin(one) or one for one in each]
    objects = [one for one in origins if isinstance(one, type) and issubclass(one, (dict, msgspec.Struct))]
    return bool(objects) and list not in origins


def _inner(kind: Any) -> Any:
    """Return the type of what a list or a map contains."""
    if get_origin(kind) in {dict, list, tuple}:
        return get_args(kind)[-1] if get_origin(kind) is dict else get_args(kind)[0]
    return next((found for each in get_args(kind) if (found := _inner(each)) is not None), None)


@functools.cache
def _fields(struct: Any) -> dict[str, tuple[Any, list[Any]]]:
    """Return name on the wire -> (type, what can be left out: not a value of the type, and there is a default)."""
    origin = get_origin(struct) or struct
    hints = typing.get_type_hints(origin)
    parameters = dict(zip(getattr(origin, "__parameters__", ()), get_args(struct), strict=False))
    return {
        field.encode_name: (
            _filled(hints[field.name], parameters),
            [] if field.required else _dispensable(hints[field.name]),
        )
        for field in msgspec.structs.fields(origin)
    }


def _dispensable(hint: Any) -> list[Any]:
    """Return what means "none" in a field of that type: null, or an empty text where null is allowed but no text is."""
    kinds = get_args(hint)
    if type(None) not in kinds:
        return [None]
    return [""] if str not in kinds else []


def _filled(hint: Any, parameters: dict[Any, Any]) -> Any:
    """Insert a generic struct's parameters: the result's type into the envelope's."""
    found = [parameters[each] for each in (hint, *get_args(hint)) if each in parameters]
    return found[0] if found else hint
