"""Everything that can go wrong, as one tree; `krakenasync.protocol.refusals` maps Kraken's strings to it.

KrakenError
├── ConfigurationError         the client was set up with something that cannot work   (also a ValueError)
├── InvalidArguments           a parameter is wrong; said by us before sending, or by Kraken   (also a ValueError)
│   └── InvalidType            ... because it has the wrong type, like a float for money   (also a TypeError)
├── Refused                    Kraken understood the call and said no
│   ├── AuthenticationError
│   │   ├── InvalidKey
│   │   ├── InvalidSignature
│   │   ├── InvalidNonce
│   │   ├── PermissionDenied
│   │   ├── TemporaryLockout
│   │   └── AccountRestricted
│   ├── RateLimitExceeded
│   │   ├── Throttled          too many requests at once; retry after an absolute time
│   │   └── EngineLimitExceeded  the matching engine's counter of a pair
│   │       └── DomainLimitExceeded  ... of the account and its subaccounts together, on all pairs
│   ├── OrderRefused
│   │   ├── InsufficientFunds
│   │   ├── UnknownOrder
│   │   ├── OrdersLimitExceeded
│   │   └── DuplicateClientOrderId
│   ├── UnknownAsset
│   ├── FundingRefused
│   ├── EarnRefused
│   └── MarketUnavailable      the market accepts only some kinds of order just now
├── ServiceUnavailable         Kraken or its edge is down, busy or answers 5xx
│   └── DeadlineElapsed        the order's deadline passed; it may rest in the book nevertheless
├── TransportError             the network failed
│   ├── NotSent                ... before a byte of the request left: nothing happened
│   └── Unanswered             ... afterwards: Kraken may have seen the request
├── ProtocolError              an answer that is not Kraken's (HTML, truncated JSON, a redirect)
├── OrderNotPlaced             there is no order, and nothing that was sent can become one any more
├── OutcomeUnknown             a write may or may not have happened; never repeat it blindly
├── StateUnavailable           the place where shared counters live does not answer; nothing was sent
└── RateLimitTimeout           the limiter's wait would not end before the caller's deadline   (also a TimeoutError)

`effect` says what is known about the call: ``"none"`` (nothing was done) or ``"unknown"``. A read may be
repeated unless the key was refused, a write without looking first only if ``effect == "none"`` and ``retryable``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, Literal

__all__ = [
    "AccountRestricted",
    "AuthenticationError",
    "ConfigurationError",
    "DeadlineElapsed",
    "DomainLimitExceeded",
    "DuplicateClientOrderId",
    "EarnRefused",
    "Effect",
    "EngineLimitExceeded",
    "FundingRefused",
    "InsufficientFunds",
    "InvalidArguments",
    "InvalidKey",
    "InvalidNonce",
    "InvalidSignature",
    "InvalidType",
    "KrakenError",
    "MarketUnavailable",
    "NotSent",
    "OrderNotPlaced",
    "OrderRefused",
    "OrdersLimitExceeded",
    "OutcomeUnknown",
    "PermissionDenied",
    "ProtocolError",
    "RateLimitExceeded",
    "RateLimitTimeout",
    "Refused",
    "ServiceUnavailable",
    "StateUnavailable",
    "TemporaryLockout",
    "Throttled",
    "TransportError",
    "Unanswered",
    "UnknownAsset",
    "UnknownOrder",
]

Effect = Literal["none", "unknown"]


class KrakenError(Exception):
    """The root of all errors raised by krakenasync.

    Attributes:
        codes: Kraken's own strings, as sent (``("EAPI:Invalid nonce",)``); empty when Kraken said nothing.
        endpoint: Kraken's name of the call (``"AddOrder"``), or None outside a call.
        effect: ``"none"`` if nothing was done, ``"unknown"`` if the call may have been carried out.
        retryable: Whether the same call may succeed later.
        hint: What to do about it, in one sentence, or None.
        retry_after: Seconds to wait before trying again, when known.
        attempts: How many times the call was sent or tried.
    """

    codes: tuple[str, ...]
    endpoint: str | None
    effect: Effect
    retryable: bool
    hint: str | None
    retry_after: float | None
    attempts: int

    default_effect: Effect = "none"
    default_retryable = False
    default_hint: str | None = None

    def __init__(
        self,
        message: str = "",
        *,
        codes: Sequence[str] = (),
        endpoint: str | None = None,
        effect: Effect | None = None,
        retryable: bool | None = None,
        hint: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.codes = tuple(codes)
        self.endpoint = endpoint
        self.effect = effect or self.default_effect
        self.retryable = self.default_retryable if retryable is None else retryable
        self.hint = hint or self.default_hint
        self.retry_after = retry_after
        self.attempts = 0

    @property
    def said(self) -> str:
        """What went wrong, alone: the message, or Kraken's own strings where there is none; no endpoint, no hint."""
        return self.message or ", ".join(self.codes)

    def __str__(self) -> str:
        subject = f"{self.endpoint}: " if self.endpoint else ""
        advice = f" ({self.hint})" if self.hint else ""
        return f"{subject}{self.said}{advice}"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by class and plain state, so that an error crosses a process boundary whole."""
        state = {name: value for name, value in vars(self).items() if not callable(value)}
        return type(self), (self.message,), state


class ConfigurationError(KrakenError, ValueError):
    """The client was set up with something that cannot work: a malformed secret, an unknown tier."""


class InvalidArguments(KrakenError, ValueError):
    """A parameter is wrong. Raised before anything is sent where possible, otherwise on Kraken's word."""


class InvalidType(InvalidArguments, TypeError):
    """A parameter has the wrong type, such as a float where money is exact."""


class Refused(KrakenError):
    """Kraken understood the call and said no; nothing was done unless `effect` says otherwise."""


class AuthenticationError(Refused):
    """Kraken did not accept the key, or what it asked to do."""


class InvalidKey(AuthenticationError):
    """The API key is missing, deleted or revoked. Repeating it leads to a temporary lockout."""

    default_hint = "check KRAKEN_API_KEY: is it a Spot key, still active, and allowed from this address?"


class InvalidSignature(AuthenticationError):
    """The signature does not fit the request: most often the secret belongs to another key."""

    default_hint = "check that the secret belongs to this key and was copied whole"


class InvalidNonce(AuthenticationError):
    """The nonce was not above the last one Kraken accepted for the key. The call was not carried out.

    Attributes:
        never_accepted: True while Kraken has accepted none of this process's nonces; usually the key was used with
            higher ones before.
    """

    default_retryable = True
    never_accepted: bool = False


class PermissionDenied(AuthenticationError):
    """The key lacks a permission that the endpoint needs."""

    default_hint = "give the key the permission in Kraken's API settings; GetApiKeyInfo lists what it has"


class TemporaryLockout(AuthenticationError):
    """Too many failed authentications. Send nothing on this key until it ends (plan for 15 minutes)."""

    default_hint = "stop all private calls of this account for about 15 minutes; every further try prolongs it"


class AccountRestricted(AuthenticationError):
    """The account, not the key, may not do this (disabled, unconfirmed, product or region)."""

    default_hint = "this needs a person: look into the account at Kraken"


class RateLimitExceeded(Refused):
    """A call counter was full. The limiter has already learnt from it."""

    default_retryable = True


class Throttled(RateLimitExceeded):
    """Too many requests at once; Kraken names the unix time after which it accepts them again."""


class EngineLimitExceeded(RateLimitExceeded):
    """The matching engine's counter of this pair was full."""


class DomainLimitExceeded(EngineLimitExceeded):
    """The matching engine's counter of the account, its subaccounts included, was full: on all pairs."""


class OrderRefused(Refused):
    """The order was refused before it reached the book."""


class InsufficientFunds(OrderRefused):
    """Not enough balance or margin."""


class UnknownOrder(OrderRefused):
    """The order is not open: filled, cancelled, expired or never there. Look it up before assuming which."""


class OrdersLimitExceeded(OrderRefused):
    """Too many open orders or positions on the pair."""


class DuplicateClientOrderId(OrderRefused, InvalidArguments):
    """An open order already carries this `cl_ord_id`."""

    default_hint = "an open order has this cl_ord_id: find it with open_orders(cl_ord_id=...)"


class UnknownAsset(Refused):
    """Kraken knows no asset or pair of that name."""

    default_hint = "names are listed by assets() and asset_pairs()"


class FundingRefused(Refused):
    """A deposit, withdrawal or transfer was refused."""


class EarnRefused(Refused):
    """An Earn operation was refused or another one is under way."""


class MarketUnavailable(Refused):
    """The market accepts only some kinds of order just now (cancel_only, post_only)."""

    default_hint = "system_status() and the pair's status in asset_pairs() show when it opens"
    default_retryable = True


class ServiceUnavailable(KrakenError):
    """Kraken, or the edge in front of it, is down, busy or answered 5xx.

    Attributes:
        status: The HTTP status, 200 when Kraken said so in the body.
    """

    default_effect: Effect = "unknown"
    default_retryable = True
    status: int = 200


class DeadlineElapsed(ServiceUnavailable):
    """The order's deadline passed. Kraken warns that the order may be in place nevertheless."""

    default_retryable = False
    default_hint = "look in open_orders() before any retry"


class TransportError(KrakenError):
    """The network failed."""

    default_retryable = True


class NotSent(TransportError):
    """No byte of the request left this machine: nothing happened at Kraken."""


class Unanswered(TransportError):
    """The request may have reached Kraken, but no whole answer came back."""

    default_effect: Effect = "unknown"


class ProtocolError(KrakenError):
    """The answer is not one of Kraken's: HTML, truncated JSON, an empty body, a redirect, an unexpected shape.

    Attributes:
        status: The HTTP status of the answer.
    """

    default_effect: Effect = "unknown"
    default_retryable = True
    status: int = 200


class OutcomeUnknown(KrakenError):
    """A write may or may not have been carried out. Repeating it blindly may do it twice.

    The error that hid the outcome is the `__cause__`.

    Attributes:
        cl_ord_id: The client order id to look for, when the call had one.
        deadline: The moment (server time) after which the engine will no longer accept the request, when one was set.
    """

    default_effect: Effect = "unknown"
    cl_ord_id: str | None = None
    deadline: datetime | None = None
    resolver: Callable[[], Awaitable[Any]] | None = None
    """What `resolve` does; None if there is no way to look."""

    async def resolve(self) -> Any:
        """Find out from Kraken what became of the order.

        Returns:
            The order, or None when it is certain that there is none.

        Raises:
            OutcomeUnknown: It is still not known; this same error if there is no way to look.
        """
        if self.resolver is None:
            raise self
        return await self.resolver()


class OrderNotPlaced(KrakenError):
    """There is no order: what was sent can no longer become one, or nothing was sent. It is safe to place it again."""

    default_retryable = True


class StateUnavailable(KrakenError):
    """The place where shared counters and nonces live (`state=`) does not answer; nothing was sent."""

    default_retryable = True


class RateLimitTimeout(KrakenError, TimeoutError):
    """The limiter's wait cannot end before the caller's deadline; nothing was sent.

    `retry_after` is the number of seconds after which the call would be let through.
    """

    default_retryable = True
