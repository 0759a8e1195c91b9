"""From request bytes to answer bytes: routing, authentication, cost, permission, and then the endpoint's handler.

Kraken does not say in which order it checks. The order here is method, key, signature, nonce, counter, permission,
arguments.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import msgspec

from krakenasync.clock import Clock
from krakenasync.protocol.bodies import parse_body, parse_form
from krakenasync.protocol.charges import Counter
from krakenasync.protocol.messages import LONGEST_TARGET
from krakenasync.protocol.specs import Spec
from krakenasync.protocol.wire import envelope
from krakenasync.sandbox.accounts import ApiKey
from krakenasync.sandbox.arguments import Arguments
from krakenasync.sandbox.auth import Gatekeeper
from krakenasync.sandbox.calls import Call, Reply
from krakenasync.sandbox.endpoints import HANDLERS
from krakenasync.sandbox.endpoints.context import Context, World
from krakenasync.sandbox.faults import page
from krakenasync.sandbox.listings import find_pair
from krakenasync.sandbox.problems import problem
from krakenasync.sandbox.refusals import PERMISSION_DENIED, UNKNOWN_METHOD, Refusal, invalid
from krakenasync.sandbox.routing import by_query, endpoint_name, find_route
from krakenasync.sandbox.stats import Stats
from krakenasync.spot.catalog import by_name
from krakenasync.spot.values import AssetClass, PriceClass, RebaseMultiplier, words

__all__ = ["Gateway"]

FILE: Final = "application/octet-stream"
VIEWS: Final = {
    "rebase_multiplier": words(RebaseMultiplier),
    "asset_class": words(AssetClass) | words(PriceClass),
    "aclass": words(AssetClass),
    "aclass_base": words(AssetClass),
}
"""Values of the parameters that choose how tokenized assets are shown.

Sources: https://docs.kraken.com/api/docs/rest-api/get-account-balance,
https://docs.kraken.com/api/docs/rest-api/add-order, https://docs.kraken.com/api/docs/rest-api/account-transfer
"""


class Gateway:
    """Answers calls, synchronously: nothing else happens in the sandbox while a call is carried out."""

    def __init__(self, world: World, gatekeeper: Gatekeeper, clock: Clock, stats: Stats) -> None:
        self._world = world
        self._gatekeeper = gatekeeper
        self._clock = clock
        self._stats = stats

    def answer(self, call: Call) -> Reply:
        """Carry out a call and write its answer; except in Funding Beta, a refusal has HTTP status 200 as well."""
        if len(call.quoted_path) + len(call.query) >= LONGEST_TARGET:
            return page(HTTPStatus.REQUEST_URI_TOO_LONG, "414 Request-URI Too Large")
        try:
            return self._carry_out(call)
        except Refusal as refusal:
            self._stats.refused[endpoint_name(call.method, call.quoted_path), refusal.code] += 1
            route = find_route(call.method, call.quoted_path)
            beta = route is not None and route.spec.beta
            if beta:
                return problem(refusal.code)
            posted = refusal.code == UNKNOWN_METHOD and by_query(call.quoted_path)
            status = HTTPStatus.METHOD_NOT_ALLOWED if posted else HTTPStatus.OK
            return Reply(envelope(msgspec.UNSET, refusal.code), status)

    def _carry_out(self, call: Call) -> Reply:
        route = find_route(call.method, call.quoted_path)
        handler = HANDLERS.get(route.spec.name) if route else None
        if route is None or handler is None:
            raise Refusal(UNKNOWN_METHOD)
        spec, params = route.spec, {**_params(call, route.spec), **route.parts}
        arguments = Arguments(params)
        key = self._admit(call, spec, params, arguments)
        self._world.exchange.settle()
        now = self._clock.wall_ns()
        self._world.treasury.settle(now)
        return _reply(spec, handler(Context(self._world, spec, arguments, now, call.arrived, key)))

    def _admit(self, call: Call, spec: Spec, params: Mapping[str, Any], arguments: Arguments) -> ApiKey | None:
        """Admit a call and charge its counter; return the key of a private call."""
        if not spec.private:
            self._world.limits.charge_public(spec.charge, call.address, _pair_of(spec, arguments))
            return None
        key = self._gatekeeper.identify(call, spec, params)
        self._world.limits.charge_key(spec.charge, key)
        if not spec.need.met_by(key.permissions):
            raise Refusal(PERMISSION_DENIED)
        if not spec.beta:  # its words are checked where they are read
            _check_views(spec, arguments)
        return key


def _check_views(spec: Spec, arguments: Arguments) -> None:
    """Check parameters that the handler does not read, because they change nothing without tokenized assets.

    Raises:
        Refusal: A value is not one of Kraken's words.
    """
    for name, allowed in VIEWS.items():
        if arguments.given(name) and name in by_name(spec.name).__struct_encode_fields__:
            arguments.word(name, allowed)


def _reply(spec: Spec, result: Any) -> Reply:
    """Write a result: a file as it is, Funding Beta without the envelope, everything else in it."""
    if spec.binary:
        return Reply(result, content_type=FILE)
    return Reply(msgspec.json.encode(result) if spec.beta else envelope(result))


def _params(call: Call, spec: Spec) -> dict[str, Any]:
    """Read the query string and the body; the body of a public call is ignored.

    Raises:
        Refusal: The body is neither a form nor a JSON object.
    """
    try:
        params = parse_form(call.query) if call.query else {}
        if call.body and spec.private:
            params.update(parse_body(call.content_type, call.body))
    except ValueError:
        raise invalid("malformed request") from None
    return params


def _pair_of(spec: Spec, arguments: Arguments) -> str:
    """Return the pair that the call is counted for, always under the same name, whichever was sent."""
    if spec.charge.counter is not Counter.PUBLIC_PAIR:
        return ""
    try:
        return find_pair(arguments.text("pair", "")).name
    except Refusal:
        return ""
