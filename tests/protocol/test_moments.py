"""How moments are checked and written."""

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krakenasync.errors import InvalidArguments, InvalidType
from krakenasync.protocol.moments import Deadline, Instant


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1_700_000_000, "1700000000"),
        (1_700_000_000.5, "1700000000.5"),
        (253_402_300_799, "253402300799"),
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
    before_1970 = datetime(1969, 12, 31, 23, 59, 59, 500_000, tzinfo=UTC)
    seconds, nanoseconds = Instant(whole_seconds=True), Instant(nanoseconds=True)
    assert seconds.wire("since", "1700000000.9") == seconds.wire("since", 1_700_000_000.9) == "1700000000"
    assert seconds.wire("since", "1700000000") == "1700000000"
    assert [seconds.wire("since", value) for value in (moment, 1_700_000_000.9, before_1970)] == [
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
        (float("nan"), InvalidArguments, "not a point in time"),
        (float("inf"), InvalidArguments, "not a point in time"),
        (Decimal("NaN"), InvalidArguments, "not a point in time"),
        ("", InvalidArguments, "empty"),
        (True, InvalidType, "not bool"),
        (None, InvalidType, "not NoneType"),
    ],
)
def test_instants_refuse(value, error, message):
    """What names no moment is refused."""
    with pytest.raises(error, match=message):
        Instant().wire("start", value)


@pytest.mark.parametrize(
    "value", [253_402_300_800, 1_700_000_000_000, 1.7e12, "1700000000000", "1700000000000.5", Decimal("1e22")]
)
def test_milliseconds_are_told_as_such(value):
    """Kraken would read them as a time in thousands of years: nothing begins after that, and nothing ends before."""
    with pytest.raises(InvalidArguments, match=r"is not in seconds .*milliseconds"):
        Instant().wire("start", value)


@pytest.mark.parametrize("value", [253_402_300_800, 1_700_000_000_000, "1700000000000", 10**17 - 1])
def test_a_cursor_in_milliseconds_is_told_as_such(value):
    """A cursor of trades is in seconds or in nanoseconds."""
    with pytest.raises(InvalidArguments, match=r"is not in seconds \(or nanoseconds\)"):
        Instant(nanoseconds=True).wire("since", value)
    assert Instant(nanoseconds=True).wire("since", str(10**17)) == str(10**17)


def test_a_cursor_long_ago_is_written_in_seconds():
    """Before 1973 a number of nanoseconds could be one of milliseconds; "from the beginning" is such a time."""
    written = Instant(nanoseconds=True).wire("since", datetime(1970, 1, 2, tzinfo=UTC))
    assert written == "86400" == Instant(nanoseconds=True).wire("since", written)
    assert Instant(nanoseconds=True).wire("since", datetime(1973, 3, 4, tzinfo=UTC)) == "100051200000000000"


@given(moment=st.datetimes(timezones=st.just(UTC), min_value=datetime(1970, 1, 1)), nanoseconds=st.booleans())  # noqa: DTZ001 - hypothesis wants it naive
def test_what_was_written_can_be_read_again(moment, nanoseconds):
    """A cursor holds a moment as text, and each page writes it anew."""
    marker = Instant(nanoseconds=nanoseconds)
    written = marker.wire("start", moment)
    assert marker.wire("start", written) == written


def test_a_datetime_that_is_no_time_is_refused():
    """As pandas' NaT is, an empty cell of a table: it is a datetime, and refuses to tell its zone."""

    class NotATime(datetime):
        def utcoffset(self):
            raise ValueError("NaTType does not support utcoffset")

    with pytest.raises(InvalidArguments, match="start is not a point in time"):
        Instant().wire("start", NotATime(2026, 1, 1))


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


HUGE = [Decimal("1e999999999"), Decimal("1e-999999999"), Decimal("1e41"), 10**5000, 1e308, 5e-324]
NEGATIVE = [-1, -0.5, Decimal(-1), -(10**5000)]
NUMBERS_IN_TEXT = ["-1", "-3600", "1e999999999", "+1E5", "1e-999999999", "9" * 200_000, "NaN", "-inf", "Infinity"]


@pytest.mark.parametrize("marker", [Instant(), Instant(whole_seconds=True), Instant(nanoseconds=True)])
@pytest.mark.parametrize("value", [*HUGE, *NEGATIVE, *NUMBERS_IN_TEXT], ids=lambda value: type(value).__name__)
def test_a_number_that_is_no_moment_is_refused_before_it_is_written(marker, value):
    """Written in full some would fill the memory; one below 0 is mostly meant as "so long ago"."""
    with pytest.raises(InvalidArguments, match=r"start=.* is not a point in time") as caught:
        marker.wire("start", value)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize("value", [0, -0.0, Decimal("-0"), "0", "+3600", "1700000000.5", "L4UESK-KG3EQ-UFO4T5", "E5"])
def test_what_may_be_a_moment_passes(value):
    """The beginning of time, a moment ahead, and ids of any kind."""
    assert Instant().wire("start", value) in {"0", "0.0", str(value)}


@pytest.mark.parametrize(
    "text", ["2026-01-02T03:04:05.123456789Z", "2026-01-02t03:04:05z", "2026-01-02T03:04:05+01:00"]
)
def test_deadlines_in_text_travel_as_given(text):
    """However RFC 3339 lets them be spelled."""
    assert Deadline().wire("deadline", text) == text


@pytest.mark.parametrize("marker", [Deadline(), Deadline("microseconds")])
@pytest.mark.parametrize(
    ("value", "message"),
    [
        (datetime.max.replace(tzinfo=timezone(-timedelta(hours=1))), "beyond the calendar"),
        (datetime.min.replace(tzinfo=timezone(timedelta(hours=1))), "beyond the calendar"),
        ("soon", "deadline='soon' is not a point in time"),
        ("2026-13-01T00:00:00Z", "is not a point in time"),
        ("2026-01-02T03:04:05Z\n", "control character"),
    ],
)
def test_deadlines_refuse(marker, value, message):
    """What no calendar holds, and text that nobody could read."""
    with pytest.raises(InvalidArguments, match=message):
        marker.wire("deadline", value)


def test_a_zone_that_does_not_know_its_offset_is_none():
    """Such a datetime is as naive as one without a zone."""

    class Nowhere(tzinfo):
        def utcoffset(self, _moment):
            return None

    for marker in (Instant(), Deadline()):
        with pytest.raises(InvalidArguments, match="naive datetime"):
            marker.wire("start", datetime(2026, 1, 1, tzinfo=Nowhere()))


class Scalar(float):
    """Numpy's: a float that shows itself as something else."""

    def __repr__(self):
        return f"np.float64({float(self)!r})"


def test_a_float_of_another_kind_is_a_moment_too():
    """By its value, not by how it shows itself."""
    assert Instant().wire("start", Scalar(1_500_000_000.25)) == "1500000000.25"


def test_a_deadline_without_a_zone_is_refused_as_text_too():
    """Nobody knows when it is."""
    with pytest.raises(InvalidArguments, match="does not say its zone"):
        Deadline().wire("deadline", "2026-05-28T20:26:40")
