"""Long lists as iterators, against a Kraken that answers them page by page and grows meanwhile."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import parse_qsl

import anyio
import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from krakenasync import KrakenClient
from krakenasync.errors import ConfigurationError, InvalidArguments, InvalidType, ServiceUnavailable
from krakenasync.state.memory import MemoryState
from krakenasync.testing.clock import VirtualClock, run

NOW = 1_780_000_000
LEDGER = {
    "refid": "R",
    "type": "trade",
    "asset": "ZEUR",
    "amount": "-24.5000",
    "fee": "0.0490",
    "balance": "1.0000",
}
TRADE = {"ordertxid": "O", "pair": "XXBTZUSD", "type": "buy", "ordertype": "limit"} | dict.fromkeys(
    ("price", "cost", "fee", "vol"), "1.5"
)
ORDER = {"status": "closed", "descr": {"pair": "XBTUSD"}, "vol": "1", "vol_exec": "1"}
FUNDING = {"method": "Bitcoin", "asset": "XXBT", "amount": "1.5", "status": "Success"}
HISTORIES = {
    "Ledgers": ("ledger", LEDGER, "time"),
    "TradesHistory": ("trades", TRADE, "time"),
    "ClosedOrders": ("closed", ORDER, "opentm"),
}


class Kraken:
    """Fifty rows a page, newest first, (start, end]; deposits by token; trades by nanosecond; candles in one piece."""

    def __init__(self, clock, rows=0, growth=(), ties=1):
        self.clock = clock
        self.times = [NOW - (rows - number) // ties for number in range(rows)]
        self.growth = list(growth)
        self.requests = []
        self.answers = []

    def __call__(self, request):
        name = request.url.path.rpartition("/")[2]
        params = dict(parse_qsl(request.content.decode())) | dict(request.url.params)
        self.requests.append((name, params))
        if self.answers and name != "Time":
            played = self.answers.pop(0)
            if played is not None:
                return httpx.Response(200, json={"error": [played]})
        result = self.result(name, params)
        if name != "Time":
            self.times += [self.clock.wall_ns() // 10**9] * (self.growth.pop(0) if self.growth else 0)
        return httpx.Response(200, content=json.dumps({"error": [], "result": result}))

    def result(self, name, params):
        if name == "Time":
            return {"unixtime": self.clock.wall_ns() // 10**9}
        rows = list(enumerate(self.times))
        if name in HISTORIES:
            key, row, moment = HISTORIES[name]
            low, high = float(params.get("start", 0)), float(params["end"])
            window = [(number, time) for number, time in reversed(rows) if low < time <= high]
            page = window[int(params["ofs"]) :][:50]
            found = {key: {f"ID-{number}": row | {moment: time} for number, time in page}}
            return found if params.get("without_count") == "true" else found | {"count": len(window)}
        if name in {"DepositStatus", "WithdrawStatus"}:
            window = [(number, time) for number, time in reversed(rows) if time <= float(params["end"])]
            size, first = int(params.get("limit", 25)), 0
            if params["cursor"] != "true":
                first = [number for number, _time in window].index(int(params["cursor"]))
            page, rest = window[first:][:size], window[first + size :]
            key = "deposit" if name == "DepositStatus" else "withdrawals"
            listed = [FUNDING | {"refid": f"ID-{number}", "time": time} for number, time in page]
            return {key: listed, "next_cursor": str(rest[0][0]) if rest else None}
        if name == "Trades":
            after = [(number, time) for number, time in rows if time * 10**9 > int(params["since"])]
            page = after[: int(params.get("count", 1000))]
            last = str(page[-1][1] * 10**9) if page else ""
            return {"XXBTZUSD": [["1", "1", time, "b", "m", "", number + 1] for number, time in page], "last": last}
        after = [time * 60 for _number, time in rows if time * 60 > int(params.get("since", 0))][-720:]
        return {"XXBTZUSD": [[time, "1", "1", "1", "1", "1", "1", 3] for time in after], "last": after[-1]}

    def client(self, **chosen):
        http = httpx.AsyncClient(transport=httpx.MockTransport(self))
        return KrakenClient(
            "key",
            "c2VjcmV0",
            tier="pro",
            base_url="http://kraken.test",
            clock=self.clock,
            state=MemoryState(self.clock),
            http_client=http,
            **chosen,
        )

    def asked(self, name):
        return [params for called, params in self.requests if called == name]


def ids(rows):
    return [row if isinstance(row, str) else getattr(row, "id", None) or row.refid for row in rows]


async def collect(make, *stops, key=ids):
    """Iterate to the end; after each number of rows drop the iterator and go on from its stored cursor alone."""
    iterator, found = make(), []
    for stop in (*stops, None):
        number = 0
        async for row in iterator:
            found.append(row)
            number += 1
            if number == stop:
                break
        if not found:
            break
        iterator = make(cursor=json.loads(json.dumps(iterator.cursor)))
    return key(found)


histories = pytest.mark.parametrize("method", ["iter_ledgers", "iter_trades_history", "iter_closed_orders"])


@histories
@settings(max_examples=25)
@given(
    rows=st.integers(0, 160),
    growth=st.lists(st.sampled_from([0, 1, 7, 60]), max_size=8),
    ties=st.sampled_from([1, 3, 70]),
    stops=st.lists(st.integers(1, 90), max_size=3),
)
def test_a_growing_history_interrupted_and_resumed(method, rows, growth, ties, stops):
    """In pieces, from stored cursors, while rows arrive: exactly the rows that were there, each once, newest first."""

    async def main(clock):
        kraken = Kraken(clock, rows, growth, ties)
        async with kraken.client() as client:
            return await collect(getattr(client, method), *stops)

    assert run(main) == [f"ID-{number}" for number in reversed(range(rows))]


@pytest.mark.parametrize("method", ["iter_deposits", "iter_withdrawals"])
@settings(max_examples=25)
@given(
    rows=st.integers(0, 60),
    growth=st.lists(st.sampled_from([0, 1, 7]), max_size=8),
    stops=st.lists(st.integers(1, 40), max_size=3),
)
def test_deposits_and_withdrawals_by_token(method, rows, growth, stops):
    """The same over Kraken's tokens."""

    async def main(clock):
        kraken = Kraken(clock, rows, growth)
        async with kraken.client() as client:

            def make(**given_cursor):
                return getattr(client, method)(**(given_cursor or {"limit": 9}))

            return await collect(make, *stops)

    assert run(main) == [f"ID-{number}" for number in reversed(range(rows))]


@settings(max_examples=25)
@given(
    rows=st.integers(0, 60),
    growth=st.lists(st.sampled_from([0, 1, 7]), max_size=8),
    ties=st.sampled_from([1, 3, 8]),
    stops=st.lists(st.integers(1, 40), max_size=3),
)
def test_public_trades_oldest_first(rows, growth, ties, stops):
    """Trades of one nanosecond at a page's edge, trades that arrive: each that was there comes once, in order."""

    async def main(clock):
        kraken = Kraken(clock, rows, growth, ties)
        clock.advance(2)
        async with kraken.client() as client:

            def make(**given_cursor):
                return client.iter_trades(**(given_cursor or {"pair": "XBTUSD", "count": 10}))

            return await collect(make, *stops, key=lambda found: [trade.trade_id for trade in found])

    assert run(main) == list(range(1, rows + 1))


def test_entries_know_their_id_and_the_total():
    """Each row bears its id beside its own fields; the count is there from the first row on."""

    async def main(clock):
        kraken = Kraken(clock, 70)
        async with kraken.client() as client:
            rows = client.iter_ledgers(asset=["ZEUR", "XXBT"], start=datetime(2020, 1, 1, tzinfo=UTC))
            assert rows.count is None
            first = await anext(rows)
            assert rows.count == 70
            return first, kraken.asked("Ledgers")[0], repr(rows)

    first, asked, shown = run(main)

    assert (first.id, first.asset, first.amount) == ("ID-69", "ZEUR", Decimal("-24.5000"))
    assert asked["asset"] == "ZEUR,XXBT"
    assert asked["start"] == "1577836800"
    assert int(asked["end"]) == NOW + 2
    assert shown.startswith('<Rows of Ledgers, {"endpoint":"Ledgers"')


def test_nothing_is_asked_before_the_first_row_is_wanted():
    """Making an iterator is free; and an empty list ends at once."""

    async def main(clock):
        kraken = Kraken(clock, 0)
        async with kraken.client() as client:
            rows = client.iter_closed_orders()
            assert kraken.requests == []
            assert [row async for row in rows] == []
            assert rows.count == 0
            assert [row async for row in rows] == []
        return kraken.requests

    assert [name for name, _params in run(main)] == ["Time", "ClosedOrders"]


def test_filters_travel_in_the_cursor():
    """A resumed iteration asks with the filters of the first, also when they are given once more."""

    async def main(clock):
        kraken = Kraken(clock, 5)
        async with kraken.client() as client:
            rows = client.iter_trades_history(type="all", ledgers=True)
            await anext(rows)
            again = client.iter_trades_history(cursor=rows.cursor)
            also = client.iter_trades_history(type="all", end=NOW + 10, cursor=rows.cursor)
            assert ids([row async for row in again]) == ids([row async for row in also])
            with pytest.raises(InvalidArguments, match="other values of type"):
                client.iter_trades_history(type="closed position", cursor=rows.cursor)
        return kraken.asked("TradesHistory")

    asked = run(main)

    assert [(each["type"], each["ledgers"], each["ofs"], each["end"]) for each in asked] == [
        ("all", "true", "0", str(NOW + 2))
    ] * 3
    assert [each.get("without_count") for each in asked] == [None, "true", "true"]


@pytest.mark.parametrize("tasks", [2, 8])
def test_each_row_goes_to_one_of_the_tasks_that_share_an_iterator(tasks):
    """A pool of workers over the rows: none of them is booked twice, and the page is asked for once."""

    async def main(clock):
        kraken = Kraken(clock, 120)
        async with kraken.client() as client:
            rows, found = client.iter_ledgers(), []

            async def work():
                async for row in rows:
                    found.append(row)
                    await anyio.sleep(0.01)

            async with anyio.create_task_group() as workers:
                for _ in range(tasks):
                    workers.start_soon(work)
            alone = [row async for row in client.iter_ledgers()]
        assert ids(found) == ids(alone)

    run(main)


def test_a_page_call_that_fails_can_be_made_again():
    """After an error the iterator stands where it stood, and goes on."""

    async def main(clock):
        kraken = Kraken(clock, 60)
        kraken.answers = [None, "EService:Unavailable"]
        async with kraken.client(max_attempts=1) as client:
            rows, found = client.iter_ledgers(), []
            with pytest.raises(ServiceUnavailable):
                found.extend([row async for row in rows])
            before = rows.cursor
            rest = [row async for row in rows]
            assert ids(rest) == ids([row async for row in client.iter_ledgers(cursor=before)])
        return ids(rest)

    assert run(main) == [f"ID-{number}" for number in reversed(range(10))]


def test_trades_end_at_the_moment_asked_for():
    """`until` includes its own moment, and a cursor keeps it."""

    async def main(clock):
        kraken = Kraken(clock, 40)
        clock.advance(5)
        async with kraken.client() as client:
            rows = client.iter_trades("XBTUSD", since=NOW - 20, until=NOW - 10, count=4)
            found = [await anext(rows) for _ in range(3)]
            with pytest.raises(InvalidArguments, match="until"):
                client.iter_trades("XBTUSD", until=NOW, cursor=rows.cursor)
            found += [row async for row in client.iter_trades(cursor=rows.cursor)]
        return [trade.time.timestamp() - NOW for trade in found]

    # Kraken takes seconds or nanoseconds for `since`; here both readings begin before the first trade.
    assert run(main) == list(range(-40, -9))


def test_candles_say_whether_they_are_closed():
    """The last candle runs still: it is marked, or left out; a cursor behind it begins with it again."""

    async def main(clock):
        kraken = Kraken(clock, 5)
        async with kraken.client() as client:
            rows = client.iter_ohlc("XBTUSD", interval=1)
            both = [row async for row in rows]
            kraken.times.append(NOW + 1)
            later = [row async for row in client.iter_ohlc(cursor=rows.cursor)]
            closed = [row async for row in client.iter_ohlc("XBTUSD", closed_only=True)]
        return both, later, closed, kraken.requests

    both, later, closed, requests = run(main)

    assert [row.closed for row in both] == [True] * 4 + [False]
    assert [(row.time, row.closed) for row in later] == [(both[-1].time, True), (later[-1].time, False)]
    assert [row.closed for row in closed] == [True] * 5
    assert [name for name, _params in requests] == ["OHLC"] * 3


def test_whether_candles_are_closed_is_a_switch():
    """Text that says no would be read as yes."""

    async def main(clock):
        async with Kraken(clock, 5).client() as client:
            with pytest.raises(InvalidType, match="closed_only must be True or False, not str"):
                client.iter_ohlc("XBTUSD", closed_only="no")

    run(main)


def test_a_candle_cursor_too_old_is_an_error():
    """Where more than 720 candles have passed, the gap is said."""

    async def main(clock):
        kraken = Kraken(clock, 3)
        async with kraken.client() as client:
            rows = client.iter_ohlc("XBTUSD")
            await anext(rows)
            kraken.times = [NOW + number for number in range(800)]
            with pytest.raises(InvalidArguments, match="no longer there"):
                await anext(client.iter_ohlc(cursor=rows.cursor))

    run(main)


def test_page_calls_can_let_others_go_first():
    """`lane` is taken by name; one that is none is refused before anything is sent."""

    async def main(clock):
        kraken = Kraken(clock, 3)
        async with kraken.client() as client:
            assert len([row async for row in client.iter_ledgers(lane="background")]) == 3
            with pytest.raises(ConfigurationError, match="lane"):
                client.iter_ledgers(lane="slow")

    run(main)


_UNTIL = '{"endpoint":"Trades","params":{"pair":"XBTUSD"},"until":%s}'


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda client: client.iter_ledgers(cursor="{}"), InvalidArguments),
        (lambda client: client.iter_ledgers(cursor=7), InvalidType),
        (lambda client: client.iter_ledgers(cursor='{"endpoint":"Trades"}'), InvalidArguments),
        (lambda client: client.iter_ledgers(cursor='{"endpoint":"Ledgers","params":{"x":1}}'), InvalidArguments),
        (lambda client: client.iter_ledgers(start=datetime(2026, 1, 1)), InvalidArguments),  # noqa: DTZ001 - the point
        (lambda client: client.iter_trades(), InvalidArguments),
        (lambda client: client.iter_trades("XBTUSD", count=5000), InvalidArguments),
        (lambda client: client.iter_trades("XBTUSD", until="TID-1"), InvalidArguments),
        (lambda client: client.iter_trades(cursor='{"endpoint":"Trades"}'), InvalidArguments),
        *[
            (lambda client, until=until: client.iter_trades(cursor=_UNTIL % until), InvalidArguments)
            for until in ('"NaN"', '"sNaN"', "1e30", '"-1"', '"Infinity"', '"1E+999999"', "253402300800")
        ],
        (lambda client: client.iter_ohlc(), InvalidArguments),
        (lambda client: client.iter_ohlc(""), InvalidArguments),
    ],
)
def test_bad_input_is_refused_before_anything_is_sent(call, error):
    """A garbled cursor, a moment without zone, a missing pair: an error where the iterator is made."""
    kraken = Kraken(VirtualClock())

    with pytest.raises(error):
        call(kraken.client())

    assert kraken.requests == []
