"""Content codings: how a body was compressed for transfer.

Source: https://www.rfc-editor.org/rfc/rfc9110 (section 8.4)
"""

from __future__ import annotations

import zlib
from typing import Final

from krakenasync.client.http1 import Response

__all__ = ["Undecodable", "decoded"]

_CODED: Final = b"content-encoding"
_LENGTH: Final = len(_CODED)
_GZIP, _DEFLATE = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS


class Undecodable(Exception):
    """An answer's content coding is unknown, broken or cut short."""


def decoded(response: Response, limit: int) -> bytes:
    """Return the body without its content codings (gzip, deflate).

    Raises:
        Undecodable: A coding is not one of these, or the body is broken, cut short or longer than `limit`.
    """
    body = response.body
    codings = [value for name, value in response.headers if len(name) == _LENGTH and name.lower() == _CODED]
    if not codings:
        return body
    for coding in reversed(b",".join(codings).lower().split(b",")):
        body = _decode(coding.strip(), body, limit)
    return body


def _decode(coding: bytes, body: bytes, limit: int) -> bytes:
    if coding in {b"", b"identity"} or not body:
        return body
    if coding in {b"gzip", b"x-gzip"}:
        return _inflate(body, _GZIP, limit)
    if coding != b"deflate":
        raise Undecodable(f"content coding {coding.decode('latin-1')!r} was not asked for")
    # zlib's format is meant; some servers send the bare stream (RFC 9110, 8.4.1.2). The first nibble tells them apart.
    return _inflate(body, _DEFLATE if body[0] & 0x0F == zlib.DEFLATED else -_DEFLATE, limit)


def _inflate(body: bytes, window: int, limit: int) -> bytes:
    inflater = zlib.decompressobj(window)
    try:
        plain = inflater.decompress(body, limit)
    except zlib.error as error:
        raise Undecodable(f"the body's compression is broken: {error}") from None
    if inflater.unconsumed_tail:
        raise Undecodable(f"a body of more than {limit} bytes when decompressed")
    if not inflater.eof or inflater.unused_data:
        raise Undecodable("the compressed body is cut short, or something follows it")
    return plain
