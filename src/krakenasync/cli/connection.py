"""Whom a command talks to: Kraken with the keys of the environment, or a sandbox of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import msgspec
from cyclopts import Parameter

from krakenasync.client.client import LIVE, KrakenClient
from krakenasync.client.credentials import setting
from krakenasync.client.transport import Delivery, Transport
from krakenasync.errors import ConfigurationError, KrakenError
from krakenasync.protocol.messages import Message
from krakenasync.protocol.tiers import Tier
from krakenasync.sandbox import SandboxConfig
from krakenasync.testing.sandboxes import serving

__all__ = ["ENVIRONMENT", "Connection", "Where", "connect"]

_ASIDE = 2.0
"""Seconds allowed for the question whether an address is a sandbox's."""


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Where:
    """Whom to talk to."""

    sandbox: bool = False
    """Use a sandbox that lives as long as the command; needs no keys and no network."""

    tier: str | None = None
    """The account's tier: starter, intermediate or pro. [env: KRAKEN_TIER]"""

    base_url: str | None = None
    """Another address than Kraken's own. [env: KRAKEN_BASE_URL]"""


ENVIRONMENT = Where()


@dataclass(frozen=True)
class Connection:
    """A client, and whether what it does is real.

    Attributes:
        client: Ready to be used.
        source: ``"LIVE"`` or ``"SANDBOX"``.
    """

    client: KrakenClient
    source: str


@asynccontextmanager
async def connect(where: Where, *, private: bool = True) -> AsyncIterator[Connection]:
    """Open the connection that was asked for.

    Args:
        where: Whom to talk to.
        private: Whether private calls will be made, which need a key.

    Raises:
        ConfigurationError: The environment or the options cannot work.
    """
    if where.sandbox:
        if where.base_url:
            raise ConfigurationError("--sandbox and --base-url exclude each other", hint="give one of them")
        async with serving(SandboxConfig(tier=where.tier or Tier.STARTER)) as exchange, exchange.client() as client:
            yield Connection(client, "SANDBOX")
        return
    if private and not (setting("KRAKEN_API_KEY") or setting("KRAKEN_API_SECRET")):
        raise ConfigurationError(
            "no API key: neither KRAKEN_API_KEY nor KRAKEN_API_KEY_FILE is set",
            hint="set it and KRAKEN_API_SECRET, or try --sandbox, which needs no key",
        )
    given: dict[str, Any] = {"tier": where.tier, "base_url": where.base_url}
    settings = {name: value for name, value in given.items() if value is not None}
    async with KrakenClient.from_env(**settings) as client:
        yield Connection(client, await _source(where.base_url or setting("KRAKEN_BASE_URL") or LIVE))


async def _source(base_url: str) -> str:
    """Tell a sandbox from Kraken: an address on this machine is asked for the page that only a sandbox has.

    In doubt it is Kraken: a local proxy must not make real money look like play money.
    """
    if urlsplit(base_url).hostname not in {"localhost", "127.0.0.1", "::1"}:
        return "LIVE"
    transport = Transport(base_url)
    try:
        reply = await transport.deliver(Delivery(Message("GET", "/sandbox/keys", {}, b"")), _ASIDE)
        keys = msgspec.json.decode(reply.body, type=list[dict[str, Any]])
    except (KrakenError, msgspec.MsgspecError):
        return "LIVE"
    finally:
        await transport.aclose()
    return "SANDBOX" if keys and "api_secret" in keys[0] else "LIVE"
