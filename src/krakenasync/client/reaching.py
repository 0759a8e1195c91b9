"""Opening a connection to a host of several addresses, by "happy eyeballs". Needs asyncio.

asyncio's own way (``happy_eyeballs_delay``) leaves a socket open when cancelled in the step in which that was
connected, and uvloop has no such way; without it, connecting to one address at a time, nothing is left behind.

Source: https://www.rfc-editor.org/rfc/rfc8305 (sections 4, 5)
"""

from __future__ import annotations

import asyncio
import itertools
import socket
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any, Final, TypeAlias, TypeVar

__all__ = ["connected"]

P = TypeVar("P", bound=asyncio.BaseProtocol)
Attempt: TypeAlias = "asyncio.Task[tuple[asyncio.Transport, P]]"

_HEAD_START: Final = 0.25
"""Seconds after which the next address is tried alongside the previous one."""


async def connected(make: Callable[[], P], host: str, port: int, **options: Any) -> P:
    """Connect to the first address of a host that answers, and return the protocol of that connection.

    Args:
        make: Makes a protocol for each address that is tried.
        host: A name or an address.
        port: The port.
        options: For ``loop.create_connection``.

    Raises:
        OSError: No address could be reached; the error of the first is raised.
    """
    loop = asyncio.get_running_loop()
    if _is_address(host):
        return (await loop.create_connection(make, host, port, **options))[1]
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    if not found:  # a resolver that replaces the system's may return none
        raise OSError("its name has no address")
    addresses = _in_turns([(family, str(address[0])) for family, _kind, _proto, _name, address in found])
    attempts: list[Attempt[P]] = []
    chosen: Attempt[P] | None = None

    def end(attempt: Attempt[P]) -> None:
        """Close a connection that was made but not chosen, however late it comes."""
        if attempt is not chosen and not attempt.cancelled() and attempt.exception() is None:
            attempt.result()[0].abort()

    try:
        while chosen is None:
            if addresses:
                family, address = addresses.pop(0)
                trying = loop.create_connection(make, address, port, family=family, **options)
                attempts.append(loop.create_task(trying))
            running = [attempt for attempt in attempts if not attempt.done()]
            if running:
                await asyncio.wait(running, timeout=_HEAD_START if addresses else None, return_when="FIRST_COMPLETED")
            done = [attempt for attempt in attempts if attempt.done()]
            chosen = next((attempt for attempt in done if attempt.exception() is None), None)
            if chosen is None and len(done) == len(attempts) and not addresses:
                chosen = attempts[0]  # whose error is raised
        return chosen.result()[1]
    finally:
        for attempt in attempts:
            attempt.cancel()
            attempt.add_done_callback(end)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _in_turns(addresses: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Let the address families take turns, starting with the system's first choice."""
    first = [each for each in addresses if each[0] == addresses[0][0]]
    other = [each for each in addresses if each[0] != addresses[0][0]]
    pairs = itertools.zip_longest(first, other)
    return [each for pair in pairs for each in pair if each is not None]
