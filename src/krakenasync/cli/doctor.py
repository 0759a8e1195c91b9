"""``krakenasync doctor``: what is wrong with the set-up, in order, one line each."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Final
from urllib.parse import urlsplit

from krakenasync.cli.checks import (
    Finding,
    check_clock,
    check_facts,
    check_files,
    check_shape,
    check_store,
    check_tier,
    explain_refusal,
    explain_unreachable,
)
from krakenasync.cli.connection import ENVIRONMENT, Where, make_client, source_of
from krakenasync.cli.exits import Exit, exit_for
from krakenasync.cli.lookalike import RIGHT, diagnose
from krakenasync.cli.profiles import Settings, settings
from krakenasync.cli.rendering import AS_TABLE, Output, Sheet, show
from krakenasync.client.client import LIVE
from krakenasync.client.credentials import setting
from krakenasync.client.frames import discreet
from krakenasync.errors import ConfigurationError, InvalidArguments, KrakenError
from krakenasync.sandbox import SandboxConfig
from krakenasync.testing.sandboxes import serving

__all__ = ["doctor"]

_COLUMNS: Final = ("check", "verdict", "found", "remedy")
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


async def doctor(
    *,
    api_sign: str = "",
    path: str = "/0/private/Balance",
    body: str = "",
    where: Where = ENVIRONMENT,
    output: Output = AS_TABLE,
) -> int:
    """Check the set-up, in order: network, clock, key, signature, permissions, nonces, addresses, expiry, tier, state.

    With --api-sign it checks a signature that another program made with the same secret, and says which well-known
    mistake it looks like; nothing is sent then.

    Args:
        api_sign: The API-Sign header that the other program sent.
        path: The path it sent it to, from /0/ on.
        body: The body it sent, with its nonce.
        where: Kraken or a sandbox, and with which key.
        output: Table, JSON or CSV.
    """
    where.check()
    async with AsyncExitStack() as stack:
        if where.sandbox:
            exchange = await stack.enter_async_context(
                serving(SandboxConfig(tier=where.tier or setting("KRAKEN_TIER") or "starter"))
            )
            found = Settings(
                {
                    "KRAKEN_API_KEY": exchange.api_key,
                    "KRAKEN_API_SECRET": exchange.api_secret,
                    "KRAKEN_BASE_URL": exchange.base_url,
                },
                "sandbox",
            )
        else:
            found = settings(where.profile)
        if api_sign:
            return _signature(found, path, body, api_sign, output)
        source = await source_of(found, where)
        findings = [finding async for finding in _examine(found, where)]
    rows = [(each.check, each.verdict, each.said, each.remedy) for each in findings]
    show(Sheet(f"Doctor, key of the {found.origin} - {source}", _COLUMNS, rows), output)
    return _verdict(findings)


async def _examine(found: Settings, where: Where) -> AsyncIterator[Finding]:
    """Run all checks; a check that fails skips only those that depend on it."""
    base_url = where.base_url or found.value("KRAKEN_BASE_URL") or LIVE
    key, secret = found.value("KRAKEN_API_KEY"), found.value("KRAKEN_API_SECRET")
    bare = Settings({"KRAKEN_BASE_URL": base_url}, found.origin)
    reached = False
    try:
        async with make_client(bare, where, max_attempts=2) as client:
            clock = await check_clock(client)
            status = await client.system_status()
    except KrakenError as error:
        yield explain_unreachable(base_url, error)
    else:
        reached = True
        yield _reached(base_url, status.status)
        yield clock
    if not key or not secret:
        missing = "no key"
        if key or secret:
            missing = "the secret is missing" if key else "the key is missing"
        yield Finding("key shape", "fail", missing, "krakenasync login stores one; or set KRAKEN_API_KEY and _SECRET")
        return
    shape = list(check_shape(key, secret))
    for finding in (*shape, *check_files(found.environ)):
        yield finding
    store = await check_store(found.value("KRAKEN_STATE"))
    if why := _obstacle(reached, shape, store):
        yield Finding("signature", "skip", f"not sent: {why}")
    else:
        async for finding in _ask(found, where):
            yield finding
    yield store


def _obstacle(reached: bool, shape: list[Finding], store: Finding) -> str | None:
    """Return why no signed call can be made, or None if one can."""
    if not reached:
        return "Kraken cannot be reached"
    if any(each.verdict == "fail" for each in shape):
        return "fix the key first"
    return "its nonce comes from the state store" if store.verdict == "fail" else None


async def _ask(found: Settings, where: Where) -> AsyncIterator[Finding]:
    """Make one signed call, the cheapest there is."""
    unit = found.value("KRAKEN_NONCE_UNIT") or "ms"
    try:
        client = make_client(found, where, max_attempts=1)
    except ConfigurationError as error:
        yield Finding("settings", "fail", error.message, error.hint or "", error)
        return
    async with client:
        try:
            info = await client.get_api_key_info()
        except KrakenError as error:
            yield explain_refusal(error, unit)
        else:
            for finding in check_facts(info, unit, int(found.value("KRAKEN_NONCE_WINDOW") or 0)):
                yield finding
        yield check_tier(client)


def _reached(base_url: str, status: str) -> Finding:
    """Say how Kraken was reached."""
    address = urlsplit(base_url)
    if status != "online":
        return Finding(
            "reachability", "warn", f"{address.hostname} answers, its status is {status}", "wait until it ends"
        )
    if address.scheme == "https":
        return Finding("reachability", "ok", f"{address.hostname} answers, its certificate is valid")
    if address.hostname in _LOOPBACK:
        return Finding("reachability", "ok", f"{address.hostname} answers, without TLS, on this machine")
    return Finding("reachability", "fail", f"{address.hostname} answers without TLS", "use https://: keys travel here")


@discreet
def _signature(found: Settings, path: str, body: str, api_sign: str, output: Output) -> int:
    """Check a signature that another program made."""
    secret = found.value("KRAKEN_API_SECRET")
    if not secret:
        raise ConfigurationError("no secret to compare with", hint="krakenasync login stores one")
    if not path.startswith("/0/"):
        raise InvalidArguments(f"--path {path!r} does not begin with /0/", hint="like /0/private/Balance")
    mistake = diagnose(secret, path, body, api_sign)
    verdict, said = ("ok", RIGHT) if mistake == RIGHT else ("fail", mistake or "it looks like no well-known mistake")
    remedy = (
        "" if mistake == RIGHT else "API-Sign = base64(HMAC-SHA512(base64decode(secret), path + SHA256(nonce + body)))"
    )
    if mistake is None:
        remedy += "; is it the same key's secret, and the body byte for byte as it was sent?"
    show(Sheet("Doctor, a signature; nothing was sent", _COLUMNS, [("signature", verdict, said, remedy)]), output)
    return Exit.OK if mistake == RIGHT else Exit.REFUSED


def _verdict(findings: list[Finding]) -> int:
    """Return the exit code of the first failure."""
    failed = next((each for each in findings if each.verdict == "fail"), None)
    if failed is None:
        return Exit.OK
    return exit_for(failed.error) if failed.error else Exit.USAGE
