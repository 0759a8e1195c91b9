"""Several accounts, each with one or more keys, in one process."""

import base64
import pickle
from collections import Counter
from decimal import Decimal

import anyio
import httpx
import pytest

from krakenasync import (
    Account,
    ConfigurationError,
    Fleet,
    InvalidKey,
    InvalidType,
    Key,
    KrakenClient,
    Tier,
    Unanswered,
)
from krakenasync.client.transport import Transport
from krakenasync.sandbox import SandboxConfig
from krakenasync.testing import in_process, run

SECRET = base64.b64encode(b"a private half").decode()
ORDER = {"type": "buy", "ordertype": "limit", "volume": Decimal("0.01"), "price": "30000"}
URL = "http://kraken.test"


class Keyed:
    """One naive exchange per API key, behind one address; it notes which key asked for what."""

    def __init__(self, naive, clock, *keys, **rules):
        self.clock = clock
        self.exchanges = {key: naive(clock, seed=number, **rules) for number, key in enumerate((*keys, ""))}
        self.calls = []

    async def __call__(self, request):
        key = request.headers.get("API-Key", "")
        self.calls.append((key, request.url.path.rpartition("/")[2]))
        return await self.exchanges[key](request)

    def __getitem__(self, key):
        return self.exchanges[key]

    def fleet(self, *accounts, **settings):
        pool = httpx.AsyncClient(transport=httpx.MockTransport(self))
        return Fleet(accounts, base_url=URL, http_client=pool, clock=self.clock, **settings)

    def keys_of(self, endpoint):
        return [key for key, name in self.calls if name == endpoint]


def key(name, **settings):
    return Key(name, SECRET, **settings)


@pytest.mark.parametrize("name", ["clock", "http_client", "hooks", "limits", "retry"])
def test_a_setting_of_another_kind_is_refused_for_all_accounts(name):
    """When the fleet is made, as for a client."""
    with pytest.raises(ConfigurationError, match=name):
        Fleet([Account("alice", key("a"))], **{name: 5})
    with pytest.raises(ConfigurationError, match="otp must be a non-empty text"):
        key("a", otp=5)


def test_bad_input_says_what_to_do():
    """No account, a label or a key given twice, no key, an empty label, a wrong tier: refused at once, each by name."""
    alice = Account("alice", key("a"))
    for wrong, words in (
        (lambda: Fleet([]), "without accounts"),
        (lambda: Fleet([alice, Account("alice", key("b"))]), "two accounts are called 'alice'"),
        (lambda: Fleet([alice, Account("bob", key(" a "))]), "key of 'bob' is given twice, first to 'alice'"),
        (lambda: Fleet([Account("bob", key("b"), key("b"))]), "key of 'bob' is given twice"),
        (lambda: Account("alice"), "has no key"),
        (lambda: Account("", key("a")), "label=''"),
        (lambda: Account("alice", key("a"), tier="best"), "best"),
        (lambda: key(""), "empty"),
    ):
        with pytest.raises(ConfigurationError, match=words):
            wrong()
    with pytest.raises(InvalidType, match="takes accounts, not str"):
        Fleet(["alice"])
    with pytest.raises(InvalidType, match="is a tuple, not a Key"):
        Account("alice", ("a", SECRET))


def test_secrets_are_not_seen(naive_kraken):
    """No repr tells either half of a key, and a key is not pickled."""

    async def main(clock):
        fleet = Keyed(naive_kraken, clock, "public-half").fleet(account := Account("alice", one := key("public-half")))
        for thing in (one, account, fleet, fleet["alice"], fleet.snapshot()):
            assert "public-half" not in repr(thing)
            assert SECRET not in repr(thing)
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(one)

    run(main)


def test_it_is_a_mapping_of_clients(naive_kraken):
    """Every account is a whole client under its label, with its own tier; an unknown label is a KeyError."""

    async def main(clock):
        exchange = Keyed(naive_kraken, clock, "a", "b")
        async with exchange.fleet(Account("alice", key("a")), Account("bob", key("b"), tier="pro")) as fleet:
            assert list(fleet) == ["alice", "bob"]
            assert len(fleet) == 2
            assert [fleet[label].tier for label in fleet] == [Tier.STARTER, Tier.PRO]
            assert isinstance(fleet["bob"], KrakenClient)
            assert list(await fleet["bob"].balance()) == list(await fleet["alice"].private("Balance"))
            with pytest.raises(KeyError, match="carol"):
                fleet["carol"]
            assert exchange.keys_of("Balance") == ["b", "a"]

    run(main)


def test_reads_take_the_key_with_the_most_budget_left(naive_kraken):
    """Reads are spread over an account's keys, also those that wait, and twice the allowance is there to use."""

    async def main(clock):
        exchange = Keyed(naive_kraken, clock, "a", "b")
        fleet = exchange.fleet(Account("alice", key("a"), key("b")))
        async with anyio.create_task_group() as tasks:
            for _ in range(40):
                tasks.start_soon(fleet["alice"].balance)
        assert Counter(exchange.keys_of("Balance")) == {"a": 20, "b": 20}
        assert clock.monotonic() == pytest.approx(5 / 0.33, abs=2.5)
        assert not exchange["a"].refused
        assert not exchange["b"].refused

    run(main)


def test_a_dear_read_counts_for_what_it_costs(naive_kraken):
    """After a history call the other key has more left, and is asked until they are even."""

    async def main(clock):
        exchange = Keyed(naive_kraken, clock, "a", "b")
        alice = exchange.fleet(Account("alice", key("a"), key("b")))["alice"]
        await alice.closed_orders()
        for _ in range(3):
            await alice.with_options(lane="background").balance()
        assert [name for name, _ in exchange.calls] == ["a", "b", "b", "b"]

    run(main)


def test_orders_of_a_pair_stay_on_one_key(naive_kraken):
    """One key places, and cancels by id, all orders of a pair, whatever the pair is called; pairs are spread."""

    async def main(clock):
        exchange = Keyed(naive_kraken, clock, "a", "b", "c", tier="pro")
        alice = exchange.fleet(Account("alice", key("a"), key("b"), key("c"), tier="pro"))["alice"]
        taken = {}
        for number, pair in enumerate(("XBTUSD", "XBT/USD", "ETHUSD", "SOLUSD", "ADAUSD", "XRPUSD", "DOTUSD")):
            txid = f"OAAAAA-BBBBB-{number:06}"
            result = {"descr": {"order": "buy"}, "txid": [txid]}
            for one in exchange.exchanges.values():
                one.script = [("AddOrder", httpx.Response(200, json={"error": [], "result": result}))]
            placed = await alice.add_order(pair=pair, **ORDER)
            await alice.cancel_order(txid=placed.txid[0])
            taken[pair] = exchange.keys_of("AddOrder")[-1]
            assert exchange.keys_of("CancelOrder")[-1] == taken[pair]
        assert taken["XBTUSD"] == taken["XBT/USD"]
        assert set(taken.values()) == {"a", "b", "c"}
        # Known beforehand, so that it is the same in the next process.
        assert {pair: taken[pair] for pair in ("XBTUSD", "ETHUSD", "SOLUSD")} == PLACES

    run(main)


PLACES = {"XBTUSD": "a", "ETHUSD": "b", "SOLUSD": "c"}


def test_an_order_nobody_knows_is_cancelled_by_the_first_key(naive_kraken):
    """A change to orders of no known pair, or of several, takes the account's first key that may."""

    async def main(clock):
        exchange = Keyed(naive_kraken, clock, "r", "a", "b")
        alice = exchange.fleet(Account("alice", key("r", reads_only=True), key("a"), key("b")))["alice"]
        await alice.cancel_order(txid="OAAAAA-BBBBB-CCCCCC")
        await alice.withdraw(asset="XBT", key="mine", amount="1")
        assert [name for name, _ in exchange.calls] == ["a", "a"]

    run(main)


def test_a_key_for_reading_is_never_written_with(naive_kraken):
    """With only such keys a write is refused before anything is sent; reads go."""

    async def main(clock):
        exchange = Keyed(naive_kraken, clock, "r")
        alice = exchange.fleet(Account("alice", key("r", reads_only=True)))["alice"]
        with pytest.raises(ConfigurationError, match="'alice' has only keys for reading"):
            await alice.add_order(pair="XBTUSD", **ORDER)
        await alice.balance()
        assert exchange.calls == [("r", "Balance")]

    run(main)


def test_a_key_that_kraken_refuses_does_not_draw_the_reads(naive_kraken):
    """Once a key was refused three times in a row, the account's other key answers."""

    async def main(clock):
        exchange = Keyed(naive_kraken, clock, "bad", "good", tier="pro")
        exchange["bad"].counted = False
        exchange["bad"].script = [("Balance", "EAPI:Invalid key")] * 100
        alice = exchange.fleet(Account("alice", key("bad"), key("good"), tier="pro"))["alice"]
        failed = 0
        for _ in range(20):
            try:
                await alice.balance()
            except InvalidKey:
                failed += 1
        assert failed == exchange.keys_of("Balance").count("bad") == 3

    run(main)


def test_the_public_counter_and_what_is_public_are_shared(naive_kraken, enveloped):
    """Kraken's clock is read once for all accounts, and all wait for one public counter."""

    async def main(clock):
        exchange = Keyed(naive_kraken, clock, "a", "b")
        fleet = exchange.fleet(Account("alice", key("a")), Account("bob", key("b")))
        for client in fleet.values():
            await client.place_order(pair="XBTUSD", **ORDER)
        assert len(exchange.keys_of("Time")) == 1
        async with anyio.create_task_group() as tasks:
            for _ in range(20):
                for client in fleet.values():
                    tasks.start_soon(client.system_status)
        publics = {id(client.limits._bucket("public")) for client in fleet.values()}
        assert len(publics) == 1
        assert clock.monotonic() > 20

    run(main)


def test_the_keys_of_an_account_share_its_engine_counters(naive_kraken):
    """What is charged for a pair is charged to the account; accounts do not share it, nor do keys the REST counter."""

    async def main(clock):
        exchange = Keyed(naive_kraken, clock, "a", "b", "c")
        fleet = exchange.fleet(Account("alice", key("a"), key("b")), Account("bob", key("c")))
        alice, bob = fleet["alice"], fleet["bob"]
        await alice.add_order(pair="XBTUSD", **ORDER)
        await alice.balance()
        rooms = [road.limits.time_until(60, "XBTUSD") for road in alice._roads]
        assert rooms[0] == rooms[1] > 0
        assert bob.limits.time_until(60, "XBTUSD") == 0
        counters = fleet.snapshot()
        assert {label: len(keys) for label, keys in counters.items()} == {"alice": 2, "bob": 1}
        used = [one.rest.level + one.rest.held for one in counters["alice"].values()]
        assert sorted(used) == pytest.approx([0, 1])
        assert set(counters["bob"]) == {key("c").key_id}

    run(main)


def test_closing_an_account_leaves_the_others_open(naive_kraken):
    """The connections are the fleet's: an account's block ends without closing them, the fleet's closes them."""

    async def main(clock):
        exchange = Keyed(naive_kraken, clock, "a", "b")
        async with exchange.fleet(Account("alice", key("a")), Account("bob", key("b"))) as fleet:
            async with fleet["alice"] as alice:
                await alice.balance()
            await fleet["bob"].balance()
        with pytest.raises(ConfigurationError, match="closed"):
            await fleet["bob"].balance()

    run(main)


def test_a_shared_transport_stays_the_givers_to_close(naive_kraken):
    """A client that was handed a transport goes its way, and does not close it."""

    async def main(clock):
        pool = httpx.AsyncClient(transport=httpx.MockTransport(naive_kraken(clock)))
        way = Transport(URL, http_client=pool)
        for name in ("a", "b"):
            async with KrakenClient(name, SECRET, transport=way, clock=clock) as kraken:
                assert await kraken.balance()

    run(main)


def test_one_failing_account_never_holds_the_others_up(naive_kraken):
    """While one account hangs and another is refused, a third is polled at every beat."""

    async def main(clock):
        exchange = Keyed(naive_kraken, clock, "a", "b", "c", tier="pro")
        exchange["b"].jitter = 1000.0
        exchange["c"].script = [("Balance", "EAPI:Invalid key")]
        fleet = exchange.fleet(*(Account(name, key(name), tier="pro") for name in "abc"), timeout=5.0, max_attempts=1)
        seen = {name: [] for name in fleet}
        async with fleet.poll_balances(every=2.0) as snapshots:
            async for snapshot in snapshots:
                seen[snapshot.account].append(snapshot)
                if len(seen["a"]) == 10:
                    break
        assert clock.monotonic() == pytest.approx(18.0)
        assert [snapshot.error for snapshot in seen["a"]] == [None] * 10
        assert [type(snapshot.error) for snapshot in seen["b"]] == [Unanswered] * len(seen["b"])
        assert len(seen["b"]) >= 3
        assert [type(snapshot.error) for snapshot in seen["c"]] == [InvalidKey]

    run(main)


def test_fifty_accounts_are_polled_without_a_refusal():
    """Fifty accounts polled for two minutes: every beat is answered, what changed is told, no call is refused."""

    async def main(clock):
        exchange = in_process(SandboxConfig(tier="pro", latency=0.05, step=2.0), clock=clock)
        accounts = []
        for number in range(50):
            name = f"trader-{number}"
            exchange.sandbox.open_account(name, {"ZUSD": "100"})
            opened = exchange.sandbox.add_key(name)
            accounts.append(Account(name, Key(opened.api_key, opened.api_secret), tier="pro"))
        numbers, changed = Counter(), {}
        pool = httpx.AsyncClient(transport=httpx.ASGITransport(exchange.sandbox.app))
        async with Fleet(accounts, base_url=exchange.base_url, http_client=pool, clock=clock) as fleet:
            await fleet["trader-7"].add_order(pair="XBTUSD", type="buy", ordertype="market", volume="0.001")
            async with fleet.poll_balances(every=2.0) as snapshots:
                async for snapshot in snapshots:
                    assert snapshot.error is None
                    numbers[snapshot.account] = snapshot.number
                    if snapshot.changed:
                        changed[snapshot.account] = snapshot.changed
                    if snapshot.account == "trader-7" and snapshot.number == 2:
                        await fleet["trader-8"].add_order(pair="XBTUSD", type="buy", ordertype="market", volume="0.001")
                    if min(numbers[name] for name in fleet) == 60:
                        break
        assert clock.monotonic() == pytest.approx(118, abs=2)
        assert exchange.stats.refusals() == 0
        assert set(changed) == {"trader-8"}
        assert set(changed["trader-8"]) == {"XXBT", "ZUSD"}

    run(main)
