"""Why the network failed, in words that a person can act on, without the names of the layers in between.

The errors that led there stay the `__cause__` of ours. httpx's classes are recognised by name; ours are named alike.
"""

from __future__ import annotations

import errno
import re
import socket
import ssl
from collections.abc import Iterator
from typing import Final, NamedTuple

from krakenasync.protocol.wire import PROXY_LOGIN

__all__ = ["Reason", "unanswered", "unreached"]


class Reason(NamedTuple):
    """What happened, and what to do about it."""

    said: str
    hint: str | None = None


_ADDRESS: Final = "is the address right, with its port, and is anything running there?"
_NETWORK: Final = "is the network up, and is no firewall in the way?"
_OVER_A_PROXY: Final = " over a proxy"
"""How an address reached through a proxy ends."""
_PROXY: Final = "is the proxy running that HTTPS_PROXY, HTTP_PROXY or ALL_PROXY names? NO_PROXY bypasses it"
_BARRED: Final = "does the proxy allow this host? HTTPS_PROXY, HTTP_PROXY or ALL_PROXY name it, NO_PROXY bypasses it"
_TLS: Final = "is the address right? without TLS it begins with http://; or a proxy intercepts TLS"
_PLAIN: Final = "is the address right? with TLS it begins with https://"
_TRUST: Final = (
    "is the address right, and this machine's clock? if a proxy intercepts TLS on purpose, SSL_CERT_FILE names the "
    "certificates to trust"
)
_FAILURES: Final = {
    errno.ECONNREFUSED: Reason("connection refused", _ADDRESS),
    errno.ECONNRESET: Reason("it closed the connection", _PLAIN),
    errno.EPIPE: Reason("it closed the connection"),
    errno.ETIMEDOUT: Reason("it does not answer", _NETWORK),
    errno.EHOSTUNREACH: Reason("no route to it from here", _NETWORK),
    errno.ENETUNREACH: Reason("no route to it from here", _NETWORK),
    errno.EADDRNOTAVAIL: Reason("no route to it from here", _NETWORK),
    errno.EACCES: Reason("this machine forbids it", _NETWORK),
    errno.EPERM: Reason("this machine forbids it", _NETWORK),
    errno.EMFILE: Reason("too many files and connections are open", "close some, or raise the limit (ulimit -n)"),
}
"""Reasons by the operating system's error number."""
_NUMBER: Final = re.compile(r"\[Errno (\d+)\]")
"""Finds error numbers where asyncio joins several failures, one for each of a name's addresses, in one text."""
_WHO_ARE_YOU: Final = "407"
"""How the answer of a proxy that asks for a login begins."""
_NOT_SPOKEN: Final = {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG"}
"""OpenSSL's reasons for an answer that is not TLS."""


def unreached(error: BaseException, where: str, within: float) -> Reason:
    """Say why a request was not sent.

    Args:
        error: What was raised.
        where: Host and port, as a person reads them.
        within: Seconds that were allowed.
    """
    kind = type(error).__name__
    if kind == "PoolTimeout":
        return Reason(f"no connection to {where} became free within {within:g} s", "make fewer calls at once")
    if kind in {"BadRequest", "LocalProtocolError", "UnsupportedProtocol", "InvalidURL"}:
        return Reason(f"the request cannot be written: {error}")
    if kind == "ProxyError":
        unknown = str(error).startswith(_WHO_ARE_YOU)
        said = f"could not reach {where}: the proxy says {error}"
        return Reason(said, PROXY_LOGIN if unknown else _BARRED)
    why = _why(error, within)
    hint = _PROXY if where.endswith(_OVER_A_PROXY) and why.hint in {_ADDRESS, _NETWORK} else why.hint
    return Reason(f"could not reach {where}: {why.said}", hint)


def unanswered(error: BaseException, where: str, within: float) -> Reason:
    """Say why no whole answer came; see `unreached`."""
    proxied = where.endswith(_OVER_A_PROXY)
    if _is_timeout(error):
        return Reason(f"{where} gave no whole answer within {within:g} s", _BARRED if proxied else None)
    if type(error).__name__ in {"BadResponse", "RemoteProtocolError"}:
        return Reason(f"{where} gave no whole answer: {error}", _BARRED if proxied else _PLAIN)
    return Reason(f"the connection to {where} broke before the answer arrived: {_why(error, within).said}")


def _why(error: BaseException, within: float) -> Reason:
    """Look through an error and its causes for the one that explains most."""
    chain = list(_chain(error))
    for each in chain:
        if (found := _known(each)) is not None:
            return found
    if any(map(_is_timeout, chain)):
        return Reason(f"no connection within {within:g} s", _NETWORK)
    texts = [str(each) for each in chain if str(each)]
    return Reason(texts[-1] if texts else "no reason given")


def _known(error: BaseException) -> Reason | None:
    """Put one error into words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return Reason(f"its certificate is not trusted ({error.verify_message.rstrip('.')})", _TRUST)
    if isinstance(error, ssl.SSLError):
        reason = getattr(error, "reason", None) or "no reason given"
        said = "it does not speak TLS" if reason in _NOT_SPOKEN else f"TLS failed ({reason.replace('_', ' ').lower()})"
        return Reason(said, _TLS)
    if isinstance(error, socket.gaierror):
        if error.errno == socket.EAI_AGAIN:
            return Reason("its name cannot be resolved just now", "is the network up?")
        return Reason("no host has that name", "is the address spelled right, and the network up?")
    if isinstance(error, OSError):
        told = _NUMBER.search(str(error))
        return _FAILURES.get(error.errno or (int(told[1]) if told else 0))
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what led to it, the outermost first."""
    pending, seen = [error], set[int]()
    while pending:
        each = pending.pop(0)
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        if isinstance(each, BaseExceptionGroup):
            pending += each.exceptions
        if (before := each.__cause__ or each.__context__) is not None:
            pending.append(before)


def _is_timeout(error: BaseException) -> bool:
    return isinstance(error, TimeoutError) or type(error).__name__.endswith("Timeout")
