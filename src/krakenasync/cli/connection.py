"""Whom a command talks to: Kraken with the key of a profile or the environment, or a sandbox of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from cyclopts import Parameter

from krakenasync.cli.profiles import Settings, known_profiles, settings
from krakenasync.cli.rendering import remark
from krakenasync.client.client import LIVE, KrakenClient
from krakenasync.client.credentials import setting
from krakenasync.client.events import Event, Failed, Retried
from krakenasync.client.transport import Delivery, Transport
from krakenasync.errors import ConfigurationError, KrakenError, UnknownAsset
from krakenasync.protocol.messages import Message
from krakenasync.protocol.tiers import Tier
from krakenasync.sandbox import SandboxConfig
from krakenasync.testing.sandboxes import serving

__all__ = ["ENVIRONMENT", "Connection", "Where", "connect", "make_client", "source_of", "suggesting"]

_LONG = 2.0
"""Seconds after which a failed attempt is reported."""
_ASIDE = 2.0
"""Seconds allowed for finding out whether an address is a sandbox's."""


def _profiles(_context: Any) -> list[str]:
    return known_profiles()


def _tiers(_context: Any) -> list[str]:
    return [tier.name.lower() for tier in Tier]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Where:
    """Whom to talk to."""

    sandbox: bool = False
    """Use a sandbox that exists only while the command runs; needs no keys and no network."""

    profile: Annotated[str | None, Parameter(completer=_profiles)] = None
    """The stored key to use; see krakenasync login. [env: KRAKEN_PROFILE]"""

    tier: Annotated[str | None, Parameter(completer=_tiers)] = None
    """The account's tier: starter, intermediate or pro. [env: KRAKEN_TIER]"""

    base_url: str | None = None
    """Another address than Kraken's own. [env: KRAKEN_BASE_URL]"""

    def check(self) -> None:
        """Refuse options that cannot go together.

        Raises:
            ConfigurationError: --sandbox has an address and keys of its own, and another option names some too.
        """
        for name, given in (("--base-url", self.base_url), ("--profile", self.profile)):
            if self.sandbox and given:
                raise ConfigurationError(f"--sandbox and {name} exclude each other", hint="give one of them")


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
        ConfigurationError: The environment or the options are not valid.
    """
    where.check()
    if where.sandbox:
        async with (
            serving(SandboxConfig(tier=where.tier or setting("KRAKEN_TIER") or Tier.STARTER)) as exchange,
            exchange.client() as client,
        ):
            yield Connection(client, "SANDBOX")
        return
    found = settings(where.profile)
    if private:
        _need_key(found)
    async with make_client(found, where) as client:
        yield Connection(client, await source_of(found, where))


def make_client(found: Settings, where: Where, **changes: Any) -> KrakenClient:
    """Make a client from settings; options take precedence over them.

    Raises:
        ConfigurationError: The settings or options are not valid.
    """
    given: dict[str, Any] = {"tier": where.tier, "base_url": where.base_url, "hooks": [Patience()], **changes}
    return KrakenClient.from_env(found.environ, **{name: value for name, value in given.items() if value is not None})


def _need_key(found: Settings) -> None:
    """Make sure that there is a key.

    Raises:
        ConfigurationError: There is no key; the hint says how to give one.
    """
    # Look only at whether they are set: the frame that raises must not hold a secret.
    key, secret = bool(found.value("KRAKEN_API_KEY")), bool(found.value("KRAKEN_API_SECRET"))
    if key and secret:
        return
    if key or secret:
        missing = "KRAKEN_API_SECRET" if key else "KRAKEN_API_KEY"
        if found.origin != "environment":
            raise ConfigurationError(f"{found.origin} contains only half a key", hint="krakenasync login stores both")
        hint = f"a key has two halves, and the other one is set; {missing}_FILE may name a file"
        raise ConfigurationError(f"{missing} is not set", hint=hint)
    if found.origin != "environment":
        raise ConfigurationError(f"{found.origin} contains no key", hint="krakenasync login stores one")
    raise ConfigurationError(
        "no API key: neither KRAKEN_API_KEY nor KRAKEN_API_KEY_FILE is set, and no profile 'default' is stored",
        hint="krakenasync login stores one; or try --sandbox, which needs no key",
    )


class Patience:
    """Reports on the terminal that a slow attempt has failed and is repeated: the next one may take as long."""

    def __init__(self) -> None:
        self._took: dict[str, float] = {}

    def __call__(self, event: Event) -> None:
        """Watch for slow failures that are retried."""
        if isinstance(event, Failed):
            self._took[event.endpoint] = event.seconds
        elif isinstance(event, Retried) and self._took.get(event.endpoint, 0.0) >= _LONG:
            remark(f"{event.endpoint}: {event.error.message}; trying again", style="yellow")


async def source_of(found: Settings, where: Where) -> str:
    """Return whether calls go to a real exchange: ``"LIVE"`` or ``"SANDBOX"``."""
    return await _source(where.base_url or found.value("KRAKEN_BASE_URL") or LIVE)


async def _source(base_url: str) -> str:
    """Tell a sandbox from Kraken: an address on this machine is asked for the page that only a sandbox has.

    In doubt it is Kraken: a local proxy must not make real money look like play money.
    """
    if urlsplit(base_url).hostname not in {"localhost", "127.0.0.1", "::1"}:
        return "LIVE"
    transport = Transport(base_url)
    try:
        reply = await transport.deliver(Delivery(message=Message("GET", "/sandbox/keys", {}, b"")), _ASIDE)
        keys = msgspec.json.decode(reply.body, type=list[dict[str, Any]])
    except (KrakenError, msgspec.MsgspecError):
        return "LIVE"
    finally:
        await transport.aclose()
    return "SANDBOX" if keys and "api_secret" in keys[0] else "LIVE"


@asynccontextmanager
async def suggesting(client: KrakenClient, *pairs: str) -> AsyncIterator[None]:
    """Add names with a similar spelling to the refusal of a pair's name."""
    try:
        yield
    except UnknownAsset as refused:
        if not pairs:
            raise
        book = await client.names()
        for pair in pairs:
            try:
                book.pair(pair)
            except UnknownAsset as better:
                raise UnknownAsset(
                    better.message, codes=refused.codes, endpoint=refused.endpoint, hint=better.hint or refused.hint
                ) from refused
        raise
