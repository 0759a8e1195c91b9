"""The signature of a private call.

``API-Sign = base64(HMAC-SHA512(base64decode(secret), path + SHA256(nonce + body)))``

Source: https://docs.kraken.com/api/docs/guides/spot-rest-auth, whose published example is a test of ours.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

from krakenasync.errors import ConfigurationError

__all__ = ["decode_secret", "sign", "verify"]


def decode_secret(secret: str) -> bytes:
    """Read the private key as Kraken shows it: base64 text.

    Raises:
        ConfigurationError: It is not base64. The message never repeats the secret.
    """
    try:
        key = base64.b64decode("".join(secret.split()), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        raise ConfigurationError(
            "the API secret is not base64 text",
            hint="copy the private key whole, as Kraken shows it once when the key is made; do not decode it yourself",
        )
    return key


def sign(secret: bytes, path: str, nonce: str, body: bytes) -> str:
    """Sign the exact bytes that will be sent.

    Args:
        secret: The decoded private key.
        path: From ``/0/`` on; with the query string where Funding Beta has one.
        nonce: The decimal digits that also stand in the body.
        body: The body, byte for byte.
    """
    digest = hashlib.sha256(nonce.encode() + body).digest()
    return base64.b64encode(hmac.digest(secret, path.encode() + digest, "sha512")).decode()


def verify(secret: bytes, path: str, nonce: str, body: bytes, signature: str) -> bool:
    """Whether `signature` fits, compared in constant time."""
    return hmac.compare_digest(sign(secret, path, nonce, body).encode(), signature.encode())
