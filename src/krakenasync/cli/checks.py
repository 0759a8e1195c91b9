"""The checks of doctor: each yields findings, one line each."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

import msgspec

from krakenasync.cli.moments import spoken
from krakenasync.cli.profiles import OTHERS
from krakenasync.client.client import KrakenClient
from krakenasync.clock import SYSTEM_CLOCK
from krakenasync.errors import (
    ConfigurationError,
    InvalidKey,
    InvalidNonce,
    InvalidSignature,
    KrakenError,
    PermissionDenied,
    RateLimitExceeded,
    TemporaryLockout,
    TransportError,
)
from krakenasync.protocol.keyshape import suspicions
from krakenasync.protocol.servertime import SECOND, ServerTime
from krakenasync.spot.account import ApiKeyInfo
from krakenasync.state.urls import open_store

__all__ = [
    "Finding",
    "Verdict",
    "check_clock",
    "check_facts",
    "check_files",
    "check_shape",
    "check_store",
    "check_tier",
    "explain_refusal",
    "explain_unreachable",
]

Verdict = Literal["ok", "warn", "fail", "skip"]

_TOLERABLE: Final = 2.0
"""Seconds by which a clock may be off before deadlines suffer: Kraken accepts those at least 2 seconds ahead."""
_SOON: Final = 14
"""How many days before a key expires doctor begins to warn."""
_MOVES_MONEY: Final = frozenset({"withdraw-funds", "add-withdraw-address", "update-withdraw-address"})
_QUERIES: Final = frozenset({"query-funds", "query-open-trades", "query-closed-trades", "query-ledger", "export-data"})
_DIGITS: Final = {13: "ms", 16: "us", 19: "ns"}
_FINENESS: Final = ("ms", "us", "ns")


class Finding(msgspec.Struct, frozen=True):
    """One line of the report.

    Attributes:
        check: What was looked at.
        verdict: ``ok``, ``warn``, ``fail``, or ``skip`` when it could not be looked at.
        said: What was found.
        remedy: What to do.
        error: The error that made it fail, if there was one.
    """

    check: str
    verdict: Verdict
    said: str
    remedy: str = ""
    error: KrakenError | None = None


def explain_unreachable(base_url: str, error: KrakenError) -> Finding:
    """Say why an address does not answer, or not as Kraken does."""
    said = error.said
    if not isinstance(error, (TransportError, ConfigurationError)):
        said = f"{urlsplit(base_url).hostname}: {said}"
    return Finding("reachability", "fail", said, error.hint or "is the address Kraken's? is the network up?", error)


async def check_clock(client: KrakenClient) -> Finding:
    """Compare this machine's clock with Kraken's.

    Raises:
        KrakenError: Kraken's clock cannot be read.
    """
    before = SYSTEM_CLOCK.wall_ns()
    shown = (await client.server_time()).unixtime
    after = SYSTEM_CLOCK.wall_ns()
    reading = ServerTime.read(shown, sent=before, received=after, wall=after)
    # Their clock is ahead of ours by something between the two bounds.
    ahead = max(reading.least, 0) + min(reading.most, 0)
    seconds = ahead / SECOND
    if abs(seconds) <= _TOLERABLE:
        return Finding("clock", "ok", "agrees with Kraken's" if not ahead else f"off by {abs(seconds):.1f} s at least")
    which = "behind" if seconds > 0 else "ahead of"
    return Finding(
        "clock",
        "warn",
        f"at least {abs(seconds):.0f} s {which} Kraken's",
        "switch on time synchronisation: nonces and deadlines are made from this clock",
    )


def check_shape(api_key: str, api_secret: str) -> Iterator[Finding]:
    """Check a key without sending it."""
    found = suspicions(api_key, api_secret)
    for suspicion in found:
        yield Finding("key shape", "fail" if suspicion.sure else "warn", suspicion.said, suspicion.remedy)
    if not found:
        yield Finding("key shape", "ok", "56 characters, and a secret of 64 bytes in base64")


def check_files(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Check whether others on this machine may read a file that a variable names; in containers they often may."""
    for name in ("KRAKEN_API_KEY_FILE", "KRAKEN_API_SECRET_FILE"):
        if path := environ.get(name):
            mode = Path(path).expanduser().stat().st_mode
            if os.name == "posix" and stat.S_IMODE(mode) & OTHERS:
                said = f"{name}: others on this machine may read it ({stat.filemode(mode)})"
                yield Finding("key file", "warn", said, "chmod 600 keeps it to yourself")


_REFUSED: Final[tuple[tuple[type[KrakenError], str, str], ...]] = (
    (TemporaryLockout, "signature", "send nothing for 15 minutes, then check the key first"),
    (
        InvalidKey,
        "signature",
        (
            "Kraken does not know this key: was it deleted, has it expired, is this address missing from "
            "its allow-list, is it a Futures key?"
        ),
    ),
    (
        InvalidSignature,
        "signature",
        (
            "the secret belongs to another key, or was changed on its way here; doctor --api-sign "
            "checks a signature that a script made"
        ),
    ),
    (PermissionDenied, "permissions", "give the key the permission in Kraken's API settings"),
    (RateLimitExceeded, "tier", "another program uses the key, or the account's tier is lower: wait a minute"),
)
"""Error -> the check it belongs to, and the remedy."""


def explain_refusal(error: KrakenError, nonce_unit: str) -> Finding:
    """Say what a refused signed call means."""
    said = ", ".join(error.codes) or str(error)
    for kind, check, remedy in _REFUSED:
        if isinstance(error, kind):
            return Finding(check, "fail", said, remedy, error)
    if isinstance(error, InvalidNonce):
        finer = _FINENESS[_FINENESS.index(nonce_unit) + 1 :] if nonce_unit in _FINENESS else ()
        unit = f"the key has used a finer unit than {nonce_unit}: KRAKEN_NONCE_UNIT={finer[0]}; or " if finer else ""
        return Finding(
            "nonce", "fail", said, f"{unit}another program uses it now: give each program a key of its own", error
        )
    return Finding("signature", "fail", said, error.hint or "try again", error)


def check_facts(info: ApiKeyInfo, nonce_unit: str, nonce_window: int) -> Iterator[Finding]:
    """Check what Kraken says about a key that works."""
    yield Finding("signature", "ok", f"Kraken knows the key {info.api_key_name!r}")
    yield from _permissions(set(info.permissions))
    yield _unit(info, nonce_unit)
    yield _window(info, nonce_window)
    yield _allow_list(info)
    yield _expiry(info)


def _permissions(granted: set[str]) -> Iterator[Finding]:
    listed = ", ".join(sorted(granted)) or "none"
    if not granted & _QUERIES:
        yield Finding("permissions", "fail", listed, "give the key 'Query funds' in Kraken's API settings")
    else:
        yield Finding("permissions", "ok", listed)
    if risky := sorted(granted & _MOVES_MONEY):
        yield Finding(
            "permissions",
            "warn",
            f"the key can move money away: {', '.join(risky)}",
            "remove these, unless the program withdraws: queries and orders need none of them",
        )


def _unit(info: ApiKeyInfo, unit: str) -> Finding:
    seen = _DIGITS.get(len(str(info.nonce)))
    if seen is None:
        return Finding("nonce unit", "ok", f"{unit}; no time can be read in the last nonce, {info.nonce}")
    if seen in _FINENESS and unit in _FINENESS and _FINENESS.index(seen) > _FINENESS.index(unit):
        return Finding(
            "nonce unit", "fail", f"the key was used with {seen}, but {unit} is configured", f"KRAKEN_NONCE_UNIT={seen}"
        )
    return Finding("nonce unit", "ok", unit)


def _window(info: ApiKeyInfo, configured: int) -> Finding:
    if configured > info.nonce_window:
        return Finding(
            "nonce window",
            "fail",
            f"configured {configured}, the key has {info.nonce_window}",
            f"KRAKEN_NONCE_WINDOW={info.nonce_window}, or widen the key's window at Kraken",
        )
    if info.nonce_window > configured:
        return Finding(
            "nonce window",
            "ok",
            f"{info.nonce_window}; KRAKEN_NONCE_WINDOW={info.nonce_window} allows several calls in flight",
        )
    return Finding("nonce window", "ok", f"{configured}" if configured else "0: one private call at a time")


def _allow_list(info: ApiKeyInfo) -> Finding:
    if allowed := list(filter(None, info.ip_allowlist)):  # Kraken has listed an empty name for a key without a list
        return Finding("IP allow-list", "ok", ", ".join(allowed))
    return Finding(
        "IP allow-list", "warn", "the key works from any address", "name this machine's address in the key's settings"
    )


def _expiry(info: ApiKeyInfo) -> Finding:
    if info.valid_until is None:
        return Finding("expiry", "ok", "never")
    days = (info.valid_until - datetime.fromtimestamp(SYSTEM_CLOCK.wall_ns() // SECOND, UTC)).days
    if days < _SOON:
        return Finding("expiry", "warn", f"{spoken(info.valid_until)}, in {days} days", "make a new key in time")
    return Finding("expiry", "ok", f"{spoken(info.valid_until)}, in {days} days")


def check_tier(client: KrakenClient) -> Finding:
    """Check that Kraken's answers to doctor do not contradict the tier."""
    rest = client.limits.snapshot().rest
    said = f"{client.tier.name.lower()}: {rest.cap:g} points, {rest.decay:g} a second"
    if rest.refusals:
        return Finding(
            "tier", "warn", f"{said}; yet Kraken refused {rest.refusals} calls", "is the account's tier lower?"
        )
    return Finding("tier", "ok", f"{said}; nothing contradicts it")


async def check_store(url: str | None) -> Finding:
    """Check whether the store that shares counters and nonces can be used."""
    if not url:
        return Finding("state store", "ok", "in memory: counters start empty with every command")
    try:
        store = open_store(url)
        try:
            await store.start()
        finally:
            await store.aclose()
    except KrakenError as error:
        return Finding("state store", "fail", error.message, error.hint or "check KRAKEN_STATE", error)
    parts = urlsplit(url)  # leave out its user and password
    place = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    if getattr(store, "away", False):
        said = f"{place} does not answer: commands go on with their share of the limits"
        return Finding("state store", "warn", said, "is it running there? until then others are not counted")
    return Finding("state store", "ok", f"{place} answers: counters and nonces are shared")
