"""Money as a property: whatever is done to it, none is made and none is lost, and every ledger adds up."""

import json
from collections import Counter
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from krakenasync.protocol.bodies import form
from krakenasync.sandbox import Sandbox, SandboxConfig
from krakenasync.sandbox.calls import Call
from krakenasync.sandbox.earn import STRATEGIES
from krakenasync.sandbox.funding import METHODS
from krakenasync.sandbox.gateway import Gateway
from krakenasync.sandbox.ledger import base_of
from krakenasync.sandbox.subaccounts import public_id
from krakenasync.spot.catalog import by_name
from krakenasync.testing import VirtualClock

OWNERS = ("alice", "bob", "carol")
ASSETS = ("XBT", "ETH", "SOL", "EUR", "DOT")
AMOUNTS = st.one_of(
    st.decimals("0.00000001", "5", places=8),
    st.decimals("1", "100000", places=4),
    st.sampled_from(["0", "-1", "1e-11"]),
).map(str)


class Bank:
    """A sandbox whose calls need no signature."""

    def __init__(self):
        self.clock = VirtualClock()
        self.sandbox = Sandbox(SandboxConfig(limits=False), self.clock)
        self.caller = "alice"
        self.gateway = Gateway(self.sandbox._gateway._world, self, self.clock, self.sandbox.stats)

    def identify(self, _call, _spec, _params):
        return self.sandbox.keys[self.caller]

    def call(self, caller, name, **params):
        """Call an endpoint as an account; returns what it answered, None if that was a refusal."""
        self.caller = caller
        spec = by_name(name).spec
        call = Call(spec.method, spec.path, "", {}, form(params).encode(), "", self.clock.wall_ns())
        return json.loads(self.gateway.answer(call).body).get("result")

    def sums(self):
        """Add every asset up over all places; what is bound in a strategy counts as what it is made of."""
        sums = Counter()
        for place in self.sandbox.treasury.ledger.places():
            for asset, amount in place.balances.items():
                sums[base_of(asset)] += amount
        return {asset: amount for asset, amount in sums.items() if amount}


def withdraw(bank, owner, asset, amount):
    keys = bank.call(owner, "WithdrawAddresses", asset=asset)
    bank.call(owner, "Withdraw", asset=asset, key=keys[0]["key"], amount=amount)


def cancel(bank, owner, asset, _amount):
    for row in bank.call(owner, "WithdrawStatus", asset=asset):
        bank.call(owner, "WithdrawCancel", asset=asset, refid=row["refid"])


def deposit(bank, owner, asset, amount):
    method = next(each for each in METHODS if each.asset.endswith(asset))
    if Decimal(amount) > method.minimum:
        treasury = bank.sandbox.treasury
        treasury.deposits.send(bank.sandbox.accounts[owner], method, Decimal(amount), bank.clock.wall_ns())


def to_futures(bank, owner, asset, amount):
    wallets = {"from": "Spot Wallet", "to": "Futures Wallet"}
    bank.call(owner, "WalletTransfer", asset=asset, amount=amount, **wallets)


def to_another(bank, owner, asset, amount):
    another = OWNERS[(OWNERS.index(owner) + 1) % len(OWNERS)]
    ids = [public_id(bank.sandbox.accounts[name]) for name in (owner, another)]
    bank.call(owner, "AccountTransfer", asset=asset, amount=amount, **dict(zip(("from", "to"), ids, strict=True)))


def strategy_of(asset):
    return next((each.id for each in STRATEGIES if each.asset.endswith(asset)), "none")


def allocate(bank, owner, asset, amount):
    bank.call(owner, "Earn/Allocate", strategy_id=strategy_of(asset), amount=amount)


def deallocate(bank, owner, asset, amount):
    bank.call(owner, "Earn/Deallocate", strategy_id=strategy_of(asset), amount=amount)


def buy(bank, owner, asset, amount):
    bank.call(owner, "AddOrder", pair=f"{asset}USD", type="buy", ordertype="market", volume=amount, oflags="fcib")


def sell(bank, owner, asset, amount):
    bank.call(owner, "AddOrder", pair=f"{asset}USD", type="sell", ordertype="limit", price="+0.01%", volume=amount)


STEPS = st.lists(
    st.tuples(
        st.sampled_from([withdraw, cancel, deposit, to_futures, to_another, allocate, deallocate, buy, sell]),
        st.sampled_from(OWNERS),
        st.sampled_from(ASSETS),
        AMOUNTS,
        st.sampled_from([0, 1, 40, 3600, 6 * 86_400]),
    ),
    max_size=25,
)


@settings(max_examples=60)
@given(STEPS)
def test_money_is_neither_made_nor_lost(steps):
    """Over accounts, fees, house, futures wallets and the world outside each asset's sum never changes."""
    bank = Bank()
    before = bank.sums()
    for step, owner, asset, amount, pause in steps:
        step(bank, owner, asset, amount)
        bank.clock.advance(pause)
        assert bank.sums() == before
    bank.clock.advance(60 * 86_400)
    bank.call("alice", "Balance")
    assert bank.sums() == before
    check_accounts(bank)


def check_accounts(bank):
    """No account owes anything, and the lines of its ledger lead from nothing to what it has."""
    ledger = bank.sandbox.treasury.ledger
    for name in OWNERS:
        account = bank.sandbox.accounts[name]
        assert all(amount >= 0 for amount in account.balances.values())
        for line, older in zip_older(ledger.lines(account)):
            assert line.balance == older + line.amount - line.fee
            assert line.balance >= 0


def test_a_snapshot_keeps_it_all():
    """What is on its way goes on from a snapshot as if nothing had been: the same answers, the same money."""
    bank = Bank()
    for step in (deposit, withdraw, allocate, to_futures, to_another, buy):
        step(bank, "alice", "ETH", "1.5")
        bank.clock.advance(40)
    deallocate(bank, "alice", "ETH", "1")
    bank.call("alice", "CreateSubaccount", username="savings", email="a@example.com")
    bank.call("alice", "AddExport", report="ledgers", description="all")
    other = Bank()
    other.sandbox, other.clock = Sandbox.restore(bank.sandbox.snapshot(), bank.clock), bank.clock
    other.gateway = Gateway(other.sandbox._gateway._world, other, bank.clock, other.sandbox.stats)
    for _ in range(3):
        for name in ("Ledgers", "DepositStatus", "WithdrawStatus", "Earn/Allocations", "TradeVolume", "Balance"):
            assert other.call("alice", name) == bank.call("alice", name) is not None
        assert other.call("alice", "ExportStatus", report="ledgers") == bank.call(
            "alice", "ExportStatus", report="ledgers"
        )
        assert other.sums() == bank.sums()
        bank.clock.advance(5 * 86_400)
    for each in (bank, other):
        cancel(each, "alice", "ETH", "")
        withdraw(each, "alice", "ETH", "2")
    assert other.call("alice", "WithdrawStatus") == bank.call("alice", "WithdrawStatus")


def zip_older(lines):
    """Yield each line, newest first, with the balance its asset had before it."""
    for place, line in enumerate(lines):
        older = next((each.balance for each in lines[place + 1 :] if each.asset == line.asset), None)
        if older is not None:
            yield line, older
