"""Words in a request that this version does not know. They are sent: Kraken adds to its lists without notice."""

from __future__ import annotations

import functools
import typing
from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple, get_args, get_origin

import msgspec

from krakenasync.protocol.requests import Part, parts_of

__all__ = ["Unfamiliar", "unfamiliar", "words"]


class Unfamiliar(NamedTuple):
    """A parameter's word, or number, that is not among those that Kraken is known to accept there."""

    name: str
    value: Any
    known: frozenset[Any]


def unfamiliar(part: Part) -> Iterator[Unfamiliar]:
    """Find a request's words that are in none of Kraken's lists, also in orders and the like within it.

    Args:
        part: The request, its parameters checked.
    """
    for attribute, name, known in _vocabulary(type(part)):
        value = getattr(part, attribute)
        if value is not None:
            for word in _words(value):
                if word not in known:
                    yield Unfamiliar(name, word, known)
    for attribute in parts_of(type(part)):
        inner = getattr(part, attribute)
        for each in inner if isinstance(inner, (list, tuple)) else (inner,):
            if isinstance(each, Part):  # there may be a name instead
                yield from unfamiliar(each)


def _words(value: Any) -> Iterator[Any]:
    """Yield the words of a value: one, a comma list, or a sequence."""
    if isinstance(value, str):
        yield from map(str.strip, value.split(","))
    elif isinstance(value, Sequence):
        for each in value:
            yield from _words(each)
    else:
        yield value


@functools.cache
def _vocabulary(part: type[Part]) -> tuple[tuple[str, str, frozenset[Any]], ...]:
    """List, once per type, its fields for which Kraken publishes a list of words."""
    hints = typing.get_type_hints(part)
    fields = ((field.name, field.encode_name, words(hints[field.name])) for field in msgspec.structs.fields(part))
    return tuple(each for each in fields if each[2])


def words(hint: Any) -> frozenset[Any]:
    """Return the words, or numbers, that a type lists, wherever in it they are.

    >>> sorted(words(Literal["buy", "sell"] | str))
    ['buy', 'sell']
    """
    if get_origin(hint) is Literal:
        return frozenset(get_args(hint))
    return frozenset().union(*map(words, get_args(hint)))
