"""Funding Beta: addresses.

The samples are the examples of https://docs.kraken.com/openapi/spot-rest.yaml, version 1.1.0. Renaming and deleting
have none there, and follow the schemas.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from krakenasync.errors import InvalidArguments
from krakenasync.spot.beta import Scope
from krakenasync.spot.beta_addresses import (
    CreateAddress,
    DeleteAddress,
    DepositAddressClaim,
    DepositAddressesBeta,
    ListAddresses,
    UpdateAddress,
)

DETAILS = {"crypto": {"address": "0xBef7B36845cA31045E86D0B46DBCac4e6752..."}}
WALLET = {"scope": {"network_id": "n"}, "address_details": DETAILS, "name": "Personal Wallet"}


def test_saved_addresses_of_kraken_s_example(sample):
    """One of each scope; name and description may be missing."""
    page = sample(ListAddresses)
    first, second, third = page.addresses

    assert [each.address_id for each in page.addresses] == [
        "AB7J4FF-BGM7G-V2JMIH",
        "ABSXEMA-3FXQS-T7Q2FG",
        "ABR6SXP-SF6CY-VJMONY",
    ]
    assert first.scope.network_id == "d9d375da-44b7-4be1-8a00-8b281acfe366"
    assert second.scope.method_id == "67b765fd-4efd-42dc-8ce7-63352971d566"
    assert third.scope.network_group_id == "f95acdb7-48fb-4441-b5b4-843d3bf60e61"
    assert first.address_details.crypto.address == DETAILS["crypto"]["address"]
    assert (first.name, first.description) == ("Personal Wallet", "My Ethereum hardware wallet address")
    assert (third.name, third.description, third.verified, page.next_cursor) == (None, None, True, None)


def test_what_changes_of_addresses_tell(sample):
    """Saving tells the id, saving and renaming whether money can be sent there, deleting that it was done."""
    saved = sample(CreateAddress)

    assert (saved.address_id, saved.verified) == ("AB7J4FF-BGM7G-V2JMIH", True)
    assert sample(UpdateAddress).verified is True
    assert sample(DeleteAddress).result is True


def test_deposit_addresses_of_kraken_s_example(sample):
    """An address that is shared names the method it is stored against; the one that is claimed stands alone."""
    (known,) = sample(DepositAddressesBeta).addresses
    claimed = sample(DepositAddressClaim)

    assert known.method_id == "27ede8db-804b-4d91-8e25-46b7b9668730"
    assert known.shares_addresses_with_method_id == "a001231f-488e-48c0-b36c-6e0d2c1ee247"
    assert known.address_details.crypto.address == "0x0d5cff23d40bcc6b98537c7ad5a839a247f546..."
    assert (known.id, known.last_used, known.expire_time) == (None, None, None)
    assert claimed.address_details.crypto.address == "AikyzpZZcNAeovd6XnyEaEe6YB1tPKkXZF37rUWD..."


def test_an_address_with_all_there_may_be(answer):
    """Tag, memo and beneficiary of a coin's, the fields of a bank's, the times of one that was used."""
    crypto = {"address": "r1", "tag": "7", "memo": "8", "beneficiary": {"recipient": "sender", "typ": "individual"}}
    times = {"last_used": "2026-07-01T08:31:33Z", "expire_time": "2026-07-08T08:31:33Z"}
    rows = [
        {"method_id": "m", "id": "i", "address_details": {"crypto": crypto}, **times},
        {"method_id": "m", "address_details": {"fiat": {"iban": "DE02", "bic": "X", "beneficiary": {"name": "A"}}}},
    ]
    coin, bank = answer(DepositAddressesBeta, {"addresses": rows, "next_cursor": "c2"}).addresses

    assert (coin.address_details.crypto.tag, coin.address_details.crypto.memo) == ("7", "8")
    assert coin.address_details.crypto.beneficiary == crypto["beneficiary"]
    assert (coin.id, coin.last_used) == ("i", datetime(2026, 7, 1, 8, 31, 33, tzinfo=UTC))
    assert coin.expire_time == datetime(2026, 7, 8, 8, 31, 33, tzinfo=UTC)
    assert bank.address_details.fiat == {"iban": "DE02", "bic": "X", "beneficiary": {"name": "A"}}


def test_a_third_party_s_address(answer):
    """It says so."""
    (saved,) = answer(ListAddresses, {"addresses": [{"address_id": "a", "modifier": "third_party"}]}).addresses

    assert (saved.modifier, saved.verified) == ("third_party", False)


REST = {name: value for name, value in WALLET.items() if name != "name"}


@pytest.mark.parametrize("given", [WALLET, {"body": WALLET}, {"name": "Personal Wallet", "body": REST}])
def test_saving_takes_parameters_by_name_or_in_a_body(given):
    """They arrive the same either way; the account stands beside them."""
    assert CreateAddress(**given, account_id="A1").params() == {"account_id": "A1", **WALLET}


@pytest.mark.parametrize("name", WALLET)
def test_saving_needs_scope_details_and_name(name):
    """Each of them, wherever the others stand."""
    rest = {key: value for key, value in WALLET.items() if key != name}
    with pytest.raises(InvalidArguments, match=name):
        CreateAddress(**rest).params()
    with pytest.raises(InvalidArguments, match=name):
        CreateAddress(body=rest).params()


def test_nothing_is_given_twice():
    """Of two names neither is dropped in silence."""
    with pytest.raises(InvalidArguments, match="name is given"):
        UpdateAddress(id="a", name="n", body={"name": "m"}).params()


def test_renaming():
    """Name and description, by name or in a body."""
    expected = {"id": "a", "name": "n", "description": "d"}
    assert UpdateAddress(id="a", name="n", description="d").params() == expected
    assert UpdateAddress(id="a", body={"name": "n", "description": "d"}).params() == expected


def test_deposit_addresses_are_filtered_by_method_or_network():
    """They belong to methods: a group of networks has none."""
    assert DepositAddressesBeta(scope=Scope(network_id="n")).params() == {"scope": {"network_id": "n"}}
    with pytest.raises(InvalidArguments, match="network_group_id"):
        DepositAddressesBeta(scope=Scope(network_group_id="g")).params()
    with pytest.raises(InvalidArguments, match="scope"):
        DepositAddressesBeta(scope=Scope(network_id="n"), cursor="c2").params()
