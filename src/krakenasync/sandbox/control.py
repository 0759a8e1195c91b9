"""The control pages under ``/sandbox``, with which other processes can look and order faults. Kraken has none of them.

======  ====================  ==============================================================================
GET     /sandbox/keys         the keys: label, account, api_key, api_secret, permissions
GET     /sandbox/stats        requests, refusals, faults played, levels and peaks of the counters
GET     /sandbox/faults       the faults there are
POST    /sandbox/faults       order one: the JSON body contains the arguments of `Faults.add`
DELETE  /sandbox/faults       forget those not played yet
GET     /sandbox/accounts     the accounts: name, public id, whose subaccount, balances
POST    /sandbox/deposits     let money arrive: account, asset, amount, and a method unless it is the first one
POST    /sandbox/clock        let time pass at once: advance, in seconds; answers the unix time in nanoseconds
======  ====================  ==============================================================================
"""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from krakenasync.errors import ConfigurationError
from krakenasync.sandbox.accounts import ApiKey, KeyRing
from krakenasync.sandbox.clocks import SandboxClock
from krakenasync.sandbox.faults import Faults, describe
from krakenasync.sandbox.gifts import json_page, money_routes
from krakenasync.sandbox.limits import Limits
from krakenasync.sandbox.stats import Stats
from krakenasync.sandbox.treasury import Treasury

__all__ = ["control_app"]


class _NewFault(msgspec.Struct, forbid_unknown_fields=True):
    """The body that adds a fault."""

    endpoint: str
    fault: str
    times: int | None = 1
    nth: int = 1
    probability: float = 1.0
    seconds: float = 0.0


class _Leap(msgspec.Struct, forbid_unknown_fields=True):
    """The body that lets time pass."""

    advance: float = 0.0


def control_app(
    keys: KeyRing, limits: Limits, faults: Faults, seen: Stats, treasury: Treasury, clock: SandboxClock
) -> Starlette:
    """Make the app of the control pages."""

    async def show_keys(_request: Request) -> Response:
        return json_page([_key(key) for key in keys.values()])

    async def show_stats(_request: Request) -> Response:
        return json_page(
            {
                "requests": dict(seen.requests),
                "refused": [[*what, times] for what, times in seen.refused.items()],
                "faults": [[*what, times] for what, times in seen.faults.items()],
                "levels": {key.label: limits.level(key) for key in keys.values()},
                "peaks": limits.peaks,
            }
        )

    async def order_faults(request: Request) -> Response:
        if request.method == "DELETE":
            faults.clear()
        elif request.method == "POST":
            try:
                wanted = msgspec.json.decode(await request.body(), type=_NewFault)
                faults.add(**msgspec.structs.asdict(wanted))
            except (msgspec.MsgspecError, ConfigurationError) as error:
                return json_page({"error": str(error)}, 400)
        return json_page({**describe(), "waiting": len(faults)})

    async def move_clock(request: Request) -> Response:
        return _leap(clock, await request.body())

    return Starlette(
        routes=[
            Route("/sandbox/clock", move_clock, methods=["POST"]),
            Route("/sandbox/keys", show_keys),
            Route("/sandbox/stats", show_stats),
            Route("/sandbox/faults", order_faults, methods=["GET", "POST", "DELETE"]),
            *money_routes(keys.accounts, treasury, clock),
        ]
    )


def _leap(clock: SandboxClock, body: bytes) -> Response:
    """Let time pass at once; what is due by then happens before the next call is answered."""
    try:
        clock.advance(msgspec.json.decode(body, type=_Leap).advance)
    except (msgspec.MsgspecError, ConfigurationError) as error:
        return json_page({"error": str(error)}, 400)
    return json_page({"wall_ns": clock.wall_ns()})


def _key(key: ApiKey) -> dict[str, Any]:
    return {
        "label": key.label,
        "account": key.account.name,
        "api_key": key.api_key,
        "api_secret": key.api_secret,
        "permissions": sorted(key.permissions),
    }
