"""One HTTP message for one call, composed and signed in one step: the signed bytes are the sent bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import msgspec

from krakenasync.errors import InvalidArguments
from krakenasync.protocol.bodies import encode, query
from krakenasync.protocol.signing import Signer, sign
from krakenasync.protocol.specs import Body, Spec

__all__ = ["LONGEST_TARGET", "Message", "compose", "fits_a_header"]

_FORM, _JSON = "application/x-www-form-urlencoded", "application/json"
_IN_QUERY: Final = frozenset({"account_id"})
"""What Funding Beta takes in the query string, even if a call has a body."""
LONGEST_TARGET: Final = 8_000
"""Characters. Kraken's edge answers longer ones with 414 or 520, however often they are sent.

Source: https://github.com/home-assistant/core/issues/142910, https://github.com/freqtrade/freqtrade/issues/6318
"""
_AS_JSON: Final = Body.JSON  # up to Python 3.11, looking up an enum member costs as much as a call


def fits_a_header(text: str) -> bool:
    """Whether a text can be sent as a header's value: plain ASCII, without anything that ends a line."""
    return text.isascii() and text.isprintable()


class Message(msgspec.Struct, frozen=True):
    """What is sent: method, target from ``/0/`` on with its query, headers, body.

    Attributes:
        others: Headers besides the three that every ordinary private call has.
        key: The API key's public half, ``API-Key``.
        signature: ``API-Sign``.
        kind: ``Content-Type``.
    """

    method: str
    target: str
    others: dict[str, str]
    body: bytes
    key: str = ""
    signature: str = ""
    kind: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """All headers by name."""
        usual = {"API-Key": self.key, "API-Sign": self.signature, "Content-Type": self.kind}
        return {name: value for name, value in usual.items() if value} | self.others

    def __repr__(self) -> str:
        """Show where it goes; headers and body contain the key, signature and second factor."""
        return f"<Message {self.method} {self.target.partition('?')[0]}>"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Show no more to rich, which does not call `__repr__`."""
        return [("method", self.method), ("target", self.target.partition("?")[0])]


def compose(
    spec: Spec,
    params: Mapping[str, Any],
    *,
    key: str = "",
    secret: bytes | Signer = b"",
    nonce: str = "",
    otp: str | None = None,
) -> Message:
    """Write and, for a private call, sign a message.

    Args:
        spec: The endpoint.
        params: Its parameters as `Part.params` returns them.
        key: The API key's public half.
        secret: The decoded private half, or what signs with it.
        nonce: Decimal digits, above every nonce sent before.
        otp: The second factor, where the key has one.

    Raises:
        InvalidArguments: A text contains a lone surrogate, or a second factor what no header can contain.
    """
    try:
        if not spec.private:
            return Message(spec.method, _with_query(spec.path, params), {}, b"")
        if spec.beta:
            return _compose_beta(spec, params, key, secret, nonce, otp)
        body = encode(spec.body, params if otp is None else {"otp": otp, **params}, nonce)
        kind = _JSON if spec.body is _AS_JSON else _FORM
        signer = secret if isinstance(secret, Signer) else Signer(secret)
        return Message(spec.method, spec.path, {}, body, key, signer.sign(spec.path, nonce, body), kind)
    except UnicodeEncodeError:
        # As in a text read with errors="surrogateescape". The error itself contains the text, maybe a second factor.
        raise InvalidArguments(
            f"a parameter of {spec.name} contains a lone surrogate, which cannot be sent", hint="read the text as UTF-8"
        ) from None


def _compose_beta(
    spec: Spec, params: Mapping[str, Any], key: str, secret: bytes | Signer, nonce: str, otp: str | None
) -> Message:
    """Write a Funding Beta message: nonce in a header, path with its query signed.

    Source: https://docs.kraken.com/exchange/guides/rest/funding
    """
    rest = dict(params)
    path = spec.path
    for name in [name for name in rest if f"{{{name}}}" in path]:
        path = path.replace(f"{{{name}}}", quote(str(rest.pop(name)), safe=""))
    query_only = spec.body is Body.QUERY
    asked = rest if query_only else {name: rest.pop(name) for name in _IN_QUERY & rest.keys()}
    target = _with_query(path, asked)
    body = b"" if query_only else encode(Body.JSON, rest)
    others = {"API-Nonce": nonce}
    if otp is not None:
        if not fits_a_header(otp):
            raise InvalidArguments(
                f"the second factor cannot be sent with {spec.name}: Funding Beta takes it in a header, as plain ASCII",
                hint="use a key without a static second factor for Funding Beta",
            )
        others["API-OTP"] = otp
    kind = _JSON if body else ""
    return Message(spec.method, target, others, body, key, sign(secret, target, nonce, body), kind)


def _with_query(path: str, params: Mapping[str, Any]) -> str:
    asked = query(params)  # empty if all its lists are
    target = f"{path}?{asked}" if asked else path
    if len(target) > LONGEST_TARGET:
        raise InvalidArguments(
            f"the request is too long: a target of {len(target)} characters, {LONGEST_TARGET} at most",
            hint="name fewer pairs or assets; without names you get them all",
        )
    return target
