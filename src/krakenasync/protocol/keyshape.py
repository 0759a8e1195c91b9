"""What is visibly wrong with a key; nothing here is ever sent.

Kraken's Spot keys: 56 characters of base64, a private key of 88 characters that decode to 64 bytes.
Source: https://docs.kraken.com/api/docs/guides/spot-rest-auth
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import Final, NamedTuple
from urllib.parse import unquote

import msgspec

from krakenasync.protocol.signing import KEY_LENGTH, SECRET_LENGTH

__all__ = ["Suspicion", "mixed_up", "suspicions"]

SECRET_BYTES: Final = 64
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_HEX: Final = re.compile(r"(?:0x)?[0-9a-fA-F]{64,}")


class Suspicion(msgspec.Struct, frozen=True):
    """What looks wrong.

    Attributes:
        said: What looks wrong, in words that never contain the key.
        remedy: What to do.
        sure: Whether the key cannot work; else it is only unusual.
    """

    said: str
    remedy: str
    sure: bool = True


class Halves(NamedTuple):
    """Both halves of a key."""

    key: str
    secret: str


_COPY: Final = "copy it whole, as Kraken shows it once when the key is made"


def suspicions(api_key: str, api_secret: str) -> list[Suspicion]:
    """Return what looks wrong about a key, the likeliest first; empty if nothing does.

    Args:
        api_key: The public half, as configured.
        api_secret: The private half, as configured.
    """
    halves = Halves(api_key.strip(), api_secret.strip())
    found = [suspicion for check in _CHECKS if (suspicion := check(halves))]
    return sorted(found, key=lambda each: not each.sure)


def mixed_up(api_key: str, api_secret: str) -> list[Suspicion]:
    """Return whether the halves are swapped or quoted: Kraken would only say that it does not know the key.

    Args:
        api_key: The public half, as configured.
        api_secret: The private half, as configured.
    """
    halves = Halves(api_key.strip(), api_secret.strip())
    return [suspicion for check in (_swapped, _quoted) if (suspicion := check(halves))]


def _swapped(given: Halves) -> Suspicion | None:
    if len(given.key) == SECRET_LENGTH and len(given.secret) == KEY_LENGTH:
        return Suspicion("key and secret are swapped", "the key is the shorter one, of 56 characters")
    return None


def _same(given: Halves) -> Suspicion | None:
    if given.key == given.secret:
        return Suspicion("key and secret are the same text", "the private key is the longer one")
    return None


def _quoted(given: Halves) -> Suspicion | None:
    if any(half[:1] in {"'", '"'} or half[-1:] in {"'", '"'} for half in (given.key, given.secret)):
        return Suspicion("there are quotation marks around the key or the secret", "store them without")
    return None


def _url_encoded(given: Halves) -> Suspicion | None:
    for name, half in (("key", given.key), ("secret", given.secret)):
        if unquote(half) != half:
            return Suspicion(
                f"the {name} is URL-encoded (%2B, %2F, %3D)", "store it with +, / and = as Kraken shows it"
            )
    return None


def _url_safe(given: Halves) -> Suspicion | None:
    if _BASE64.fullmatch(given.secret) is None and _BASE64.fullmatch(given.secret.replace("-", "+").replace("_", "/")):
        return Suspicion("the secret is URL-safe base64 (- and _)", "Kraken's has + and /: " + _COPY)
    return None


def _blanks(given: Halves) -> Suspicion | None:
    if len(given.key.split()) > 1 or len(given.secret.split()) > 1:
        return Suspicion("there is a blank or a line break inside the key or the secret", _COPY)
    return None


def _hex(given: Halves) -> Suspicion | None:
    if _HEX.fullmatch(given.secret):
        return Suspicion("the secret is written in hex, not in base64", _COPY + "; do not convert it")
    return None


def _decoded(given: Halves) -> Suspicion | None:
    """Detect a secret that was decoded before it was stored."""
    if (
        given.secret.startswith(("b'", 'b"'))
        or "\\x" in given.secret
        or not given.secret.isascii()
        or not given.secret.isprintable()
    ):
        return Suspicion("the secret was base64-decoded already", _COPY + "; the client decodes it")
    return None


def _encoded_twice(given: Halves) -> Suspicion | None:
    inner = _bytes(given.secret)
    if inner and len(inner) != SECRET_BYTES and inner.isascii() and len(_bytes(inner.decode()) or b"") == SECRET_BYTES:
        return Suspicion("the secret was base64-encoded twice", _COPY)
    return None


def _cut(given: Halves) -> Suspicion | None:
    if _BASE64.fullmatch(given.secret) and _bytes(given.secret) is None:
        return Suspicion("the secret is cut short: its base64 does not end where it should", _COPY)
    return None


def _not_base64(given: Halves) -> Suspicion | None:
    odd = given.secret and _BASE64.fullmatch(given.secret) is None
    return Suspicion("the secret is not base64 text", _COPY) if odd else None


def _foreign(given: Halves) -> Suspicion | None:
    """Detect keys of other kinds: paths and PEM blocks, where Kraken has plain base64."""
    if given.key.lower().startswith(("organizations/", "-----begin")) or given.secret.startswith("-----BEGIN"):
        return Suspicion("this is a key of another exchange or kind", "make a Spot API key in Kraken's settings")
    return None


def _unusual(given: Halves) -> Suspicion | None:
    inner = _bytes(given.secret)
    if len(given.key) != KEY_LENGTH or (inner is not None and len(inner) != SECRET_BYTES):
        size = f"{len(given.key)} characters and {len(inner or b'')} bytes, not {KEY_LENGTH} and {SECRET_BYTES}"
        return Suspicion(f"unusual lengths: {size}", "is it whole, and a Spot key?", sure=False)
    return None


_CHECKS: Final[tuple[Callable[[Halves], Suspicion | None], ...]] = (
    _swapped,
    _same,
    _foreign,
    _decoded,
    _quoted,
    _url_encoded,
    _blanks,
    _hex,
    _encoded_twice,
    _url_safe,
    _cut,
    _not_base64,
    _unusual,
)


def _bytes(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
