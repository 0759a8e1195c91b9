"""Faults to order: what goes wrong, where, when and how often.

A fault is named ``what-before`` or ``what-after``: it strikes before the call is carried out (so it never is), or after
(it was, and the answer is spoilt). Without a suffix the usual one of the two is meant. Any of Kraken's own strings is a
fault as well: ``"EService:Busy"`` is answered instead of carrying out the call, ``"EService:Busy-after"`` after it was
carried out, ``"WGeneral:..."`` beside its result.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from typing import Any, Final

import msgspec

from krakenasync.errors import ConfigurationError
from krakenasync.protocol.quoting import quoted
from krakenasync.protocol.refusals import throttled
from krakenasync.protocol.wire import envelope
from krakenasync.sandbox.calls import Reply
from krakenasync.spot.catalog import ENDPOINTS

__all__ = ["FAULTS", "Fault", "Faults", "Rule", "describe", "page"]

AFTER: Final = "-after"
BEFORE: Final = "-before"
HTML: Final = "text/html; charset=UTF-8"
_ENDPOINTS: Final = frozenset(request.spec.name for request in ENDPOINTS.values())

Spoil = Callable[[Reply], Reply | None]
"""Turns the true answer into what the caller sees; None cuts the connection."""


def page(status: int, title: str) -> Reply:
    """Write a page as Kraken's edge servers answer by themselves."""
    body = f"<!DOCTYPE html>\n<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\n".encode()
    return Reply(body, status, HTML)


def _page(status: int, title: str) -> Spoil:
    return lambda _reply: page(status, title)


def _whole(body: bytes) -> Spoil:
    return lambda _reply: Reply(body)


def _truncate(reply: Reply) -> Reply:
    body = reply.body or envelope({"pending": True})
    return Reply(body[: max(1, len(body) // 2)])


# name -> (what the caller sees, whether the call is usually carried out nevertheless)
FAULTS: Final[dict[str, tuple[Spoil, bool]]] = {
    "answer-lost": (lambda _reply: None, True),
    "500": (_page(500, "500 Internal Server Error"), False),
    "502": (_page(502, "502 Bad Gateway"), False),
    "503": (_page(503, "503 Service Temporarily Unavailable"), False),
    "504": (_page(504, "504 Gateway Time-out"), False),
    "520": (_page(520, "520: Web server is returning an unknown error"), False),
    "403": (_page(403, "Attention Required! | Cloudflare"), False),
    "429": (_page(429, "429 Too Many Requests"), False),
    "html": (_page(200, "Just a moment..."), False),
    "truncated-json": (_truncate, True),
    "empty-body": (_whole(b""), True),
    "null": (_whole(b"null"), True),
    "not-json": (_whole(b"upstream request timeout"), True),
    "redirect": (lambda _reply: Reply(b"", 302, HTML, "https://www.kraken.com/"), False),
    # Carried out, but late: nothing is spoilt, see `Rule.seconds`.
    "delayed": (lambda reply: reply, True),
}


class Fault(msgspec.Struct, frozen=True):
    """One fault, ready to be played.

    Attributes:
        name: As it was ordered, with its suffix.
        executes: Whether the call is carried out.
        seconds: How long the request (before) or the answer (after) is held up.
        late_answer: Whether the answer, not the request, is held up.
    """

    name: str
    executes: bool
    seconds: float = 0.0
    late_answer: bool = False

    def spoil(self, reply: Reply, now: int) -> Reply | None:
        """Turn the true answer into what the caller sees; None if the connection is to be cut.

        Args:
            reply: The true answer; an empty one when the call was not carried out.
            now: Unix seconds, for the time that a throttled answer names.
        """
        what = self.name.removesuffix(AFTER).removesuffix(BEFORE)
        if what in FAULTS:
            return FAULTS[what][0](reply)
        code = throttled(now + 5) if what.rstrip(": ").endswith("Throttled") else what
        if what.startswith("W"):
            if not reply.body.startswith(b'{"error":[],'):
                return reply
            return Reply(b'{"error":' + msgspec.json.encode([code]) + reply.body.removeprefix(b'{"error":[]'))
        return Reply(envelope(msgspec.UNSET, code))


class Rule(msgspec.Struct):
    """When a fault is played.

    Attributes:
        endpoint: Kraken's name of the calls it applies to; ``"*"`` for all.
        fault: What goes wrong.
        times: How often it may still be played; None for always.
        skip: How many matching calls pass first.
        probability: The probability that a matching call meets it.
    """

    endpoint: str
    fault: Fault
    times: int | None = 1
    skip: int = 0
    probability: float = 1.0

    def strikes(self, endpoint: str, chance: random.Random) -> bool:
        """Whether this call meets the fault."""
        if self.endpoint not in ("*", endpoint) or self.times == 0:
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.probability < 1 and chance.random() >= self.probability:
            return False
        if self.times is not None:
            self.times -= 1
        return True


class Faults:
    """The script of faults: rules in the order they were added; the first that strikes is played."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._rules: list[Rule] = []

    def add(
        self,
        endpoint: str,
        fault: str,
        *,
        times: int | None = 1,
        nth: int = 1,
        probability: float = 1.0,
        seconds: float = 0.0,
    ) -> Rule:
        """Order a fault.

        Args:
            endpoint: Kraken's name (``"AddOrder"``), or ``"*"`` for every call.
            fault: A name from `FAULTS`, with or without ``-before``/``-after``, or one of Kraken's strings.
            times: How often; None for always.
            nth: The first matching call that may meet it, counted from 1 and from now.
            probability: The probability that a matching call meets it.
            seconds: How long the request is held up first (``-before`` and no suffix) or the answer (``-after``).

        Raises:
            ConfigurationError: There is no such endpoint or fault, or a number is out of range.
        """
        if endpoint != "*" and endpoint not in _ENDPOINTS:
            near = get_close_matches(endpoint, _ENDPOINTS)
            hint = f"did you mean {' or '.join(near)}?" if near else "Kraken's name of the call, or * for every call"
            raise ConfigurationError(f"no endpoint {quoted(endpoint)} to fail", hint=hint)
        if nth < 1 or not 0 <= probability <= 1 or seconds < 0 or (times is not None and times < 0):
            raise ConfigurationError("a fault needs nth >= 1, 0 <= probability <= 1, seconds >= 0 and times >= 0")
        rule = Rule(endpoint, _fault(fault, seconds), times, nth - 1, probability)
        self._rules.append(rule)
        return rule

    def clear(self) -> None:
        """Forget all rules."""
        self._rules.clear()

    def draw(self, endpoint: str) -> Fault | None:
        """Find the fault that a call of `endpoint` meets, if any."""
        for rule in self._rules:
            if rule.strikes(endpoint, self._chance):
                if rule.times == 0:
                    self._rules.remove(rule)
                return rule.fault
        return None

    def __iter__(self) -> Iterator[Rule]:
        return iter(self._rules)

    def __len__(self) -> int:
        return len(self._rules)


def _fault(name: str, seconds: float) -> Fault:
    """Read a fault's name."""
    what = name.removesuffix(AFTER).removesuffix(BEFORE)
    after = name.endswith(AFTER)
    if what in FAULTS:
        usual = FAULTS[what][1]
    elif what[:1] in ("E", "W") and ":" in what:
        usual = what.startswith("W")
    else:
        known = ", ".join(FAULTS)
        raise ConfigurationError(f"unknown fault {name!r}", hint=f"one of {known}, or a string like 'EService:Busy'")
    executes = True if what == "delayed" else after or (usual and not name.endswith(BEFORE))
    return Fault(name, executes, seconds, late_answer=after)


def describe() -> dict[str, Any]:
    """List the available faults, for the control page."""
    return {"faults": sorted(FAULTS), "suffixes": [BEFORE, AFTER], "kraken": "any string such as EService:Busy"}
