"""Who has what: accounts with balances and orders, and the API keys that open them."""

from __future__ import annotations

import base64
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Final

from krakenasync.errors import ConfigurationError
from krakenasync.protocol.signing import decode_secret
from krakenasync.protocol.tiers import Tier
from krakenasync.sandbox.config import ALL_PERMISSIONS, SandboxConfig
from krakenasync.sandbox.orders import Order
from krakenasync.sandbox.reckoning import as_usual

__all__ = ["DEMO_BALANCES", "Account", "ApiKey", "KeyRing"]

ZERO: Final = Decimal(0)
SWEEP_EVERY: Final = 1024
"""How many nonces are remembered before those that fell out of the window are dropped."""

DEMO_BALANCES: Final[Mapping[str, Mapping[str, str]]] = {
    "alice": {"ZUSD": "250000", "ZEUR": "40000", "XXBT": "3.5", "XETH": "25", "USDT": "10000", "SOL": "150"},
    "bob": {"ZEUR": "120000", "ZUSD": "5000", "XXBT": "0.75", "XETH": "60", "ADA": "25000"},
    "carol": {"ZUSD": "90000", "XXBT": "12", "XXDG": "400000", "BCH": "35", "DOT28.S": "310.5"},
    "dave": {"ZUSD": "1500", "USDT": "2200.5", "XETH": "1.25"},
    "erin": {"ZEUR": "800000", "ZUSD": "800000", "XXBT": "40", "XETH": "500", "SOL": "2000", "ADA": "100000"},
}
"""The demo accounts, rich and poor."""

EXTRA_BALANCES: Final = DEMO_BALANCES["alice"]
"""The balances of an account that is opened for a caller's own key."""


class Account:
    """One client of the exchange.

    Attributes:
        name: Its name in the sandbox.
        tier: Its verification tier.
        balances: What it owns, by asset id, including what is reserved.
        orders: All its orders, by id, oldest first.
        open: Its open orders, by id, oldest first.
    """

    def __init__(self, name: str, tier: Tier, balances: Mapping[str, str | Decimal] | None = None) -> None:
        self.name = name
        self.tier = tier
        self.balances: defaultdict[str, Decimal] = defaultdict(Decimal)
        self.balances.update({asset: Decimal(amount) for asset, amount in (balances or {}).items()})
        self.orders: dict[str, Order] = {}
        self.open: dict[str, Order] = {}

    @as_usual
    def held(self, asset: str) -> Decimal:
        """What open orders have reserved of an asset."""
        return sum((order.hold for order in self.open.values() if order.hold_asset == asset), ZERO)

    @as_usual
    def available(self, asset: str) -> Decimal:
        """What may be spent on a new order."""
        return self.balances.get(asset, ZERO) - self.held(asset)

    def __repr__(self) -> str:
        return f"Account({self.name!r}, {self.tier.name.lower()}, {len(self.open)} open orders)"


class ApiKey:
    """An API key: what it proves, what it may do, and the nonces it has used.

    Attributes:
        label: Its name in the sandbox.
        api_key: The public half.
        account: The account it opens.
        permissions: What it may do; may be replaced while the sandbox runs.
        nonce_window: How far a nonce may be below the highest one used.
        valid_until: The unix second at which it expires; 0 for never.
        last_nonce: The highest nonce accepted.
    """

    def __init__(
        self,
        label: str,
        api_key: str,
        secret: bytes,
        account: Account,
        *,
        permissions: frozenset[str] = frozenset(ALL_PERMISSIONS),
        nonce_window: int = 0,
        created: int = 0,
    ) -> None:
        self.label = label
        self.api_key = api_key
        self.secret = secret
        self.account = account
        self.permissions = permissions
        self.nonce_window = nonce_window
        self.created = created
        self.valid_until = 0
        self.last_nonce = 0
        self.last_used: int | None = None
        self._seen: set[int] = set()

    @property
    def api_secret(self) -> str:
        """The private half as Kraken shows it: base64 text."""
        return base64.b64encode(self.secret).decode()

    def accept_nonce(self, nonce: int) -> bool:
        """Use up a nonce, if it is valid.

        Whether a window also takes the same nonce twice is not documented; here it never does.
        Source: https://support.kraken.com/hc/en-us/articles/360001148023-What-is-a-nonce-window-

        Returns:
            Whether it is above the last one, or inside the window and not used yet.
        """
        lowest = self.last_nonce - self.nonce_window
        if nonce <= lowest or nonce == self.last_nonce or nonce in self._seen:
            return False
        self.last_nonce = max(nonce, self.last_nonce)
        if self.nonce_window:
            self._seen.add(nonce)
            if len(self._seen) % SWEEP_EVERY == 0:
                self._seen = {seen for seen in self._seen if seen > lowest}
        return True

    def __repr__(self) -> str:
        return f"ApiKey({self.label!r} of {self.account.name!r})"


class KeyRing(Mapping[str, ApiKey]):
    """The keys by label; `find` looks one up by its public half."""

    def __init__(self, config: SandboxConfig, created: int) -> None:
        self._created = created
        self._tier = config.account_tier
        self._seed = config.seed
        self._by_label: dict[str, ApiKey] = {}
        self._by_public: dict[str, ApiKey] = {}
        self.accounts: dict[str, Account] = {}
        for name, balances in DEMO_BALANCES.items():
            self.add(self.open_account(name, balances), nonce_window=config.nonce_window)
        for extra in config.keys:
            account = self.accounts.get(extra.account) or self.open_account(extra.account, EXTRA_BALANCES)
            self.add(
                account,
                label=f"{extra.account}-{len(self._by_label)}" if extra.account in self._by_label else extra.account,
                api_key=extra.api_key,
                api_secret=extra.api_secret,
                permissions=extra.permissions,
                nonce_window=extra.nonce_window,
            )

    def open_account(self, name: str, balances: Mapping[str, str | Decimal], *, tier: Tier | None = None) -> Account:
        """Open an account.

        Raises:
            ConfigurationError: There is already an account of that name.
        """
        if name in self.accounts:
            raise ConfigurationError(f"there is an account {name!r} already")
        account = self.accounts[name] = Account(name, tier or self._tier, balances)
        return account

    def add(
        self,
        account: Account,
        *,
        label: str | None = None,
        api_key: str | None = None,
        api_secret: str | None = None,
        permissions: tuple[str, ...] = ALL_PERMISSIONS,
        nonce_window: int = 0,
    ) -> ApiKey:
        """Make a key for an account; its halves follow from the seed and its label unless they are given.

        Raises:
            ConfigurationError: The label or the key is taken, or the secret is not base64.
        """
        label = label or account.name
        public, secret = _halves(self._seed, label)
        key = ApiKey(
            label,
            api_key or public,
            decode_secret(api_secret) if api_secret else secret,
            account,
            permissions=frozenset(permissions),
            nonce_window=nonce_window,
            created=self._created,
        )
        if label in self._by_label or key.api_key in self._by_public:
            raise ConfigurationError(f"there is a key {label!r} already", hint="give another label")
        self._by_label[label] = self._by_public[key.api_key] = key
        return key

    def find(self, public: str) -> ApiKey | None:
        """Look a key up by its public half."""
        return self._by_public.get(public)

    def __getitem__(self, label: str) -> ApiKey:
        return self._by_label[label]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_label)

    def __len__(self) -> int:
        return len(self._by_label)


def _halves(seed: int, label: str) -> tuple[str, bytes]:
    """Draw a key that looks like Kraken's: 56 characters, and a secret of 64 bytes."""
    chance = random.Random(f"{seed}:key:{label}")  # noqa: S311 - a demo key must be the same for the same seed
    return base64.b64encode(chance.randbytes(42)).decode(), chance.randbytes(64)
