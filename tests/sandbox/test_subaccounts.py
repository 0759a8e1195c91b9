"""Subaccounts, and money between accounts by their public ids."""

import re

import pytest

from krakenasync.sandbox.subaccounts import public_id

pytestmark = pytest.mark.asyncio

DENIED = "EGeneral:Permission denied"


def iban(kraken, name):
    return public_id(kraken.sandbox.accounts[name])


async def transfer(kraken, source, target, amount="1", key="alice"):
    params = {"asset": "XBT", "amount": amount, "from": source, "to": target}
    return await kraken.private("AccountTransfer", key, **params)


async def test_a_subaccount_is_an_account_of_its_own(kraken):
    """Empty, with a public id that its master sees, filled and emptied by the master's key."""
    assert await kraken.result("CreateSubaccount", username="savings", email="a@example.com") is True
    ((row),) = (await kraken.result("TradeVolume"))["volume_subaccounts"]
    assert row == {"iiban": iban(kraken, "savings"), "volume": "0.0000"}
    answer = await transfer(kraken, iban(kraken, "alice"), row["iiban"], "1.25")
    assert answer["result"]["status"] == "complete"
    kraken.sandbox.add_key("savings")
    assert await kraken.result("Balance", "savings") == {"XXBT": "1.2500000000"}
    await transfer(kraken, row["iiban"], iban(kraken, "alice"), "0.25")
    assert (await kraken.result("Balance"))["XXBT"] == "2.5000000000"
    ids = [entry["refid"] for entry in (await kraken.result("Ledgers", type="transfer"))["ledger"].values()]
    assert answer["result"]["transfer_id"] in ids
    assert (await transfer(kraken, row["iiban"], iban(kraken, "alice"), key="savings"))["error"] == [DENIED]


async def test_an_id_is_taken_in_each_spelling_that_answers_have(kraken, beta):
    """ListWalletAccounts writes it with dashes, GetApiKeyInfo with blanks; it names the account that a call is for."""
    (account,) = (await kraken.result("ListWalletAccounts"))["accounts"]
    alice = iban(kraken, "alice")
    assert account["account_id"] == alice.replace(" ", "-")
    for spelling in (account["account_id"], alice):
        assert await beta("GET", "v1/deposits", account_id=spelling) == {"deposits": []}
    await kraken.result("CreateSubaccount", username="savings", email="a@example.com")
    assert (await transfer(kraken, account["account_id"], iban(kraken, "savings")))["error"] == []


async def test_ids_are_read_with_blanks_or_without(kraken):
    """ABCD 1234 EFGH 5678 in any spelling."""
    await kraken.result("CreateSubaccount", username="savings", email="a@example.com")
    alice, savings = iban(kraken, "alice"), iban(kraken, "savings")
    assert re.fullmatch(r"[A-Z]{2}\d\d( [A-Z0-9]{4}){3}", alice)
    assert (await transfer(kraken, alice.replace(" ", ""), savings.lower()))["error"] == []
    assert kraken.sandbox.accounts["savings"].balances["XXBT"] == 1


@pytest.mark.parametrize(
    ("source", "target", "amount", "code"),
    [
        ("bob", "alice", "0.1", DENIED),
        ("alice", "bob", "0.1", DENIED),
        ("alice", "alice", "1", "EGeneral:Invalid arguments:to"),
        ("alice", "savings", "3.6", "EFunding:Insufficient funds"),
        ("alice", "savings", "0", "EFunding:Invalid amount"),
    ],
)
async def test_a_transfer_that_cannot_be_is_refused(kraken, source, target, amount, code):
    """Nobody takes from a stranger or gives to one, and nothing moves."""
    await kraken.result("CreateSubaccount", username="savings", email="a@example.com")
    answer = await transfer(kraken, iban(kraken, source), iban(kraken, target), amount)
    assert answer["error"] == [code]
    assert (await kraken.result("Balance"))["XXBT"] == "3.5000000000"


async def test_an_unknown_id_is_named(kraken):
    """The argument that names nobody."""
    assert (await transfer(kraken, iban(kraken, "alice"), "AA00"))["error"] == ["EGeneral:Invalid arguments:to"]


async def test_tokenised_shares_are_not_listed(kraken):
    """There is no money of another class here."""
    params = {"asset": "XBT", "amount": "1", "from": iban(kraken, "alice"), "to": iban(kraken, "bob")}
    code = await kraken.code("AccountTransfer", asset_class="tokenized_asset", **params)
    assert code == "EGeneral:Invalid arguments:asset_class"


async def test_a_subaccount_has_none_of_its_own(kraken):
    """Only masters make them."""
    await kraken.result("CreateSubaccount", username="savings", email="a@example.com")
    kraken.sandbox.add_key("savings")
    assert await kraken.code("CreateSubaccount", "savings", username="more", email="a@example.com") == DENIED


@pytest.mark.parametrize("wrong", [{"username": "bob"}, {"email": "nobody"}, {"username": "x" * 65}])
async def test_a_subaccount_that_cannot_be_is_refused(kraken, wrong):
    """Names are unique, and an e-mail address has an @."""
    params = {"username": "new", "email": "a@example.com", **wrong}
    assert await kraken.code("CreateSubaccount", **params) == f"EGeneral:Invalid arguments:{next(iter(wrong))}"
