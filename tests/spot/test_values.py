"""Times and spellings that requests and results share."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from krakenasync.protocol.moments import Instant
from krakenasync.spot.values import EPOCH, from_nanoseconds, not_zero, respelled


class Thing(msgspec.Struct, frozen=True):
    """Something with a time and a name."""

    when: datetime | None = None
    plain_name: str = ""


def test_zero_becomes_none():
    """Only the times that are 0 are taken away."""
    nothing, something = Thing(EPOCH), Thing(EPOCH + timedelta(seconds=1))
    not_zero(nothing, "when")
    not_zero(something, "when")

    assert nothing.when is None
    assert something.when is not None


def test_other_spellings_are_read():
    """A key in another spelling finds its field; the rest is left alone."""
    arrived = {"plainName": msgspec.Raw(b'"x"'), "unknown": msgspec.Raw(b"1")}

    assert respelled(arrived, {"plainName": "plain_name"}, msgspec.json.Decoder(Thing)).plain_name == "x"


@given(st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - bounds are naive
def test_nanoseconds_there_and_back(moment):
    """A datetime written as nanoseconds is the same when it comes back."""
    assert from_nanoseconds(int(Instant(nanoseconds=True).wire("since", moment))) == moment
