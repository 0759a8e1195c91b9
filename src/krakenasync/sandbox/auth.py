"""Authentication: key, signature over the raw bytes, nonce, lockout.

Sources: https://docs.kraken.com/api/docs/guides/spot-rest-auth (signature, nonce),
https://docs.kraken.com/api/docs/guides/spot-errors (sequential invalid keys lead to a temporary lockout)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from krakenasync.clock import Clock
from krakenasync.protocol.signing import verify
from krakenasync.protocol.specs import Spec
from krakenasync.sandbox.accounts import ApiKey, KeyRing
from krakenasync.sandbox.calls import Call
from krakenasync.sandbox.clocks import NANOS
from krakenasync.sandbox.config import SandboxConfig
from krakenasync.sandbox.refusals import INVALID_KEY, INVALID_NONCE, INVALID_SIGNATURE, LOCKOUT, Refusal

__all__ = ["Gatekeeper"]

NONCE_LIMIT: Final = 2**64


class Gatekeeper:
    """Admits a signed call, or refuses it with Kraken's error for what is wrong."""

    def __init__(self, config: SandboxConfig, keys: KeyRing, clock: Clock) -> None:
        self._config = config
        self._keys = keys
        self._clock = clock
        self._strikes: dict[str, int] = {}
        self._locked: dict[str, float] = {}

    def identify(self, call: Call, spec: Spec, params: Mapping[str, Any]) -> ApiKey:
        """Check key, signature and nonce, in this order; only a correctly signed call uses up its nonce.

        Raises:
            Refusal: One of the three is wrong, or the address is locked out.
        """
        self._check_lockout(call.address)
        key = self._keys.find(call.api_key)
        now = self._clock.wall_ns() // NANOS
        if key is None or 0 < key.valid_until <= now:
            self._strike(call.address)
            raise Refusal(INVALID_KEY)
        self._strikes.pop(call.address, None)
        # Funding Beta has its nonce in a header and signs the query string with the path.
        nonce = read_nonce(call.nonce if spec.beta else params.get("nonce"))
        if not verify(key.secret, call.target if spec.beta else spec.path, nonce, call.body, call.signature):
            raise Refusal(INVALID_SIGNATURE)
        if not key.accept_nonce(int(nonce)):
            raise Refusal(INVALID_NONCE)
        key.last_used = now
        return key

    def _check_lockout(self, address: str) -> None:
        until = self._locked.get(address)
        if until is None:
            return
        now = self._clock.monotonic()
        if now >= until:
            del self._locked[address]
            return
        self._locked[address] = now + self._config.lockout_seconds
        raise Refusal(LOCKOUT)

    def _strike(self, address: str) -> None:
        if not self._config.lockout_after:
            return
        self._strikes[address] = self._strikes.get(address, 0) + 1
        if self._strikes[address] >= self._config.lockout_after:
            del self._strikes[address]
            self._locked[address] = self._clock.monotonic() + self._config.lockout_seconds


def read_nonce(value: Any) -> str:
    """Return the digits of a nonce, written as text or as a JSON number.

    Raises:
        Refusal: The nonce is missing, or is not an unsigned 64-bit integer.
    """
    digits = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(digits, str) or not (digits.isascii() and digits.isdigit()) or int(digits) >= NONCE_LIMIT:
        raise Refusal(INVALID_NONCE)
    return digits
