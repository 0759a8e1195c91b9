"""Find the well-known mistake that explains a signature: each is made here on purpose, and the results are compared.

Everything is computed on this machine; nothing is sent.
Source of the right way: https://docs.kraken.com/api/docs/guides/spot-rest-auth
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, quote, quote_plus, unquote_plus

from krakenasync.errors import ConfigurationError, InvalidArguments
from krakenasync.protocol.signing import decode_secret, sign

__all__ = ["RIGHT", "diagnose"]

RIGHT: Final = "the signature is right"


class Signing(NamedTuple):
    """What a signature is made of."""

    key: bytes
    text: str
    """The secret as it is configured, not decoded."""
    path: str
    nonce: str
    body: bytes

    def signed(self, body: bytes) -> str:
        """Sign another body in the right way."""
        return sign(self.key, self.path, self.nonce, body)

    def hashed(self) -> bytes:
        """Return the hash of nonce and body."""
        return hashlib.sha256(self.nonce.encode() + self.body).digest()

    def mac(self, message: bytes, digest: str = "sha512") -> str:
        """Sign bytes that are put together differently."""
        return base64.b64encode(hmac.digest(self.key, message, digest)).decode()


_Make = Callable[[Signing], str]


# what is wrong -> how it is made
_MISTAKES: Final[Mapping[str, _Make]] = {
    "the secret was not base64-decoded before signing": lambda it: sign(it.text.encode(), it.path, it.nonce, it.body),
    "the signature is written in hex instead of base64": lambda it: base64.b64decode(it.signed(it.body)).hex(),
    "the nonce is missing in the hashed text: SHA256(nonce + body)": lambda it: sign(it.key, it.path, "", it.body),
    "the body is missing in the hashed text: SHA256(nonce + body)": lambda it: it.signed(b""),
    "the body was encoded twice before it was hashed": lambda it: it.signed(quote_plus(it.body.decode()).encode()),
    "the body's values were encoded twice before it was hashed": lambda it: it.signed(_twice(it.body)),
    "the body was hashed before it was encoded": lambda it: it.signed(unquote_plus(it.body.decode()).encode()),
    "SHA256 was used in hex, not as bytes": lambda it: it.mac(it.path.encode() + it.hashed().hex().encode()),
    "HMAC-SHA256 was used instead of HMAC-SHA512": lambda it: it.mac(it.path.encode() + it.hashed(), "sha256"),
    "the path is missing in the signed text": lambda it: it.mac(it.hashed()),
    "the path was signed without /0": lambda it: it.mac(it.path.removeprefix("/0").encode() + it.hashed()),
    "the whole address was signed, not the path from /0/ on": lambda it: it.mac(
        f"https://api.kraken.com{it.path}".encode() + it.hashed()
    ),
}


def _twice(body: bytes) -> bytes:
    pairs = parse_qsl(body.decode(), keep_blank_values=True)
    return "&".join(f"{quote(name)}={quote(quote(value, safe=''), safe='')}" for name, value in pairs).encode()


def diagnose(secret: str, path: str, body: str, signature: str, nonce: str = "") -> str | None:
    """Return what a signature looks like: `RIGHT`, a mistake in words, or None if it matches no known mistake.

    Args:
        secret: The private key as configured.
        path: From ``/0/`` on.
        body: The body as it was sent.
        signature: The API-Sign header that was sent.
        nonce: The nonce, if the body is not a form.

    Raises:
        InvalidArguments: No nonce can be found.
        ConfigurationError: The secret is not base64.
    """
    nonce = nonce or dict(parse_qsl(body)).get("nonce", "")
    if not nonce.isdecimal():
        raise InvalidArguments("there is no nonce in the body", hint="the body as it was sent, like 'nonce=1616...'")
    key, given, sent = decode_secret(secret), signature.strip(), body.encode()
    it = Signing(key, secret.strip(), path, nonce, sent)
    if _same(it.signed(sent), given):
        return RIGHT
    for mistake, make in _MISTAKES.items():
        if _same(make(it), given):
            return mistake
    return _with_spoilt_secret(secret, path, nonce, sent, given)


def _same(made: str, given: str) -> bool:
    return hmac.compare_digest(made.encode(), given.encode())


def _with_spoilt_secret(secret: str, path: str, nonce: str, body: bytes, given: str) -> str | None:
    """Try the forms into which the configured secret is often changed by mistake."""
    spoilt = {
        "the script's secret is the hex of the right one": decode_secret(secret).hex(),
        "the script's secret ends with a line break": f"{secret.strip()}\n",
    }
    for mistake, text in spoilt.items():
        for key in (text.encode(), _decoded(text)):
            if key and _same(sign(key, path, nonce, body), given):
                return mistake
    return None


def _decoded(text: str) -> bytes:
    try:
        return decode_secret(text)
    except ConfigurationError:
        return b""
