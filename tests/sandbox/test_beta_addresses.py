"""Funding Beta's addresses: claimed ones to deposit to, saved ones to withdraw to, and what each of these serves."""

import pytest

from krakenasync.sandbox.funding import METHODS, group_id

pytestmark = pytest.mark.asyncio

BITCOIN, LIGHTNING, ETHER = METHODS[:3]
TETHER = next(method for method in METHODS if (method.asset, method.network) == ("USDT", "Ethereum"))
SEPA = next(method for method in METHODS if method.network == "SEPA")
WRONG = "General: Invalid arguments"


def wallet(scope, name="mine", address="0xmine", **more):
    return {"scope": scope, "address_details": {"crypto": {"address": address, **more}}, "name": name}


async def test_addresses_are_claimed(beta, kraken):
    """One more each time, until there are too many; the older call lists them as well."""
    claimed = await beta("PUT", "v1/deposit/address", {"method_id": BITCOIN.id})
    listed = (await beta("GET", "v2/deposit/addresses", **{"scope[method_id]": BITCOIN.id}))["addresses"]
    older = await kraken.result("DepositAddresses", asset="XBT", method="Bitcoin")
    assert [row["address"] for row in older] == [row["address_details"]["crypto"]["address"] for row in listed]
    assert listed[0] == {"method_id": BITCOIN.id, **claimed}
    for _ in range(3):
        await beta("PUT", "v1/deposit/address", {"method_id": BITCOIN.id})
    full = await beta.send("PUT", "v1/deposit/address", {"method_id": BITCOIN.id})
    assert (full.status_code, full.json()["type"]) == (409, "tag:kraken.com,2025:TooManyDepositAddresses")


async def test_a_deposit_leaves_its_mark_on_the_address(beta, kraken):
    """When it came; the older call calls such an address not new."""
    await kraken.http.post("/sandbox/deposits", json={"account": "alice", "asset": "XBT", "amount": "0.5"})
    (row,) = (await beta("GET", "v2/deposit/addresses", **{"scope[method_id]": BITCOIN.id}))["addresses"]
    (older,) = await kraken.result("DepositAddresses", asset="XBT", method="Bitcoin")
    assert (row["last_used"], older["new"]) == ("2026-05-28T20:26:40Z", False)


async def test_an_invoice_expires(beta):
    """An hour after it was made; other addresses do not."""
    await beta("PUT", "v1/deposit/address", {"method_id": LIGHTNING.id})
    (row,) = (await beta("GET", "v2/deposit/addresses", **{"scope[method_id]": LIGHTNING.id}))["addresses"]
    assert (row["expire_time"], row.get("last_used")) == ("2026-05-28T21:26:40Z", None)


async def test_deposit_addresses_are_filtered(beta):
    """By network or asset; a group of networks has none. A bank account is no coin's address."""
    path = "v2/deposit/addresses"
    there = (await beta("GET", path, **{"scope[network_id]": ETHER.network_id}))["addresses"]
    assert [row["method_id"] for row in there] == [ETHER.id, TETHER.id]
    (bank,) = (await beta("GET", path, **{"asset[class]": "currency", "asset[name]": "EUR"}))["addresses"]
    assert (bank["method_id"], list(bank["address_details"])) == (SEPA.id, ["fiat"])
    assert await beta.refused("GET", path, **{"scope[network_group_id]": group_id("EVM")}) == (400, WRONG, "scope")


async def test_an_address_s_life(beta, kraken):
    """It is saved, seen, renamed and forgotten; it is the one the older calls know."""
    body = {**wallet({"method_id": BITCOIN.id}, address="bc1qmine", memo="7"), "description": "cold"}
    saved = await beta("POST", "v1/addresses", body)
    assert saved["verified"] is True
    row = {"address_id": saved["address_id"], "verified": True, **body}
    assert row in (await beta("GET", "v1/addresses"))["addresses"]
    taken = (400, "Funding: Duplicate withdraw key", "")
    assert await beta.refused("POST", "v1/addresses", body) == taken
    path = f"v1/addresses/{saved['address_id']}"
    assert await beta("PUT", path, {"name": "ours"}) == {"verified": True}
    assert await beta("PUT", path, {"description": "colder"}) == {"verified": True}
    assert {**row, "name": "ours", "description": "colder"} in (await beta("GET", "v1/addresses"))["addresses"]
    (older,) = await kraken.result("WithdrawAddresses", key="ours")
    assert (older["address"], older["memo"]) == ("bc1qmine", "7")
    assert await beta.refused("PUT", path, {"name": "eth-ethereum"}) == taken
    assert await beta("DELETE", path) == {"result": True}
    assert await beta.refused("DELETE", path) == (400, WRONG, "id")


async def test_the_list_expands_upward(beta):
    """What serves a method is saved for it, its network or its group; a network's leaves out what is for one method."""
    scopes = {"method_id": TETHER.id, "network_id": TETHER.network_id, "network_group_id": group_id("EVM")}
    ids = {}
    for kind, value in scopes.items():
        saved = await beta("POST", "v1/addresses", wallet({kind: value}, name=kind))
        ids[kind] = saved["address_id"]

    async def listed(kind, value):
        rows = (await beta("GET", "v1/addresses", **{f"scope[{kind}]": value}))["addresses"]
        return {kind for row in rows for kind, of in ids.items() if row["address_id"] == of}

    assert await listed("method_id", TETHER.id) == {"method_id", "network_id", "network_group_id"}
    assert await listed("method_id", ETHER.id) == {"network_id", "network_group_id"}
    assert await listed("method_id", BITCOIN.id) == set()
    assert await listed("network_id", TETHER.network_id) == {"network_id", "network_group_id"}
    assert await listed("network_group_id", group_id("EVM")) == {"network_group_id"}
    rows = (await beta("GET", "v1/addresses"))["addresses"]
    assert [row["scope"] for row in rows if row["address_id"] in ids.values()] == [{k: v} for k, v in scopes.items()]


async def test_a_tag_is_a_memo(beta):
    """Where a network has one of the two it takes either."""
    saved = await beta("POST", "v1/addresses", wallet({"method_id": ETHER.id}, tag="9"))
    (row,) = [
        row for row in (await beta("GET", "v1/addresses"))["addresses"] if row["address_id"] == saved["address_id"]
    ]
    assert row["address_details"] == {"crypto": {"address": "0xmine", "memo": "9"}}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"scope": None}, "scope"),
        ({"scope": {}}, "scope"),
        ({"scope": {"method_id": BITCOIN.id, "network_id": BITCOIN.network_id}}, "scope"),
        ({"scope": {"method_id": "none"}}, "scope"),
        ({"address_details": None}, "address_details"),
        ({"address_details": {"fiat": {"iban": "DE02"}}}, "address_details"),
        ({"address_details": {"crypto": {}}}, "address"),
        ({"name": ""}, "name"),
        ({"name": "  "}, "name"),
    ],
)
async def test_an_address_that_cannot_be_saved(beta, change, named):
    """Without a scope, an address or a name; bank accounts are not saved this way."""
    body = {**wallet({"method_id": BITCOIN.id}), **change}
    assert await beta.refused("POST", "v1/addresses", body) == (400, WRONG, named)
