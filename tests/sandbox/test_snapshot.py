"""Writing a sandbox down and making it again: it goes on as if nothing had been."""

import contextlib
import json
import random
from collections import deque
from decimal import Decimal

import pytest

from krakenasync.errors import ConfigurationError
from krakenasync.sandbox import Sandbox, SandboxConfig
from krakenasync.sandbox.snapshot import dump, load

CALLS = [
    ("AddOrder", {"type": "buy", "ordertype": "market", "volume": "0.7"}),
    ("AddOrder", {"type": "buy", "ordertype": "limit", "volume": "0.2", "price": "-0.02%", "cl_ord_id": "mine"}),
    ("AddOrder", {"type": "sell", "ordertype": "trailing-stop", "volume": "0.1", "price": "+0.1%"}),
    ("AddOrder", {"type": "sell", "ordertype": "iceberg", "volume": "1.5", "displayvol": "0.1", "price": "+0.01%"}),
    (
        "AddOrder",
        {
            "type": "buy",
            "ordertype": "limit",
            "volume": "0.1",
            "price": "-1%",
            "timeinforce": "GTD",
            "expiretm": "+900",
        },
    ),
    ("CancelAllOrdersAfter", {"timeout": "5000"}),
    ("AmendOrder", {"cl_ord_id": "mine", "order_qty": "0.15"}),
    ("OpenOrders", {"trades": "true"}),
    ("ClosedOrders", {"trades": "true"}),
    ("BalanceEx", {}),
    ("Level3", {"depth": "10"}),
    ("TradesHistory", {}),
    ("Ledgers", {}),
]


async def carry_on(kraken, times, seed):
    """Make calls at random, time passing between; returns the answers' bytes and all the public sees."""
    chance, answers = random.Random(seed), []
    for _ in range(times):
        name, params = chance.choice(CALLS)
        pair = {"pair": "XBTUSD"} if name in ("AddOrder", "Level3") else {}
        answers.append((await kraken.send(name, chance.choice(["alice", "bob"]), **pair, **params)).content)
        kraken.clock.advance(chance.choice([0, 1, 20, 400]))
    names = ("Ticker", "Depth", "Trades", "OHLC", "Spread")
    return answers + [(await kraken.http.get(f"/0/public/{name}?pair=XBTUSD")).content for name in names]


@pytest.mark.asyncio
@pytest.mark.parametrize("seed", range(4))
async def test_going_on_after_a_restore_is_the_same_as_not_stopping(open_caller, seed):
    """The same calls have the same answers to the byte, from one that went on and one that was restored."""
    kraken = open_caller(seed=seed, public_burst=10**6, tier="pro")
    await carry_on(kraken, 60, seed)
    data = kraken.sandbox.snapshot()
    then = kraken.clock.elapsed_ns, kraken.next_nonce()
    went_on = await carry_on(kraken, 60, seed + 100)
    other = open_caller()
    other.clock.elapsed_ns = then[0]
    other.sandbox = Sandbox.restore(data, other.clock)
    other.http._transport.app = other.sandbox.app
    for _ in range(int(then[1])):
        other.next_nonce()
    assert await carry_on(other, 60, seed + 100) == went_on
    assert any(b'"closed"' in answer for answer in went_on)


@pytest.mark.asyncio
async def test_a_snapshot_of_a_restored_sandbox_is_the_same_snapshot(open_caller):
    """Nothing is lost on the way there and back."""
    kraken = open_caller(limits=False)
    await carry_on(kraken, 40, 1)
    data = kraken.sandbox.snapshot()
    assert Sandbox.restore(data, kraken.clock).snapshot() == data


@pytest.mark.asyncio
async def test_time_that_passes_between_has_passed(open_caller):
    """A dead man's switch fires across the gap, and counters decay in it."""
    kraken = open_caller()
    await kraken.buy()
    await kraken.result("CancelAllOrdersAfter", timeout="60")
    level = kraken.sandbox.level("alice")
    data = kraken.sandbox.snapshot()
    kraken.clock.advance(61)
    sandbox = Sandbox.restore(data, kraken.clock)
    sandbox.exchange.settle()
    assert not sandbox.accounts["alice"].open
    assert sandbox.level("alice") <= level


def test_a_clock_that_starts_anew_does_not_turn_time_back():
    """In another process the steady clock starts elsewhere; the sandbox's own time goes on from where it was."""

    class Young:
        def monotonic(self):
            return 0.0

        def wall_ns(self):
            return 0

    old = Sandbox(SandboxConfig())
    data = old.snapshot()
    young = Sandbox.restore(data, Young())
    assert young.clock.monotonic() == pytest.approx(old.moment[0])
    assert young.clock.wall_ns() == old.moment[1]


class Holder:
    def __init__(self, **attributes):
        vars(self).update(attributes)


def test_containers_keep_what_they_are():
    """Decimals, shared and circular references, bounded queues and sources of chance come back as they were."""
    chance, shared = random.Random(3), ["shared"]
    chance.random()
    queue = deque([Decimal("1.10"), b"\x00"], maxlen=2)
    circle = {"self": None, (1, "key"): frozenset({2})}
    circle["self"] = circle
    data = dump(Holder(chance=chance, one=shared, two=shared, queue=queue, circle=circle), {})
    back = load(data, {}, None)
    assert back["one"] is back["two"]
    assert (back["queue"], back["queue"].maxlen) == (queue, 2)
    assert str(back["queue"][0]) == "1.10"
    assert back["circle"]["self"] is back["circle"]
    assert back["circle"][1, "key"] == {2}
    assert back["chance"].random() == chance.random()


def test_what_cannot_be_written_is_said():
    """A function made on the spot, and an object of somebody else's class, are named."""
    for strange in (lambda: None, Holder()):
        with pytest.raises(ConfigurationError, match="cannot be written"):
            dump(Holder(strange=strange), {})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'{"version": 1}',
        b'{"version": 2, "nodes": [], "root": null}',
        json.dumps({"version": 1, "nodes": [["name", "os:system"]], "root": {"@": 0}}).encode(),
        json.dumps(
            {"version": 1, "nodes": [["object", "krakenasync.sandbox.snapshot:importlib.abc", []]], "root": {"@": 0}}
        ).encode(),
        json.dumps(
            {"version": 1, "nodes": [["named", "krakenasync.sandbox.snapshot:dump", []]], "root": {"@": 0}}
        ).encode(),
    ],
)
def test_what_is_no_snapshot_is_refused(data):
    """Neither other files nor such as ask for what is not the package's own are read."""
    with pytest.raises(ConfigurationError):
        load(data, {}, None)


@pytest.mark.parametrize("seed", range(60))
def test_a_damaged_snapshot_is_refused_or_read(seed):
    """A byte that flipped, or a file that was cut, ends in no error but ours."""
    data, chance = bytearray(Sandbox(SandboxConfig()).snapshot()), random.Random(seed)
    if seed % 3:
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(7)
    else:
        del data[chance.randrange(len(data)) :]
    with contextlib.suppress(ConfigurationError):
        Sandbox.restore(bytes(data))
