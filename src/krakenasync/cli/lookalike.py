"""Which of the well-known mistakes a signature looks like: each is made here on purpose, and compared.

Everything is computed on this machine; nothing is sent.
Source of the right way: https://docs.kraken.com/api/docs/guides/spot-rest-auth
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import parse_qsl, quote, quote_plus, unquote_plus

from krakenasync.errors import ConfigurationError, InvalidArguments
from krakenasync.protocol.signing import decode_secret, sign

__all__ = ["RIGHT", "diagnose"]

RIGHT: Final = "the signature is right"

_Make = Callable[[bytes, str, str, str, bytes], str]


def _text(signature: bytes) -> str:
    return base64.b64encode(signature).decode()


def _mac(secret: bytes, message: bytes) -> bytes:
    return hmac.digest(secret, message, "sha512")


def _hash(nonce: str, body: bytes) -> bytes:
    return hashlib.sha256(nonce.encode() + body).digest()


# what is wrong -> how it is made; arguments: the decoded secret, its text, path, nonce, body
_MISTAKES: Final[Mapping[str, _Make]] = {
    "the secret was not base64-decoded before signing": lambda _key, text, path, nonce, body: sign(
        text.encode(), path, nonce, body
    ),
    "the signature is written in hex instead of base64": lambda key, _text_, path, nonce, body: _mac(
        key, path.encode() + _hash(nonce, body)
    ).hex(),
    "the nonce is missing in the hashed text: SHA256(nonce + body)": lambda key, _text_, path, _nonce, body: sign(
        key, path, "", body
    ),
    "the body was encoded twice before it was hashed": lambda key, _text_, path, nonce, body: sign(
        key, path, nonce, quote_plus(body.decode()).encode()
    ),
    "the body's values were encoded twice before it was hashed": lambda key, _text_, path, nonce, body: sign(
        key, path, nonce, _twice(body)
    ),
    "the body was hashed before it was encoded": lambda key, _text_, path, nonce, body: sign(
        key, path, nonce, unquote_plus(body.decode()).encode()
    ),
    "SHA256 was used in hex, not as bytes": lambda key, _text_, path, nonce, body: _text(
        _mac(key, path.encode() + _hash(nonce, body).hex().encode())
    ),
    "HMAC-SHA256 was used instead of HMAC-SHA512": lambda key, _text_, path, nonce, body: _text(
        hmac.digest(key, path.encode() + _hash(nonce, body), "sha256")
    ),
    "the path is missing in the signed text": lambda key, _text_, _path, nonce, body: sign(key, "", nonce, body),
    "the path was signed without /0": lambda key, _text_, path, nonce, body: sign(
        key, path.removeprefix("/0"), nonce, body
    ),
    "the whole address was signed, not the path from /0/ on": lambda key, _text_, path, nonce, body: sign(
        key, f"https://api.kraken.com{path}", nonce, body
    ),
    "the body is missing in the hashed text: SHA256(nonce + body)": lambda key, _text_, path, nonce, _body: sign(
        key, path, nonce, b""
    ),
}


def _twice(body: bytes) -> bytes:
    pairs = parse_qsl(body.decode(), keep_blank_values=True)
    return "&".join(f"{quote(name)}={quote(quote(value, safe=''), safe='')}" for name, value in pairs).encode()


def diagnose(secret: str, path: str, body: str, signature: str, nonce: str = "") -> str | None:
    """Say what a signature looks like: `RIGHT`, a mistake in words, or None if it looks like none that is known.

    Args:
        secret: The private key as configured.
        path: From ``/0/`` on.
        body: The body as it was sent.
        signature: The API-Sign header that was sent.
        nonce: The nonce, if the body is no form.

    Raises:
        InvalidArguments: There is no nonce to be found.
        ConfigurationError: The secret is not base64.
    """
    nonce = nonce or dict(parse_qsl(body)).get("nonce", "")
    if not nonce.isdecimal():
        raise InvalidArguments("there is no nonce in the body", hint="the body as it was sent, like 'nonce=1616...'")
    key, given, sent = decode_secret(secret), signature.strip(), body.encode()
    if hmac.compare_digest(sign(key, path, nonce, sent).encode(), given.encode()):
        return RIGHT
    for mistake, make in _MISTAKES.items():
        if hmac.compare_digest(make(key, secret.strip(), path, nonce, sent).encode(), given.encode()):
            return mistake
    return _with_spoilt_secret(secret, path, nonce, sent, given)


def _with_spoilt_secret(secret: str, path: str, nonce: str, body: bytes, given: str) -> str | None:
    """Try secrets that are not the configured one, but what is often made of it."""
    spoilt = {
        "the script's secret is the hex of the right one": decode_secret(secret).hex(),
        "the script's secret ends with a line break": f"{secret.strip()}\n",
    }
    for mistake, text in spoilt.items():
        for key in (text.encode(), _decoded(text)):
            if key and hmac.compare_digest(sign(key, path, nonce, body).encode(), given.encode()):
                return mistake
    return None


def _decoded(text: str) -> bytes:
    try:
        return decode_secret(text)
    except ConfigurationError:
        return b""
