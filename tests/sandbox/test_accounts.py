"""Accounts, keys, and the sandbox's own switches."""

from decimal import Decimal

import pytest

from krakenasync.errors import ConfigurationError
from krakenasync.protocol.tiers import Tier
from krakenasync.sandbox import ExtraKey, Sandbox, SandboxConfig
from krakenasync.sandbox.valuation import worth


def test_demo_keys_follow_the_seed():
    """The same seed gives the same keys, another one other keys, and no two are alike."""
    one, same, other = ([key.api_key for key in Sandbox(SandboxConfig(seed=seed)).keys.values()] for seed in (1, 1, 2))
    assert one == same
    assert len({*one, *other}) == len(one) + len(other)


def test_demo_accounts_differ():
    """Several accounts with different balances, each opened by the key of its name."""
    sandbox = Sandbox()
    balances = [dict(account.balances) for account in sandbox.accounts.values()]
    assert len(balances) >= 3
    assert all(balances.count(each) == 1 for each in balances)
    assert {label: key.account.name for label, key in sandbox.keys.items()} == {name: name for name in sandbox.accounts}


def test_accounts_and_keys_can_be_added():
    """A new account has its own tier and money; a second key shares its account."""
    sandbox = Sandbox()
    account = sandbox.open_account("zoe", {"ZUSD": "10"}, tier=Tier.PRO)
    key, second = sandbox.add_key("zoe"), sandbox.add_key("zoe", label="zoe-2")
    assert (key.account, second.account, key.label) == (account, account, "zoe")
    assert key.api_key != second.api_key
    assert account.tier is Tier.PRO


@pytest.mark.parametrize("again", [{"label": "alice"}, {"label": "new", "api_key": "taken"}])
def test_labels_and_keys_are_unique(again):
    """Neither a label nor a public key can be given twice, nor an account be opened twice."""
    sandbox = Sandbox()
    sandbox.add_key("bob", label="other", api_key="taken")
    with pytest.raises(ConfigurationError):
        sandbox.add_key("alice", **again)
    with pytest.raises(ConfigurationError):
        sandbox.open_account("alice", {})


def test_two_keys_of_ones_own_share_an_account():
    """Extra keys that name one account open the same money."""
    keys = (ExtraKey(api_key="a", api_secret="AAAA"), ExtraKey(api_key="b", api_secret="BBBB"))
    sandbox = Sandbox(SandboxConfig(keys=keys))
    assert len({id(key.account) for key in sandbox.keys.values() if key.account.name == "extra"}) == 1


def test_no_repr_shows_a_secret():
    """Keys, accounts, config and sandbox tell their state without their secrets."""
    sandbox = Sandbox(SandboxConfig(keys=(ExtraKey(api_key="a", api_secret="c2VjcmV0"),)))
    key = sandbox.keys["extra"]
    shown = " ".join(map(repr, (sandbox, sandbox.config, key, key.account)))
    assert "c2VjcmV0" not in shown
    assert "secret'" not in shown


@pytest.mark.parametrize("wrong", [{"tier": "gold"}, {"latency": -1}, {"public_burst": 0}])
def test_a_config_that_cannot_work_is_refused(wrong):
    """Unknown tiers and impossible numbers are said at once."""
    with pytest.raises(ConfigurationError):
        SandboxConfig(**wrong)


def test_a_tier_may_be_named():
    """A tier's name in any case is the tier."""
    assert SandboxConfig(tier="Pro").account_tier is Tier.PRO


@pytest.mark.asyncio
async def test_only_the_collateral_value_of_an_asset_can_be_traded_on(kraken):
    """Equity counts it in full; the trade balance as far as Assets says, without what rests in orders for new ones."""
    market, now = kraken.sandbox.market, kraken.clock.wall_ns()
    value = {"ZUSD": Decimal(1500)}
    for name, owned in (("USDT", "2200.5"), ("XETH", "1.25")):
        value[name] = Decimal(owned) * worth(market, name, now)
    assets = (await kraken.public("Assets", asset=",".join(value)))["result"]
    collateral = sum(value[name] * Decimal(str(assets[name]["collateral_value"])) for name in value)
    told = await kraken.result("TradeBalance", "dave")
    assert told["eb"] == f"{sum(value.values()):.4f}" != told["tb"]
    assert told["tb"] == told["e"] == told["mf"] == told["mfo"] == f"{collateral:.4f}"


@pytest.mark.asyncio
async def test_what_rests_in_orders_is_free_for_no_other(kraken):
    """It counts by its collateral value as well, so the rest is never below 0; an unlisted asset is no collateral."""
    kraken.sandbox.open_account("zoe", {"ADA": "10000", "FOO": "1"})
    kraken.sandbox.add_key("zoe")
    await kraken.result("AddOrder", "zoe", pair="ADAUSD", type="sell", ordertype="limit", volume="10000", price="0.9")
    told = await kraken.result("TradeBalance", "zoe")
    assert Decimal(told["eb"]) == Decimal(told["uv"]) > Decimal(told["tb"]) > 0
    assert told["mfo"] == "0.0000"
