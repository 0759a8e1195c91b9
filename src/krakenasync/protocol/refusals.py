"""The table from Kraken's error strings to our errors.

Source: https://docs.kraken.com/api/docs/guides/spot-errors and https://docs.kraken.com/exchange/guides/general/errors;
entries marked "seen" are reported by users of the exchange but are on no page.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from krakenasync.errors import (
    AccountRestricted,
    AuthenticationError,
    DeadlineElapsed,
    DomainLimitExceeded,
    DuplicateClientOrderId,
    EarnRefused,
    Effect,
    EngineLimitExceeded,
    FundingRefused,
    InsufficientFunds,
    InvalidArguments,
    InvalidKey,
    InvalidNonce,
    InvalidSignature,
    KrakenError,
    MarketUnavailable,
    OrderRefused,
    OrdersLimitExceeded,
    PermissionDenied,
    RateLimitExceeded,
    Refused,
    ServiceUnavailable,
    TemporaryLockout,
    Throttled,
    UnknownAsset,
    UnknownOrder,
)

__all__ = [
    "FACTS",
    "UNMAPPED",
    "Fact",
    "error_from_codes",
    "fact",
    "normalise",
    "split_codes",
    "throttled",
    "throttled_until",
]


class Fact(NamedTuple):
    """What is known about one of Kraken's error strings.

    `effect` is what the string says about a write; a read never has one.
    """

    error: type[KrakenError]
    effect: Effect = "none"
    hint: str | None = None


# Kraken's string up to its variable part -> what it means. The longest entry that matches wins.
FACTS: dict[str, Fact] = {
    "EAPI:Invalid key": Fact(InvalidKey),
    "EAPI:Invalid signature": Fact(InvalidSignature),
    "EAPI:Invalid nonce": Fact(InvalidNonce),
    "EAPI:Rate limit exceeded": Fact(RateLimitExceeded),
    "EAPI:Feature disabled": Fact(PermissionDenied),  # seen
    "EAPI:Bad request": Fact(InvalidArguments),  # seen
    "EAPI:Invalid token": Fact(AuthenticationError),  # seen
    "EAuth:Account temporary disabled": Fact(AccountRestricted),
    "EAuth:Account unconfirmed": Fact(AccountRestricted),
    "EAuth:Rate limit exceeded": Fact(RateLimitExceeded),
    "EAuth:Too many requests": Fact(RateLimitExceeded),
    "EAuth:Failed": Fact(AuthenticationError),  # seen
    "EAccount:Invalid permissions": Fact(AccountRestricted),
    "EGeneral:Permission denied": Fact(PermissionDenied),
    "EGeneral:Temporary lockout": Fact(TemporaryLockout),
    "EGeneral:Too many requests": Fact(RateLimitExceeded),  # seen: the public throttle
    "EGeneral:Invalid arguments": Fact(InvalidArguments),
    "EGeneral:Invalid arguments:cl_ord_id not unique": Fact(DuplicateClientOrderId),  # seen
    "EGeneral:Unknown method": Fact(InvalidArguments, hint="is the endpoint spelled as Kraken spells it?"),  # seen
    "EGeneral:Bad data": Fact(InvalidArguments),
    "EGeneral:Internal error": Fact(ServiceUnavailable, "unknown"),
    "EGeneral:Timeout": Fact(ServiceUnavailable, "unknown"),  # seen
    "EService:Unavailable": Fact(ServiceUnavailable, "unknown"),
    "EService:Busy": Fact(ServiceUnavailable, "unknown"),  # seen
    "EService:Deadline elapsed": Fact(DeadlineElapsed, "unknown"),
    "EService:Throttled": Fact(Throttled),
    "EService:Market in cancel_only mode": Fact(MarketUnavailable),
    "EService:Market in post_only mode": Fact(MarketUnavailable),
    "EService:Market in limit_only mode": Fact(MarketUnavailable),
    "EOrder:Rate limit exceeded": Fact(EngineLimitExceeded),
    "EOrder:Domain rate limit exceeded": Fact(DomainLimitExceeded),
    "EOrder:Orders limit exceeded": Fact(OrdersLimitExceeded),
    "EOrder:Scheduled orders limit exceeded": Fact(OrdersLimitExceeded),
    "EOrder:Positions limit exceeded": Fact(OrdersLimitExceeded),
    "EOrder:Insufficient funds": Fact(InsufficientFunds),
    "EOrder:Insufficient margin": Fact(InsufficientFunds),
    "EOrder:Margin allowance exceeded": Fact(InsufficientFunds),
    "EOrder:Margin level too low": Fact(InsufficientFunds),
    "EOrder:Margin position size exceeded": Fact(InsufficientFunds),
    "EOrder:Unknown order": Fact(UnknownOrder),
    "EOrder:Invalid order": Fact(UnknownOrder),  # seen: an id that never existed
    "EOrder:Order minimum not met": Fact(OrderRefused, hint="asset_pairs() gives the least volume: ordermin"),
    "EOrder:Cost minimum not met": Fact(OrderRefused, hint="asset_pairs() gives the least volume x price: costmin"),
    "EOrder:Tick size check failed": Fact(OrderRefused, hint="round with quantize_price() of the pair in names()"),
    # Kraken matched what it could and cancelled the rest, so something may have been traded.
    "EOrder:Reduce only:Position is closed": Fact(OrderRefused, "unknown", hint="part of it may have filled: read it"),
    "EOrder": Fact(OrderRefused),
    "EQuery:Unknown asset": Fact(UnknownAsset),
    "EQuery": Fact(InvalidArguments),
    "ETrade": Fact(OrderRefused),
    "EBM:limit exceeded": Fact(AccountRestricted),
    "EFunding:No funds": Fact(InsufficientFunds),
    "EFunding:Insufficient funds": Fact(InsufficientFunds),
    "EFunding:Unknown asset": Fact(UnknownAsset),
    "EFunding": Fact(FundingRefused),
    "EEarnings:Busy": Fact(EarnRefused, hint="one operation per strategy at a time: poll its status, then try again"),
    "EEarnings:Permission denied": Fact(PermissionDenied),
    "EEarnings": Fact(EarnRefused),
    "EExport:Not ready": Fact(Refused, hint="ask export_status() until its status is Processed"),  # seen
    "ESession:Invalid session": Fact(AuthenticationError),  # seen
}

# A string that is in no table was never seen to be harmless: after a write the outcome is unknown.
UNMAPPED = Fact(Refused, "unknown", hint="an error string this version does not know; see Kraken's error guide")


def normalise(code: str) -> str:
    """Remove the blanks that Kraken sometimes writes after a colon.

    >>> normalise("EService: Throttled: 1788471234")
    'EService:Throttled:1788471234'
    """
    return ":".join(part.strip() for part in code.split(":"))


def throttled(until: int) -> str:
    """Write the refusal that names the moment, in unix seconds, from which the caller may try again.

    >>> throttled_until([throttled(1788471234)])
    1788471234.0
    """
    return f"EService: Throttled: {until}"


def throttled_until(codes: Iterable[str]) -> float | None:
    """Read the moment, in unix seconds, that such a refusal names, in brackets or not; return None without one."""
    for code in codes:
        _head, _colon, stamp = normalise(code).rpartition(":")
        stamp = stamp.strip("[] ")
        if stamp.replace(".", "", 1).isdecimal():
            return float(stamp)
    return None


def split_codes(codes: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Split an answer's ``error`` list into (errors, warnings).

    ``W...`` strings come with a valid result; everything else counts as an error, even in an unknown form.
    """
    warnings = tuple(code for code in codes if code.startswith("W"))
    return tuple(code for code in codes if not code.startswith("W")), warnings


def fact(code: str) -> Fact:
    """Look one of Kraken's strings up in `FACTS`, by its longest known beginning."""
    text = normalise(code)
    while text:
        if found := FACTS.get(text):
            return found
        head, colon, tail = text.rpartition(":")
        # "EBM:limit exceeded:CAL" -> "EBM:limit exceeded"; "EQuery:Unknown asset pair" -> "EQuery:Unknown asset"
        text = f"{head}:{tail.rpartition(' ')[0]}" if colon and " " in tail else head
    return UNMAPPED


def error_from_codes(codes: Sequence[str], *, endpoint: str | None = None) -> KrakenError:
    """Make the error for what Kraken answered. The first string decides the class; one "unknown" decides the effect."""
    facts = [fact(code) for code in codes] or [UNMAPPED]
    first = facts[0]
    effect: Effect = "unknown" if any(each.effect == "unknown" for each in facts) else "none"
    return first.error(", ".join(codes), codes=codes, endpoint=endpoint, effect=effect, hint=first.hint)
