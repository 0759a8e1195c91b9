"""The limiter: nothing leaves before its counter has room, in fair order."""

import functools
import math
from decimal import Decimal

import anyio
import anyio.lowlevel
import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from krakenasync import (
    ConfigurationError,
    DomainLimitExceeded,
    EngineLimitExceeded,
    InvalidArguments,
    InvalidType,
    KrakenClient,
    LimitsConfig,
    RateLimitTimeout,
    UnknownOrder,
)
from krakenasync.client.gates import Gate
from krakenasync.client.queueing import Lane
from krakenasync.protocol.tiers import CounterSpec, Tier
from krakenasync.sandbox import SandboxConfig
from krakenasync.state.bucket import Bucket
from krakenasync.state.memory import MemoryState
from krakenasync.testing import in_process, run

PRO = Tier.PRO.rest


def costing(points):
    return lambda: float(points)


async def passes(gate, points=1, lane=Lane.NORMAL):
    """Go through a gate with an answer at once."""
    gate.bucket.settle(await gate.acquire(costing(points), lane))


def test_a_free_gate_lets_through_at_once():
    """Nobody waits while there is room."""

    async def main(clock):
        gate = Gate("rest", Bucket(PRO, clock))
        for _ in range(20):
            await passes(gate)
        assert clock.monotonic() == 0
        await passes(gate)
        assert clock.monotonic() == pytest.approx(1.0)

    run(main)


def test_first_come_first_served_whatever_the_costs():
    """Inside a lane a dear call is not overtaken by cheap ones."""

    async def main(clock):
        gate = Gate("rest", Bucket(PRO, clock, initial=20))
        served = []

        async def call(number, points):
            await passes(gate, points)
            served.append(number)

        async with anyio.create_task_group() as tasks:
            for number, points in enumerate([2, 1, 1, 4, 1, 2, 1]):
                tasks.start_soon(call, number, points)
                await anyio.lowlevel.checkpoint()
        assert served == list(range(7))
        assert clock.monotonic() == pytest.approx(12.0)

    run(main)


def test_a_dear_call_is_not_starved_by_cheap_traffic():
    """While four loops ask for one point each without pause, a call of four waits for its own turn only."""

    async def main(clock):
        gate = Gate("rest", Bucket(PRO, clock, initial=20))

        async def loop():
            while True:
                await passes(gate)

        async with anyio.create_task_group() as tasks:
            for _ in range(4):
                tasks.start_soon(loop)
            await anyio.sleep(0.5)
            began = clock.monotonic()
            await passes(gate, 4)
            assert clock.monotonic() - began <= 4 + 4 + 0.01  # those in line before it, and its own points
            tasks.cancel_scope.cancel()

    run(main)


def test_lanes_go_before_each_other():
    """An urgent call overtakes normal ones, and these overtake polls."""

    async def main(clock):
        gate = Gate("rest", Bucket(PRO, clock, initial=20))
        served = []

        async def call(lane):
            await passes(gate, 1, lane)
            served.append(lane)

        async with anyio.create_task_group() as tasks:
            for lane in (Lane.BACKGROUND, Lane.NORMAL, Lane.BACKGROUND, Lane.URGENT, Lane.NORMAL):
                tasks.start_soon(call, lane)
                await anyio.lowlevel.checkpoint()
            assert gate.queue.counts() == (1, 2, 2)
        assert served == sorted(served)

    run(main)


def test_a_thousand_cancelled_calls_cost_nothing():
    """After 1,000 calls were cancelled in line, the next one waits only for its own point."""

    async def main(clock):
        gate = Gate("rest", Bucket(PRO, clock, initial=20))
        with anyio.CancelScope() as gone:
            async with anyio.create_task_group() as tasks:
                for _ in range(1000):
                    tasks.start_soon(passes, gate)
                await anyio.sleep(0.5)
                gone.cancel()
        assert len(gate.queue) == 0
        assert gate.bucket.state().held == 0
        await passes(gate)
        assert clock.monotonic() == pytest.approx(1.0)

    run(main)


def test_a_cancelled_head_hands_over():
    """When the first in line gives up, the second takes its place and its time."""

    async def main(clock):
        gate = Gate("rest", Bucket(PRO, clock, initial=20))
        async with anyio.create_task_group() as tasks:
            with anyio.CancelScope() as dear:
                async with anyio.create_task_group() as inner:
                    inner.start_soon(passes, gate, 4)
                    await anyio.sleep(0.1)
                    tasks.start_soon(passes, gate, 1)
                    await anyio.sleep(0.1)
                    dear.cancel()
        assert clock.monotonic() == pytest.approx(1.0)

    run(main)


def test_a_wait_beyond_the_deadline_fails_at_once():
    """Who cannot be served in time is told so at once, with the seconds it would have taken."""

    async def main(clock):
        gate = Gate("rest", Bucket(PRO, clock, initial=20))
        with anyio.fail_after(3.0), pytest.raises(RateLimitTimeout) as caught:
            await passes(gate, 4)
        assert clock.monotonic() == 0
        assert caught.value.retry_after == pytest.approx(4.0)
        assert isinstance(caught.value, TimeoutError)
        assert caught.value.effect == "none"
        with anyio.fail_after(4.1):
            await passes(gate, 4)

    run(main)


def test_those_in_line_and_the_grace_count_towards_the_deadline():
    """The wait that is compared with the deadline holds the calls ahead, and points that do not decay yet."""

    async def main(clock):
        gate = Gate("rest", Bucket(PRO, clock))
        gate.bucket.keep(await gate.acquire(costing(20), Lane.NORMAL), 2.0)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(passes, gate, 4)
            await anyio.lowlevel.checkpoint()
            with anyio.fail_after(6.9), pytest.raises(RateLimitTimeout) as caught:
                await passes(gate, 1)
            assert clock.monotonic() == 0
            assert caught.value.retry_after == pytest.approx(2 + 4 + 1)

    run(main)


def test_a_refusal_meanwhile_fails_waits_that_became_too_long():
    """A call in line learns at once when a refusal has made its deadline impossible."""

    async def main(clock):
        gate = Gate("rest", Bucket(PRO, clock, initial=20))

        async def waits():
            with anyio.fail_after(5.0), pytest.raises(RateLimitTimeout):
                await passes(gate)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(waits)
            await anyio.sleep(0.5)
            gate.bucket.block(60.0)
            gate.queue.wake_head()
        assert clock.monotonic() == pytest.approx(0.5)

    run(main)


@pytest.mark.parametrize("same_key", [True, False])
def test_the_snapshot_shows_what_another_client_of_the_account_uses(same_key):
    """A pair's counter and who waits for it, before this client has made a call: they are the account's at Kraken."""

    async def main(clock):
        exchange, state = in_process(SandboxConfig(), clock=clock), MemoryState(clock)
        exchange.sandbox.add_key("alice", label="second")
        one = exchange.client("alice", account="desk", state=state)
        other = exchange.client("alice" if same_key else "second", account="desk", state=state)
        order = {"pair": "XBTUSD", "type": "buy", "ordertype": "market", "volume": "0.001"}
        async with one, other, anyio.create_task_group() as group:
            for _ in range(70):
                group.start_soon(functools.partial(one.add_order, **order))
            await anyio.sleep(1)
            seen = other.limits.snapshot()["engine:XBTUSD"]
            assert seen == one.limits.snapshot()["engine:XBTUSD"]
            group.cancel_scope.cancel()
        return seen

    seen = run(main)
    assert seen.level + seen.held > 50
    assert seen.waiting > 5


def test_the_snapshot_shows_every_counter(naive_kraken):
    """level, held, cap, decay, waiting and blocked_for of each counter; no event loop is needed to look."""
    states = []

    async def main(clock):
        kraken = naive_kraken(clock).client(tier="pro", limits=LimitsConfig(initial="full"))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(kraken.balance)
            tasks.start_soon(kraken.with_options(lane="background").balance)
            tasks.start_soon(kraken.server_time)
            await anyio.sleep(0.5)
            shown = kraken.limits.snapshot()
            assert shown.rest.waiting == 2
            assert shown.rest.waiting_by_lane == (0, 1, 1)
            assert shown.rest.level == pytest.approx(19.5)
            assert (shown.rest.cap, shown.rest.decay, shown.rest.blocked_for) == (20, 1, 0)
            assert shown.public.cap == 1
        states.append(kraken.limits)

    run(main)
    assert states[0].snapshot().rest.waiting == 0


def test_public_calls_have_counters_of_their_own(naive_kraken):
    """OHLC and Trades are charged per pair, however the pair is spelled; other public calls per address."""

    async def main(clock):
        kraken = naive_kraken(clock).client()
        for pair in ("XBTUSD", "ETHUSD"):
            await kraken.public("OHLC", pair=pair)
        await kraken.server_time()
        assert clock.monotonic() == 0
        await kraken.public("OHLC", pair="XXBTZUSD")
        assert clock.monotonic() == pytest.approx(1.0)
        assert {"public", "public:XBTUSD", "public:ETHUSD"} <= set(kraken.limits.snapshot())

    run(main)


def test_two_clients_of_a_key_share_its_counter(naive_kraken):
    """What one client has used up, the other one waits for."""

    async def main(clock):
        exchange, state = naive_kraken(clock, tier="pro"), MemoryState(clock)
        one, other = (exchange.client(tier="pro", state=state) for _ in range(2))
        for _ in range(10):
            await one.balance()
            await other.balance()
        assert clock.monotonic() < 1
        await other.balance()
        assert clock.monotonic() == pytest.approx(2.0)
        assert not exchange.refused

    run(main)


def test_clients_of_one_key_with_different_tiers_are_an_error(naive_kraken):
    """A key has one tier: the second client that says otherwise is told so before anything is sent."""

    async def main(clock):
        exchange, state = naive_kraken(clock), MemoryState(clock)
        await exchange.client(tier="starter", state=state).balance()
        with pytest.raises(ConfigurationError, match="same tier"):
            await exchange.client(tier="pro", state=state).balance()
        assert len(exchange.seen) == 1

    run(main)


@pytest.mark.parametrize(("initial", "seconds"), [("empty", 0), ("full", 2 + 2), (18, 2)])
def test_where_the_counter_starts(naive_kraken, initial, seconds):
    """A run begins with an empty counter, a full one, or as many points as are told."""

    async def main(clock):
        kraken = naive_kraken(clock, tier="pro").client(tier="pro", limits=LimitsConfig(initial=initial))
        for _ in range(3):
            await kraken.balance()
        assert clock.monotonic() == pytest.approx(seconds, abs=0.001)

    run(main)


def test_an_unknown_start_is_an_error(naive_kraken):
    """Where the counter starts is said by a known word or a number; else no client is made."""

    async def main(clock):
        with pytest.raises(ConfigurationError, match="empty, full"):
            naive_kraken(clock).client(limits=LimitsConfig(initial="half"))

    run(main)


def test_throttled_blocks_until_the_named_time(naive_kraken):
    """After ``EService: Throttled: <ts>`` nothing is sent before that unix time, then the call is made."""

    async def main(clock):
        exchange = naive_kraken(clock)
        until = clock.wall_ns() // 10**9 + 7
        exchange.script = [("Balance", f"EService: Throttled: {until}")]
        await exchange.client().balance()
        assert clock.monotonic() == pytest.approx(7.0, abs=0.01)
        assert len(exchange.seen) == 2

    run(main)


def test_http_429_counts_as_a_refusal(naive_kraken):
    """A 429 of the edge cools the counter down like Kraken's own words."""

    async def main(clock):
        exchange = naive_kraken(clock, tier="pro")
        exchange.script = [("Balance", httpx.Response(429, text="slow down"))]
        kraken = exchange.client(tier="pro")
        await kraken.balance()
        assert clock.monotonic() >= 5.0
        assert kraken.limits.snapshot().rest.refusals == 1

    run(main)


@pytest.mark.parametrize("refused_counts", [False, True])
@pytest.mark.parametrize("tier", ["starter", "pro"])
def test_a_foreign_program_on_the_key(naive_kraken, tier, refused_counts):
    """With the server one point below its cap at the start, 30 calls at once are answered and two refused at most."""

    async def main(clock):
        exchange = naive_kraken(clock, tier=tier, jitter=0.1, refused_counts=refused_counts)
        exchange.level = exchange.cap - 1
        kraken = exchange.client(tier=tier)
        async with anyio.create_task_group() as tasks:
            for _ in range(30):
                tasks.start_soon(kraken.balance)
        assert len(exchange.accepted_at) == 30
        assert len(exchange.refused) <= 2

    run(main)


def test_calls_in_line_for_the_lane_do_not_run_into_a_refusal(naive_kraken):
    """Once Kraken has refused one call, those that had points already wait with it instead of being refused too."""

    async def main(clock):
        exchange = naive_kraken(clock, tier="pro", level=20, jitter=0.05)
        kraken = exchange.client(tier="pro")
        async with anyio.create_task_group() as tasks:
            for _ in range(20):
                tasks.start_soon(kraken.balance)
            await anyio.sleep(1.0)
            assert len(exchange.refused) == 1
            assert kraken.limits.snapshot().rest.blocked_for > 3
        assert len(exchange.accepted_at) == 20

    run(main)


def test_an_order_refused_for_the_private_counter_waits_before_it_is_repeated(naive_kraken):
    """An order is on the engine's counter; refused for the other one, it is not sent again at once."""

    async def main(clock):
        exchange = naive_kraken(clock)
        exchange.script = [("AddOrder", "EAPI:Rate limit exceeded")] * 2
        kraken = exchange.client()
        await kraken.add_order(pair="XBTUSD", type="buy", ordertype="limit", volume="0.01", price="30000")
        assert len(exchange.seen) == 3
        assert clock.monotonic() >= 10.0

    run(main)


async def saturate(exchange, seconds=60.0, tasks=20, **settings):
    """Let tasks ask for the balance without pause; return the points used by then."""
    kraken = exchange.client(**settings)

    async def loop():
        while True:
            await kraken.balance()

    async with anyio.create_task_group() as group:
        for _ in range(tasks):
            group.start_soon(loop)
        await anyio.sleep(seconds)
        group.cancel_scope.cancel()
    return len(exchange.accepted_at)


@pytest.mark.parametrize("tier", ["starter", "intermediate", "pro"])
@pytest.mark.parametrize(("step", "share"), [(0, 0.97), (2, 0.92)])
@pytest.mark.parametrize("seed", range(10))
def test_the_allowance_is_used_and_never_passed(naive_kraken, tier, step, share, seed):
    """20 tasks for 60 s with 0 to 200 ms each way: no refusal, and nearly all of cap + pace * 60 is used."""

    async def main(clock):
        exchange = naive_kraken(clock, tier=tier, seed=seed, jitter=0.2, step=step, phase=seed / 5)
        used = await saturate(exchange, tier=tier)
        assert exchange.refused == []
        assert used >= share * (exchange.cap + exchange.pace * 60)

    run(main)


@given(
    seed=st.integers(0, 2**32),
    tier=st.sampled_from(["starter", "intermediate", "pro"]),
    jitter=st.sampled_from([0.0, 0.01, 0.2, 3.0]),
    step=st.sampled_from([0, 2]),
    phase=st.floats(0, 2),
)
@settings(max_examples=60)
def test_no_server_is_driven_above_its_cap(naive_kraken, seed, tier, jitter, step, phase):
    """Whatever the latencies, costs and the moment of the server's steps, it never has to refuse."""

    async def main(clock):
        exchange = naive_kraken(clock, tier=tier, seed=seed, jitter=jitter, step=step, phase=phase, window=10**9)
        kraken = exchange.client(tier=tier, nonce_window=10**9)

        async def loop(ask):
            while True:
                await ask()

        async with anyio.create_task_group() as tasks:
            for ask in (kraken.balance, kraken.balance, kraken.balance, kraken.closed_orders, kraken.open_orders):
                tasks.start_soon(loop, ask)
            await anyio.sleep(40.0)
            tasks.cancel_scope.cancel()
        assert exchange.refused == []
        assert exchange.peak <= exchange.cap
        assert exchange.most_in_flight > 1 or not jitter

    run(main)


def test_a_counter_smaller_than_a_call_is_an_error_not_a_hang(naive_kraken):
    """A call that could never fit its counter says so instead of waiting for ever."""

    async def main(clock):
        kraken = naive_kraken(clock).client(limits=LimitsConfig(rest=CounterSpec(3, 100)))
        await kraken.balance()
        with anyio.fail_after(1000), pytest.raises(ConfigurationError, match="cap"):
            await kraken.closed_orders()

    run(main)


def test_a_counter_goes_by_its_name_in_the_snapshot():
    """Or by its pair, if it is one of the matching engine's; looking makes no counter of a name that is none."""

    async def main(clock):
        async with in_process(SandboxConfig(), clock=clock).client() as kraken:
            for _ in range(30):
                await kraken.add_order(pair="XBTUSD", type="buy", ordertype="limit", volume="0.001", price="30000")
            await kraken.trades("XBT/USD")
            counters = kraken.limits.snapshot()
            for name in ("XBTUSD", "XXBTZUSD", "engine:XBTUSD", "engine:XBT/USD"):
                assert kraken.limits.time_until(40, name) == pytest.approx(10)
            assert kraken.limits.time_until(counters["public:XBTUSD"].cap, "public:XBT/USD") > 0
            assert kraken.limits.time_until(1, "rest") == kraken.limits.time_until(1, "public") == 0
            assert kraken.limits.snapshot().keys() == counters.keys()
            for name in ("key:rest", "rest ", "engine: public", "engine:", "  ", ""):
                with pytest.raises(InvalidArguments, match=f"no counter '{name}'"):
                    kraken.limits.time_until(1, name)
            assert kraken.limits.snapshot().keys() == counters.keys()

    run(main)


@pytest.mark.parametrize(
    "cost",
    [16, -1, math.nan, math.inf, Decimal("15.5"), Decimal("NaN"), Decimal("sNaN"), pytest.param(10**400, id="huge")],
)
def test_room_that_never_comes_is_not_waited_for(cost):
    """A loop that sleeps until there is room would never end."""
    with pytest.raises(InvalidArguments, match="rest has room for 0 to 15 points, never for"):
        KrakenClient("key", "c2VjcmV0").limits.time_until(cost)
    assert KrakenClient("key", "c2VjcmV0").limits.time_until(Decimal(15)) == 0


def test_what_is_looked_up_has_a_type():
    """An order without an id of its own has None there."""
    with pytest.raises(InvalidType, match="cost must be points, not NoneType"):
        KrakenClient().limits.time_until(None)
    with pytest.raises(InvalidType, match="counter must be a str, not NoneType"):
        KrakenClient().limits.time_until(1, None)
    with pytest.raises(InvalidType, match="order must be a txid or cl_ord_id, not NoneType"):
        KrakenClient().limits.cancel_cost(None)


def test_a_refusal_of_the_whole_account_pauses_all_its_pairs():
    """Also those of another client, and those used later; no pair's own counter is taken for full. Longer each time."""

    async def main(clock):
        exchange, state = in_process(SandboxConfig(limits=False), clock=clock), MemoryState(clock)
        market = {"type": "buy", "ordertype": "market", "volume": "1"}
        async with exchange.client(state=state) as one, exchange.client(state=state) as other:
            await other.add_order(pair="ETHUSD", **market)
            exchange.faults.add("AddOrder", "EOrder:Domain rate limit exceeded", times=2)
            began, waited = clock.monotonic(), []
            for _ in range(2):
                with pytest.raises(DomainLimitExceeded) as caught:
                    await one.add_order(pair="XBTUSD", **market)
                waited.append(caught.value.retry_after)
            assert isinstance(caught.value, EngineLimitExceeded)
            blocked = [other.limits.snapshot()[f"engine:{pair}"].blocked_for for pair in ("XBTUSD", "ETHUSD")]
            assert blocked == pytest.approx([waited[1]] * 2)
            await other.add_order(pair="SOLUSD", **market)
            assert clock.monotonic() - began >= sum(waited)
            seen = one.limits.snapshot()["engine:XBTUSD"]
            assert (seen.level, seen.refusals) == (pytest.approx(0), 0)
        return waited

    first, second = run(main)
    assert 1 < first < second


def test_cancelling_an_old_order_does_not_wait_for_it():
    """It costs nothing there, and makes the account safer; a young one's cancel waits with the others."""

    async def main(clock):
        exchange = in_process(SandboxConfig(tier=Tier.PRO), clock=clock)
        async with exchange.client(tier="pro") as kraken:
            order = {"pair": "ETHUSD", "type": "buy", "ordertype": "limit", "volume": "1", "price": "1000"}
            old = await kraken.add_order(**order)
            await anyio.sleep(400)
            young = await kraken.add_order(**order)
            exchange.faults.add("AddOrder", "EOrder:Domain rate limit exceeded")
            with pytest.raises(DomainLimitExceeded) as caught:
                await kraken.add_order(**order)
            began = clock.monotonic()
            await kraken.cancel_order(txid=old.txid[0])
            assert clock.monotonic() - began < 0.1
            await kraken.cancel_order(txid=young.txid[0])
            assert clock.monotonic() - began >= caught.value.retry_after

    run(main)


def test_it_pauses_also_a_pair_that_was_only_amended():
    """Its order was placed by an earlier run; and changes to orders of which nothing is known, not even the pair."""

    async def main(clock):
        exchange = in_process(SandboxConfig(limits=False), clock=clock)
        async with exchange.client(nonce_unit="ns") as before:
            placed = await before.add_order(pair="ETHUSD", type="buy", ordertype="limit", volume="1", price="1000")
        async with exchange.client(state=MemoryState(clock), nonce_unit="ns") as kraken:
            with pytest.raises(UnknownOrder):
                await kraken.cancel_order(txid="OAAAAA-BBBBB-CCCCCC")
            await kraken.amend_order(txid=placed.txid[0], pair="ETHUSD", limit_price="1001")
            exchange.faults.add("AddOrder", "EOrder:Domain rate limit exceeded")
            with pytest.raises(DomainLimitExceeded) as caught:
                await kraken.add_order(pair="XBTUSD", type="buy", ordertype="market", volume="1")
            shown = kraken.limits.snapshot()
            for pair in ("ETHUSD", "XBTUSD", "?"):
                assert shown[f"engine:{pair}"].blocked_for == pytest.approx(caught.value.retry_after)

    run(main)


def test_clients_of_an_account_with_different_tiers_do_not_trip_over_each_other():
    """One that never trades sees the other's counters as they are; a refusal by Kraken stays that refusal."""

    async def main(clock):
        exchange, state = in_process(SandboxConfig(tier=Tier.PRO), clock=clock), MemoryState(clock)
        exchange.sandbox.add_key("alice", label="second")
        market = {"type": "buy", "ordertype": "market", "volume": "1"}
        one = exchange.client("alice", account="desk", state=state, tier="pro")
        async with one, exchange.client("second", account="desk", state=state, tier="starter") as other:
            await one.add_order(pair="XBTUSD", **market)
            assert other.limits.snapshot()["engine:XBTUSD"].cap == 180
            exchange.faults.add("AddOrder", "EOrder:Domain rate limit exceeded", times=2)
            for kraken in (other, one):
                with pytest.raises(DomainLimitExceeded):
                    await kraken.add_order(pair="ETHUSD" if kraken is other else "XBTUSD", **market)
            shown = other.limits.snapshot()
            assert shown["engine:XBTUSD"].blocked_for == shown["engine:ETHUSD"].blocked_for > 0
            assert (shown["engine:XBTUSD"].cap, shown["engine:ETHUSD"].cap) == (180, 60)

    run(main)


def test_a_snapshot_makes_no_counters():
    """Whoever watches, from another thread perhaps, changes nothing; and pays for what there is, not for each pair."""

    async def main(clock):
        exchange, state = in_process(SandboxConfig(limits=False), clock=clock), MemoryState(clock)
        async with exchange.client(state=state) as one, exchange.client(state=state) as other:
            other.limits.snapshot()
            before = dict(other.limits._buckets)
            await one.add_order(pair="XBTUSD", type="buy", ordertype="market", volume="1")
            assert "engine:XBTUSD" in other.limits.snapshot()
            assert other.limits._buckets == before

    run(main)


def test_what_was_charged_while_no_pair_was_known_counts_on_the_first_pairs():
    """A program that begins by cancelling orders of an earlier run: they may have been on the pair it trades next."""

    async def main(clock):
        exchange = in_process(SandboxConfig(limits=False), clock=clock)
        order = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "1", "price": "9"}
        async with exchange.client(tier="pro") as earlier:
            placed = [(await earlier.add_order(**order)).txid[0] for _ in range(3)]
        await anyio.sleep(1)
        async with exchange.client(limits=LimitsConfig(), state=MemoryState(clock), tier="pro") as kraken:
            for each in placed:
                await kraken.cancel_order(txid=each)
            assert kraken.limits.snapshot()["engine:?"].level == pytest.approx(24, abs=0.1)
            await kraken.add_order(**order)
            assert kraken.limits.snapshot()["engine:XBTUSD"].level == pytest.approx(25, abs=0.2)

    run(main)
