"""Funding Beta on the wire: nonce in a header, query string signed, no envelope; what can be moved, and how much."""

from decimal import Decimal

import pytest

from krakenasync.sandbox.funding import METHODS, group_id
from krakenasync.sandbox.subaccounts import public_id

pytestmark = pytest.mark.asyncio

BITCOIN, LIGHTNING, ETHER = METHODS[:3]
BTC = {"class": "currency", "name": "BTC"}
BY_NAME = {"asset[class]": "currency", "asset[name]": "BTC"}


def amount(text, name="BTC"):
    return {"asset": {"class": "currency", "name": name}, "amount": text}


async def test_the_query_string_is_signed(beta):
    """The signature over path and query fits; over the path alone it does not."""
    assert (await beta("GET", f"v1/fees/{BITCOIN.id}", amount="0.5"))["fee"] == amount("0.0000200000")
    wrong = await beta.send("GET", "v1/networks", signed="/funding/v1/networks", x="1")
    assert (wrong.status_code, wrong.json()["title"]) == (401, "API: Invalid signature")


async def test_the_nonce_is_the_keys(beta, kraken):
    """It counts with those of all other calls of the key."""
    await kraken.result("Balance", nonce="5000")
    assert await beta.refused("GET", "v1/networks", nonce="5000") == (401, "API: Invalid nonce", "")
    assert "networks" in await beta("GET", "v1/networks", nonce="5001")


async def test_an_error_is_a_problem(beta, kraken):
    """With an HTTP error status, Kraken's type of it, and no envelope; the older calls go on answering 200."""
    key = kraken.sandbox.keys["alice"]
    headers = {"API-Key": "nobody", "API-Nonce": "1", "API-Sign": "x"}
    reply = await kraken.http.get("/funding/v1/networks", headers=headers)
    assert (reply.status_code, reply.headers["content-type"]) == (401, "application/problem+json")
    seen = {"type": "tag:kraken.com,2025:InvalidKey", "status": 401, "title": "API: Invalid key", "data": None}
    assert reply.json() == seen
    older = await kraken.send("Balance", headers={"API-Key": "nobody"})
    assert (older.status_code, older.json()) == (200, {"error": ["EAPI:Invalid key"]})
    unknown = await kraken.http.get("/funding/v1/nothing", headers=headers)
    assert unknown.json() == {"error": ["EGeneral:Unknown method"]}
    key.permissions = frozenset({"query-funds"})
    assert await beta.refused("POST", "v1/addresses", {}) == (403, "General: Permission denied", "")
    assert kraken.sandbox.stats.refused["FundingBeta/AddressesCreate", "EGeneral:Permission denied"] == 1


async def test_assets_by_class(beta):
    """Under the names of today; none of the sandbox's is tokenized."""
    for direction in ("deposit", "withdraw"):
        found = await beta("GET", f"v1/assets/{direction}")
        assert {"name": "BTC"} in found["currency"]
        assert found["tokenized_asset"] == []
    assert await beta("GET", "v1/assets/deposit", asset_class="tokenized_asset") == {
        "currency": [],
        "tokenized_asset": [],
    }
    assert await beta.refused("GET", "v1/assets/up") == (400, "General: Invalid arguments", "direction")


async def test_methods_as_kraken_writes_them(beta):
    """A deposit says how many addresses there may be, a withdrawal what it costs."""
    deposits = (await beta("GET", "v1/methods/deposit", **BY_NAME))["methods"]
    withdrawals = (await beta("GET", "v1/methods/withdraw", **BY_NAME))["methods"]
    assert deposits[0] == {
        "asset": BTC,
        "method_id": BITCOIN.id,
        "method_name": "Bitcoin",
        "minimum_amount": "0.0001000000",
        "fees": {"base": amount("0.0000000000"), "included": True},
        "network": {"network_id": BITCOIN.network_id, "network_name": "Bitcoin", "on_chain_asset_symbol": "BTC"},
        "deposit": {"address_generation": {"status": "limited", "limit": 5}},
    }
    assert deposits[1]["maximum_amount"] == "0.1000000000"
    assert [row["method_id"] for row in withdrawals] == [BITCOIN.id, LIGHTNING.id]
    assert withdrawals[0]["fees"] == {"base": amount("0.0000200000"), "included": False}
    assert (withdrawals[0]["minimum_amount"], withdrawals[0]["withdrawal"]) == ("0.0004000000", {})


async def test_methods_are_filtered_by_asset(beta):
    """The class alone is a filter, the name alone is none; there are pages."""
    coins = await beta("GET", "v1/methods/deposit", **{"asset[class]": "currency"})
    assert len(coins["methods"]) == len(METHODS)
    assert "next_cursor" not in coins
    assert (await beta("GET", "v1/methods/deposit", **{"asset[class]": "tokenized_asset"}))["methods"] == []
    nameless = await beta.refused("GET", "v1/methods/deposit", **{"asset[name]": "BTC"})
    assert nameless == (400, "General: Invalid arguments", "class")
    unknown = await beta.refused("GET", "v1/methods/deposit", **{**BY_NAME, "asset[name]": "NOPE"})
    assert unknown == (400, "Funding: Unknown asset", "")
    first = await beta("GET", "v1/methods/deposit", limit=5)
    second = await beta("GET", "v1/methods/deposit", cursor=first["next_cursor"])
    rows = [row["method_id"] for row in [*first["methods"], *second["methods"]]]
    assert rows == [method.id for method in METHODS[:10]]


async def test_networks_and_their_group(beta):
    """Ethereum is in a group; all are listed by id and name."""
    found = await beta("GET", "v1/networks")
    assert found["network_groups"] == [
        {"network_group_id": group_id("EVM"), "name": "EVM", "network_ids": [ETHER.network_id]}
    ]
    assert {"network_id": ETHER.network_id, "name": "Ethereum"} in found["networks"]
    assert len(found["networks"]) == len({method.network for method in METHODS})


async def test_deposit_limits(beta):
    """A method without a bound names none."""
    assert await beta("GET", "v1/limits/deposit/currency/BTC") == {
        "deposit_limits": [
            {"method_id": BITCOIN.id, "limits": []},
            {"method_id": LIGHTNING.id, "maximum_amount": amount("0.1000000000"), "limits": []},
        ]
    }


async def test_withdrawal_limits(beta, withdraw):
    """What is left, allowed and used of a day; in the asset, in dollars and in the currency asked for."""
    path = "v1/limits/withdrawal/currency/BTC"
    await withdraw("0.5")
    limits = await beta("GET", path, **{"preferred_asset[name]": "ETH"})
    slow, fast = limits["withdrawal_limits"]
    assert limits["available_balance"] == amount("2.9999800000")
    assert (slow["method_id"], slow["maximum_reason"]) == (BITCOIN.id, "balance")
    assert slow["maximum_amount"] == amount("2.9999800000")
    assert (fast["maximum_reason"], fast["maximum_amount"]) == ("limits", amount("0.1000000000"))
    (window,) = slow["limits"]
    assert (window["time_window"], window["limit"]["limit_type"]) == ("86400", "amount")
    values = {name: window["limit"][name] for name in ("remaining", "maximum", "used")}
    assert {name: value["policy_asset_amount"]["amount"] for name, value in values.items()} == {
        "remaining": "99.4999800000",
        "maximum": "100.0000000000",
        "used": "0.5000200000",
    }
    for value in values.values():
        assert [value[name]["asset"]["name"] for name in ("usd_amount", "requested_asset_amount")] == ["USD", "ETH"]
        assert Decimal(value["usd_amount"]["amount"]) > 0
    dollars = await beta("GET", path, **{"preferred_asset[name]": "USD"})
    used = dollars["withdrawal_limits"][0]["limits"][0]["limit"]["used"]
    assert used["requested_asset_amount"] == used["usd_amount"] != used["policy_asset_amount"]
    own = (await beta("GET", path))["withdrawal_limits"][0]["limits"][0]["limit"]["used"]
    assert own["requested_asset_amount"] == own["policy_asset_amount"]


async def test_limits_that_cannot_be_told(beta):
    """In a currency without a price, without a name, or of an unknown class."""
    path = "v1/limits/withdrawal/currency/BTC"
    wrong = "General: Invalid arguments"
    assert await beta.refused("GET", path, **{"preferred_asset[name]": "XLM"}) == (400, wrong, "preferred_asset")
    assert await beta.refused("GET", path, **{"preferred_asset[class]": "currency"}) == (400, wrong, "name")
    assert await beta.refused("GET", "v1/limits/deposit/shares/BTC") == (400, wrong, "asset_class")


async def test_a_master_acts_for_its_subaccounts(beta, kraken):
    """By their public id, in the query string; nobody acts for a stranger."""
    await kraken.result("CreateSubaccount", username="savings", email="a@example.com")
    there = public_id(kraken.sandbox.accounts["savings"])
    own = await beta("GET", "v2/deposit/addresses", account_id=there)
    assert own["addresses"] != (await beta("GET", "v2/deposit/addresses"))["addresses"]
    claimed = await beta("PUT", "v1/deposit/address", {"method_id": BITCOIN.id}, account_id=there)
    listed = (await beta("GET", "v2/deposit/addresses", account_id=there))["addresses"]
    assert claimed["address_details"] in [row["address_details"] for row in listed]
    stranger = public_id(kraken.sandbox.accounts["bob"])
    assert await beta.refused("GET", "v1/addresses", account_id=stranger) == (403, "General: Permission denied", "")
