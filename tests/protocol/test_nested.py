"""Values without a marker of their own, and those inside others."""

from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum, StrEnum

import msgspec
import pytest

from krakenasync.errors import InvalidArguments, InvalidType
from krakenasync.protocol.fields import Id
from krakenasync.protocol.nested import List, Typed, meant, plain


class Side(StrEnum):
    BUY = "buy"


class Level(Enum):
    FIVE = 5


def test_list():
    """A list keeps its items, each written plainly, and its bounds."""
    assert List().wire("orders", ["a", 1, Decimal("0.10")]) == ["a", 1, "0.10"]
    assert [len(List(least=2, most=15).wire("orders", [1] * length)) for length in (2, 15)] == [2, 15]
    with pytest.raises(InvalidArguments, match="holds 1 items, Kraken takes 2 to 15"):
        List(least=2, most=15).wire("orders", [1])
    with pytest.raises(InvalidArguments, match="holds 16 items, Kraken takes 2 to 15"):
        List(least=2, most=15).wire("orders", [1] * 16)
    with pytest.raises(InvalidArguments, match="at least 1"):
        List().wire("orders", [])
    with pytest.raises(InvalidType, match="orders must be a sequence, not str"):
        List().wire("orders", "abc")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a", "a"),
        (7, 7),
        (False, False),
        (Decimal("1E-8"), "0.00000001"),
        (Side.BUY, "buy"),
        (Level.FIVE, 5),
        (["a", Decimal(1)], ["a", "1"]),
        (("a",), ["a"]),
        ({"price": Decimal(1), "price2": None}, {"price": "1"}),
        (datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC), "1700000000"),
    ],
)
def test_plain_values(value, expected):
    """A value without a marker is written by its type, nested ones item by item."""
    written = plain("x", value)
    assert written == expected
    assert type(written) is type(expected)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (0.1, "x=0.1 is a float"),
        ({"price": 0.1}, r"x\[price\]=0.1 is a float"),
        ([0.1], "x=0.1 is a float"),
        (object(), "x cannot be sent as object"),
        (b"a", "x cannot be sent as bytes"),
    ],
)
def test_plain_refuses(value, message):
    """A float, however deep, or a type with no wire form, is refused."""
    with pytest.raises(InvalidType, match=message):
        plain("x", value)


def test_plain_refuses_a_decimal_that_is_no_number():
    """NaN and Infinity never travel."""
    with pytest.raises(InvalidArguments, match="not a finite number"):
        plain("x", Decimal("NaN"))


def test_plain_asks_a_nested_part_for_its_parameters():
    """A struct inside a request writes itself."""

    class Close(msgspec.Struct):
        def params(self):
            return {"ordertype": "limit"}

    assert plain("close", Close()) == {"ordertype": "limit"}


class Close(msgspec.Struct):
    ordertype: str
    price: str | None = None
    of: str | None = msgspec.field(name="class", default=None)

    def params(self):
        return {"ordertype": self.ordertype}


class Own(str):
    __slots__ = ()


@pytest.mark.parametrize("value", [b"ab", bytearray(b"ab"), memoryview(b"ab"), {"a"}, {"a": 1}, 5])
def test_a_list_is_no_row_of_bytes(value):
    """Bytes are a sequence of ints to Python, and not to anybody else."""
    with pytest.raises(InvalidType, match="orders must be a sequence"):
        List(Id()).wire("orders", value)


@pytest.mark.parametrize("value", [[""], ["a", None], ["a\nb"], [1.5], [["a"]], [2**31]])
def test_the_items_of_a_list_are_checked_each(value):
    """By the marker that says what they are."""
    with pytest.raises(InvalidArguments, match="orders"):
        List(Id()).wire("orders", value)


@pytest.mark.parametrize(
    ("kinds", "value", "message"),
    [
        ((bool,), 0, "x must be True or False, not int"),
        ((bool,), "no", "x must be True or False, not str"),
        ((bool,), [], "x must be True or False, not list"),
        ((int,), True, "x must be an int, not bool"),
        ((int,), "5", "x must be an int, not str"),
        ((bool, str), 5, "x must be True or False or a str, not int"),
        ((dict,), 5, "x must be a dict, not int"),
        ((Close,), 5, "x must be a Close, not int .pass Close.*, or a dict of its parameters"),
    ],
)
def test_a_value_without_a_marker_must_be_of_its_type(kinds, value, message):
    """A bool is no int, and nothing else is a bool."""
    with pytest.raises(InvalidType, match=message):
        Typed(*kinds).wire("x", value)


@pytest.mark.parametrize(
    ("kinds", "value", "sent"),
    [
        ((bool,), False, False),
        ((int,), 5, 5),
        ((bool, str), "a", "a"),
        ((bool, str), True, True),
        ((dict,), {"a": None, 5: Decimal(1)}, {"5": "1"}),
        ((Close,), Close("limit"), {"ordertype": "limit"}),
        ((str,), Own("a"), "a"),
    ],
)
def test_a_value_of_its_type_is_written(kinds, value, sent):
    """As a plain one of that type."""
    written = Typed(*kinds).wire("x", value)
    assert written == sent
    assert type(written) is type(sent)


@pytest.mark.parametrize("value", ["", " ", "a\0", "\udcff"])
def test_a_text_without_a_marker_is_a_text(value):
    """Not empty, of one line, of whole characters."""
    with pytest.raises(InvalidArguments, match="cursor"):
        Typed(bool, str).wire("cursor", value)


def test_what_is_meant_by_a_value():
    """A member of an enumeration stands for its value, also in a list; all else for itself, and is not copied."""
    assert meant("x", Level.FIVE) == 5
    assert meant("x", [Side.BUY, "sell"]) == ["buy", "sell"]
    for value in ("a", ["a"], ("a",), {"a": 1}, None, [[Level.FIVE]]):
        assert meant("x", value) is value


def test_a_dict_stands_for_the_part_it_describes():
    """By Kraken's names, alone or in a list, and only where a part is expected."""
    described = {"ordertype": "limit", "class": "tokenized_asset"}
    part = Close("limit", of="tokenized_asset")
    assert meant("close", described, Close) == part
    assert meant("orders", [described, part], Close) == [part, part]
    assert meant("filters", described) is described


@pytest.mark.parametrize(
    ("described", "message"),
    [
        ({}, "close lacks ordertype"),
        ({"ordertype": None}, "close lacks ordertype"),
        ({"ordertype": "limit", "prcie": "1"}, "close holds 'prcie' .Close has ordertype, price, class"),
        ({"ordertype": "limit", "x" * 200_000: "1"}, "close holds 'xxx"),
        ({"ordertype": "limit", 5: "1"}, "close holds 5"),
    ],
    ids=["empty", "none", "misspelt", "long", "number"],
)
def test_a_dict_that_describes_no_part_is_refused(described, message):
    """What it lacks or holds too much is named, and nothing is dropped in silence."""
    with pytest.raises(InvalidArguments, match=message) as caught:
        meant("close", described, Close)
    assert len(str(caught.value)) < 300


def endless():
    """A list in itself, a dict in itself, and a list in a list in a list."""
    ring, circle, deep = [], {}, []
    ring.append(ring)
    circle["a"] = [circle]
    for _ in range(100_000):
        deep = [deep]
    return [ring, circle, deep]


@pytest.mark.parametrize("value", endless(), ids=["list", "dict", "deep"])
def test_what_is_nested_without_end_is_refused(value):
    """Before Python's own patience ends."""
    with pytest.raises(InvalidArguments, match="nested more than"):
        plain("x", value)


def test_what_stands_twice_is_not_nested_without_end():
    """The same list in two places is written twice."""
    row = ["a"]
    assert plain("x", {"one": row, "two": [row, row]}) == {"one": ["a"], "two": [["a"], ["a"]]}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (10**5000, "x=<an int of .* bits> is too large"),
        ({"a": [10**5000]}, r"x\[a\]=<an int"),
        ("\ud800", "x='.ud800' contains a lone surrogate"),
        (["a\udcff"], "lone surrogate"),
        ({"\udcff": 1}, "a key of x=.* contains a lone surrogate"),
        ({10**5000: 1}, "a key of x"),
        ({None: 1}, "a key of x must be a str, not NoneType"),
        ([None], "x cannot be sent as NoneType"),
        (msgspec.defstruct("Strange", [])(), "x cannot be sent as Strange"),
    ],
    ids=range(9),
)
def test_plain_refuses_what_no_body_can_hold(value, message):
    """In words, and before anything is sent."""
    with pytest.raises(InvalidArguments, match=message):
        plain("x", value)


def test_a_class_of_the_caller_s_travels_as_what_it_is_derived_from():
    """msgspec would not write it."""
    assert type(plain("x", Own("a"))) is str
    assert plain("x", type("Whole", (int,), {})(5)) == 5


def test_a_tuple_stays_one():
    """So a request that could be hashed can still be hashed when it was sent."""

    class Flag(Enum):
        POST = "post"

    assert meant("oflags", (Flag.POST, "fciq")) == ("post", "fciq")
    assert meant("oflags", [Flag.POST]) == ["post"]
