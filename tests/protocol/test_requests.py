"""Request types: parameters as fields, facts as a spec, the result as an argument."""

from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, ClassVar, Generic, Literal, TypeVar

import msgspec
import pytest

from krakenasync.errors import InvalidArguments, InvalidType
from krakenasync.protocol.charges import HISTORY, ONE, PER_IP, PER_IP_AND_PAIR
from krakenasync.protocol.fields import Money, Names, Tag
from krakenasync.protocol.requests import Part, Request, Reshaped, exclusive, result_type
from krakenasync.protocol.specs import Body, Effect, Need, Spec, private_call, public_call

R = TypeVar("R")

Amount = Annotated[Decimal | int | str, Money()]


class Close(Part, frozen=True, kw_only=True):
    """The conditional close of an order."""

    ordertype: str
    price: Amount | None = None


class Order(Request[dict[str, Decimal]], frozen=True, kw_only=True):
    """A made-up order with every kind of field."""

    spec: ClassVar[Spec] = Spec(
        name="Order", path="/0/private/Order", private=True, section="trading", source="https://example.org", charge=ONE
    )

    volume: Amount
    pair: Annotated[str | list[str], Names()] | None = None
    side: str | None = msgspec.field(default=None, name="type")
    validate: Annotated[bool, Tag()] = False
    close: Close | None = None
    cl_ord_id: str | None = None
    userref: int | None = None

    def check(self) -> None:
        exclusive(self, "cl_ord_id", "userref")


class Family(Request[R], Generic[R], frozen=True, kw_only=True):
    """Requests that share more than their base."""


class Member(Family[int], frozen=True, kw_only=True):
    """One of the family."""


class Nameless(Request, frozen=True, kw_only=True):
    """A request that forgot its result."""


def test_parameters_travel_under_kraken_s_names_and_only_if_given():
    """Markers write their fields, also inside an Optional; None is left out; order of fields is kept."""
    order = Order(volume=Decimal("1E-3"), pair=["XBTUSD", "ETHUSD"], side="buy", validate=True)
    assert list(order.params().items()) == [
        ("volume", "0.001"),
        ("pair", "XBTUSD,ETHUSD"),
        ("type", "buy"),
        ("validate", True),
    ]
    assert Order(volume=1).params() == {"volume": "1"}


def test_nested_parts_are_checked_and_written():
    """A part inside a request goes through its own markers."""
    assert Order(volume=1, close=Close(ordertype="limit", price="5")).params()["close"] == {
        "ordertype": "limit",
        "price": "5",
    }
    with pytest.raises(InvalidType, match="price must be a Decimal"):
        Order(volume=1, close=Close(ordertype="limit", price=0.1)).params()


def test_a_bad_parameter_is_named():
    """The error tells which parameter was wrong, and in Python's habit it is a ValueError or a TypeError too."""
    with pytest.raises(ValueError, match="volume=-1 is negative"):
        Order(volume=-1).params()
    with pytest.raises(TypeError, match="volume must be a Decimal, an int or a str, not float"):
        Order(volume=0.1).params()


def test_a_request_checks_its_combinations():
    """Two parameters that exclude each other are refused before sending."""
    with pytest.raises(InvalidArguments, match="cl_ord_id and userref exclude each other"):
        Order(volume=1, cl_ord_id="a", userref=1).params()


def test_exclusive_may_need_one():
    """Where one of several is needed, none is refused and one passes, zero counting as given."""
    with pytest.raises(InvalidArguments, match="one of cl_ord_id, userref is needed"):
        exclusive(Order(volume=1), "cl_ord_id", "userref", needed=True)
    exclusive(Order(volume=1, userref=0), "cl_ord_id", "userref", needed=True)


def test_requests_are_frozen():
    """A request cannot change between its check and its sending."""
    with pytest.raises(AttributeError):
        Order(volume=1).volume = 2


def test_result_type_is_read_off_the_class():
    """The type between the brackets decodes the answer, also when another class stands between."""
    assert result_type(Order) == dict[str, Decimal]
    assert result_type(Member) is int


def test_result_type_is_needed():
    """A request that does not name its result is a mistake of ours, found when it is first used."""
    with pytest.raises(TypeError, match="Nameless does not name its result"):
        result_type(Nameless)


def test_needs():
    """No code: any key. Several: one is enough, or all, as the endpoint asks."""
    assert Need().met_by(())
    either, both = Need(("a", "b")), Need(("a", "b"), every=True)
    assert [need.met_by({"a"}) for need in (either, both)] == [True, False]
    assert [need.met_by({"a", "b", "c"}) for need in (either, both)] == [True, True]
    assert [need.met_by({"c"}) for need in (either, both)] == [False, False]


def test_a_spec_is_a_harmless_form_post_unless_it_says_more():
    """What an endpoint does not state is the commonest case, and the one that allows the least."""
    spec = Spec(
        name="X", path="/0/private/X", private=True, section="account", source="https://example.org", charge=ONE
    )
    assert (spec.method, spec.body, spec.effect, spec.charge, spec.need) == (
        "POST",
        Body.FORM,
        Effect.READ,
        ONE,
        Need(),
    )
    assert not spec.binary
    assert not spec.beta


def test_a_public_call_is_a_free_get_of_the_address():
    """A public call: GET with a query, charged to the IP address, or to that and the pair."""
    spec = public_call("OHLC", "market", "get-ohlc-data", charge=PER_IP_AND_PAIR)
    assert (spec.path, spec.private, spec.method, spec.body) == ("/0/public/OHLC", False, "GET", Body.QUERY)
    assert (spec.name, spec.section, spec.charge, spec.effect) == ("OHLC", "market", PER_IP_AND_PAIR, Effect.READ)
    assert spec.source == "https://docs.kraken.com/api/docs/rest-api/get-ohlc-data"
    assert public_call("Time", "market", "get-server-time").charge is PER_IP


def test_a_private_call_is_a_signed_post_of_one_point():
    """A private call: POST with a form, one point, a read and any key, unless it says otherwise."""
    spec = private_call("Ledgers", "account", "get-ledgers-info")
    assert (spec.path, spec.private, spec.method, spec.body) == ("/0/private/Ledgers", True, "POST", Body.FORM)
    assert (spec.charge, spec.effect, spec.need, spec.binary, spec.beta) == (ONE, Effect.READ, Need(), False, False)
    assert spec.source == "https://docs.kraken.com/api/docs/rest-api/get-ledgers-info"
    need = Need(("withdraw-funds",))
    other = private_call(
        "X", "funding", "x", need=need, effect=Effect.FUNDS, charge=HISTORY, body=Body.JSON, binary=True
    )
    assert (other.need, other.effect, other.charge, other.body, other.binary) == (
        need,
        Effect.FUNDS,
        HISTORY,
        Body.JSON,
        True,
    )


def test_a_reshaped_result_says_how():
    """A result in another shape than it travels in is unfinished without its way from the wire."""
    assert Reshaped.enveloped
    with pytest.raises(NotImplementedError):
        Reshaped.from_wire({})


class Kind(Enum):
    """Words as members of an enumeration that is no StrEnum."""

    LIMIT = "limit"
    BUY = "buy"
    POST = "post"


class Loose(Request[int], frozen=True, kw_only=True):
    """A request whose fields have types and no markers."""

    spec: ClassVar[Spec] = Order.spec

    needed: str
    flag: bool | None = None
    number: Literal[1, 5] | None = None
    cursor: bool | str | None = None
    closes: list[Close] | None = None
    more: dict[str, Any] | None = None
    anything: Any = None


def test_from_params_on_an_attribute_holds_what_was_meant():
    """So that whoever compares it compares words: `check`, and who looks for an order."""
    order = Order(volume=1, side=Kind.BUY, pair=[Kind.POST, "b"], close={"ordertype": Kind.LIMIT, "price": "5"})

    assert order.params() == {
        "volume": "1",
        "pair": "post,b",
        "type": "buy",
        "close": {"ordertype": "limit", "price": "5"},
    }
    assert order.side == "buy"
    assert order.pair == ["post", "b"]
    assert order.close == Close(ordertype="limit", price="5")
    assert order.params() == Order(volume=1, side="buy", pair=["post", "b"], close=order.close).params()


def test_check_sees_what_was_meant():
    """A member of an enumeration is compared as its value."""

    class Checked(Order, frozen=True, kw_only=True):
        def check(self):
            assert self.side == "buy"

    assert Checked(volume=1, side=Kind.BUY).params()["type"] == "buy"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"flag": "no"}, "flag must be True or False, not str"),
        ({"flag": 0}, "flag must be True or False, not int"),
        ({"flag": []}, "flag must be True or False, not list"),
        ({"number": True}, "number must be an int, not bool"),
        ({"number": "5"}, "number must be an int"),
        ({"number": 10**5000}, "number=.* is too large"),
        ({"cursor": 5}, "cursor must be True or False or a str"),
        ({"cursor": ""}, "cursor is empty"),
        ({"closes": 5}, "closes must be a list, not int"),
        ({"closes": [{}]}, "closes lacks ordertype"),
        ({"more": 5}, "more must be a dict"),
        ({"needed": None}, "needed must be a str, not NoneType"),
    ],
    ids=range(12),
)
def test_a_field_without_a_marker_is_held_to_its_type(given, message):
    """Whatever the endpoint: a field says what it takes, and nothing else is sent or dropped."""
    with pytest.raises(InvalidArguments, match=message):
        Loose(**{"needed": "a", **given}).params()


def test_a_field_of_any_type_takes_anything_that_can_be_sent():
    """There its own type decides."""
    loose = Loose(needed="a", flag=False, number=5, cursor=True, more={"a": Decimal(1)}, anything=[True])
    assert loose.params() == {
        "needed": "a",
        "flag": False,
        "number": 5,
        "cursor": True,
        "more": {"a": "1"},
        "anything": [True],
    }
