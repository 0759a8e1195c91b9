"""What is seen of a request before it takes the road: unknown words, deadlines out of reach, reads that write."""

import logging
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta, timezone

import anyio
import pytest

from krakenasync import InvalidArguments, OutcomeUnknown
from krakenasync.sandbox import SandboxConfig
from krakenasync.state.memory import MemoryState
from krakenasync.testing import in_process, run

BUY = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "0.001", "price": "30000"}
BTC = {"asset": "XBT", "method": "Bitcoin"}


def play(scene, **config):
    """Run ``scene(kraken, sandbox)`` in virtual time."""

    async def main(clock):
        exchange = in_process(SandboxConfig(limits=False, **config), clock=clock)
        async with exchange.client(max_attempts=3) as kraken:
            return await scene(kraken, exchange)

    return run(main)


def test_an_unknown_word_is_sent_with_a_warning_told_once(caplog):
    """Kraken decides; whoever repeats it, also through another view, need not read it again."""

    async def scene(kraken, exchange):
        for view in (kraken, kraken, kraken.with_options(timeout=5)):
            with pytest.raises(InvalidArguments, match="timeinforce"):
                await view.add_order(**BUY, timeinforce="GTX")
        await kraken.add_order(**BUY, timeinforce="GTC")
        assert exchange.stats.requests["AddOrder"] == 4

    play(scene)
    assert [record.message for record in caplog.records if record.levelno == logging.WARNING] == [
        "AddOrder: timeinforce='GTX' is sent, though this version knows only FOK, GTC, GTD, IOC"
    ]


def test_what_is_remembered_of_words_is_bounded(caplog):
    """Whoever sends a new one each time is not told for ever."""

    async def scene(kraken, _exchange):
        for number in range(300):
            with pytest.raises(InvalidArguments):
                await kraken.ohlc("XBTUSD", interval=2000 + number)

    play(scene)
    assert len(caplog.records) == 256


CALLS = {
    "AddOrder": lambda kraken, deadline: kraken.add_order(**BUY, deadline=deadline),
    "AddOrderBatch": lambda kraken, deadline: kraken.add_order_batch(
        pair="XBTUSD", orders=[{**BUY, "pair": None}] * 2, deadline=deadline
    ),
    "AmendOrder": lambda kraken, deadline: kraken.amend_order(txid="O1", limit_price="1", deadline=deadline),
    "EditOrder": lambda kraken, deadline: kraken.edit_order(txid="O1", pair="XBTUSD", volume="1", deadline=deadline),
}


def now(kraken):
    """The calendar of the client's machine."""
    return datetime.fromtimestamp(kraken._clock.wall_ns() / 1e9, UTC)


@pytest.mark.parametrize("name", ["AddOrder", "AmendOrder", "EditOrder"])
@pytest.mark.parametrize("away", [timedelta(days=-365), timedelta(hours=-1), timedelta(minutes=3), timedelta(days=1)])
def test_a_deadline_of_another_hour_or_day_is_refused_before_it_is_sent(name, away):
    """Kraken's clock is read once for it, however often that happens."""

    async def scene(kraken, exchange):
        for _ in range(3):
            with pytest.raises(InvalidArguments, match="Kraken takes 2 to 60 s by its clock") as caught:
                await CALLS[name](kraken, now(kraken) + away)
            assert (caught.value.codes, exchange.stats.requests[name]) == ((), 0)
        assert exchange.stats.requests["Time"] == 1

    play(scene)


class Astray:
    """A machine's clock with a calendar that is so many seconds ahead."""

    def __init__(self, clock, seconds):
        self.monotonic = clock.monotonic
        self.wall_ns = lambda: clock.wall_ns() + seconds * 10**9


@pytest.mark.parametrize(("seconds", "sent"), [(-3600, 0), (0.9, 0), (4, 1), (58, 1), (122, 0), (3600, 0)])
@pytest.mark.parametrize("astray", [0, 600, 3600, -86400])
@pytest.mark.parametrize("age", [None, 0, 3600])
def test_a_deadline_is_held_against_krakens_clock(seconds, sent, astray, age):
    """Whatever this machine's calendar says. Of what lies within the reading's own vagueness Kraken decides."""

    async def main(clock):
        exchange, own = in_process(SandboxConfig(limits=False), clock=clock), Astray(clock, astray)
        async with exchange.client(clock=own, state=MemoryState(own)) as kraken:
            if age is not None:
                await kraken.place_order(**BUY)  # reads Kraken's clock
                await anyio.sleep(age)
            deadline = datetime.fromtimestamp(clock.wall_ns() / 1e9 + seconds, UTC)
            with nullcontext() if sent else pytest.raises(InvalidArguments, match="Kraken takes 2 to 60 s"):
                await kraken.add_order(**BUY, deadline=deadline)
            assert exchange.stats.requests["AddOrder"] == (age is not None) + sent
            if sent and (age == 0 or not astray):
                assert exchange.stats.requests["Time"] == (age is not None)  # what looks right is not asked about

    run(main)


@pytest.mark.parametrize("read", [False, True])
def test_where_krakens_clock_cannot_be_read_kraken_decides(read):
    """This machine's calendar may be the one that is wrong."""

    async def main(clock):
        exchange, own = in_process(SandboxConfig(limits=False), clock=clock), Astray(clock, 3600)
        async with exchange.client(clock=own, state=MemoryState(own)) as kraken:
            if read:
                await kraken.place_order(**BUY)
                await anyio.sleep(3600)
            exchange.faults.add("Time", "503", times=None)
            before = exchange.stats.requests["AddOrder"]
            soon = datetime.fromtimestamp(clock.wall_ns() / 1e9 + 30, UTC)
            await kraken.add_order(**BUY, deadline=soon)
            with pytest.raises(InvalidArguments) as caught:
                await kraken.add_order(**BUY, deadline=soon + timedelta(hours=1))
            assert caught.value.codes
            assert exchange.stats.requests["AddOrder"] == before + 2

    run(main)


def test_a_deadline_that_is_too_far_may_be_near_enough_when_the_turn_comes():
    """The matching engine's counter is full: the call goes out some seconds from now."""

    async def main(clock):
        exchange = in_process(SandboxConfig(), clock=clock)
        async with exchange.client() as kraken:
            for _ in range(60):
                await kraken.add_order(**BUY | {"ordertype": "market", "price": None})
            deadline = now(kraken) + timedelta(seconds=60.5)
            await kraken.add_order(**BUY, deadline=deadline)
            assert (exchange.stats.requests["Time"], clock.monotonic() > 0.5) == (0, True)

    run(main)


def test_a_deadline_in_another_zone_is_the_same_moment():
    """Also as text."""

    async def scene(kraken, exchange):
        soon = now(kraken) + timedelta(seconds=10)
        await kraken.add_order(**BUY, deadline=soon.astimezone(timezone(timedelta(hours=9))))
        await kraken.add_order(**BUY, deadline=soon.astimezone(timezone(timedelta(hours=-5))).isoformat())
        assert exchange.stats.requests["AddOrder"] == 2

    play(scene)


def test_a_new_address_is_made_once_however_its_answer_is_lost():
    """The call is a write then; without `new` it is a read, which is asked again."""

    async def scene(kraken, exchange):
        exchange.faults.add("DepositAddresses", "answer-lost")
        with pytest.raises(OutcomeUnknown, match="may or may not") as caught:
            await kraken.deposit_addresses(**BTC, new=True)
        assert "deposit_addresses()" in caught.value.hint
        assert exchange.stats.requests["DepositAddresses"] == 1
        made = await kraken.deposit_addresses(**BTC)
        exchange.faults.add("DepositAddresses", "answer-lost")
        assert await kraken.deposit_addresses(**BTC) == made
        assert exchange.stats.requests["DepositAddresses"] == 4
        exchange.faults.add("DepositAddresses", "answer-lost")
        with pytest.raises(OutcomeUnknown):
            await kraken.private("DepositAddresses", **BTC, new=True)

    play(scene)


def test_two_who_want_a_new_address_get_two():
    """However young an answer may be to do again, and though they ask at the same time."""

    async def scene(kraken, _exchange):
        view, got = kraken.with_options(max_age=60), []

        async def ask():
            got.append({each.address for each in await view.deposit_addresses(**BTC, new=True) if each.new})

        async with anyio.create_task_group() as group:
            group.start_soon(ask)
            group.start_soon(ask)
        await ask()
        assert len(set.union(*got)) >= 3

    play(scene)
