"""Funding Beta on the wire: nonce in a header, query string signed, no envelope; and the same money behind it."""

import json
from urllib.parse import urlencode

import pytest

from krakenasync.protocol.signing import sign
from krakenasync.sandbox.funding import METHODS
from krakenasync.sandbox.subaccounts import public_id

pytestmark = pytest.mark.asyncio

BITCOIN = METHODS[0]


async def beta(kraken, verb, path, body=None, *, key="alice", nonce=None, signed=None, **query):
    """Call Funding Beta by hand and return the answer's JSON."""
    key = kraken.sandbox.keys[key]
    nonce = nonce or kraken.next_nonce()
    target = f"/funding/{path}" + (f"?{urlencode(query)}" if query else "")
    content = json.dumps(body).encode() if body is not None else b""
    headers = {
        "API-Key": key.api_key,
        "API-Nonce": nonce,
        "API-Sign": sign(key.secret, signed or target, nonce, content),
        "Content-Type": "application/json",
    }
    return (await kraken.http.request(verb, target, content=content, headers=headers)).json()


async def test_the_query_string_is_signed(kraken):
    """The signature over path and query fits; over the path alone it does not."""
    answer = await beta(kraken, "GET", f"v1/fees/{BITCOIN.id}", amount="0.5")
    assert answer["fee"] == "0.0000200000"
    wrong = await beta(kraken, "GET", "v1/networks", signed="/funding/v1/networks", x="1")
    assert wrong == {"error": ["EAPI:Invalid signature"]}


async def test_the_nonce_is_the_keys(kraken):
    """It counts with those of all other calls of the key."""
    await kraken.result("Balance", nonce="5000")
    assert await beta(kraken, "GET", "v1/networks", nonce="5000") == {"error": ["EAPI:Invalid nonce"]}
    assert "networks" in await beta(kraken, "GET", "v1/networks", nonce="5001")


async def test_one_path_has_several_methods(kraken):
    """An address is saved, seen, renamed and forgotten; it is the one the older calls know."""
    body = {"method_id": BITCOIN.id, "address": "bc1qmine", "name": "mine"}
    saved = await beta(kraken, "POST", "v1/addresses", body)
    assert saved in (await beta(kraken, "GET", "v1/addresses"))["addresses"]
    assert await beta(kraken, "POST", "v1/addresses", body) == {"error": ["EFunding:Duplicate withdraw key"]}
    renamed = await beta(kraken, "PUT", f"v1/addresses/{saved['id']}", {"name": "ours", "memo": "7"})
    (older,) = await kraken.result("WithdrawAddresses", key="ours")
    assert (renamed["name"], older["address"], older["memo"]) == ("ours", "bc1qmine", "7")
    taken = await beta(kraken, "PUT", f"v1/addresses/{saved['id']}", {"name": "eth-ethereum"})
    assert taken == {"error": ["EFunding:Duplicate withdraw key"]}
    assert await beta(kraken, "DELETE", f"v1/addresses/{saved['id']}") == {"result": True}
    assert await beta(kraken, "DELETE", f"v1/addresses/{saved['id']}") == {"error": ["EGeneral:Invalid arguments:id"]}


async def withdraw(kraken, amount="0.5", **more):
    (saved,) = (await beta(kraken, "GET", "v1/addresses", method_id=BITCOIN.id))["addresses"]
    body = {
        "scope": {"method_id": BITCOIN.id},
        "address_id": saved["id"],
        "amount": {"asset_amount": {"asset": {"class": "currency", "name": "XBT"}, "amount": amount}},
        **more,
    }
    return await beta(kraken, "POST", "v1/withdrawals", body)


async def test_a_withdrawal_costs_its_fee(kraken):
    """On top of the amount, or included in it; either way it is one of the account's withdrawals."""
    on_top = await withdraw(kraken)
    included = await withdraw(kraken, fee={"fee_included": True})
    assert (on_top["gross_amount"]["amount"], on_top["net_amount"]["amount"]) == ("0.5000200000", "0.5000000000")
    assert (included["gross_amount"]["amount"], included["net_amount"]["amount"]) == ("0.5000000000", "0.4999800000")
    older = [row["refid"] for row in await kraken.result("WithdrawStatus")]
    newer = [
        row["withdrawal_id"] for row in (await beta(kraken, "GET", "v1/withdrawals", status="pending"))["withdrawals"]
    ]
    assert older == newer == [included["withdrawal_id"], on_top["withdrawal_id"]]
    kraken.clock.advance(3600)
    assert (await beta(kraken, "GET", "v1/withdrawals", status="pending"))["withdrawals"] == []


async def test_a_quote_holds_once_and_for_five_minutes(kraken):
    """Its token is good for one withdrawal of its method, while it is fresh."""
    for pause, second in ((0, "EGeneral:Invalid arguments:fee token"), (301, None)):
        quote = await beta(kraken, "GET", f"v1/fees/{BITCOIN.id}", amount="0.5", withdrawal_fee_token="true")
        kraken.clock.advance(pause)
        fee = {"quoted_fee": {"token": quote["token"]}}
        answers = [await withdraw(kraken, fee=fee) for _ in range(2)]
        assert ("withdrawal_id" in answers[0]) is (second is not None)
        assert answers[1] == {"error": ["EGeneral:Invalid arguments:fee token"]}
    bound = await withdraw(kraken, fee={"current_fee": {"max_fee": "0.00001"}})
    assert bound == {"error": ["EFunding:Max fee exceeded"]}


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"expected_address": "bc1qelse"}, "EFunding:Invalid withdrawal address"),
        ({"scope": {"method_id": METHODS[2].id}}, "EGeneral:Invalid arguments:scope"),
        ({"scope": {"network_id": METHODS[2].network_id}}, "EGeneral:Invalid arguments:scope"),
        ({"address_id": "none"}, "EGeneral:Invalid arguments:address_id"),
        ({"amount": {}}, "EGeneral:Invalid arguments:amount"),
    ],
)
async def test_a_withdrawal_that_does_not_fit_is_refused(kraken, more, code):
    """Each thing it names must be the saved address's."""
    assert await withdraw(kraken, **more) == {"error": [code]}


async def test_deposits_are_listed_and_filtered(kraken):
    """By asset, scope, status and time, page by page."""
    for _ in range(3):
        await kraken.http.post("/sandbox/deposits", json={"account": "alice", "asset": "XBT", "amount": "0.5"})
        kraken.clock.advance(1000)
    first = await beta(kraken, "GET", "v1/deposits", limit=2, **{"asset[name]": "XBT"})
    second = await beta(kraken, "GET", "v1/deposits", cursor=first["next_cursor"])
    assert [len(page["deposits"]) for page in (first, second)] == [2, 1]
    pending = await beta(kraken, "GET", "v1/deposits", **{"status[list][0]": "pending"})
    assert [row["status"] for row in pending["deposits"]] == ["pending"]
    newest = first["deposits"][0]["created_at"]
    assert len((await beta(kraken, "GET", "v1/deposits", start_time=newest))["deposits"]) == 1
    other = await beta(kraken, "GET", "v1/deposits", **{"scope[method_id]": METHODS[2].id})
    assert other == {"deposits": [], "next_cursor": None}


async def test_addresses_are_claimed(kraken):
    """One more each time, until there are too many; the older call lists them as well."""
    claimed = (await beta(kraken, "PUT", f"v1/deposit/address/{BITCOIN.id}", {}))["address"]["address"]
    listed = (await beta(kraken, "GET", "v2/deposit/addresses", method_id=BITCOIN.id))["addresses"]
    older = await kraken.result("DepositAddresses", asset="XBT", method="Bitcoin")
    assert [row["address"] for row in older] == [row["address"] for row in listed]
    assert listed[0]["address"] == claimed


async def test_limits_and_methods_tell_what_is_possible(kraken):
    """What is left, in the asset and in a preferred one."""
    path = "v1/limits/withdrawal/currency/XBT"
    limits = (await beta(kraken, "GET", path, **{"preferred_asset[name]": "USD"}))["limits"]
    assert (limits[0]["remaining"], limits[0]["equivalent"]["asset"]["name"]) == ("3.5000000000", "USD")
    deposit = (await beta(kraken, "GET", "v1/limits/deposit/currency/XBT"))["limits"]
    assert [row["remaining"] for row in deposit] == [None, "0.1000000000"]
    unpriced = await beta(kraken, "GET", path, **{"preferred_asset[name]": "DOT"})
    assert unpriced == {"error": ["EGeneral:Invalid arguments:preferred_asset"]}
    assert await beta(kraken, "GET", "v1/fees/none", amount="1") == {"error": ["EFunding:No funding method"]}
    methods = (await beta(kraken, "GET", "v1/methods/withdraw", **{"asset[name]": "XBT"}))["methods"]
    assert [row["name"] for row in methods] == ["Bitcoin", "Bitcoin Lightning"]
    page = await beta(kraken, "GET", "v1/methods/deposit", limit=5)
    assert (len(page["methods"]), bool(page["next_cursor"])) == (5, True)
    assert {"class": "currency", "name": "XBT"} in (await beta(kraken, "GET", "v1/assets/deposit"))["assets"]


async def test_a_master_acts_for_its_subaccounts(kraken):
    """By their public id; nobody acts for a stranger."""
    await kraken.result("CreateSubaccount", username="savings", email="a@example.com")
    there = public_id(kraken.sandbox.accounts["savings"])
    own = await beta(kraken, "GET", "v2/deposit/addresses", account_id=there)
    assert own["addresses"] != (await beta(kraken, "GET", "v2/deposit/addresses"))["addresses"]
    stranger = await beta(kraken, "GET", "v1/addresses", account_id=public_id(kraken.sandbox.accounts["bob"]))
    assert stranger == {"error": ["EGeneral:Permission denied"]}


async def test_a_change_needs_its_permission(kraken):
    """A key that may only look saves no address."""
    kraken.sandbox.keys["alice"].permissions = frozenset({"query-funds"})
    assert await beta(kraken, "POST", "v1/addresses", {}) == {"error": ["EGeneral:Permission denied"]}
