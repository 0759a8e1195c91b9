"""The control pages under ``/sandbox``, so that other processes can look and order faults. Kraken has none of them.

======  ====================  ==============================================================================
GET     /sandbox/keys         the keys: label, account, api_key, api_secret, permissions
GET     /sandbox/stats        requests, refusals, faults played, levels and peaks of the counters
GET     /sandbox/faults       the faults there are
POST    /sandbox/faults       order one: the JSON body holds the arguments of `Faults.add`
DELETE  /sandbox/faults       forget those not played yet
======  ====================  ==============================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from krakenasync.errors import ConfigurationError
from krakenasync.sandbox.faults import describe

if TYPE_CHECKING:
    from krakenasync.sandbox.sandbox import Sandbox

__all__ = ["control_app"]


class _Order(msgspec.Struct, forbid_unknown_fields=True):
    """The body that orders a fault."""

    endpoint: str
    fault: str
    times: int | None = 1
    nth: int = 1
    probability: float = 1.0
    seconds: float = 0.0


def control_app(sandbox: Sandbox) -> Starlette:
    """Make the app of the control pages."""

    async def keys(_request: Request) -> Response:
        return _json([_key(sandbox, label) for label in sandbox.keys])

    async def stats(_request: Request) -> Response:
        seen = sandbox.stats
        return _json(
            {
                "requests": dict(seen.requests),
                "refused": [[*what, times] for what, times in seen.refused.items()],
                "faults": [[*what, times] for what, times in seen.faults.items()],
                "levels": {label: sandbox.level(label) for label in sandbox.keys},
                "peaks": sandbox.limits.peaks,
            }
        )

    async def faults(request: Request) -> Response:
        if request.method == "DELETE":
            sandbox.faults.clear()
        elif request.method == "POST":
            try:
                order = msgspec.json.decode(await request.body(), type=_Order)
                sandbox.faults.add(**msgspec.structs.asdict(order))
            except (msgspec.MsgspecError, ConfigurationError) as error:
                return _json({"error": str(error)}, 400)
        return _json({**describe(), "waiting": len(sandbox.faults)})

    return Starlette(
        routes=[
            Route("/sandbox/keys", keys),
            Route("/sandbox/stats", stats),
            Route("/sandbox/faults", faults, methods=["GET", "POST", "DELETE"]),
        ]
    )


def _key(sandbox: Sandbox, label: str) -> dict[str, Any]:
    key = sandbox.keys[label]
    return {
        "label": label,
        "account": key.account.name,
        "api_key": key.api_key,
        "api_secret": key.api_secret,
        "permissions": sorted(key.permissions),
    }


def _json(value: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")
