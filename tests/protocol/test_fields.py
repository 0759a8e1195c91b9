"""How single parameters are checked and written."""

import re
from decimal import Decimal
from enum import StrEnum

import pytest

from krakenasync.errors import InvalidArguments, InvalidType
from krakenasync.protocol.fields import Id, Leverage, Marker, Money, Names, Price, Range, Tag, Text


class Side(StrEnum):
    BUY = "buy"


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
        ("1e999", InvalidArguments, "out of range"),
        ("1e999999999", InvalidArguments, "out of range"),
        (Decimal("1e-999999999"), InvalidArguments, "out of range"),
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
    with pytest.raises(InvalidArguments, match=r"price=.* is not a price"):
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


@pytest.mark.parametrize("value", ["+.5", "+5.", " +5", "+5e0", "+1_000", "+1E+2", "-.5", "- 5", "#.1", "+-5"])
def test_what_begins_like_a_relative_price_is_never_an_absolute_one(value):
    """Decimal would read most of these, and drop the sign."""
    with pytest.raises(InvalidArguments, match=r"price=.* is not a price relative to the market .write .\+5"):
        Price().wire("price", value)


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


@pytest.mark.parametrize("value", ["XBTUSD,ETHUSD", "XBTUSD, ETHUSD", ["XBTUSD", "ETHUSD"], ("XBTUSD", "ETHUSD")])
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


def test_range():
    """A whole number between two bounds, the bounds included."""
    assert [Range(1, 500).wire("count", value) for value in (1, 500)] == [1, 500]
    for value in (0, 501):
        with pytest.raises(InvalidArguments, match=rf"count={value} is outside 1\.\.500"):
            Range(1, 500).wire("count", value)
    for value in (True, "5", 5.0):
        with pytest.raises(InvalidType, match="count must be an int"):
            Range(1, 500).wire("count", value)


def test_tag_is_sent_only_when_set():
    """False is left out, for Kraken takes the presence of `validate` for yes."""
    assert Tag().wire("validate", value=True) is True
    assert Tag().wire("validate", value=False) is None
    with pytest.raises(InvalidType, match="must be True or False, not int"):
        Tag().wire("validate", 1)


def test_a_marker_says_how_it_writes():
    """A marker without `wire` is unfinished."""
    with pytest.raises(NotImplementedError):
        Marker().wire("x", 1)


@pytest.mark.parametrize("value", ["a\nb", "XBTUSD\n", "a\0", "\ta", "a\x7f", "a\x85"])
def test_a_text_holds_no_control_character(value):
    """A line end left over from a file is a mistake; it is told as one."""
    with pytest.raises(InvalidArguments, match=r"pair='.*' contains a control character .*strip"):
        Text().wire("pair", value)
    with pytest.raises(InvalidArguments, match="control character"):
        Names().wire("pair", ["XBTUSD", value])


@pytest.mark.parametrize("value", ["a\u200b", "\ufeffa", "a\u2060b"])
def test_a_text_holds_nothing_invisible(value):
    """Left over from a web page or from the beginning of a file; nobody would see why it is refused."""
    with pytest.raises(InvalidArguments, match=r"contains an invisible character .*utf-8-sig"):
        Text().wire("pair", value)


@pytest.mark.parametrize("value", [" XBTUSD", "XBTUSD ", "XBTUSD\N{NO-BREAK SPACE}"])
def test_a_blank_at_an_end_is_refused(value):
    """Kraken may overlook it and answer under the name without it, which we would not recognise."""
    with pytest.raises(InvalidArguments, match="begins or ends with a blank"):
        Text().wire("pair", value)
    with pytest.raises(InvalidArguments, match="begins or ends with a blank"):
        Names().wire("pair", ["ETHUSD", value])


@pytest.mark.parametrize("value", ["\ud800", "a\udcffb"])
def test_a_text_holds_whole_characters(value):
    """Half of one cannot be sent."""
    with pytest.raises(InvalidArguments, match=r"pair='.*' contains a lone surrogate"):
        Text().wire("pair", value)


@pytest.mark.parametrize("value", ["Züri", "钱包", "a\u200db", "my key"])
def test_a_text_may_hold_any_other_character(value):
    """A withdrawal key is named as its owner likes."""
    assert Text().wire("key", value) == value


def test_a_class_of_the_caller_s_travels_as_text():
    """And cannot write itself otherwise when it is put into a body."""

    class Evil(str):
        __slots__ = ()

        def __format__(self, _spec):
            return "evil"

    for marker, value in ((Text(), "XBTUSD"), (Price(), "+5%"), (Names(), "XBTUSD")):
        written = marker.wire("x", Evil(value))
        assert type(written) is str
        assert f"{written}" == value


@pytest.mark.parametrize(
    ("marker", "value"),
    [
        (Money(), "x" * 200_000),
        (Money(), 10**5000),
        (Price(), "x" * 200_000),
        (Price(), "+" + "9" * 200_000),
        (Price(), -(10**5000)),
        (Range(1, 5), 10**5000),
        (Id(), 10**5000),
        (Id(), 2**31),
        (Text(pattern="a", what="an a"), "x" * 200_000),
        (Text(), "x" * 200_000 + "\n"),
        (Leverage(), "x" * 200_000),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_long_is_refused_in_few_words(marker, value):
    """A message quotes the beginning of a value, never two hundred kilobytes of it."""
    with pytest.raises(InvalidArguments, match="x") as caught:
        marker.wire("x", value)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize("value", [1, 2, "2", "5:1", "2.5", "none"])
def test_leverage_travels_as_given(value):
    """As a number or as Kraken writes it."""
    assert Leverage().wire("leverage", value) == value


@pytest.mark.parametrize("value", ["", 0, -3, True, 2.0, [2], "-3", "2:", "much", "2\n"])
def test_what_is_no_leverage_is_refused(value):
    """Rather than sent, or left out in silence."""
    with pytest.raises(InvalidArguments, match="leverage"):
        Leverage().wire("leverage", value)


def test_nothing_is_written_below_zero():
    """A zero has no sign on the wire."""
    assert Money().wire("volume", Decimal("-0.0")) == "0.0"
