"""Subaccounts."""

from __future__ import annotations

from krakenasync.spot.subaccounts import AccountTransfer, CreateSubaccount


def test_transfer(sample):
    """Accounts are named by their public ids, the class under this call's own name."""
    request = AccountTransfer(
        asset="XBT", amount="1.0", from_="ABCD 1234 EFGH 5678", to="IJKL 0987 MNOP 6543", asset_class="currency"
    )

    assert request.params() == {
        "asset": "XBT",
        "amount": "1.0",
        "from": "ABCD 1234 EFGH 5678",
        "to": "IJKL 0987 MNOP 6543",
        "asset_class": "currency",
    }
    assert sample(AccountTransfer).status == "complete"
    assert sample(CreateSubaccount) is True
