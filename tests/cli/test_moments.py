"""Points in time."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from krakenasync import InvalidArguments
from krakenasync.cli.moments import spoken, when

DAY = datetime(2026, 1, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        (None, None),
        ("2026-01-31", DAY),
        ("2026-01-31T12:30", DAY + timedelta(hours=12, minutes=30)),
        ("2026-01-31T01:00+01:00", DAY),
        ("1769817600", DAY),
        ("1769817600.25", DAY + timedelta(seconds=0.25)),
        ("0", datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_moment_is_read(text, moment):
    """Dates are in UTC unless they say otherwise; numbers are unix seconds."""
    assert when("--since", text) == moment


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "", "-5", "1e400", "9" * 30, "NaN", "."])
def test_what_is_no_moment_is_refused(text):
    """Anything else is refused with an example."""
    with pytest.raises(InvalidArguments, match="--since"):
        when("--since", text)


def test_moments_are_written_in_utc():
    """Whatever zone it has; with milliseconds where there are some."""
    assert spoken(None) == ""
    assert spoken(DAY.astimezone(timezone(timedelta(hours=3)))) == "2026-01-31T00:00:00Z"
    assert spoken(DAY + timedelta(milliseconds=5)) == "2026-01-31T00:00:00.005Z"
