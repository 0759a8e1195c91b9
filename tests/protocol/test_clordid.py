"""The twin of `krakenasync.protocol.clordid`."""

import pytest

from krakenasync.protocol.clordid import fold_id, same_id


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("6d1b345e-2821-40e2-ad83-4ecb18a06876", "6d1b345e282140e2ad834ecb18a06876", True),
        ("6D1B345E-2821-40E2-AD83-4ECB18A06876", "6d1b345e-2821-40e2-ad83-4ecb18a06876", True),
        ("6d1b345e-2821-40e2-ad83-4ecb18a06877", "6d1b345e-2821-40e2-ad83-4ecb18a06876", False),
        ("grid-1", "grid-1", True),
        ("grid-1", "grid1", False),
        ("Grid-1", "grid-1", False),
        (None, "grid-1", False),
    ],
)
def test_a_uuid_is_a_number_and_any_other_id_is_its_text(one, other, same):
    """Dashes and case fold in UUIDs only; folding free text would take one order for another."""
    assert same_id(one, other) is same


def test_folding_twice_changes_nothing():
    """A folded id is its own folding, so it can serve as a key."""
    once = fold_id("6D1B345E-2821-40E2-AD83-4ECB18A06876")
    assert fold_id(once) == once == "6d1b345e282140e2ad834ecb18a06876"
