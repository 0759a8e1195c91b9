"""The assets behind balances, whatever suffix they bear."""

import pytest

from krakenasync.sandbox.ledger import asset_of, base_of


@pytest.mark.parametrize(
    ("name", "base", "decimals"),
    [
        ("XXBT", "XXBT", 10),
        ("XBT.M", "XXBT", 10),
        ("DOT28.S", "DOT", 10),
        ("DOT.B", "DOT", 10),
        ("EUR.HOLD", "ZEUR", 4),
        ("NOPE", "NOPE", 8),
        ("NOPE7.S", "NOPE", 8),
    ],
)
def test_a_suffix_is_understood(name, base, decimals):
    """A balance that is listed nowhere has the digits of what it is made of; an unknown one has eight."""
    assert (base_of(name), asset_of(name).decimals, asset_of(name).name) == (base, decimals, name)
