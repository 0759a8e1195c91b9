"""Deposits: methods, addresses, and money that arrives with time."""

import pytest

from krakenasync.sandbox.funding import METHODS, address_for

pytestmark = pytest.mark.asyncio


async def arrive(kraken, **given):
    answer = await kraken.http.post("/sandbox/deposits", json={"account": "alice", "asset": "XBT", **given})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_methods_are_those_of_the_asset(kraken):
    """Each with its least amount; the limit is false where there is none."""
    bitcoin, lightning = await kraken.result("DepositMethods", asset="XBT")
    assert (bitcoin["method"], bitcoin["limit"], bitcoin["gen-address"]) == ("Bitcoin", False, True)
    assert lightning["limit"] == "0.1000000000"
    assert await kraken.result("DepositMethods", asset="XBT", aclass="tokenized_asset") == []
    assert await kraken.code("DepositMethods", asset="DOT28.S") == "EFunding:Unknown asset"


async def test_new_addresses_are_made_until_there_are_too_many(kraken):
    """One is there from the start; each call with new adds one; five are enough."""
    known = [row["address"] for row in await kraken.result("DepositAddresses", asset="XBT", method="Bitcoin")]
    assert len(known) == 1
    for count in range(2, 6):
        rows = await kraken.result("DepositAddresses", asset="XBT", method="Bitcoin", new="true")
        assert len({row["address"] for row in rows}) == count
        assert rows[0]["address"] not in known
        known.append(rows[0]["address"])
    code = await kraken.code("DepositAddresses", asset="XBT", method="Bitcoin", new="true")
    assert code == "EFunding:Too many addresses"
    assert await kraken.code("DepositAddresses", asset="XBT", method="Pigeon") == "EFunding:No funding method"


async def test_invoices_expire(kraken):
    """Lightning has no address until one is asked for, and it lasts an hour."""
    there = {"asset": "XBT", "method": "Bitcoin Lightning"}
    assert await kraken.result("DepositAddresses", **there) == []
    (invoice,) = await kraken.result("DepositAddresses", new="true", amount="0.01", **there)
    assert int(invoice["expiretm"]) == kraken.clock.wall_ns() // 10**9 + 3600
    kraken.clock.advance(3601)
    assert await kraken.result("DepositAddresses", **there) == []


async def test_a_deposit_is_pending_until_it_is_confirmed(kraken, total_assets):
    """Nothing is credited before; then the balance rises and the ledger says why, at the moment it happened."""
    given = await arrive(kraken, amount="0.5")
    (row,) = await kraken.result("DepositStatus", asset="XBT")
    assert (row["status"], row["amount"], row["refid"]) == ("Pending", "0.5000000000", given["refid"])
    assert (await kraken.result("Balance"))["XXBT"] == "3.5000000000"
    kraken.clock.advance(given["seconds"] + 100)
    assert (await kraken.result("DepositStatus"))[0]["status"] == "Success"
    assert (await kraken.result("Balance"))["XXBT"] == "4.0000000000"
    ((entry),) = (await kraken.result("Ledgers", type="deposit"))["ledger"].values()
    assert (entry["refid"], entry["amount"], entry["balance"]) == (given["refid"], "0.5000000000", "4.0000000000")
    assert entry["time"] == row["time"] + given["seconds"]
    (address,) = await kraken.result("DepositAddresses", asset="XBT", method="Bitcoin")
    assert (address["address"], address["new"]) == (row["info"], False)


async def test_deposits_come_in_pages(kraken):
    """With a cursor the list becomes an object; each next one continues where the last ended."""
    refids = []
    for _ in range(5):
        refids.insert(0, (await arrive(kraken, amount="0.5"))["refid"])
        kraken.clock.advance(10)
    first = await kraken.result("DepositStatus", cursor="true", limit=2, asset="XBT")
    await arrive(kraken, amount="0.7")
    second = await kraken.result("DepositStatus", cursor=first["next_cursor"])
    third = await kraken.result("DepositStatus", cursor=second["next_cursor"])
    seen = [row["refid"] for page in (first, second, third) for row in page["deposits"]]
    assert (seen, third["next_cursor"]) == (refids, None)


@pytest.mark.parametrize("name", ["DepositStatus", "WithdrawStatus"])
@pytest.mark.parametrize("bound", ["start", "end"])
async def test_a_malformed_bound_is_refused(kraken, name, bound):
    """Even where nothing has arrived or left yet."""
    assert await kraken.result(name, **{bound: "1780000000"}) == []
    assert await kraken.code(name, **{bound: "abc"}) == f"EGeneral:Invalid arguments:{bound}"


async def test_a_json_body_turns_pages_with_a_boolean(kraken):
    """True asks for the first page and false for the plain list, as their names do in a form."""
    await arrive(kraken, amount="0.5")
    for spelled in (True, "true"):
        page = await kraken.result("DepositStatus", as_json=True, cursor=spelled, asset="XBT")
        assert (len(page["deposits"]), page["next_cursor"]) == (1, None)
    assert len(await kraken.result("DepositStatus", as_json=True, cursor=False)) == 1


async def test_deposits_are_filtered(kraken):
    """By asset, method and time, both bounds included."""
    await arrive(kraken, amount="0.5")
    kraken.clock.advance(60)
    await arrive(kraken, asset="ETH", amount="2")
    (ether,) = await kraken.result("DepositStatus", asset="ETH")
    assert len(await kraken.result("DepositStatus")) == 2
    assert await kraken.result("DepositStatus", start=ether["time"], end=ether["time"]) == [ether]
    assert await kraken.result("DepositStatus", method="Ether (Hex)") == [ether]
    assert await kraken.result("DepositStatus", end=ether["time"] - 61) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"account": "nobody"},
        {"asset": "NOPE"},
        {"amount": "0.00000001"},
        {"amount": "1e-11"},
        {"method": "Pigeon"},
        {"x": 1},
    ],
)
async def test_a_gift_that_cannot_be_is_refused(kraken, wrong):
    """The control page says what is wrong with a deposit, and nothing arrives."""
    body = {"account": "alice", "asset": "XBT", "amount": "0.5", **wrong}
    answer = await kraken.http.post("/sandbox/deposits", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert await kraken.result("DepositStatus") == []


async def test_accounts_are_listed(kraken):
    """The control page shows the public ids by which accounts are named, and what each has."""
    rows = (await kraken.http.get("/sandbox/accounts")).json()
    alice = next(row for row in rows if row["account"] == "alice")
    assert alice["public_id"] == (await kraken.result("GetApiKeyInfo"))["iban"]
    assert (alice["master"], alice["balances"]["XXBT"]) == (None, "3.5")


async def test_addresses_differ_by_owner_and_method():
    """Everybody's own, and made of the letters of the chain."""
    made = {address_for(method, owner, number) for method in METHODS for owner in "ab" for number in range(2)}
    assert len(made) == len(METHODS) * 4
