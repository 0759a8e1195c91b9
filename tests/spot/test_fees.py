"""The 30-day volume and the fees it leads to."""

from __future__ import annotations

from decimal import Decimal

from krakenasync.protocol import bodies
from krakenasync.spot.fees import PairOfClass, TradeVolume


def test_fee_names_in_either_spelling(sample):
    """Kraken's page writes min_fee, its clients decode minfee: both are read."""
    fees = sample(TradeVolume).fees

    assert fees["XXBTZUSD"].min_fee == fees["XETHZUSD"].min_fee == Decimal("0.1")
    assert fees["XETHZUSD"].next_volume == 100000
    assert fees["XXBTZUSD"].next_fee is None


def test_without_pairs_there_are_no_fees(answer):
    """Fees are null unless a pair was named; a pair of one schedule is among the taker's fees only."""
    volume = answer(TradeVolume, {"currency": "ZUSD", "volume": "12.5", "fees": None, "fees_maker": None})

    assert (volume.fees, volume.fees_maker, volume.schedules) == ({}, {}, [])


def test_pairs_by_name_or_with_their_class():
    """Names make a comma list, pairs with a class a JSON list; the old switch has a hyphen."""
    assert TradeVolume(["XBTUSD", "ETHUSD"], fee_info=True).params() == {"pair": "XBTUSD,ETHUSD", "fee-info": True}

    parts = TradeVolume([PairOfClass(asset="AAPLxUSD", aclass="tokenized_asset")])
    body = bodies.encode(parts.spec.body, parts.params(), "1")

    assert body == b'{"nonce":"1","pair":[{"asset":"AAPLxUSD","aclass":"tokenized_asset"}]}'
