"""Answers that differ from the samples in what Kraken may change without notice still decode into their types.

Each sample is varied place by place, led by the types: what may be missing is left out or null, numbers are written as
text and the other way round, objects get fields of tomorrow, words are ones nobody knows, lists and maps are empty.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from msgspec import inspect

from krakenasync.protocol import wire
from krakenasync.protocol.requests import result_type
from krakenasync.spot.account import ApiKeyInfo
from krakenasync.spot.catalog import ENDPOINTS
from krakenasync.spot.fees import FeeTier
from krakenasync.spot.trades import Candle, CandleTable, PublicTrade, SpreadRow, SpreadTable, TradeTable

ROWS = {CandleTable: Candle, TradeTable: PublicTrade, SpreadTable: SpreadRow}
"""Tables whose rows lie beside the cursor, so that the type of the answer says less than is known of either."""

each_endpoint = pytest.mark.parametrize("method", [name for name, kind in ENDPOINTS.items() if not kind.spec.binary])

Path = tuple[str | int, ...]

NEEDED: dict[str, Path] = {"order_amends": ("amends",)}
"""Optional on the wire only because one of Kraken's examples wraps it into another object."""


class Place(NamedTuple):
    """Somewhere in an answer: how to get there, what the type says of it, and what in it may be left out."""

    path: Path
    kinds: tuple[inspect.Type, ...]
    value: Any
    optional: frozenset[str] = frozenset()


def places(value: Any, kind: inspect.Type, path: Path = ()) -> Iterator[Place]:
    """Walk through an answer and its type together."""
    kinds = tuple(kind.types) if isinstance(kind, inspect.UnionType) else (kind,)
    fields = {
        field.encode_name: field
        for each in kinds
        if isinstance(each, inspect.StructType) and not each.array_like and isinstance(value, dict)
        for field in each.fields
    }
    yield Place(
        path, kinds, value, frozenset(name for name, field in fields.items() if name in value and not field.required)
    )
    for name, field in fields.items():
        if name in value:
            yield from places(value[name], field.type, (*path, name))
    for each in kinds:
        if isinstance(each, inspect.StructType) and each.array_like and isinstance(value, list):
            for index, (item, field) in enumerate(zip(value, each.fields, strict=False)):
                yield from places(item, field.type, (*path, index))
        elif isinstance(each, inspect.DictType) and isinstance(value, dict):
            for name, item in value.items():
                yield from places(item, each.value_type, (*path, name))
        elif isinstance(each, inspect.ListType) and isinstance(value, list):
            for index, item in enumerate(value):
                yield from places(item, each.item_type, (*path, index))


def all_places(method: str, answer: Any) -> list[Place]:
    """Walk through an answer, fees included that its type leaves undecoded at first."""
    result = result_type(ENDPOINTS[method])
    if result in ROWS:
        rows = inspect.type_info(list[ROWS[result]])
        return [place for name in answer.keys() - {"last"} for place in places(answer[name], rows, (name,))]
    found = list(places(answer, inspect.type_info(getattr(result, "arrives_as", result))))
    if method == "trade_volume":
        for side in ("fees", "fees_maker"):
            found += places(answer[side], inspect.type_info(dict[str, FeeTier]), (side,))
    if result is ApiKeyInfo:
        found += places(answer, inspect.type_info(ApiKeyInfo))
    return [place for place in found if not any(undecoded(kind) for kind in place.kinds)]


def undecoded(kind: inspect.Type) -> bool:
    """Whether a place is an object that its type reads in two steps, and so only looks like a map."""
    return isinstance(kind, inspect.DictType) and isinstance(kind.value_type, inspect.RawType)


def changed(answer: Any, path: Path, change: Callable[[Any], Any]) -> Any:
    """Return the answer with one place changed."""
    if not path:
        return change(copy.deepcopy(answer))
    varied = copy.deepcopy(answer)
    inner = varied
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = change(inner[path[-1]])
    return varied


def without(name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda value: {key: item for key, item in value.items() if key != name}


def numeric(place: Place) -> bool:
    """Whether a place holds a number whichever way it is written; text beside it is another value."""
    numbers = inspect.DecimalType | inspect.IntType | inspect.DateTimeType
    return any(isinstance(kind, numbers) for kind in place.kinds) and not any(
        isinstance(kind, inspect.StrType) for kind in place.kinds
    )


def as_number(text: str) -> int | float | None:
    """Read a text as the number it holds; None if it holds another thing, such as a moment."""
    try:
        value = Decimal(text)
    except ArithmeticError:
        return None
    return int(text) if text.isdecimal() else float(value)


@pytest.fixture
def sent(sample_bytes):
    """Give the result of an endpoint's sample as plain data."""

    def read(method: str) -> Any:
        request = ENDPOINTS[method]
        answer = json.loads(sample_bytes(request))
        return answer if request.spec.beta else answer["result"]

    return read


@pytest.fixture
def decodes():
    """Decode plain data as the endpoint's answer; fails when that is not possible."""

    def decode(method: str, result: Any) -> Any:
        request = ENDPOINTS[method]
        whole = result if request.spec.beta else {"error": [], "result": result}
        return wire.decode(result_type(request), 200, json.dumps(whole).encode(), endpoint=method).result

    return decode


def refused(method: str, decodes: Callable[[str, Any], Any], variants: Iterator[tuple[Path, Any]]) -> list[Path]:
    """Name the places whose variants do not decode."""
    found = []
    for path, variant in variants:
        try:
            decodes(method, variant)
        except Exception:  # noqa: BLE001 - whatever it is, it goes into the report
            found.append(path)
    return found


@each_endpoint
def test_optional_fields_may_be_missing(method, sent, decodes):
    """Leaving out any one field that is not always there leaves a result."""
    answer = sent(method)
    variants = (
        ((*place.path, name), changed(answer, place.path, without(name)))
        for place in all_places(method, answer)
        for name in place.optional
        if NEEDED.get(method) != (*place.path, name)
    )

    assert refused(method, decodes, variants) == []


@each_endpoint
def test_fields_without_a_value_may_be_null(method, sent, decodes):
    """Null stands for "none" wherever the type knows a None."""
    answer = sent(method)
    variants = (
        (place.path, changed(answer, place.path, lambda _: None))
        for place in all_places(method, answer)
        if any(isinstance(kind, inspect.NoneType) for kind in place.kinds) and NEEDED.get(method) != place.path
    )

    assert refused(method, decodes, variants) == []


@each_endpoint
def test_every_object_may_grow(method, sent, decodes):
    """A field that nobody knows yet, in any object at any depth, and more columns in any row, are passed over."""
    answer = sent(method)
    news = {"added_tomorrow": {"a": [1, None, "x"]}}

    def grown() -> Iterator[tuple[Path, Any]]:
        for place in all_places(method, answer):
            structs = [kind for kind in place.kinds if isinstance(kind, inspect.StructType)]
            if structs and isinstance(place.value, dict):
                yield place.path, changed(answer, place.path, lambda value: value | news)
            elif any(kind.array_like for kind in structs) and isinstance(place.value, list):
                yield place.path, changed(answer, place.path, lambda value: [*value, "1.5"])

        if result_type(ENDPOINTS[method]) in ROWS:
            yield (), answer | news

    assert refused(method, decodes, grown()) == []


@each_endpoint
def test_numbers_may_be_text_and_text_numbers(method, sent, decodes):
    """The same number, written as text or as a number, is the same result."""
    answer = sent(method)
    plain = decodes(method, answer)
    unequal = []
    for place in all_places(method, answer):
        if not numeric(place) or isinstance(place.value, bool):
            continue
        if isinstance(place.value, str):
            other: Any = as_number(place.value)
            if other is None:
                continue
        elif isinstance(place.value, int | float):
            other = repr(place.value)
        else:
            continue
        try:
            result = decodes(method, changed(answer, place.path, lambda _, other=other: other))
        except Exception:  # noqa: BLE001 - whatever it is, it goes into the report
            unequal.append((place.path, other))
        else:
            if result != plain:
                unequal.append((place.path, other))

    assert unequal == []


@each_endpoint
def test_unknown_words_pass(method, sent, decodes):
    """A state, type or reason that is not in any list of ours is handed over as it is."""
    answer = sent(method)
    variants = (
        (place.path, changed(answer, place.path, lambda _: "word-of-tomorrow"))
        for place in all_places(method, answer)
        if isinstance(place.value, str) and any(isinstance(kind, inspect.StrType) for kind in place.kinds)
    )

    assert refused(method, decodes, variants) == []


@each_endpoint
def test_lists_and_maps_may_be_empty(method, sent, decodes):
    """An account with nothing in it is an ordinary account."""
    answer = sent(method)

    def emptied() -> Iterator[tuple[Path, Any]]:
        for place in all_places(method, answer):
            if any(isinstance(kind, inspect.ListType) for kind in place.kinds) and isinstance(place.value, list):
                yield place.path, changed(answer, place.path, lambda _: [])
            about_one_pair = method == "depth" and not place.path
            if any(isinstance(kind, inspect.DictType) for kind in place.kinds) and not about_one_pair:
                yield place.path, changed(answer, place.path, lambda _: {})

    assert refused(method, decodes, emptied()) == []
