"""``krakenasync login``: a key asked for without echo, and kept under a profile's name."""

from __future__ import annotations

import sys
from typing import Annotated

from cyclopts import Parameter

from krakenasync.cli.asking import secretly
from krakenasync.cli.profiles import DEFAULT, store_profile
from krakenasync.cli.rendering import remark
from krakenasync.client.credentials import Credentials
from krakenasync.client.frames import discreet
from krakenasync.errors import ConfigurationError
from krakenasync.protocol.keyshape import suspicions
from krakenasync.protocol.tiers import Tier

__all__ = ["login"]


@discreet
def login(
    *, profile: str = DEFAULT, tier: str | None = None, keyring: Annotated[bool, Parameter(negative="")] = False
) -> None:
    """Store an API key under a profile's name: asks for both halves without showing them.

    From a pipe the first line is the key, the second the secret. Nothing is sent to Kraken; try the key out with
    krakenasync doctor.

    Args:
        profile: Its name; default is used when neither --profile nor the environment names a key.
        tier: The account's tier: starter, intermediate or pro.
        keyring: Keep the key in the system's keychain, not in the profile file.
    """
    if tier is not None:
        tier = Tier.parse(tier).name.lower()
    if sys.stdin.isatty():
        remark("Copy both from Kraken: Settings, API, the key's page. Nothing is shown as you paste.")
    api_key = secretly("API key")
    api_secret = secretly("Private key") if api_key else ""
    if not api_key or not api_secret:
        missing = "only the API key" if api_key else "nothing"
        raise ConfigurationError(
            f"{missing} was entered: none is stored", hint="both are needed: the API key, then the private key"
        )
    suspected = suspicions(api_key, api_secret)
    if suspected:
        raise ConfigurationError(f"{suspected[0].said}: nothing is stored", hint=suspected[0].remedy)
    Credentials(api_key, api_secret)
    place = store_profile(profile, api_key, api_secret, tier, keyring=keyring)
    remark(f"stored in {place} as profile {profile!r}")
    remark(f"next: krakenasync doctor{'' if profile == DEFAULT else f' --profile {profile}'}")
