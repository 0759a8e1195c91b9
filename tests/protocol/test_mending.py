"""The twin of `krakenasync.protocol.mending`."""

from decimal import Decimal

import msgspec
import pytest

from krakenasync.errors import ProtocolError
from krakenasync.protocol import wire
from krakenasync.protocol.mending import mended
from krakenasync.protocol.requests import result_type
from krakenasync.spot.catalog import by_name
from krakenasync.spot.history import LedgersPage
from krakenasync.spot.orders import ClosedOrdersPage, OpenOrdersBook


class Inner(msgspec.Struct):
    """A thing inside another."""

    need: str
    spare: str = "as it was"
    open: str | None = "said"


class Outer(msgspec.Struct):
    """Things in every kind of container."""

    one: Inner | None = None
    many: list[Inner] = []
    named: dict[str, Inner] = {}


@pytest.mark.parametrize("shape", ['{"one":%s}', '{"many":[%s]}', '{"named":{"a":%s}}'])
def test_a_null_is_left_out_where_there_is_a_default(shape):
    """A null that a field cannot hold gives way to the field's default, in structs, lists and maps."""
    body = (shape % '{"need":"x","spare":null}').encode()
    fewer = mended(Outer, body)
    read = msgspec.json.decode(fewer, type=Outer)
    (inner,) = [*([read.one] if read.one else []), *read.many, *read.named.values()]
    assert (inner.need, inner.spare) == ("x", "as it was")


@pytest.mark.parametrize(
    "body", [b'{"one":{"need":null}}', b'{"one":{"need":"x","open":null}}', b'{"one":null}', b'{"named":{"null":null}}']
)
def test_other_nulls_stay(body):
    """A null that means something, or that nothing can stand for, is not touched."""
    assert mended(Outer, body) is None


@pytest.mark.parametrize(
    ("endpoint", "result", "read"),
    [
        ("Balance", "[]", {}),
        ("BalanceEx", "[]", {}),
        ("QueryOrders", "[]", {}),
        ("OpenOrders", '{"open":[]}', OpenOrdersBook({})),
        ("ClosedOrders", '{"closed":[],"count":0}', ClosedOrdersPage({}, 0)),
        ("Ledgers", '{"ledger":[],"count":"0"}', LedgersPage({}, 0)),
    ],
)
def test_a_map_with_nothing_in_it_may_come_as_a_list(endpoint, result, read):
    """As recorded of Balance in 2013: https://github.com/knowm/XChange/pull/170."""
    body = f'{{"error":[],"result":{result}}}'.encode()
    answer = wire.decode(result_type(by_name(endpoint)), 200, body, endpoint=endpoint)
    assert (answer.result, answer.raw) == (read, body)


@pytest.mark.parametrize("body", [b'{"one":{"need":"x","spare":[]}}', b'{"named":[1]}'])
def test_other_lists_stay(body):
    """A list where text is due, or one that holds something, is not read away."""
    assert mended(Outer, body) is None


def test_digits_are_kept():
    """Numbers come through the second reading digit for digit."""
    fewer = mended(Outer, b'{"x":0.10000000000000000001,"one":{"need":"a","spare":null}}')
    assert b"0.10000000000000000001" in fewer


def test_one_null_does_not_hide_the_open_orders():
    """A list of orders is read although one of them has a null that no page names."""
    body = (
        b'{"error":[],"result":{"open":{"O1":{"status":"open","opentm":1.5,"vol":"1.25","vol_exec":"0","cost":null,'
        b'"misc":null,"descr":{"pair":"XBTUSD","leverage":null}}}}}'
    )
    answer = wire.decode(result_type(by_name("OpenOrders")), 200, body, endpoint="OpenOrders")
    order = answer.result.open["O1"]
    assert (order.vol, order.cost, order.misc) == (Decimal("1.25"), Decimal(0), "")
    assert answer.raw == body


def test_a_null_that_is_needed_is_still_an_error():
    """What cannot be read is said, second reading or not."""
    body = b'{"error":[],"result":{"open":{"O1":{"status":null,"opentm":1.5,"vol":"1","vol_exec":"0","descr":{}}}}}'
    with pytest.raises(ProtocolError):
        wire.decode(result_type(by_name("OpenOrders")), 200, body, endpoint="OpenOrders")


class Texts(msgspec.Struct):
    """Fields that an empty text may mean nothing in, or something."""

    number: int | None = None
    amount: Decimal = Decimal(1)
    words: str | None = "said"


def test_an_empty_text_is_nothing_where_null_would_be():
    """``""`` gives way to the default of a field that may be null and holds no text; anywhere else it stays."""
    assert msgspec.json.decode(mended(Texts, b'{"number":"","words":""}'), type=Texts) == Texts(None, Decimal(1), "")
    assert mended(Texts, b'{"amount":""}') is None


def test_an_order_of_kraken_s_example_is_read():
    """The example of OpenOrders in Kraken's published specification has an empty ``userref``."""
    order = {"userref": "", "status": "open", "opentm": 1373750306.9819, "descr": {}, "vol": "1.1", "vol_exec": "0.0"}
    body = msgspec.json.encode({"error": [], "result": {"open": {"O1": order}}})
    read = wire.decode(result_type(by_name("OpenOrders")), 200, body, endpoint="OpenOrders").result
    assert read.open["O1"].userref is None
    assert read.open["O1"].opentm.microsecond == 981900


def test_a_number_stays_one_where_its_type_is_open():
    """As in an answer that needs no mending: digit by digit, and no text."""
    body = b'{"error":[],"result":[{"asset":"XBT","method":"Bitcoin","minimum":%s,"fee":{"fee":0.10}}]}'
    kind = result_type(by_name("WithdrawMethods"))
    whole, odd = (wire.decode(kind, 200, body % minimum, endpoint="x").result for minimum in (b'"1"', b'""'))
    assert str(whole[0].fee) == str(odd[0].fee) == "{'fee': Decimal('0.10')}"
