"""Bodies that come packed."""

import gzip
import zlib

import pytest

from krakenasync.client.codings import Undecodable, decoded
from krakenasync.client.http1 import Response


def answer(body, *codings):
    return Response(200, [(b"content-encoding", coding) for coding in codings], body, True)


BARE = zlib.compressobj(wbits=-15)
RAW = BARE.compress(b"hello") + BARE.flush()


@pytest.mark.parametrize(
    ("body", "codings"),
    [
        (b"hello", []),
        (b"hello", [b"identity"]),
        (gzip.compress(b"hello", mtime=0), [b"GZIP"]),
        (gzip.compress(b"hello", mtime=0), [b"x-gzip"]),
        (zlib.compress(b"hello"), [b"deflate"]),
        (RAW, [b"deflate"]),
        (gzip.compress(zlib.compress(b"hello"), mtime=0), [b"deflate, gzip"]),
        (gzip.compress(zlib.compress(b"hello"), mtime=0), [b"deflate", b"gzip"]),
    ],
)
def test_content_codings(body, codings):
    """gzip and deflate in both its forms, also one over the other."""
    assert decoded(answer(body, *codings), 1000) == b"hello"


@pytest.mark.parametrize(
    ("body", "coding", "why"),
    [
        (b"hello", b"gzip", "broken"),
        (gzip.compress(b"hello", mtime=0)[:-1], b"gzip", "cut short"),
        (gzip.compress(b"hello", mtime=0) + b"x", b"gzip", "follows"),
        (gzip.compress(b"x" * 100_000, mtime=0), b"gzip", "more than 1000 bytes"),
        (zlib.compress(b"x" * 100_000), b"deflate", "more than 1000 bytes"),
        (b"hello", b"br", "not asked for"),
    ],
)
def test_what_cannot_be_decoded(body, coding, why):
    """A broken, cut or bloated body is an error, never a part of one."""
    with pytest.raises(Undecodable, match=why):
        decoded(answer(body, coding), 1000)
