"""Finding the endpoint that a method and a path mean.

Spot has one endpoint per path. Funding Beta has several, distinguished by HTTP method, and paths with parts to fill in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple
from urllib.parse import unquote

from krakenasync.protocol.specs import Spec
from krakenasync.spot.catalog import ENDPOINTS

__all__ = ["ROUTES", "Route", "by_query", "endpoint_name", "find_route"]

ROUTES: Final[Mapping[str, Spec]] = {
    request.spec.path: request.spec for request in ENDPOINTS.values() if not request.spec.beta
}
"""The endpoints of Spot by path."""


class Route(NamedTuple):
    """An endpoint, and the parts that its path was filled in with."""

    spec: Spec
    parts: dict[str, str]


def _beta() -> Iterator[tuple[str, re.Pattern[str], Spec]]:
    """Yield method, pattern and spec of each Funding Beta endpoint."""
    for request in ENDPOINTS.values():
        spec = request.spec
        if spec.beta:
            yield spec.method, re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", spec.path)), spec


_BETA: Final = tuple(_beta())


def find_route(method: str, path: str) -> Route | None:
    """Find the endpoint that is meant.

    >>> find_route("DELETE", "/funding/v1/addresses/addr-7").parts
    {'id': 'addr-7'}
    """
    spec = ROUTES.get(path)
    if spec is not None:
        return Route(spec, {}) if method == spec.method else None
    for verb, pattern, beta in _BETA:
        found = pattern.fullmatch(path) if verb == method else None
        if found:
            return Route(beta, {name: unquote(part) for name, part in found.groupdict().items()})
    return None


def by_query(path: str) -> bool:
    """Whether a path is a public call's, which takes its parameters only in the query string of a GET.

    Kraken has answered anything else with HTTP 405 since January 2024.

    Source: https://github.com/veox/python3-krakenex/issues/139
    """
    spec = ROUTES.get(path)
    return spec is not None and not spec.private


def endpoint_name(method: str, path: str) -> str:
    """Return Kraken's name of the call that is meant; unknown ones keep their path."""
    route = find_route(method, path)
    return route.spec.name if route else path
