"""From bytes to bytes: routing, who is calling, what it costs, what it may do, and then the endpoint's handler.

Kraken does not say in which order it checks. Here: method, key, signature, nonce, counter, permission, arguments.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from krakenasync.clock import Clock
from krakenasync.protocol.charges import Counter
from krakenasync.protocol.requests import Spec
from krakenasync.protocol.wire import envelope, parse_body, parse_form
from krakenasync.sandbox.arguments import Arguments
from krakenasync.sandbox.auth import Gatekeeper
from krakenasync.sandbox.calls import Call, Reply
from krakenasync.sandbox.endpoints import HANDLERS
from krakenasync.sandbox.endpoints.context import Context, World
from krakenasync.sandbox.listings import find_pair
from krakenasync.sandbox.refusals import PERMISSION_DENIED, UNKNOWN_METHOD, Refusal, invalid
from krakenasync.sandbox.stats import Stats
from krakenasync.spot.catalog import ENDPOINTS

__all__ = ["ROUTES", "Gateway", "endpoint_name"]

ROUTES: Final[Mapping[str, Spec]] = {request.spec.path: request.spec for request in ENDPOINTS.values()}


def endpoint_name(path: str) -> str:
    """Return Kraken's name of the call behind a path; unknown paths keep their own."""
    spec = ROUTES.get(path)
    return spec.name if spec else path


class Gateway:
    """Answers calls. Synchronous: nothing else happens in the sandbox while a call is carried out."""

    def __init__(self, world: World, gatekeeper: Gatekeeper, clock: Clock, stats: Stats) -> None:
        self._world = world
        self._gatekeeper = gatekeeper
        self._clock = clock
        self._stats = stats

    def answer(self, call: Call) -> Reply:
        """Carry a call out and write its answer; a refusal is an answer with HTTP 200 as well."""
        try:
            return Reply(envelope(self._carry_out(call)))
        except Refusal as refusal:
            self._stats.refused[endpoint_name(call.path), refusal.code] += 1
            return Reply(envelope(msgspec.UNSET, refusal.code))

    def _carry_out(self, call: Call) -> Any:
        spec = ROUTES.get(call.path)
        handler = HANDLERS.get(spec.name) if spec else None
        if spec is None or handler is None or (spec.private and call.method != "POST"):
            raise Refusal(UNKNOWN_METHOD)
        params = _params(call)
        arguments = Arguments(params)
        if not spec.private:
            self._world.limits.charge_public(spec.charge, call.address, _pair_of(spec, arguments))
            return handler(Context(self._world, spec, arguments, self._clock.wall_ns(), call.arrived))
        key = self._gatekeeper.identify(call, spec, params)
        self._world.limits.charge_key(spec.charge, key)
        if not spec.need.met_by(key.permissions):
            raise Refusal(PERMISSION_DENIED)
        self._world.exchange.settle()
        return handler(Context(self._world, spec, arguments, self._clock.wall_ns(), call.arrived, key))


def _params(call: Call) -> dict[str, Any]:
    """Read the query string and the body. Public calls take a form as well, as old clients still send one.

    Raises:
        Refusal: The body is neither a form nor a JSON object.
    """
    try:
        params = parse_form(call.query) if call.query else {}
        if call.body:
            params.update(parse_body(call.content_type, call.body))
    except ValueError:
        raise invalid("malformed request") from None
    return params


def _pair_of(spec: Spec, arguments: Arguments) -> str:
    """Return the pair that the call is counted for, by one name whatever name was sent."""
    if spec.charge.counter is not Counter.PUBLIC_PAIR:
        return ""
    try:
        return find_pair(arguments.text("pair", "")).name
    except Refusal:
        return ""
