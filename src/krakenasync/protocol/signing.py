"""The signature of a private call.

``API-Sign = base64(HMAC-SHA512(base64decode(secret), path + SHA256(nonce + body)))``

Source: https://docs.kraken.com/api/docs/guides/spot-rest-auth, whose published example is one of our tests.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Any, Final

from krakenasync.errors import ConfigurationError

__all__ = ["KEY_LENGTH", "SECRET_LENGTH", "Signer", "decode_secret", "sign", "verify"]


def _hash(name: str) -> Any:
    """Return CPython's own SHA-2 where there is one: OpenSSL takes longer to set up than to hash a hundred bytes.

    Within a call, a signature takes three fifths of the time with it, as benchmarks/signing.py shows.
    """
    try:
        return vars(hashlib)["__get_builtin_constructor"](name)
    except (KeyError, ImportError, ValueError):  # another Python, or one built without
        return getattr(hashlib, name)


_sha256, _sha512 = _hash("sha256"), _hash("sha512")

KEY_LENGTH: Final = 56
"""Characters of a key's public half."""
SECRET_LENGTH: Final = 88
"""Characters of its private half: 64 bytes in base64."""
_BLOCK: Final = 128
"""Bytes that SHA-512 processes at once."""
_INNER: Final = bytes(byte ^ 0x36 for byte in range(256))
_OUTER: Final = bytes(byte ^ 0x5C for byte in range(256))


def decode_secret(secret: str) -> bytes:
    """Read the private key as Kraken shows it: base64 text.

    Raises:
        ConfigurationError: The secret is not base64. The message never repeats it.
    """
    try:
        key = base64.b64decode("".join(secret.split()), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        del secret  # some tools show the local variables of the frame that raises
        raise ConfigurationError(
            "the API secret is not base64 text",
            hint="copy the private key whole, as Kraken shows it once when the key is made; do not decode it yourself",
        )
    return key


class Signer:
    """Signs with one key, whose two paddings are hashed only once: what is left of a signature is two short hashes.

    Source: https://www.rfc-editor.org/rfc/rfc2104 (section 4: precomputing the intermediate results)
    """

    __slots__ = ("_inner", "_outer")

    def __init__(self, secret: bytes) -> None:
        whole = _sha512(secret).digest() if len(secret) > _BLOCK else secret
        padded = whole.ljust(_BLOCK, b"\0")
        self._inner = _sha512(padded.translate(_INNER))
        self._outer = _sha512(padded.translate(_OUTER))

    def sign(self, path: str, nonce: str, body: bytes) -> str:
        """Sign the exact bytes that will be sent; see `sign`."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(path.encode() + _sha256(nonce.encode() + body).digest())
        outer.update(inner.digest())
        return binascii.b2a_base64(outer.digest(), newline=False).decode()


def sign(secret: bytes | Signer, path: str, nonce: str, body: bytes) -> str:
    """Sign the exact bytes that will be sent.

    Args:
        secret: The decoded private key, or its signer.
        path: From ``/0/`` on; with the query string where Funding Beta has one.
        nonce: The decimal digits that are also in the body.
        body: The body, byte for byte.
    """
    signer = secret if isinstance(secret, Signer) else Signer(secret)
    return signer.sign(path, nonce, body)


def verify(secret: bytes, path: str, nonce: str, body: bytes, signature: str) -> bool:
    """Whether `signature` is right, compared in constant time."""
    return hmac.compare_digest(sign(secret, path, nonce, body).encode(), signature.encode())
