"""Withdrawals: saved addresses, fees, limits, states, and calling one back; the way to the futures wallet."""

from decimal import Decimal

import pytest

pytestmark = pytest.mark.asyncio

KEY = "xbt-bitcoin"
FUTURES = {"from": "Spot Wallet", "to": "Futures Wallet"}


async def withdraw(kraken, amount="0.5", **more):
    return (await kraken.result("Withdraw", asset="XBT", key=KEY, amount=amount, **more))["refid"]


async def test_money_leaves_at_once_and_arrives_with_time(kraken):
    """Initial, Pending, Success; the account pays amount and fee when it asks."""
    refid = await withdraw(kraken)
    assert (await kraken.result("Balance"))["XXBT"] == "3.0000000000"
    seen = []
    for pause in (0, 10, 3600):
        kraken.clock.advance(pause)
        (row,) = await kraken.result("WithdrawStatus", asset="XBT")
        seen.append((row["status"], bool(row["txid"])))
    assert seen == [("Initial", False), ("Pending", False), ("Success", True)]
    assert (row["refid"], row["amount"], row["fee"]) == (refid, "0.4999800000", "0.0000200000")
    (entry,) = (await kraken.result("Ledgers", type="withdrawal"))["ledger"].values()
    assert (entry["amount"], entry["fee"], entry["balance"]) == ("-0.4999800000", "0.0000200000", "3.0000000000")


async def test_info_tells_beforehand(kraken):
    """Net amount, fee and the most that could leave, what is held for orders not counted."""
    await kraken.buy("90000", "1", type="sell")
    info = await kraken.result("WithdrawInfo", asset="XBT", key=KEY, amount="0.5")
    assert info == {"method": "Bitcoin", "limit": "2.5000000000", "amount": "0.4999800000", "fee": "0.0000200000"}


async def test_a_pending_withdrawal_can_be_called_back(kraken, total_assets):
    """The account gets amount and fee again; later, or twice, it is too late."""
    before = total_assets(kraken.sandbox)
    refid = await withdraw(kraken)
    assert await kraken.result("WithdrawCancel", asset="XBT", refid=refid) is True
    (row,) = await kraken.result("WithdrawStatus")
    assert (row["status"], row["status-prop"]) == ("Failure", "canceled")
    assert (await kraken.result("Balance"))["XXBT"] == "3.5000000000"
    assert total_assets(kraken.sandbox) == before
    assert await kraken.result("WithdrawCancel", asset="XBT", refid=refid) is False
    late = await withdraw(kraken)
    kraken.clock.advance(3600)
    assert await kraken.result("WithdrawCancel", asset="XBT", refid=late) is False
    assert await kraken.code("WithdrawCancel", asset="XBT", refid="FTnone") == "EFunding:Unknown reference id"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"key": "nowhere"}, "EFunding:Unknown withdraw key"),
        ({"key": "eth-ethereum"}, "EFunding:Unknown withdraw key"),
        ({"asset": "NOPE"}, "EFunding:Unknown asset"),
        ({"asset": "XBT.M"}, "EFunding:Unknown asset"),
        ({"amount": "0"}, "EFunding:Invalid amount"),
        ({"amount": "0.0001"}, "EFunding:Invalid amount"),
        ({"amount": "0.12345678901"}, "EFunding:Invalid amount"),
        ({"amount": "3.6"}, "EFunding:Insufficient funds"),
        ({"max_fee": "0.00001"}, "EFunding:Max fee exceeded"),
        ({"address": "bc1qelse"}, "EFunding:Invalid withdrawal address"),
    ],
)
async def test_what_cannot_leave_is_refused(kraken, wrong, code):
    """Each in Kraken's words, and no money moves."""
    assert await kraken.code("Withdraw", **{"asset": "XBT", "key": KEY, "amount": "0.5", **wrong}) == code
    assert (await kraken.result("Balance"))["XXBT"] == "3.5000000000"


async def test_there_is_a_limit_a_day(kraken):
    """What left in the last 24 hours counts, what was called back does not."""
    kraken.sandbox.accounts["alice"].balances["XXBT"] = Decimal(500)
    cancelled = await withdraw(kraken, "90")
    await kraken.result("WithdrawCancel", asset="XBT", refid=cancelled)
    await withdraw(kraken, "90")
    info = await kraken.result("WithdrawInfo", asset="XBT", key=KEY, amount="1")
    assert info["limit"] == "10.0000000000"
    code = await kraken.code("Withdraw", asset="XBT", key=KEY, amount="11")
    assert code == "EFunding:Withdrawal limit exceeded"
    kraken.clock.advance(86_401)
    await withdraw(kraken, "90")


async def test_methods_and_addresses_are_filtered(kraken):
    """By asset, network, method and name; the address that is named is the one that is checked."""
    methods = await kraken.result("WithdrawMethods", asset="XBT", network="Bitcoin")
    assert [row["method"] for row in methods] == ["Bitcoin"]
    assert len(await kraken.result("WithdrawMethods")) > 5
    assert await kraken.result("WithdrawMethods", aclass="tokenized_asset") == []
    (saved,) = await kraken.result("WithdrawAddresses", asset="XBT", key=KEY)
    assert await kraken.result("WithdrawAddresses", method="Bitcoin", verified="true") == [saved]
    assert await kraken.result("WithdrawAddresses", verified="false") == []
    await withdraw(kraken, address=saved["address"], max_fee="0.00002")


async def test_withdrawals_come_in_pages(kraken):
    """With a cursor the list becomes an object."""
    refids = []
    for _ in range(3):
        refids.insert(0, await withdraw(kraken, "0.1"))
    first = await kraken.result("WithdrawStatus", cursor="true", limit=2)
    second = await kraken.result("WithdrawStatus", cursor=first["next_cursor"])
    assert [row["refid"] for row in (*first["withdrawals"], *second["withdrawals"])] == refids
    assert second["next_cursor"] is None


async def test_a_json_body_turns_pages_with_a_boolean(kraken):
    """True asks for the first page and false for the plain list."""
    refid = await withdraw(kraken, "0.1")
    page = await kraken.result("WithdrawStatus", as_json=True, cursor=True)
    assert ([row["refid"] for row in page["withdrawals"]], page["next_cursor"]) == ([refid], None)
    assert [row["refid"] for row in await kraken.result("WithdrawStatus", as_json=True, cursor=False)] == [refid]


async def test_wallet_transfers_are_kept_account_of(kraken):
    """The futures wallet gains what the spot wallet loses; there is no way back, and no way beyond what there is."""
    await kraken.result("WalletTransfer", asset="XBT", amount="1.5", **FUTURES)
    wallet = kraken.sandbox.treasury.ledger.futures["alice"]
    assert (wallet.balances["XXBT"], (await kraken.result("Balance"))["XXBT"]) == (Decimal("1.5"), "2.0000000000")
    (entry,) = (await kraken.result("Ledgers", type="transfer"))["ledger"].values()
    assert entry["subtype"] == "spottofutures"
    back = {"from": "Futures Wallet", "to": "Spot Wallet"}
    assert await kraken.code("WalletTransfer", asset="XBT", amount="1", **back) == "EGeneral:Invalid arguments:from"
    code = await kraken.code("WalletTransfer", asset="XBT", amount="2.1", **FUTURES)
    assert code == "EFunding:Insufficient funds"


async def test_withdrawing_needs_its_permission(kraken):
    """A key that may only look moves nothing, but a wallet transfer, as Kraken's page has it."""
    kraken.sandbox.keys["alice"].permissions = frozenset({"query-funds"})
    assert await kraken.code("Withdraw", asset="XBT", key=KEY, amount="1") == "EGeneral:Permission denied"
    assert await kraken.code("WithdrawStatus") == "EGeneral:Permission denied"
    assert await kraken.result("WalletTransfer", asset="XBT", amount="1", **FUTURES)


@pytest.mark.parametrize("name", ["Withdraw", "WithdrawInfo", "DepositAddresses"])
@pytest.mark.parametrize("aclass", ["tokenized_asset", "foo"])
async def test_a_coin_is_not_sent_as_what_it_is_not(kraken, name, aclass):
    """An asset of another class has none of the coin's ways."""
    params = {"asset": "XBT", "key": "cold", "amount": "0.1", "method": "Bitcoin", "aclass": aclass}
    assert await kraken.code(name, **params) == "EGeneral:Invalid arguments:aclass"
