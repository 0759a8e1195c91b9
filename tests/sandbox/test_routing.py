"""Which endpoint a method and a path mean."""

import re

import pytest

from krakenasync.sandbox.routing import by_query, endpoint_name, find_route
from krakenasync.spot.catalog import ENDPOINTS


@pytest.mark.parametrize("method", ENDPOINTS)
def test_every_endpoint_is_found_by_method_and_path(method):
    """Also where several share a path, and where the path has parts to fill in."""
    spec = ENDPOINTS[method].spec
    route = find_route(spec.method, re.sub(r"\{(\w+)\}", r"the-\1", spec.path))
    assert route.spec is spec
    assert route.parts == {name: f"the-{name}" for name in re.findall(r"\{(\w+)\}", spec.path)}


def test_parts_of_a_path_are_decoded():
    """What was quoted to fit into a path is itself again."""
    assert find_route("GET", "/funding/v1/assets/a%2Fb").parts == {"direction": "a/b"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/0/private/Balance"),
        ("PATCH", "/funding/v1/addresses/a"),
        ("POST", "/0/public/Time"),
        ("PUT", "/funding/v1/addresses"),
        ("GET", "/funding/v1/assets/a/b"),
        ("GET", "/funding/v1/assets/"),
        ("GET", "/funding/v3/deposits"),
    ],
)
def test_what_means_nothing_is_not_found(method, path):
    """Another method, another version, a part too many or too few; such a call is named by its path."""
    assert find_route(method, path) is None
    assert endpoint_name(method, path) == path


def test_public_calls_are_known_by_their_path():
    """Whatever the method is."""
    assert by_query("/0/public/Time")
    assert not by_query("/0/private/Balance")
    assert not by_query("/0/public/None")
