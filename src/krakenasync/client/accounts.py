"""The accounts of a fleet and their keys.

Source: https://docs.kraken.com/exchange/guides/rest/ratelimits
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from krakenasync.client.config import refused
from krakenasync.client.credentials import Credentials
from krakenasync.client.frames import at_any_time, discreet
from krakenasync.errors import ConfigurationError, InvalidType
from krakenasync.protocol.tiers import Tier

__all__ = ["Account", "Key", "by_label"]


class Key:
    """One API key of an account.

    Args:
        api_key: Its public half.
        api_secret: Its private half, base64 as Kraken shows it.
        reads_only: Use it for reads only: it lacks other permissions, or is there to add read allowance. A call that
            creates something, like ``deposit_addresses(new=True)``, is not a read.
        otp: The second factor, for a key that has a static one.
        nonce_unit: As for `KrakenClient`.
        nonce_window: As for `KrakenClient`.

    Raises:
        ConfigurationError: One half is missing, or the secret is not base64.
    """

    __slots__ = ("_settings", "key_id", "reads_only")

    @discreet
    def __init__(
        self,
        api_key: str,
        api_secret: str,
        *,
        reads_only: bool = False,
        otp: str | None = None,
        nonce_unit: str = "ms",
        nonce_window: int = 0,
    ) -> None:
        self.key_id = Credentials(api_key, api_secret, otp).key_id
        """Identifies the key without revealing it, as in `Fleet.snapshot`."""
        self.reads_only = reads_only
        self._settings = {
            "api_key": api_key,
            "api_secret": api_secret,
            "otp": otp,
            "nonce_unit": nonce_unit,
            "nonce_window": nonce_window,
        }

    @property
    def settings(self) -> Mapping[str, Any]:
        """Arguments for `KrakenClient`, including the secret."""
        return self._settings

    @at_any_time
    def __repr__(self) -> str:
        return f"<Key {self.key_id}{' reads only' if self.reads_only else ''}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("keys cannot be pickled: give each process its own, ideally a separate key")


class Account:
    """One account of a fleet.

    Args:
        label: The account's name here. It also names the engine counters, so use the same label wherever they are
            shared.
        keys: Its keys. With several, reads are faster: each key has a counter of its own.
        tier: The account's tier, or its name.

    Raises:
        ConfigurationError: The label is empty, there is no key, or the tier does not exist.
        InvalidType: A key is not a `Key`.
    """

    def __init__(self, label: str, *keys: Key, tier: Tier | str = Tier.STARTER) -> None:
        if not isinstance(label, str) or not label:
            raise refused("label", label, "a name for the account")
        if not keys:
            raise ConfigurationError(f"account {label!r} has no key", hint="Account(label, Key(api_key, api_secret))")
        for key in keys:
            if not isinstance(key, Key):
                raise InvalidType(f"a key of account {label!r} is a {type(key).__name__}, not a Key")
        self.label = label
        self.keys = keys
        self.tier = Tier.parse(tier)

    @at_any_time
    def __repr__(self) -> str:
        return f"<Account {self.label!r} {self.tier.name.lower()} {len(self.keys)} keys>"


def by_label(accounts: Iterable[Account]) -> dict[str, Account]:
    """Return the accounts by their labels."""
    members: dict[str, Account] = {}
    owners: dict[str, str] = {}
    for account in accounts:
        if not isinstance(account, Account):
            raise InvalidType(f"a fleet takes accounts, not {type(account).__name__}")
        if account.label in members:
            raise ConfigurationError(f"two accounts are called {account.label!r}", hint="give each its own label")
        members[account.label] = account
        for key in account.keys:
            if (owner := owners.get(key.key_id)) is not None:
                raise ConfigurationError(
                    f"a key of {account.label!r} is given twice, first to {owner!r}",
                    hint="each key belongs to one account and is listed once",
                )
            owners[key.key_id] = account.label
    if not members:
        raise ConfigurationError("a fleet without accounts", hint='Fleet([Account("alice", Key(api_key, api_secret))])')
    return members
