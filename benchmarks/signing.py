"""What does a signature cost where it is made: in the middle of a call, between two system calls?

    python benchmarks/signing.py [--calls 500] [--rounds 15] [--wide 1 16]

In a loop by itself every way is fast, because all that it touches stays in the processor's caches. So here they sign
the calls of a bare Protocol, and the cost of such a call without a signature is subtracted.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import functools
import hashlib
import hmac
from typing import Any

from _answers import answering
from _bench import headline, middle, table
from _peers import KEY, SIGNER, Ask, Sign, signing
from calls import timed
from transport import pin


def unsigned(_path: str, _nonce: str, _body: bytes) -> str:
    """Return a constant with the length of a signature."""
    return "s" * 88


def whole(path: str, nonce: str, body: bytes) -> str:
    """Sign as most clients do: the key is hashed again each time."""
    message = path.encode() + hashlib.sha256(nonce.encode() + body).digest()
    return base64.b64encode(hmac.new(KEY, message, hashlib.sha512).digest()).decode()


def in_one_call(path: str, nonce: str, body: bytes) -> str:
    """Sign with the faster function that hmac has for one message."""
    message = path.encode() + hashlib.sha256(nonce.encode() + body).digest()
    return base64.b64encode(hmac.digest(KEY, message, "sha512")).decode()


def prepared(padded: bytes = KEY.ljust(128, b"\0")) -> Sign:
    """Sign as ours does, with the key hashed once, but with hashlib's hashes, which are OpenSSL's."""
    inner, outer = (hashlib.sha512(bytes(byte ^ pad for byte in padded)) for pad in (0x36, 0x5C))

    def sign(path: str, nonce: str, body: bytes) -> str:
        one, two = inner.copy(), outer.copy()
        one.update(path.encode() + hashlib.sha256(nonce.encode() + body).digest())
        two.update(one.digest())
        return base64.b64encode(two.digest()).decode()

    return sign


WAYS: dict[str, Sign] = {
    "hmac.new": whole,
    "hmac.digest": in_one_call,
    "key hashed once, OpenSSL": prepared(),
    "key hashed once, CPython's own (krakenasync)": SIGNER.sign,
}


async def compare(url: str, wide: int, calls: int, rounds: int) -> dict[str, list[float]]:
    """Return for each way what it adds to a call in each round, in CPU microseconds."""
    async with contextlib.AsyncExitStack() as stack:
        opened: dict[str, Ask] = {}
        for name, sign in {"": unsigned, **WAYS}.items():
            opened[name] = await stack.enter_async_context(signing(url, wide, sign))
        found: dict[str, list[float]] = {name: [] for name in WAYS}
        for _ in range(rounds):
            took = {name: (await timed(ask, "Balance", calls, wide))[0] for name, ask in opened.items()}
            for name in WAYS:
                found[name].append(took[name] - took[""])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--wide", type=int, nargs="*", default=[1, 16])
    asked = parser.parse_args()
    if len({sign("/0/private/Balance", "1", b"nonce=1") for sign in WAYS.values()}) != 1:
        raise SystemExit("the ways do not sign alike")
    headline("what does a signature add to a call?", "the same call with a signature that is not computed")
    rows: dict[str, list[Any]] = {name: [name] for name in WAYS}
    with answering(core=functools.partial(pin, 1)) as url:
        pin(0)
        for wide in asked.wide:
            for name, added in asyncio.run(compare(url, wide, asked.calls, asked.rounds)).items():
                rows[name].append(f"{middle(added):+.1f}")
    table(("way", *(f"CPU us, {wide} at once" for wide in asked.wide)), list(rows.values()))
    print(f"\nplain TCP, asyncio; medians of {asked.rounds} interleaved rounds of {asked.calls} calls")


if __name__ == "__main__":
    main()
