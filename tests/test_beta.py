"""Funding Beta end to end: the client's errors are the sandbox's refusals, whatever form they travel in."""

import pytest

from krakenasync.errors import FundingRefused, InsufficientFunds, InvalidArguments, PermissionDenied
from krakenasync.sandbox import SandboxConfig
from krakenasync.sandbox.funding import METHODS
from krakenasync.sandbox.subaccounts import public_id
from krakenasync.spot.beta import Scope
from krakenasync.testing import in_process, run

BITCOIN = Scope(method_id=METHODS[0].id)


def btc(amount):
    return {"asset_amount": {"asset": {"class": "currency", "name": "BTC"}, "amount": amount}}


def test_refusals_are_the_errors_they_mean():
    """A problem with an HTTP error status is as good as the envelope's string."""

    async def main(clock):
        served = in_process(SandboxConfig(tier="pro"), clock=clock)
        async with served.client() as kraken:
            (saved,) = (await kraken.funding_beta_addresses_list(scope=BITCOIN)).addresses
            there = {"scope": BITCOIN, "address_id": saved.address_id}
            with pytest.raises(InsufficientFunds) as caught:
                await kraken.funding_beta_withdrawals_create(**there, amount=btc("90"))
            assert (caught.value.codes, caught.value.effect) == (("EFunding:Insufficient funds",), "none")
            with pytest.raises(InvalidArguments, match="amount"):
                await kraken.funding_beta_withdrawals_create(**there, amount=btc("-1"))
            for _ in range(4):
                await kraken.funding_beta_deposit_address_claim(method_id=METHODS[0].id)
            with pytest.raises(FundingRefused, match="Too many addresses"):
                await kraken.funding_beta_deposit_address_claim(method_id=METHODS[0].id)
            served.sandbox.keys["alice"].permissions = frozenset({"query-funds"})
            with pytest.raises(PermissionDenied):
                await kraken.funding_beta_addresses_delete(id=saved.address_id)

    run(main)


def test_a_stale_nonce_is_made_anew():
    """Another program has used a slightly higher nonce: the problem says so, and the client goes on above it."""

    async def main(clock):
        served = in_process(SandboxConfig(tier="pro"), clock=clock)
        async with served.client() as kraken:
            await kraken.funding_beta_networks()
            key = served.sandbox.keys["alice"]
            key.accept_nonce(key.last_nonce + 1)
            assert (await kraken.funding_beta_networks()).networks
            refused = served.stats.refused
            assert refused["FundingBeta/Networks", "EAPI:Invalid nonce"] == 1

    run(main)


def test_a_call_for_a_subaccount():
    """With a body or without one, the account is named and heard."""

    async def main(clock):
        served = in_process(SandboxConfig(tier="pro"), clock=clock)
        async with served.client() as kraken:
            await kraken.create_subaccount(username="savings", email="a@example.com")
            there = public_id(served.sandbox.accounts["savings"])
            claimed = await kraken.funding_beta_deposit_address_claim(method_id=METHODS[0].id, account_id=there)
            theirs = await kraken.funding_beta_deposit_addresses(scope=BITCOIN, account_id=there)
            own = await kraken.funding_beta_deposit_addresses(scope=BITCOIN)
            assert claimed.address_details in [known.address_details for known in theirs.addresses]
            assert claimed.address_details not in [known.address_details for known in own.addresses]

    run(main)


def test_a_raw_call():
    """By Kraken's name, a call gives the answer as it came, or the same error."""

    async def main(clock):
        served = in_process(SandboxConfig(tier="pro"), clock=clock)
        async with served.client() as kraken:
            asked = {"direction": "withdraw", "asset": {"class": "currency", "name": "BTC"}, "limit": 1}
            page = await kraken.private("FundingBeta/Methods", **asked)
            assert [method["method_id"] for method in page["methods"]] == [METHODS[0].id]
            with pytest.raises(InvalidArguments, match="class"):
                await kraken.private("FundingBeta/Methods", direction="withdraw", asset={"name": "BTC"})
            with pytest.raises(FundingRefused):
                await kraken.private("FundingBeta/Fees", method_id="none", amount="1")

    run(main)
