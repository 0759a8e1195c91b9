"""Prices relative to the market."""

import pytest

from krakenasync.protocol.relative import RELATIVE, leads_up


@pytest.mark.parametrize(
    ("text", "parts"),
    [("+5%", ("+", "5", "%")), ("-100", ("-", "100", "")), ("#3.5", ("#", "3.5", "")), ("#1%", ("#", "1", "%"))],
)
def test_a_relative_price_has_a_sign_a_size_and_perhaps_a_percent_sign(text, parts):
    """In this order, and nothing else."""
    assert RELATIVE.fullmatch(text).groups() == parts


@pytest.mark.parametrize("text", ["5", "5%", "+", "+%", "+5%%", "++5", "+5e3", "+.5", "#-5", "+\u0665", "+5\n"])
def test_what_is_none(text):
    """A bare number is a price, and all else is nothing."""
    assert not RELATIVE.fullmatch(text)


@pytest.mark.parametrize("buy", [True, False])
@pytest.mark.parametrize("kind", ["limit", "take-profit", "take-profit-limit", "stop-loss", "stop-loss-limit"])
def test_a_hash_leads_to_the_better_side_of_all_but_stops(kind, buy):
    """Buyers want less and sellers more; a stop waits for the worse. A sign leads where it points."""
    assert leads_up("#", kind, buy=buy) == (buy if kind.startswith("stop") else not buy)
    assert leads_up("+", kind, buy=buy)
    assert not leads_up("-", kind, buy=buy)
