"""Writing a graph of objects as JSON, exactly, and restoring it.

Anything made of the package's own classes and plain containers can be written, so a new part of the sandbox needs no
code of its own to be saved. Shared objects stay shared, decimals keep every digit, random generators go on where they
were. Reading makes only objects of this package's classes and runs no code from the file.
"""

from __future__ import annotations

import base64
import copy
import importlib
import json
import random
import types
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from enum import Enum
from typing import Any, Final

import msgspec

from krakenasync.errors import ConfigurationError
from krakenasync.sandbox.listings import PAIRS, Pair

__all__ = ["DAMAGED", "dump", "load"]

DAMAGED: Final = "the snapshot is damaged, or of another version of this package"

VERSION: Final = 1
PACKAGE: Final = "krakenasync."
FACTORIES: Final[Mapping[str, Callable[[], Any]]] = {
    each.__name__: each for each in (Decimal, int, float, str, list, dict, set, deque)
}
NODE: Final = "@"


def dump(root: object, outside: Mapping[str, object], *, leave_out: frozenset[str] = frozenset()) -> bytes:
    """Write an object and everything it refers to.

    Args:
        root: Where to begin.
        outside: Objects that are not written but found again by name, such as a clock.
        leave_out: Attributes of the root that are not written.

    Raises:
        ConfigurationError: An object is of a kind that cannot be written.
    """
    writer = _Writer(outside)
    attributes = {name: value for name, value in vars(root).items() if name not in leave_out}
    return json.dumps({"version": VERSION, "root": writer.write(attributes), "nodes": writer.nodes}).encode()


def load(data: bytes, outside: Mapping[str, object], root: object) -> dict[str, Any]:
    """Return the restored attributes of a root.

    Args:
        data: What `dump` wrote.
        outside: The objects that were not written, by the same names.
        root: The object that references to the root will point to.

    Raises:
        ConfigurationError: The data are not a snapshot.
    """
    try:
        file = json.loads(data)
        version, nodes, top = file["version"], file["nodes"], file["root"]
    except (ValueError, TypeError, KeyError):
        raise ConfigurationError("this is not a snapshot of a sandbox") from None
    if version != VERSION:
        raise ConfigurationError(f"the snapshot is of version {version}, this package reads {VERSION}")
    try:
        attributes: dict[str, Any] = dict(_Reader(nodes, {**outside, "root": root}).read(top))
    except (LookupError, TypeError, AttributeError, ValueError, ImportError, RecursionError):
        raise ConfigurationError(DAMAGED) from None
    return attributes


class _Writer:
    """Numbers objects as it meets them."""

    def __init__(self, outside: Mapping[str, object]) -> None:
        self.nodes: list[Any] = []
        self._numbers: dict[int, int] = {}
        self._names = {id(thing): name for name, thing in outside.items()}
        self._alive: list[object] = []  # an id is unique only while its object lives

    def write(self, value: Any) -> Any:
        if value is None or type(value) in (bool, int, float, str):
            return value
        if id(value) not in self._numbers:
            self._numbers[id(value)] = len(self.nodes)
            self._alive.append(value)
            place = len(self.nodes)
            self.nodes.append(None)
            self.nodes[place] = self._node(value)
        return {NODE: self._numbers[id(value)]}

    def _node(self, value: Any) -> list[Any]:
        if id(value) in self._names:
            return ["outside", self._names[id(value)]]
        if isinstance(value, Pair):
            return ["pair", value.name]
        simple = _SIMPLE.get(type(value))
        if simple is not None:
            return [type(value).__name__, simple(value)]
        contents = _CONTAINERS.get(type(value))
        if contents is not None:
            return [type(value).__name__, *contents(self, value)]
        return self._own(value)

    def _own(self, value: Any) -> list[Any]:
        """Write an object of one of the package's own classes."""
        if isinstance(value, types.MethodType):
            return ["method", self.write(value.__self__), value.__name__]
        if isinstance(value, (type, types.FunctionType)):
            return ["name", _name_of(value)]
        kind = _name_of(type(value))
        if isinstance(value, Enum):
            return ["enum", kind, value.name]
        if isinstance(value, tuple):
            return ["named", kind, self.all(value)]
        if isinstance(value, msgspec.Struct):
            return ["struct", kind, self.all(getattr(value, name) for name in value.__struct_fields__)]
        return ["object", kind, self.pairs(vars(value))]

    def pairs(self, mapping: Mapping[Any, Any]) -> list[Any]:
        return [[self.write(key), self.write(value)] for key, value in mapping.items()]

    def all(self, items: Iterable[Any]) -> list[Any]:
        return [self.write(item) for item in items]


_SIMPLE: Final[Mapping[type, Callable[[Any], Any]]] = {
    Decimal: str,
    bytes: lambda value: base64.b64encode(value).decode(),
    random.Random: lambda value: value.getstate(),
}
_CONTAINERS: Final[Mapping[type, Callable[[_Writer, Any], list[Any]]]] = {
    dict: lambda writer, value: [writer.pairs(value)],
    Counter: lambda writer, value: [writer.pairs(value)],
    defaultdict: lambda writer, value: [getattr(value.default_factory, "__name__", None), writer.pairs(value)],
    list: lambda writer, value: [writer.all(value)],
    tuple: lambda writer, value: [writer.all(value)],
    deque: lambda writer, value: [value.maxlen, writer.all(value)],
    set: lambda writer, value: [writer.all(sorted(value, key=repr))],
    frozenset: lambda writer, value: [writer.all(sorted(value, key=repr))],
    type(iter(range(0))): lambda _writer, value: [_rest_of(value)],
}


def _rest_of(counter: Iterator[int]) -> list[int]:
    """Write the numbers that a counter made from a range has yet to return."""
    numbers: range = counter.__reduce__()[1][0]  # type: ignore[assignment]  # (iter, (range,), ...), by pickle's protocol
    return [next(copy.copy(counter), numbers.stop), numbers.stop, numbers.step]


class _Reader:
    """Makes objects when they are first asked for."""

    def __init__(self, nodes: list[Any], outside: Mapping[str, object]) -> None:
        self._nodes = nodes
        self._outside = outside
        self._made: dict[int, Any] = {}

    def read(self, written: Any) -> Any:
        if not isinstance(written, dict):
            return written
        number = written[NODE]
        if number not in self._made:
            kind, *parts = self._nodes[number]
            fill = _SHELLS.get(kind)
            # An object that may contain itself is made empty first, and filled once it can be referred to.
            self._made[number] = fill[0](self, parts) if fill else _WHOLE[kind](self, parts)
            if fill:
                fill[1](self, self._made[number], parts)
        return self._made[number]

    def all(self, written: list[Any]) -> list[Any]:
        return [self.read(item) for item in written]

    def pairs(self, written: list[Any]) -> list[tuple[Any, Any]]:
        return [(self.read(key), self.read(value)) for key, value in written]

    def outside(self, name: str) -> object:
        return self._outside[name]


def _restore_chance(state: list[Any]) -> random.Random:
    chance = random.Random()  # noqa: S311 - it goes on where the written one was
    version, inner, following = state
    chance.setstate((version, tuple(inner), following))
    return chance


def _method(reader: _Reader, parts: list[Any]) -> Any:
    return getattr(reader.read(parts[0]), parts[1])


_Make = Callable[[_Reader, list[Any]], Any]
_Fill = Callable[[_Reader, Any, list[Any]], None]

_SHELLS: Final[Mapping[str, tuple[_Make, _Fill]]] = {
    "list": (lambda _reader, _parts: [], lambda reader, made, parts: made.extend(reader.all(parts[0]))),
    "dict": (lambda _reader, _parts: {}, lambda reader, made, parts: made.update(reader.pairs(parts[0]))),
    "Counter": (
        lambda _reader, _parts: Counter(),
        lambda reader, made, parts: made.update(dict(reader.pairs(parts[0]))),
    ),
    "defaultdict": (
        lambda _reader, parts: defaultdict(FACTORIES.get(parts[0] or "")),
        lambda reader, made, parts: made.update(reader.pairs(parts[1])),
    ),
    "deque": (
        lambda _reader, parts: deque(maxlen=parts[0]),
        lambda reader, made, parts: made.extend(reader.all(parts[1])),
    ),
    "set": (lambda _reader, _parts: set(), lambda reader, made, parts: made.update(reader.all(parts[0]))),
    "object": (
        lambda _reader, parts: object.__new__(_find_type(parts[0])),
        lambda reader, made, parts: made.__dict__.update(reader.pairs(parts[1])),
    ),
}
_WHOLE: Final[Mapping[str, _Make]] = {
    "outside": lambda reader, parts: reader.outside(parts[0]),
    "pair": lambda _reader, parts: PAIRS[parts[0]],
    "Decimal": lambda _reader, parts: Decimal(parts[0]),
    "bytes": lambda _reader, parts: base64.b64decode(parts[0]),
    "Random": lambda _reader, parts: _restore_chance(parts[0]),
    "range_iterator": lambda _reader, parts: iter(range(*parts[0])),
    "tuple": lambda reader, parts: tuple(reader.all(parts[0])),
    "frozenset": lambda reader, parts: frozenset(reader.all(parts[0])),
    "method": _method,
    "name": lambda _reader, parts: _find(parts[0]),
    "enum": lambda _reader, parts: _find_type(parts[0])[parts[1]],
    "named": lambda reader, parts: _find_type(parts[0])(*reader.all(parts[1])),
    "struct": lambda reader, parts: _make_struct(_find_type(parts[0]), reader.all(parts[1])),
}


def _make_struct(kind: Any, values: list[Any]) -> Any:
    return kind(**dict(zip(kind.__struct_fields__, values, strict=True)))


def _name_of(thing: Any) -> str:
    name = f"{thing.__module__}:{thing.__qualname__}"
    if not thing.__module__.startswith(PACKAGE) or "<" in name:
        raise ConfigurationError(f"{name} cannot be written to a snapshot", hint="keep its data in plain containers")
    return name


def _find(name: str) -> Any:
    """Look up a class or a function of this package."""
    module, _, path = name.partition(":")
    if not module.startswith(PACKAGE):
        raise ConfigurationError(f"the snapshot asks for {name}, which is none of this package's")
    found: Any = importlib.import_module(module)
    for part in path.split("."):
        found = getattr(found, part)
    if not isinstance(found, (type, types.FunctionType)) or not found.__module__.startswith(PACKAGE):
        raise ConfigurationError(f"the snapshot asks for {name}, which is not a class or function of this package")
    return found


def _find_type(name: str) -> Any:
    found = _find(name)
    if not isinstance(found, type):
        raise ConfigurationError(f"the snapshot asks for an object of {name}, which is not a class")
    return found
