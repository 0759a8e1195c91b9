"""Every sample answer decodes into its type, and holds nothing that the type does not know."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from krakenasync.protocol.requests import result_type
from krakenasync.spot.account import ApiKeyInfo
from krakenasync.spot.catalog import ENDPOINTS
from krakenasync.spot.fees import FeeTier
from krakenasync.spot.trades import Candle, CandleTable, PublicTrade, SpreadRow, SpreadTable, TradeTable

ROWS = {CandleTable: Candle, TradeTable: PublicTrade, SpreadTable: SpreadRow}
with_json = pytest.mark.parametrize("method", [name for name, kind in ENDPOINTS.items() if not kind.spec.binary])


def strangers(value: Any, kind: Any, where: str = "result") -> Iterator[str]:
    """Name each part of `value` that decoding into `kind` would pass over in silence."""
    for inner in getattr(kind, "types", [kind]):
        match inner, value:
            case msgspec.inspect.StructType(array_like=True), list() if len(value) > len(inner.fields):
                yield where
            case msgspec.inspect.StructType(array_like=False), dict():
                known = {field.encode_name: field.type for field in inner.fields}
                yield from (f"{where}.{key}" for key in value if key not in known)
                for key in value.keys() & known.keys():
                    yield from strangers(value[key], known[key], f"{where}.{key}")
            case msgspec.inspect.DictType(), dict():
                for key, item in value.items():
                    yield from strangers(item, inner.value_type, f"{where}[{key}]")
            case msgspec.inspect.ListType(), list():
                for item in value:
                    yield from strangers(item, inner.item_type, f"{where}[]")


@pytest.mark.parametrize("method", ENDPOINTS)
def test_sample_decodes(method, sample):
    """The sample of an endpoint is a result of its type."""
    result = sample(ENDPOINTS[method])

    assert result is not None


@with_json
def test_sample_holds_no_strangers(method, sample_bytes):
    """Every key of a sample is a field of ours: nothing that Kraken is known to send is dropped."""
    request = ENDPOINTS[method]
    sent = json.loads(sample_bytes(request))
    sent = sent if request.spec.beta else sent["result"]
    result = result_type(request)
    arrives_as = getattr(result, "arrives_as", result)
    found = list(strangers(sent, msgspec.inspect.type_info(arrives_as)))
    if result in ROWS:
        width = len(ROWS[result].__struct_fields__)
        found += [str(row) for rows in sent.values() if isinstance(rows, list) for row in rows if len(row) > width]
    if result is ApiKeyInfo:
        found += sorted(set(sent) - set(ApiKeyInfo.__struct_encode_fields__))
    if method == "trade_volume":
        known = {name.replace("_", "") for name in FeeTier.__struct_fields__}
        tiers = [*sent["fees"].values(), *sent["fees_maker"].values()]
        found += [key for tier in tiers for key in tier if key.replace("_", "") not in known]

    assert found == []


def is_object(method: str) -> bool:
    """Tell whether the result is one object, rather than a list, a flag, or a mapping whose keys are ids."""
    result = result_type(ENDPOINTS[method])
    return isinstance(msgspec.inspect.type_info(getattr(result, "arrives_as", result)), msgspec.inspect.StructType)


@pytest.mark.parametrize("method", [name for name in ENDPOINTS if is_object(name)])
def test_unknown_fields_do_not_break_a_result(method, answer, sample_bytes):
    """A field that Kraken adds tomorrow, at the top of an object, is passed over."""
    request = ENDPOINTS[method]
    sent = json.loads(sample_bytes(request))
    sent = sent if request.spec.beta else sent["result"]

    assert answer(request, sent | {"added_tomorrow": {"a": [1]}}) is not None
