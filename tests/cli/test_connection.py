"""Whom a command talks to."""

import pytest

from krakenasync import ConfigurationError
from krakenasync.cli.connection import Where, _source, connect


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
