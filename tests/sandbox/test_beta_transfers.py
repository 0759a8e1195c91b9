"""Funding Beta's quotes, withdrawals and deposits: the same money as by the older calls."""

import pytest

from krakenasync.sandbox.funding import METHODS

pytestmark = pytest.mark.asyncio

BITCOIN, LIGHTNING, ETHER = METHODS[:3]
TETHER = next(method for method in METHODS if (method.asset, method.network) == ("USDT", "Ethereum"))
WRONG = "General: Invalid arguments"


def amount(text, name="BTC"):
    return {"asset": {"class": "currency", "name": name}, "amount": text}


def wrapped(text, name="BTC"):
    return {"asset_amount": amount(text, name)}


async def test_a_quote_as_kraken_writes_it(beta):
    """On top of the amount or included in it, and what the fee is made of."""
    path = f"v1/fees/{BITCOIN.id}"
    on_top = await beta("GET", path, amount="0.5")
    token = on_top.pop("withdrawal_fee_token")
    assert on_top == {
        "fee": amount("0.0000200000"),
        "gross_amount": amount("0.5000200000"),
        "net_amount": amount("0.5000000000"),
        "fee_details": {"base_fee": amount("0.0000200000"), "fee_percentage": "0"},
    }
    included = await beta("GET", path, amount="0.5", fee_included="true", withdrawal_fee_token=token)
    assert (included["gross_amount"], included["net_amount"]) == (amount("0.5000000000"), amount("0.4999800000"))
    assert included["withdrawal_fee_token"] == token
    stranger = await beta.refused("GET", path, amount="0.5", withdrawal_fee_token="AAAA,MBri")
    assert stranger == (400, WRONG, "fee token")
    assert await beta.refused("GET", "v1/fees/none", amount="1") == (400, "Funding: No funding method", "")


async def test_a_withdrawal_costs_its_fee(beta, withdraw, kraken):
    """On top of the amount, or included in it; either way it is one of the account's withdrawals."""
    on_top = await withdraw()
    included = await withdraw(fee={"current_fee": {}, "fee_included": True})
    assert on_top == {
        "withdrawal_id": on_top["withdrawal_id"],
        "net_amount": wrapped("0.5000000000"),
        "gross_amount": wrapped("0.5000200000"),
        "fee": wrapped("0.0000200000"),
    }
    assert (included["gross_amount"], included["net_amount"]) == (wrapped("0.5000000000"), wrapped("0.4999800000"))
    older = [row["refid"] for row in await kraken.result("WithdrawStatus")]
    newer = [row["withdrawal_id"] for row in (await beta("GET", "v1/withdrawals", status="pending"))["withdrawals"]]
    assert older == newer == [included["withdrawal_id"], on_top["withdrawal_id"]]


async def test_withdrawals_as_kraken_lists_them(beta, withdraw, kraken):
    """Net amount, fee, address and time; the chain's id once there is one."""
    made = await withdraw()
    (row,) = (await beta("GET", "v1/withdrawals"))["withdrawals"]
    (saved,) = (await beta("GET", "v1/addresses", **{"scope[method_id]": BITCOIN.id}))["addresses"]
    assert row == {
        "withdrawal_id": made["withdrawal_id"],
        "amount": amount("0.5000000000"),
        "fee": amount("0.0000200000"),
        "method_id": BITCOIN.id,
        "status": "pending",
        "create_time": "2026-05-28T20:26:40Z",
        "address_id": saved["address_id"],
    }
    kraken.clock.advance(3600)
    (older,) = await kraken.result("WithdrawStatus")
    (row,) = (await beta("GET", "v1/withdrawals", status="success"))["withdrawals"]
    assert row["onchain_transaction"] == older["txid"]


async def test_withdrawals_are_filtered(beta, withdraw, kraken):
    """By status, asset, scope and time."""
    await withdraw()

    async def found(**query):
        return len((await beta("GET", "v1/withdrawals", **query))["withdrawals"])

    assert [await found(status="pending"), await found(status="failed")] == [1, 0]
    assert await found(**{"asset[class]": "currency", "asset[name]": "BTC"}) == 1
    assert await found(**{"asset[class]": "currency", "asset[name]": "ETH"}) == 0
    assert await found(**{"scope[network_id]": BITCOIN.network_id}) == 1
    assert await found(**{"scope[method_id]": LIGHTNING.id}) == 0
    assert await found(start_time="2026-05-28T20:26:40Z", end_time="2026-05-28T20:26:40Z") == 1
    assert await found(start_time="2026-05-28T20:26:41Z") == 0
    kraken.clock.advance(3600)
    assert await found(status="pending") == 0


async def test_a_quote_holds_for_five_minutes(beta, withdraw, kraken):
    """Its token is good for several withdrawals of its method, while it is fresh."""
    token = (await beta("GET", f"v1/fees/{BITCOIN.id}", amount="0.5"))["withdrawal_fee_token"]
    fee = {"quoted_fee": {"token": token}, "fee_included": False}
    assert all(["withdrawal_id" in await withdraw(fee=fee) for _ in range(2)])
    kraken.clock.advance(300)
    assert "withdrawal_id" in await withdraw(fee=fee)
    kraken.clock.advance(1)
    assert await withdraw.refused(fee=fee) == (400, WRONG, "fee token")


async def test_a_bound_of_the_fee(withdraw):
    """In the asset of the method, written like the amount."""
    low, high = ({"current_fee": {"max_fee": wrapped(most)}, "fee_included": False} for most in ("0.00001", "0.00002"))
    assert await withdraw.refused(fee=low) == (400, "Funding: Max fee exceeded", "")
    assert "withdrawal_id" in await withdraw(fee=high)
    foreign = {"current_fee": {"max_fee": wrapped("1", "ETH")}, "fee_included": False}
    assert await withdraw.refused(fee=foreign) == (400, WRONG, "max_fee")


@pytest.mark.parametrize(
    ("more", "title", "named"),
    [
        ({"expected_address": "bc1qelse"}, "Funding: Invalid withdrawal address", ""),
        ({"scope": None}, WRONG, "scope"),
        ({"scope": {"method_id": ETHER.id}}, WRONG, "scope"),
        ({"scope": {"network_id": ETHER.network_id}}, WRONG, "scope"),
        ({"scope": {"network_group_id": "g"}}, WRONG, "scope"),
        ({"scope": {"method_id": LIGHTNING.id}}, WRONG, "scope"),
        ({"address_id": "none"}, WRONG, "address_id"),
        ({"amount": {}}, WRONG, "amount"),
        ({"amount": {"asset_amount": {"asset": {"name": "BTC"}, "amount": "0.5"}}}, WRONG, "amount"),
        ({"amount": wrapped("0.00000000001")}, "Funding: Invalid amount", ""),
        ({"fee": {"quoted_fee": {"token": "t"}}}, WRONG, "fee"),
        ({"fee": {"quoted_fee": {"token": "t"}, "current_fee": {"a": 1}, "fee_included": True}}, WRONG, "fee"),
    ],
)
async def test_a_withdrawal_that_does_not_fit_is_refused(withdraw, more, title, named):
    """Each thing it names must be there, and be the saved address's."""
    assert await withdraw.refused(**more) == (400, title, named)


async def test_one_address_for_a_whole_network(beta, withdraw, kraken):
    """An address of a group of networks takes coin and token alike; a network does where the asset has one method."""
    body = {
        "scope": {"network_group_id": ETHER.scopes["network_group_id"]},
        "address_details": {"crypto": {"address": "0xmine"}},
        "name": "mine",
    }
    mine = (await beta("POST", "v1/addresses", body))["address_id"]
    await kraken.http.post("/sandbox/deposits", json={"account": "alice", "asset": "USDT", "amount": "100"})
    kraken.clock.advance(3600)
    for method, name in ((ETHER, "ETH"), (TETHER, "USDT")):
        scope = {"network_id": method.network_id}
        sent = await withdraw(scope=scope, address_id=mine, amount=wrapped("20" if name == "USDT" else "0.5", name))
        (row,) = (await beta("GET", "v1/withdrawals", **{"scope[method_id]": method.id}))["withdrawals"]
        assert (row["withdrawal_id"], row["method_id"]) == (sent["withdrawal_id"], method.id)
        assert row["fee"]["asset"]["name"] == name
    assert await withdraw.refused(address_id=mine) == (400, WRONG, "scope")


async def test_deposits_as_kraken_lists_them(beta, kraken):
    """Method, network, amount and time; the fee once it is complete."""
    await kraken.http.post("/sandbox/deposits", json={"account": "alice", "asset": "XBT", "amount": "0.5"})
    (row,) = (await beta("GET", "v1/deposits"))["deposits"]
    expected = {
        "deposit_id": row["deposit_id"],
        "method_id": BITCOIN.id,
        "network_id": BITCOIN.network_id,
        "status": "pending",
        "amount": amount("0.5000000000"),
        "create_time": "2026-05-28T20:26:40Z",
    }
    assert row == expected
    kraken.clock.advance(3600)
    (row,) = (await beta("GET", "v1/deposits"))["deposits"]
    assert row == {**expected, "status": "success", "fee": amount("0.0000000000")}


async def test_deposits_are_listed_and_filtered(beta, kraken):
    """By asset, scope, status and time, page by page."""
    for _ in range(3):
        await kraken.http.post("/sandbox/deposits", json={"account": "alice", "asset": "XBT", "amount": "0.5"})
        kraken.clock.advance(1000)
    first = await beta("GET", "v1/deposits", limit=2, **{"asset[class]": "currency", "asset[name]": "BTC"})
    second = await beta("GET", "v1/deposits", cursor=first["next_cursor"])
    assert [len(page["deposits"]) for page in (first, second)] == [2, 1]
    pending = await beta("GET", "v1/deposits", **{"status[list][0]": "pending"})
    assert [row["status"] for row in pending["deposits"]] == ["pending"]
    newest = first["deposits"][0]["create_time"]
    assert len((await beta("GET", "v1/deposits", start_time=newest))["deposits"]) == 1
    assert await beta("GET", "v1/deposits", **{"scope[method_id]": ETHER.id}) == {"deposits": []}
