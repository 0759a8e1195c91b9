"""How a key stands with Kraken: its retry budget, and whether its private calls pause."""

from __future__ import annotations

import math
import threading
import weakref
from typing import Any

from krakenasync.clock import Clock
from krakenasync.errors import (
    AuthenticationError,
    InvalidKey,
    InvalidNonce,
    InvalidSignature,
    KrakenError,
    TemporaryLockout,
)
from krakenasync.protocol.retries import RetryPolicy
from krakenasync.state.nonces import NonceSource

__all__ = ["Breaker", "Budget", "standing"]


class Budget:
    """How many repetitions a key may still spend: a storm of failures must not become a storm of calls.

    Each repetition costs one, each success earns a part of one back. Source of the method:
    https://finagle.github.io/blog/2016/02/08/retry-budgets
    """

    def __init__(self, policy: RetryPolicy) -> None:
        self._most = policy.budget
        self._earn = policy.earn
        self._left = policy.budget
        self.spent = False
        """Whether a success has anything to earn back."""

    def spend(self) -> bool:
        """Take one repetition, if any is left."""
        if self._left < 1.0:
            return False
        self._left -= 1.0
        self.spent = True
        return True

    def succeeded(self) -> None:
        """Earn part of a repetition back."""
        self._left = min(self._most, self._left + self._earn)
        self.spent = self._left < self._most

    @property
    def left(self) -> float:
        """Repetitions left."""
        return self._left


class Breaker:
    """A circuit breaker: pauses a key's private calls before they get it locked out.

    Kraken answers repeated failures of authentication with a temporary lockout that lasts as long as they go on. So
    three refused keys or signatures in a row pause the calls for a minute, a lockout for fifteen. Ten refused nonces in
    a row pause them as well: leaping ahead has not helped by then, and Kraken bans keys for too many of them. But that
    may pass by itself, so one call is let through after a second, and after twice as long each time it fails, up to a
    minute.

    Source: https://docs.kraken.com/exchange/guides/general/errors
    """

    IN_A_ROW = 3
    NONCES_IN_A_ROW = 10
    PAUSE = 60.0
    FIRST_PAUSE = 1.0
    LOCKOUT = 900.0

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._row = self._nonces = 0
        self._next_pause = self.FIRST_PAUSE
        self._nonce_refused = self._locked_out = self._paused_until = -math.inf
        self.reason: AuthenticationError | None = None
        """The refusal that paused the calls, or None."""
        self.doubted = True
        """Whether `succeeded` would change anything; False as long as Kraken accepts the key."""

    def check(self, endpoint: str) -> None:
        """Raise what Kraken would answer, without asking it, while calls are paused.

        Raises:
            AuthenticationError: Calls are paused; the class is that of the refusal that paused them.
        """
        left = self.left
        if self.reason is None or left <= 0:
            return
        why = ", ".join(self.reason.codes)
        said = f"not sent: {why} before, so private calls of this key pause for {math.ceil(left)} s"
        raise _another(self.reason, said, endpoint=endpoint, retry_after=left)

    @property
    def left(self) -> float:
        """Seconds for which calls stay paused; 0 while they are not."""
        return 0.0 if self.reason is None else max(0.0, self._paused_until - self._clock.monotonic())

    def failed(self, error: KrakenError, sent: float = math.inf) -> None:
        """Record a refusal.

        Args:
            error: The refusal.
            sent: When the call was sent, on the steady clock. Nonces that were under way together when one was refused
                are one failure: none of the calls could know of it.
        """
        if isinstance(error, TemporaryLockout):
            self._pause(error, self.LOCKOUT)
            self._locked_out = self._clock.monotonic()
        elif isinstance(error, (InvalidKey, InvalidSignature)):
            self._row += 1
            if self._row >= self.IN_A_ROW:
                self._pause(error, self.PAUSE)
        elif isinstance(error, InvalidNonce) and sent >= self._nonce_refused:
            self._nonces, self._nonce_refused = self._nonces + 1, self._clock.monotonic()
            if self._nonces >= self.NONCES_IN_A_ROW:
                self._pause(error, self._next_pause)
                self._next_pause = min(2 * self._next_pause, self.PAUSE)
                self._nonces = self.NONCES_IN_A_ROW - 1  # so that the next one pauses them again
        self.doubted = True

    def _pause(self, error: AuthenticationError, seconds: float) -> None:
        until = self._clock.monotonic() + seconds
        if until >= self._paused_until:  # calls that were under way when it began do not shorten a lockout
            # A copy: the error itself is raised to the caller, and would keep alive the frames it passes.
            self.reason, self._paused_until = _another(error, error.message), until
        self._row = self._nonces = 0

    def succeeded(self, sent: float = math.inf) -> None:
        """Record that Kraken accepts the key.

        Args:
            sent: When the call was sent, on the steady clock. One that was under way before a lockout does not end it.
        """
        if sent <= self._locked_out:
            return
        self.doubted = False
        self._row = self._nonces = 0
        self._next_pause = self.FIRST_PAUSE
        self.reason = None


def _another(error: AuthenticationError, message: str, **more: Any) -> AuthenticationError:
    """Make an error of the same kind."""
    another = type(error)(message, codes=error.codes, hint=error.hint, **more)
    if isinstance(error, InvalidNonce) and isinstance(another, InvalidNonce):
        another.never_accepted = error.never_accepted
    return another


_STANDINGS: weakref.WeakKeyDictionary[NonceSource, tuple[Breaker, Budget]] = weakref.WeakKeyDictionary()
_STANDINGS_LOCK = threading.Lock()


def standing(nonces: NonceSource | None, policy: RetryPolicy, clock: Clock) -> tuple[Breaker, Budget]:
    """Return a key's breaker and retry budget: all clients of the key in this process share them.

    Args:
        nonces: The key's nonce source; None for a client without a key, which shares with no other.
        policy: The size of the budget, if it is the key's first client.
        clock: For the breaker's pauses.
    """
    if nonces is None:
        return Breaker(clock), Budget(policy)
    with _STANDINGS_LOCK:
        if nonces not in _STANDINGS:
            _STANDINGS[nonces] = Breaker(clock), Budget(policy)
        return _STANDINGS[nonces]
