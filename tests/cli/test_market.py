"""``krakenasync ticker``, ``ohlc``, ``depth``, ``trades``: no key needed."""

import csv
import json
from itertools import islice

import pytest

from krakenasync import NotSent, UnknownAsset
from krakenasync.cli import main
from krakenasync.cli.market import _again


@pytest.fixture(autouse=True)
def there(monkeypatch, kraken_sandbox):
    """Kraken is the sandbox; there is no key."""
    monkeypatch.setenv("KRAKEN_BASE_URL", kraken_sandbox.base_url)


def table(capsys):
    return list(csv.DictReader(capsys.readouterr().out.splitlines()))


def test_prices_of_several_pairs(capsys):
    """A row for each pair, by any of its names."""
    assert main(["ticker", "XBTUSD", "ETH/EUR", "--csv"]) == 0
    rows = table(capsys)
    assert {row["pair"] for row in rows} == {"XXBTZUSD", "XETHZEUR"}
    assert all(float(row["bid"]) < float(row["ask"]) for row in rows)


def test_a_table_names_its_source(capsys):
    """The title says that this is a sandbox."""
    assert main(["ticker", "XBTUSD"]) == 0
    assert "Prices - SANDBOX" in capsys.readouterr().out


@pytest.mark.parametrize("command", [["ticker"], ["ohlc"], ["depth"], ["trades"]])
def test_a_misspelt_pair_is_answered_with_what_is_alike(command, capsys):
    """Kraken's refusal of a name comes with the names that were probably meant."""
    assert main([*command, "XBTUS"]) == 1
    shown = capsys.readouterr()
    assert "did you mean XBTUSD" in shown.err
    assert not shown.out


def test_candles_are_the_newest(capsys):
    """--count keeps the newest candles, an hour apart by default."""
    assert main(["ohlc", "XBTUSD", "--count", "3", "--csv"]) == 0
    hours = [int(row["time"][11:13]) for row in table(capsys)]
    assert [(hours[0] + each) % 24 for each in range(3)] == hours


def test_the_book_has_both_sides(capsys):
    """Asks stand above bids, and all prices fall from top to bottom."""
    assert main(["depth", "XBTUSD", "--count", "4", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["side"] for row in rows] == ["ask"] * 4 + ["bid"] * 4
    prices = [float(row["price"]) for row in rows]
    assert prices == sorted(prices, reverse=True)


def test_trades_begin_where_asked(capsys):
    """--since gives the oldest trades from a moment on."""
    assert main(["trades", "XBTUSD", "--count", "5", "--csv"]) == 0
    newest = table(capsys)
    assert main(["trades", "XBTUSD", "--count", "2", "--since", newest[1]["time"], "--csv"]) == 0
    since = table(capsys)
    assert len(since) == 2
    assert since[0]["time"] >= newest[1]["time"]


@pytest.mark.asyncio
async def test_a_watch_outlives_a_passing_failure(capsys):
    """A failure that may pass is remarked on; the first one, or one that stays, ends the watch."""

    class Client:
        answers = iter([{}, NotSent("no route"), {}, UnknownAsset("gone")])

        async def ticker(self, *pairs):
            answer = next(self.answers)
            if isinstance(answer, Exception):
                raise answer
            return answer

    seen = []

    async def watch(client):
        async for at, _prices in _again(client, ("XBTUSD",), 0.001):
            seen.append(at)

    with pytest.raises(UnknownAsset):
        await watch(Client())
    assert len(seen) == 2
    assert "no route" in capsys.readouterr().err
    client = Client()
    client.answers = iter([NotSent("no route")])
    with pytest.raises(NotSent):
        await watch(client)


def test_a_watch_is_a_stream_with_one_header(monkeypatch, capsys):
    """--watch --csv writes the header once, and the time in front of every row."""

    async def twice(client, pairs, every):
        for at in islice("abc", 2):
            yield at, await client.ticker(*pairs)

    monkeypatch.setattr("krakenasync.cli.market._again", twice)
    assert main(["ticker", "XBTUSD", "--watch", "--csv"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(",")[0] for line in lines] == ["at", "a", "b"]
