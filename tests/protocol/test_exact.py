"""Exact numbers: read, bounded, written digit for digit."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krakenasync.errors import InvalidArguments
from krakenasync.protocol.exact import decimal_text, exact, whole

decimals = st.decimals(min_value=0, max_value=10**15, allow_nan=False, allow_infinity=False)


@given(decimals)
def test_decimal_text_is_exact_and_plain(number):
    """A Decimal travels digit for digit, without an exponent, whatever its size."""
    text = decimal_text(number)
    assert "e" not in text.lower()
    assert Decimal(text) == number


@pytest.mark.parametrize(
    "value",
    [10**41, 10**5000, -(10**5000), Decimal("1e999999999"), "1e-999999999", "9" * 200_000],
    ids=lambda value: type(value).__name__,
)
def test_a_number_without_measure_is_refused_in_few_words(value):
    """Also one that Python itself does not write: an int of more than 4,300 digits."""
    with pytest.raises(InvalidArguments, match=r"volume=.* is out of range") as caught:
        exact("volume", value)
    assert len(str(caught.value)) < 250


def test_a_whole_number_has_a_measure_too():
    """No id and no amount of Kraken's has more than 40 digits."""
    assert whole("x", 10**40) == 10**40
    assert whole("x", -(10**40)) == -(10**40)
    for value in (10**41, -(10**41), 10**5000):
        with pytest.raises(InvalidArguments, match=r"x=.* is too large"):
            whole("x", value)
