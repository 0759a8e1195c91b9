"""What errors quote of a value they refuse."""

from decimal import Decimal
from enum import Enum

import pytest

from krakenasync.protocol.quoting import quoted


class Side(Enum):
    BUY = "buy"


class Unshowable:
    def __repr__(self):
        raise RuntimeError("no")


def nested(depth):
    """A list in a list in a list."""
    value = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a\nb", r"'a\nb'"),
        ("\ud800", r"'\ud800'"),
        (5, "5"),
        (True, "True"),
        (Decimal("1E+999999999"), "1E+999999999"),
        (1.5, "1.5"),
        (b"x", "b'x'"),
        (Side.BUY, "<Side.BUY: 'buy'>"),
        (None, "None"),
    ],
)
def test_a_short_value_is_quoted_whole(value, expected):
    """Numbers bare, all else as it stands in code, so that no line end gets into a log."""
    assert quoted(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        "x" * 200_000,
        b"x" * 200_000,
        bytearray(200_000),
        ["x"] * 200_000,
        10**5000,
        -(10**5000),
        Decimal(10**5000),
        [10**5000],
        nested(100_000),
        Unshowable(),
        "x" * 99,
    ],
    ids=lambda value: type(value).__name__,
)
def test_of_what_is_long_only_the_beginning_is_quoted(value):
    """And what Python cannot write at all is named by its kind: a message never fails, and never fills a screen."""
    assert 0 < len(quoted(value)) <= 100


def test_what_was_cut_says_so():
    """The beginning stands there, and that it is one."""
    assert quoted("x" * 200).startswith("'xxx")
    assert quoted("x" * 200).endswith("x…")
    assert "bits" in quoted(10**5000)
