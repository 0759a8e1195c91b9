"""Whom a command talks to."""

import pytest

from krakenasync import ConfigurationError, Unanswered
from krakenasync.cli import main
from krakenasync.cli.connection import Patience, Where, _source, connect, make_client
from krakenasync.client.events import Failed, Retried


@pytest.mark.asyncio
async def test_only_a_sandbox_is_taken_for_one(kraken_sandbox):
    """An address on this machine counts as a sandbox only when it answers as one; in doubt it is live."""
    assert await _source(kraken_sandbox.base_url) == "SANDBOX"
    assert await _source(f"{kraken_sandbox.base_url}/proxy") == "LIVE"
    assert await _source("http://127.0.0.1:1") == "LIVE"


@pytest.mark.asyncio
async def test_a_foreign_address_is_live_unasked():
    """Kraken's own address is never asked whether it is a sandbox."""
    assert await _source("https://api.kraken.com") == "LIVE"


@pytest.mark.asyncio
async def test_public_calls_need_no_key():
    """A command that makes public calls only opens without a key."""
    async with connect(Where(), private=False) as connection:
        assert connection.source == "LIVE"
    with pytest.raises(ConfigurationError, match="no API key"):
        async with connect(Where()):
            pass


@pytest.mark.asyncio
async def test_the_embedded_sandbox_has_the_tier_that_was_asked_for():
    """--sandbox --tier pro counts as Pro."""
    async with connect(Where(sandbox=True, tier="pro")) as connection:
        await connection.client.balance()
        assert connection.client.limits.snapshot().rest.cap == 20


@pytest.mark.parametrize(
    ("url", "code", "said"),
    [
        ("http://127.0.0.1:1", 3, "could not reach 127.0.0.1:1: connection refused"),
        ("https://127.0.0.1:{port}", 3, "could not reach 127.0.0.1:{port}: it does not speak TLS"),
        ("kraken", 2, "write it with its scheme"),
        ("ftp://127.0.0.1", 2, "write it with its scheme"),
        ("http://127.0.0.1:99999", 2, "write it with its scheme"),
        ("https://api kraken.com", 2, "write it with its scheme"),
    ],
)
def test_an_address_that_does_not_work_is_explained(url, code, said, kraken_sandbox, monkeypatch, capsys):
    """Host and port and what is wrong with them, in plain words, and what to do; 2 if it is no address at all."""

    def once(found, where, **changes):
        return make_client(found, where, max_attempts=1, **changes)

    monkeypatch.setattr("krakenasync.cli.connection.make_client", once)
    port = kraken_sandbox.base_url.rpartition(":")[2]
    assert main(["ticker", "XBTUSD", "--base-url", url.format(port=port)]) == code
    shown = capsys.readouterr()
    assert said.format(port=port) in shown.err
    assert "\nhint: " in shown.err
    assert "Errno" not in shown.err
    assert not shown.out


@pytest.mark.parametrize(("seconds", "count"), [(10.0, 1), (0.1, 0)])
def test_who_waits_long_is_told_why(seconds, count, capsys):
    """An attempt that took its whole time is spoken of before the next one begins; a quick one is not."""
    patience, error = Patience(), Unanswered("h:443 gave no whole answer within 10 s")
    patience(Failed("Ticker", 1, seconds, error))
    patience(Retried("Ticker", 1, 0.5, error))
    assert capsys.readouterr().err.count("Ticker: h:443 gave no whole answer within 10 s; trying again") == count
