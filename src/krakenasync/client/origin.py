"""Where requests go: a base URL that was checked, and messages written for it."""

from __future__ import annotations

import functools
from typing import Final
from urllib.parse import quote, urlsplit

from krakenasync import _version
from krakenasync.client.http1 import BadRequest, request
from krakenasync.errors import ConfigurationError
from krakenasync.protocol.messages import Message, fits_a_header
from krakenasync.protocol.quoting import quoted

__all__ = ["USER_AGENT", "Origin"]

USER_AGENT: Final = f"krakenasync/{_version.__version__}"

_PORTS: Final = {"http": 80, "https": 443}
_KEPT_IN_A_PATH: Final = "/%!$&'()*+,;=:@~"


class Origin:
    """Scheme, host and port with a path prefix.

    Attributes:
        base_url: The same however it was spelled: in small letters, without a port that goes without saying.
        where: Host and port, as a person reads them.

    Raises:
        ConfigurationError: The base URL cannot work.
    """

    def __init__(self, base_url: str) -> None:
        parts = urlsplit(_checked(base_url))
        name = parts.hostname or ""
        self.scheme = parts.scheme
        self.host = name if name.isascii() else name.encode("idna").decode("ascii")
        self.port = parts.port or _PORTS[parts.scheme]
        self._prefix = quote(parts.path, safe=_KEPT_IN_A_PATH)
        literal = f"[{self.host}]" if ":" in self.host else self.host
        self.where = f"{literal}:{self.port}"
        named = literal if self.port == _PORTS[self.scheme] else self.where
        self.base_url = f"{self.scheme}://{named}{parts.path}"
        self._headers = [("Host", named), ("Accept", "*/*"), ("User-Agent", USER_AGENT)]
        self._beginning = functools.lru_cache(maxsize=4096)(self._begin)

    @property
    def proxied(self) -> bool:
        """Whether the environment names a proxy for it; a server on this machine is never reached through one."""
        from urllib.request import getproxies, proxy_bypass  # noqa: PLC0415 - three milliseconds, not for a mere import

        if not getproxies().keys() & {self.scheme, "all"} or self.local:
            return False
        return not proxy_bypass(f"{self.host}:{self.port}")

    @property
    def local(self) -> bool:
        """Whether it is on this machine."""
        from ipaddress import ip_address  # noqa: PLC0415 - as above

        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost" or self.host.endswith(".localhost")

    @property
    def secure(self) -> bool:
        """Whether it uses TLS."""
        return self.scheme == "https"

    def write(self, message: Message) -> bytes:
        """Return a message as the bytes to send.

        Raises:
            BadRequest: Something in it cannot be written as HTTP.
        """
        body = message.body
        if message.signature and message.method == "POST" and not message.others:
            # The caller does not choose signature and content type, so they contain nothing that ends a line.
            head = (
                f"{self._beginning(message.target, message.key)}API-Sign: {message.signature}\r\n"
                f"Content-Type: {message.kind}\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            return head.encode("ascii") + body
        headers = [*self._headers, *message.headers.items()]
        if body or message.method != "GET":
            headers.append(("Content-Length", str(len(body))))
        else:
            headers.append(("Accept-Encoding", "gzip, deflate"))  # large answers are public ones
        return self._written(message.method, message.target, headers, body)

    def _begin(self, target: str, key: str) -> str:
        """Write, once per endpoint and key, the beginning of the head of every ordinary private call."""
        if not fits_a_header(key):
            raise BadRequest("an API key contains a character that HTTP does not allow in a header")
        headers = [*self._headers, ("API-Key", key)]
        return self._written("POST", target, headers).decode("latin-1").removesuffix("\r\n")

    def _written(self, method: str, target: str, headers: list[tuple[str, str]], body: bytes = b"") -> bytes:
        if "#" in target:
            raise BadRequest("a fragment is not part of a target")
        return request(method, self._prefix + target, headers, body)


def _checked(base_url: str) -> str:
    """Refuse a base URL that cannot work, before anything is signed."""
    hint = "write it with its scheme, like https://api.kraken.com or http://127.0.0.1:8000"
    try:
        parts = urlsplit(base_url)
        host, _port = parts.hostname, parts.port
        if host:
            host.encode("idna")
    except (ValueError, AttributeError, TypeError):
        raise ConfigurationError(f"base_url {quoted(base_url)} is not a URL", hint=hint) from None
    if parts.scheme not in _PORTS or not host:
        raise ConfigurationError(f"base_url {quoted(base_url)} has no http(s) scheme or no host", hint=hint)
    if len(base_url.split()) != 1:
        raise ConfigurationError(f"base_url {quoted(base_url)} contains a blank", hint=hint)
    if parts.path.rstrip("/").endswith("/0"):
        raise ConfigurationError(
            f"base_url {quoted(base_url)} ends in /0", hint="leave that out: the path of every call begins with it"
        )
    if parts.query or parts.fragment or parts.username:
        raise ConfigurationError("base_url may hold scheme, host, port and a path prefix only", hint=hint)
    return base_url.rstrip("/")
