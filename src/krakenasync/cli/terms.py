"""The options of an order on the command line, and what is done before it is sent."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from cyclopts import Parameter

from krakenasync.cli.moments import when
from krakenasync.errors import InvalidArguments
from krakenasync.protocol.kinds import takes
from krakenasync.spot.values import OrderFlags, OrderKind, words

__all__ = ["AT_WILL", "CAREFUL", "Care", "Signed", "Terms"]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Care:
    """What is done before, or instead of, the real thing."""

    validate: bool = False
    """Show what would be sent, and send nothing."""

    yes: Annotated[bool, Parameter(alias="-y")] = False
    """Do it without asking first; needed where nobody can be asked."""


CAREFUL = Care()
_BY_KIND: Final = {"price": "price", "price2": "price2", "trigger": "trigger", "display": "displayvol"}
"""What depends on the kind of order: our word -> Kraken's."""
_FLAGS: Final = words(OrderFlags) | {""}
Signed = Annotated[str | None, Parameter(allow_leading_hyphen=True)]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Terms:
    """The options of an order besides pair and volume."""

    price: Signed = None
    """The limit of a limit order, the trigger of the others; +5%, -100 and #3 are relative to the market."""

    type: OrderKind | None = None
    """The kind of order; with a price alone it is limit."""

    price2: Signed = None
    """The limit of a triggered limit order."""

    flags: str | None = None
    """post, fcib, fciq, viqc; several with commas."""

    lasting: Literal["GTC", "IOC", "GTD", "FOK"] | None = None
    """How long it lasts: till cancelled, at once or never, till --expires, all at once or never."""

    expires: str | None = None
    """When it expires: +3600 (seconds from now), 2026-01-31T12:00 (UTC) or unix seconds; needs no --lasting."""

    starts: str | None = None
    """When it begins: +3600 (seconds from now), 2026-01-31T12:00 (UTC) or unix seconds."""

    display: str | None = None
    """The visible volume of an iceberg."""

    leverage: str | None = None
    """Leverage, like 2; without it the order uses only what the account owns."""

    reduce_only: bool = False
    """Only reduce a margin position, never open or enlarge one."""

    trigger: Literal["last", "index"] | None = None
    """The price that triggers the order."""

    cl_ord_id: str | None = None
    """An id of your own, new for every order; one is made if you give none."""

    def named(self) -> dict[str, Any]:
        """Return them under Kraken's names.

        Raises:
            InvalidArguments: It is not clear which kind of order is meant, or a word is not one of Kraken's.
        """
        self._check_kind()
        if unknown := {flag.strip() for flag in (self.flags or "").split(",")} - _FLAGS:
            raise InvalidArguments(
                f"--flags: there is no {min(unknown)!r}", hint=f"one of {', '.join(sorted(_FLAGS - {''}))}"
            )
        if self.expires is not None and self.lasting not in {None, "GTD"}:
            raise InvalidArguments(f"--expires does not go with --lasting {self.lasting}", hint="leave out one of them")
        spelled = {"flags": "oflags", "lasting": "timeinforce", "expires": "expiretm", "starts": "starttm"}
        spelled |= {"display": "displayvol", "type": "ordertype"}
        given = {"type": "limit", **{name: value for name, value in asdict(self).items() if value not in {None, False}}}
        for name in {"expires", "starts"} & given.keys():
            given[name] = _moment(f"--{name}", given[name])
        if "expires" in given:
            given["lasting"] = "GTD"  # without it Kraken ignores the time
        return {spelled.get(name, name): value for name, value in given.items()}

    def _check_kind(self) -> None:
        """Refuse options that the kind of order does not use, and require the prices that it needs."""
        kind, given = self.type, {name: getattr(self, name) for name in _BY_KIND}
        if kind is None:
            if self.price is None:
                raise InvalidArguments(
                    "limit or market?", hint="--price PRICE makes a limit order, --type market takes the market's price"
                )
            if told := next((name for name in given if name != "price" and given[name] is not None), None):
                raise InvalidArguments(f"--{told}: for which kind of order?", hint="say so with --type")
            return
        for name, field in _BY_KIND.items():
            fits = field in takes(kind)
            if given[name] is not None and not fits:
                raise InvalidArguments(f"a {kind} order has no --{name}", hint=f"leave out --{name}, or change --type")
            if given[name] is None and fits and name in {"price", "price2"}:
                raise InvalidArguments(f"a {kind} order needs --{name}", hint="krakenasync order buy --help")


def _moment(name: str, text: str) -> datetime | str | None:
    """Read a point in time; leave seconds from now to Kraken's clock."""
    if text.startswith("+"):
        return text
    try:
        return when(name, text)
    except InvalidArguments as error:
        raise InvalidArguments(error.message, hint=f"+3600 is in an hour; or {error.hint}") from None


AT_WILL = Terms()
