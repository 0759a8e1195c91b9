"""The settings of the sandbox, such as how strict and how slow it is, in one frozen value."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from krakenasync.errors import ConfigurationError
from krakenasync.protocol.tiers import Tier

__all__ = ["ALL_PERMISSIONS", "ExtraKey", "SandboxConfig"]

# Source: https://docs.kraken.com/api/docs/rest-api/get-api-key-info
ALL_PERMISSIONS: Final = (
    "query-funds",
    "add-funds",
    "withdraw-funds",
    "earn-funds",
    "query-open-trades",
    "query-closed-trades",
    "modify-trades",
    "close-trades",
    "query-ledger",
    "export-data",
    "create-ws-token",
    "add-withdraw-address",
    "update-withdraw-address",
)


class ExtraKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key that the caller supplies, opened on a funded account.

    Attributes:
        api_key: The public half; any text.
        api_secret: The private half: base64 text.
        account: The account it opens. Keys with the same account share its money; a new name is a new account.
        permissions: What the key may do, by the names GetApiKeyInfo uses.
        nonce_window: How far a nonce may be below the highest one used, in the key's own ticks.
    """

    api_key: str
    api_secret: str
    account: str = "extra"
    permissions: tuple[str, ...] = ALL_PERMISSIONS
    nonce_window: int = 0

    def __repr__(self) -> str:
        return f"ExtraKey(account={self.account!r})"


class SandboxConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Switches of a sandbox. The defaults are Kraken's documented behaviour, with the higher cost if pages disagree.

    Attributes:
        tier: Decides the counters of every account.
        seed: The same seed gives the same keys, market and random draws.
        limits: Whether calls are counted at all.
        step: Seconds between two reductions of a counter ("every couple of seconds"); 0 for a continuous decay.
        history_cost: Points of a history call: Kraken's pages say 2 and 4.
        refused_counts: Whether a refused call fills the counter again, as "longer if you keep calling" may mean.
        strict: Whether a call that would pass the cap is refused; otherwise only calls that find it already passed.
        public_burst: Public calls that pass at once, per address (and pair); no figure is published.
        latency: Seconds that the request and the answer each travel.
        jitter: Up to this many random seconds more, for each of the two.
        nonce_window: The window of the demo keys.
        lockout_after: Invalid keys in a row, per address, that lead to a temporary lockout; 0 for never.
        lockout_seconds: How long a lockout lasts after the last try.
        most_at_once: Private calls in flight per key beyond which Kraken throttles; 0 for no such limit. Without
            latency a call is answered too quickly to meet many others.
        presence_validates: Whether AddOrder treats the mere presence of ``validate``, even ``false``, as yes, as some
            users of Kraken report.
        open_order_lag: Seconds for which a fresh order does not show in OpenOrders yet, nor one just closed in
            ClosedOrders.
        speed: How many of the sandbox's seconds pass in one real second; latency and jitter stay real, and so does the
            time of its clients: for them deadlines and dead man's switches run out that much sooner.
        keys: Keys that the caller supplies.
    """

    tier: Tier | str = Tier.STARTER
    seed: int = 0
    limits: bool = True
    step: float = 0.0
    history_cost: Literal[2, 4] = 4
    refused_counts: bool = False
    strict: bool = True
    public_burst: int = 15
    latency: float = 0.0
    jitter: float = 0.0
    nonce_window: int = 0
    lockout_after: int = 0
    lockout_seconds: float = 900.0
    most_at_once: int = 0
    presence_validates: bool = False
    open_order_lag: float = 0.0
    speed: float = 1.0
    keys: tuple[ExtraKey, ...] = ()

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "tier", Tier.parse(self.tier))
        for name in ("step", "latency", "jitter", "lockout_seconds", "open_order_lag"):
            if getattr(self, name) < 0:
                raise ConfigurationError(f"{name} is negative", hint="it counts seconds: 0 or more")
        if self.public_burst < 1:
            raise ConfigurationError("public_burst lets no call pass", hint="1 or more; limits=False counts nothing")

    @property
    def account_tier(self) -> Tier:
        """The tier, parsed."""
        return Tier.parse(self.tier)
