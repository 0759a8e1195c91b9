"""How single parameters are checked and written."""

import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, StrEnum

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from krakenasync.errors import InvalidArguments, InvalidType
from krakenasync.protocol.fields import (
    Deadline,
    Instant,
    List,
    Marker,
    Money,
    Names,
    Price,
    Range,
    Tag,
    Text,
    decimal_text,
    plain,
)

decimals = st.decimals(min_value=0, max_value=10**15, allow_nan=False, allow_infinity=False)


class Side(StrEnum):
    BUY = "buy"


class Level(Enum):
    FIVE = 5


@given(decimals)
def test_decimal_text_is_exact_and_plain(number):
    """A Decimal travels digit for digit, without an exponent, whatever its size."""
    text = decimal_text(number)
    assert "e" not in text.lower()
    assert Decimal(text) == number


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Decimal("0.1"), "0.1"),
        (Decimal("1E-8"), "0.00000001"),
        (Decimal("1E+3"), "1000"),
        (Decimal("1.500"), "1.500"),
        (3, "3"),
        ("37500", "37500"),
        ("1e-8", "0.00000001"),
        (0, "0"),
    ],
)
def test_money_is_written_exactly(value, expected):
    """Decimal, int and decimal text all pass, and keep their digits."""
    assert Money().wire("volume", value) == expected


@pytest.mark.parametrize("marker", [Money(), Price()])
@pytest.mark.parametrize(
    ("value", "error", "advice"),
    [
        (0.1, InvalidType, "floats are inexact"),
        (True, InvalidType, "pass a Decimal or a str"),
        (None, InvalidType, "pass a Decimal or a str"),
        (b"1", InvalidType, "pass a Decimal or a str"),
        (Decimal(-1), InvalidArguments, "negative"),
        (-1, InvalidArguments, "negative"),
        ("", InvalidArguments, "not a number"),
        ("abc", InvalidArguments, "not a number"),
        ("1,5", InvalidArguments, "not a number"),
        ("nan", InvalidArguments, "not a finite number"),
        (Decimal("Infinity"), InvalidArguments, "not a finite number"),
        ("1e999", InvalidArguments, "beyond any market"),
        ("1e999999999", InvalidArguments, "beyond any market"),
        (Decimal("1e-999999999"), InvalidArguments, "beyond any market"),
    ],
)
def test_money_refuses(marker, value, error, advice):
    """What cannot be an exact, non-negative number is refused before anything is sent, by name and with advice."""
    with pytest.raises(error, match=advice) as caught:
        marker.wire("volume", value)
    assert "volume" in str(caught.value)


@pytest.mark.parametrize("value", ["+5%", "-100", "#3", "+0", "+0.5", "-1.5%", "5%", "37500"])
def test_relative_prices_travel_as_given(value):
    """A price relative to the market keeps its sign and its per cent."""
    assert Price().wire("price", value) == value


@pytest.mark.parametrize("value", ["0", "0.00", 0, Decimal(0), "0e5"])
def test_a_price_of_nothing_is_refused(value):
    """Nothing is bought or sold for 0; whoever wants the market's price leaves it out."""
    with pytest.raises(InvalidArguments, match=r"price=.* is no price"):
        Price().wire("price", value)
    assert Decimal(Money().wire("volume", value)) == 0


@pytest.mark.parametrize("value", ["+", "5%%", "+-5", "%", "#", "+5 %", "٣"])
def test_malformed_relative_prices_are_refused(value):
    """A price that Kraken's grammar does not know never leaves as it is."""
    try:
        sent = Price().wire("price", value)
    except InvalidArguments:
        return
    assert re.fullmatch(r"[0-9.]+", sent)


def test_text():
    """A text must be a non-empty str, or an enum member that holds one, and fit its pattern."""
    assert Text().wire("pair", "XBTUSD") == "XBTUSD"
    assert Text().wire("type", Side.BUY) == "buy"
    assert Text(pattern="[0-9]+", what="a number").wire("id", "42") == "42"
    with pytest.raises(InvalidArguments, match="pair is empty"):
        Text().wire("pair", " ")
    with pytest.raises(InvalidType, match="pair must be a str, not int"):
        Text().wire("pair", 5)
    with pytest.raises(InvalidArguments, match="id='4x' is not a number"):
        Text(pattern="[0-9]+", what="a number").wire("id", "4x")


@pytest.mark.parametrize("value", ["XBTUSD,ETHUSD", ["XBTUSD", "ETHUSD"], ("XBTUSD", "ETHUSD")])
def test_names_travel_as_a_comma_list(value):
    """Several names are sent in one text, whether given as text or as a sequence."""
    assert Names(most=2).wire("pair", value) == "XBTUSD,ETHUSD"


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        ([], InvalidArguments, "pair is empty"),
        ("", InvalidArguments, "pair is empty"),
        (["XBTUSD", ""], InvalidArguments, "pair is empty"),
        (["A", "B", "C"], InvalidArguments, "holds 3 names, Kraken takes 2"),
        (7, InvalidType, "not int"),
        ({"XBTUSD"}, InvalidType, "not set"),
        ([7], InvalidType, "must be a str, not int"),
    ],
)
def test_names_refuse(value, error, message):
    """No names, too many, or what is not a name, is refused."""
    with pytest.raises(error, match=message):
        Names(most=2).wire("pair", value)


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


def test_range():
    """A whole number between two bounds, the bounds included."""
    assert [Range(1, 500).wire("count", value) for value in (1, 500)] == [1, 500]
    for value in (0, 501):
        with pytest.raises(InvalidArguments, match=rf"count={value} is outside 1\.\.500"):
            Range(1, 500).wire("count", value)
    for value in (True, "5", 5.0):
        with pytest.raises(InvalidType, match="count must be an int"):
            Range(1, 500).wire("count", value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1_700_000_000, "1700000000"),
        (1_700_000_000.5, "1700000000.5"),
        (1e22, "10000000000000000000000"),
        (Decimal("1700000000.123456789"), "1700000000.123456789"),
        ("OABCDE-FGHIJ-KLMNOP", "OABCDE-FGHIJ-KLMNOP"),
        (datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC), "1700000000"),
        (datetime(2023, 11, 14, 23, 13, 20, 250_000, tzinfo=timezone(timedelta(hours=1))), "1700000000.25"),
        (datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC), "-1"),
    ],
)
def test_instants_travel_as_unix_seconds(value, expected):
    """Numbers, aware datetimes of any zone, and ids are all moments."""
    assert Instant().wire("start", value) == expected


@given(st.datetimes(timezones=st.just(UTC)))
def test_instants_lose_no_microsecond(moment):
    """A datetime's unix seconds are exact, not rounded through a float."""
    seconds = Decimal(Instant().wire("start", moment))
    assert datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(seconds * 10**6)) == moment


def test_instants_in_whole_seconds_or_nanoseconds():
    """Where Kraken wants whole seconds a moment is cut, towards the past; nanoseconds are whole too."""
    moment = datetime(2023, 11, 14, 22, 13, 20, 999_999, tzinfo=UTC)
    seconds, nanoseconds = Instant(digits=0), Instant(nanoseconds=True)
    assert [seconds.wire("since", value) for value in (moment, 1_700_000_000.9, Decimal("-0.5"))] == [
        "1700000000",
        "1700000000",
        "-1",
    ]
    assert nanoseconds.wire("since", moment) == "1700000000999999000"
    assert nanoseconds.wire("since", 1_700_000_000_999_999_001) == "1700000000999999001"


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (datetime(2023, 11, 14), InvalidArguments, "naive datetime"),  # noqa: DTZ001 - the very thing refused
        (float("nan"), InvalidArguments, "not a moment"),
        (float("inf"), InvalidArguments, "not a moment"),
        (Decimal("NaN"), InvalidArguments, "not a moment"),
        ("", InvalidArguments, "empty"),
        (True, InvalidType, "not bool"),
        (None, InvalidType, "not NoneType"),
    ],
)
def test_instants_refuse(value, error, message):
    """What names no moment is refused."""
    with pytest.raises(error, match=message):
        Instant().wire("start", value)


def test_deadline():
    """A deadline travels as RFC 3339 text in UTC with milliseconds; text passes; a naive datetime does not."""
    moment = datetime(2026, 1, 2, 4, 4, 5, 678_900, tzinfo=timezone(timedelta(hours=1)))
    assert Deadline().wire("deadline", moment) == "2026-01-02T03:04:05.678Z"
    assert Deadline("seconds").wire("expiretm", moment) == "2026-01-02T03:04:05Z"
    assert Deadline().wire("deadline", "2026-01-02T03:04:05Z") == "2026-01-02T03:04:05Z"
    with pytest.raises(InvalidArguments, match="naive datetime"):
        Deadline().wire("deadline", moment.replace(tzinfo=None))
    with pytest.raises(InvalidType):
        Deadline().wire("deadline", 1_700_000_000)


def test_tag_is_sent_only_when_set():
    """False is left out, for Kraken takes the presence of `validate` for yes."""
    assert Tag().wire("validate", value=True) is True
    assert Tag().wire("validate", value=False) is None
    with pytest.raises(InvalidType, match="must be True or False, not int"):
        Tag().wire("validate", 1)


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


def test_a_marker_says_how_it_writes():
    """A marker without `wire` is unfinished."""
    with pytest.raises(NotImplementedError):
        Marker().wire("x", 1)
