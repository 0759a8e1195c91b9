"""The catalogue against the vendored facts of Kraken's documentation."""

from __future__ import annotations

import json
import re
from inspect import signature
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import msgspec
import pytest

from krakenasync import KrakenClient
from krakenasync.protocol.charges import Counter
from krakenasync.protocol.requests import Request, result_type
from krakenasync.protocol.specs import Body, Effect
from krakenasync.sandbox.endpoints import HANDLERS
from krakenasync.spot.catalog import ENDPOINTS, by_name
from krakenasync.spot.trading import Order

HERE = Path(__file__).parent
FACTS = {(fact["method"], fact["path"]): fact for fact in json.loads((HERE / "endpoints.json").read_text())}

each_endpoint = pytest.mark.parametrize("method", ENDPOINTS)

MOVES_MONEY = {
    "withdraw",
    "wallet_transfer",
    "account_transfer",
    "earn_allocate",
    "earn_deallocate",
    "funding_beta_withdrawals_create",
}


def fact_of(request: type[Request[Any]]) -> dict[str, Any]:
    return FACTS[request.spec.method, request.spec.path]


def test_every_documented_endpoint_is_there_and_no_other():
    """61 endpoints of Spot and 15 of Funding Beta, each under the path and HTTP method of the documents."""
    ours = {(request.spec.method, request.spec.path) for request in ENDPOINTS.values()}

    assert ours == set(FACTS)
    assert len(ENDPOINTS) == 61 + 15


@each_endpoint
def test_names_follow_the_path(method):
    """Kraken's name is the end of the path, and the client's method is that name in snake case."""
    spec = ENDPOINTS[method].spec
    snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", spec.name.replace("WebSockets", "Websockets")).lower().replace("/", "_")

    if not spec.beta:
        assert spec.path == f"/0/{'private' if spec.private else 'public'}/{spec.name}"
    assert method == ("server_time" if spec.name == "Time" else snake)
    assert by_name(spec.name) is ENDPOINTS[method]


@each_endpoint
def test_permissions_are_the_documented_ones(method):
    """A key with exactly the documented permissions may call, whether all of them are needed or any."""
    request = ENDPOINTS[method]
    permission = fact_of(request)["permission"]

    assert request.spec.private == (permission["mode"] != "public")
    assert sorted(request.spec.need.codes) == sorted(permission["codes"])
    if len(permission["codes"]) > 1:
        assert request.spec.need.every == (permission["mode"] == "all")


@each_endpoint
def test_cost_is_the_documented_one(method):
    """The counter, and both of Kraken's figures where its pages disagree."""
    charge = ENDPOINTS[method].spec.charge
    fact = fact_of(ENDPOINTS[method])["rate_limit"]

    if fact["limiter"] == "trading_engine":
        assert charge.counter is Counter.ENGINE
        fixed, by_age = charge.action.value if charge.action else (charge.points, ())
        documented = {age: int(str(points).rstrip("n")) for age, points in fact.get("by_order_age", {}).items()}
        assert {f"<{age}s": points for age, points in by_age} == documented
        assert fact.get("fixed", 0) in {fixed, "n/2"}
    elif fact["limiter"] == "public_ip":
        assert charge.counter is (Counter.PUBLIC_PAIR if fact.get("per_pair") else Counter.PUBLIC)
        assert (charge.cost(dear=False), charge.cost()) == (1, 1)
    else:  # for Funding Beta no page gives a figure; it is counted like any private call
        cheap = fact["cost"] or 1
        assert charge.counter is Counter.REST
        assert (charge.cost(dear=False), charge.cost()) == (cheap, fact.get("cost_conservative", cheap))


def wire_names(request: type[Any]) -> dict[str, bool]:
    """Our parameters by Kraken's names, and whether each must be given."""
    return {field.encode_name: field.required for field in msgspec.structs.fields(request)}


def documented_names(params: list[dict[str, Any]]) -> dict[str, bool]:
    """Kraken's parameters; bracketed names gathered under their first part, unknown filters under one name."""
    names: dict[str, bool] = {}
    for param in params:
        for alternative in param["name"].split(" | "):
            name = alternative.split("[")[0]
            name = "filters" if name == "other filters" else name
            names[name] = names.get(name, False) or param["required"]
    return names


@each_endpoint
def test_parameters_are_the_documented_ones(method):
    """Each parameter under Kraken's own name, asked for where Kraken asks for it."""
    request = ENDPOINTS[method]
    ours, documented = wire_names(request), documented_names(fact_of(request)["params"])
    if request.spec.beta:  # others can be sent all the same; what may stand in the body is asked for by `check`
        ours |= dict.fromkeys(getattr(request, "needed", ()), True)
        ours = {name: needed for name, needed in ours.items() if name not in {"filters", "body"}}

    assert ours == documented


def test_orders_of_a_batch_take_the_documented_parameters():
    """Each item of AddOrderBatch takes the core of AddOrder's parameters."""
    fact = fact_of(ENDPOINTS["add_order_batch"])

    assert wire_names(Order) == documented_names(fact["item_params"])


def literal_words(hint: Any) -> set[Any]:
    """Collect the words a hint lists, and whether other words pass."""
    if get_origin(hint) is Annotated:
        return literal_words(get_args(hint)[0])
    words: set[Any] = set()
    for inner in get_args(hint):
        words |= literal_words(inner) if get_args(inner) else ({inner} if isinstance(inner, (str, int)) else set())
    return words


@each_endpoint
def test_documented_words_are_offered(method):
    """Where Kraken lists the words of a parameter, a type checker and a reader are offered each."""
    request = ENDPOINTS[method]
    hints = get_type_hints(request, include_extras=True)
    attributes = dict(zip(request.__struct_encode_fields__, request.__struct_fields__, strict=True))
    missing = {}
    for param in fact_of(request)["params"]:
        if "words" in param and "[" not in param["name"] and param["name"] in attributes:
            lacking = set(param["words"]) - literal_words(hints[attributes[param["name"]]])
            if lacking:
                missing[param["name"]] = lacking

    assert not missing


@each_endpoint
def test_effects(method):
    """What moves money is never repeated, what changes something only when nothing was done, the rest is a read."""
    request = ENDPOINTS[method]
    writes = {
        "add_export",
        "remove_export",
        "withdraw_cancel",
        "create_subaccount",
        "funding_beta_deposit_address_claim",
        "funding_beta_addresses_create",
        "funding_beta_addresses_update",
        "funding_beta_addresses_delete",
    }
    expected = Effect.READ
    if request.spec.section == "trading" or method in writes:
        expected = Effect.WRITE
    if method in MOVES_MONEY:
        expected = Effect.FUNDS

    assert request.spec.effect is expected


@each_endpoint
def test_facts_that_documentation_is_made_from(method):
    """Each type says in words what it is for, names its page, its result and how its parameters travel."""
    request = ENDPOINTS[method]
    spec = request.spec

    assert request.__doc__
    assert request.__doc__.split("\n")[0].endswith((".", ":"))
    assert spec.source.startswith("https://docs.kraken.com/")
    assert result_type(request) is not None
    assert spec.binary == fact_of(request).get("binary", False)
    assert (spec.body is Body.QUERY) == (spec.method in {"GET", "DELETE"})


@each_endpoint
def test_every_endpoint_has_a_sample(method):
    """One sample answer each, under Kraken's name without slashes."""
    name = ENDPOINTS[method].spec.name.replace("/", "")
    suffix = "csv" if ENDPOINTS[method].spec.binary else "json"

    assert (HERE / "samples" / f"{name}.{suffix}").is_file()


@each_endpoint
def test_every_endpoint_has_a_client_row(method):
    """The client's method of that name takes what the request type takes."""
    row = getattr(KrakenClient, method)

    if method == "ticker":  # the one that is written out, to take its pairs one by one
        assert set(signature(row).parameters) == {"self", "pairs", *ENDPOINTS[method].__struct_fields__}
    else:
        assert row.__wrapped__.takes is ENDPOINTS[method]


@each_endpoint
def test_every_method_has_its_type_asserted(method):
    """tests/typing_api.py, which mypy checks and nobody runs, leaves no method out."""
    assert f"await kraken.{method}(" in (HERE / "typing_api.py").read_text()


@each_endpoint
def test_every_endpoint_has_a_sandbox_handler(method):
    """The sandbox answers it; test_every_endpoint.py holds what."""
    assert ENDPOINTS[method].spec.name in HANDLERS


def test_every_sample_has_an_endpoint():
    """No sample is left over."""
    names = {request.spec.name.replace("/", "") for request in ENDPOINTS.values()}

    assert {path.stem for path in (HERE / "samples").iterdir()} == names


def test_unknown_names_are_not_found():
    """A name Kraken does not have is a KeyError."""
    with pytest.raises(KeyError):
        by_name("Stake")
