"""Withdrawals, and the way to the futures wallet."""

from __future__ import annotations

from decimal import Decimal

import pytest

from krakenasync.errors import InvalidType, ProtocolError
from krakenasync.spot.withdrawals import (
    WalletTransfer,
    Withdraw,
    WithdrawAddresses,
    WithdrawCancel,
    WithdrawInfo,
    WithdrawMethods,
    WithdrawStatus,
)

WITHDRAWAL = {
    "method": "Bitcoin",
    "asset": "XXBT",
    "refid": "F",
    "amount": "1",
    "time": 1688992722,
    "status": "Pending",
}


def test_withdrawing_takes_exact_money():
    """A float never becomes a withdrawal."""
    assert Withdraw(asset="XBT", key="cold", amount=Decimal("0.725"), max_fee="0.001").params() == {
        "asset": "XBT",
        "key": "cold",
        "amount": "0.725",
        "max_fee": "0.001",
    }
    with pytest.raises(InvalidType, match="amount"):
        Withdraw(asset="XBT", key="cold", amount=0.725).params()


def test_python_s_words_give_way():
    """`from` is a word of Python's: the parameter is `from_`, and travels as Kraken names it."""
    sent = WalletTransfer(asset="XBT", from_="Spot Wallet", to="Futures Wallet", amount="1").params()

    assert sent == {"asset": "XBT", "from": "Spot Wallet", "to": "Futures Wallet", "amount": "1"}


@pytest.mark.parametrize("key", ["withdrawals", "withdrawal"])
def test_list_and_page_are_read_alike(answer, key):
    """Without a cursor a list comes, with one an object."""
    paged = answer(WithdrawStatus, {key: [WITHDRAWAL], "next_cursor": ""})

    assert paged == answer(WithdrawStatus, [WITHDRAWAL])
    assert paged.next_cursor is None


def test_a_page_without_its_rows_is_no_empty_page(answer):
    """Should the key have yet another name, that is told rather than taken for "none"."""
    with pytest.raises(ProtocolError, match="another shape"):
        answer(WithdrawStatus, {"entries": [WITHDRAWAL]})


def test_status_and_quote(sample):
    """A withdrawal without a transaction has none; a quote is exact."""
    first, second = sample(WithdrawStatus).withdrawals

    assert (first.status_prop, second.txid) == ("cancel-pending", None)
    assert sample(WithdrawInfo).limit == Decimal("332.00956139")
    assert sample(WithdrawCancel) is True


def test_undocumented_fee_is_kept_as_it_comes(sample):
    """What no page describes is handed on untouched."""
    assert sample(WithdrawMethods)[0].fee == {"aclass": "currency", "asset": "XXBT", "fee": "0.00002"}


def test_a_bank_account_hides_no_saved_address(answer):
    """Saved bank accounts have come without an address, as a Rust client tells; the others are read."""
    bank = {"asset": "ZEUR", "method": "SEPA", "key": "my bank", "verified": True}
    coins = {"asset": "XXBT", "method": "Bitcoin", "key": "cold", "verified": True, "address": "bc1q"}
    saved = answer(WithdrawAddresses, [bank, bank | {"address": None}, coins])
    assert [each.address for each in saved] == [None, None, "bc1q"]
