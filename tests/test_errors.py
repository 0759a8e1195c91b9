"""The exception tree and the table from Kraken's strings to it."""

import inspect
import pickle
import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krakenasync import errors
from krakenasync.errors import (
    AccountRestricted,
    AuthenticationError,
    ConfigurationError,
    DeadlineElapsed,
    DuplicateClientOrderId,
    EarnRefused,
    EngineLimitExceeded,
    FundingRefused,
    InsufficientFunds,
    InvalidArguments,
    InvalidKey,
    InvalidNonce,
    InvalidType,
    KrakenError,
    MarketUnavailable,
    NotSent,
    OrderRefused,
    OutcomeUnknown,
    PermissionDenied,
    RateLimitExceeded,
    RateLimitTimeout,
    Refused,
    ServiceUnavailable,
    TemporaryLockout,
    Throttled,
    TransportError,
    Unanswered,
    UnknownAsset,
    UnknownOrder,
)
from krakenasync.protocol.refusals import FACTS, UNMAPPED, error_from_codes, fact, normalise, split_codes

CLASSES = [cls for _, cls in inspect.getmembers(errors, inspect.isclass) if issubclass(cls, KrakenError)]


def drawn_tree() -> dict[str, str | None]:
    """Read (class -> parent) off the drawing in the module's docstring; each level is indented by four characters."""
    parents: dict[str, str | None] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        if found := re.match(r"([ │├└─]*)(\w+)(?:  |$)", line):
            depth = len(found[1]) // 4
            path[depth:] = [found[2]]
            parents[found[2]] = path[depth - 1] if depth else None
    return parents


def test_the_drawing_is_the_tree():
    """The docstring shows exactly the classes there are, each under its first parent."""
    expected = {cls.__name__: cls.__bases__[0].__name__ for cls in CLASSES if cls is not KrakenError}
    assert drawn_tree() == {**expected, "KrakenError": None}


@pytest.mark.parametrize("cls", CLASSES)
def test_every_class_keeps_the_promises_of_the_root(cls):
    """Each error carries codes, endpoint, effect, retryable, hint, retry_after and attempts, and is documented."""
    error = cls("broken", codes=["EX:Y"], endpoint="Balance", hint="mend it", retry_after=2.5)
    assert (error.codes, error.endpoint, error.hint, error.retry_after) == (("EX:Y",), "Balance", "mend it", 2.5)
    assert str(error) == "Balance: broken (mend it)"
    assert error.said == "broken"
    assert error.effect in {"none", "unknown"}
    assert isinstance(error.retryable, bool)
    assert error.attempts == 0
    assert cls.__doc__
    assert cls.__name__ in errors.__all__


@pytest.mark.parametrize("cls", CLASSES)
def test_errors_cross_a_process_boundary_whole(cls):
    """Pickling keeps the class, the message and what was added later."""
    error = cls("broken", codes=["EX:Y"], endpoint="Balance", effect="unknown", retry_after=2.5)
    error.attempts = 3
    twin = pickle.loads(pickle.dumps(error))
    assert type(twin) is cls
    assert vars(twin) == vars(error)
    assert str(twin) == str(error)


@pytest.mark.parametrize(
    ("cls", "builtin"),
    [
        (ConfigurationError, ValueError),
        (InvalidArguments, ValueError),
        (InvalidType, TypeError),
        (DuplicateClientOrderId, ValueError),
        (RateLimitTimeout, TimeoutError),
    ],
)
def test_python_s_habits(cls, builtin):
    """Where Python has a habit the error follows it."""
    with pytest.raises(builtin, match="broken"):
        raise cls("broken")


@pytest.mark.parametrize(
    ("cls", "effect", "retryable"),
    [
        (NotSent, "none", True),
        (Unanswered, "unknown", True),
        (DeadlineElapsed, "unknown", False),
        (OutcomeUnknown, "unknown", False),
        (InvalidNonce, "none", True),
        (InvalidKey, "none", False),
        (TemporaryLockout, "none", False),
        (RateLimitTimeout, "none", True),
    ],
)
def test_what_a_class_says_of_the_outcome(cls, effect, retryable):
    """An error that may hide a success says so by its class alone; an argument can say otherwise."""
    assert (cls("x").effect, cls("x").retryable) == (effect, retryable)
    assert cls("x", effect="unknown", retryable=False).effect == "unknown"
    assert not cls("x", effect="unknown", retryable=False).retryable


def test_a_message_may_be_kraken_s_own_strings():
    """Without a message the codes speak; without an endpoint or a hint nothing stands in their place."""
    refused = Refused(codes=["EX:A", "EX:B"], endpoint="Balance")
    assert (str(refused), refused.said) == ("Balance: EX:A, EX:B", "EX:A, EX:B")
    assert str(Refused(codes=["EX:A", "EX:B"])) == "EX:A, EX:B"
    assert not str(KrakenError())


@pytest.mark.parametrize(
    ("code", "cls", "effect"),
    [
        ("EAPI:Invalid key", InvalidKey, "none"),
        ("EAPI:Rate limit exceeded", RateLimitExceeded, "none"),
        ("EService: Throttled: 1788471234", Throttled, "none"),
        ("EService:Throttled:1788471234", Throttled, "none"),
        ("EOrder:Rate limit exceeded", EngineLimitExceeded, "none"),
        ("EGeneral: Invalid arguments:ordertype", InvalidArguments, "none"),
        ("EGeneral:Invalid arguments:cl_ord_id", InvalidArguments, "none"),
        ("EGeneral:Invalid arguments:cl_ord_id not unique", DuplicateClientOrderId, "none"),
        ("EGeneral:Permission denied", PermissionDenied, "none"),
        ("EGeneral:Temporary lockout", TemporaryLockout, "none"),
        ("EGeneral:Internal error:17", ServiceUnavailable, "unknown"),
        ("EService:Deadline elapsed", DeadlineElapsed, "unknown"),
        ("EService:Market in post_only mode", MarketUnavailable, "none"),
        ("EQuery:Unknown asset pair", UnknownAsset, "none"),
        ("EQuery:Something else", InvalidArguments, "none"),
        ("EOrder:Something new", OrderRefused, "none"),
        ("EOrder:Unknown order", UnknownOrder, "none"),
        ("EOrder:Reduce only:Position is closed", OrderRefused, "unknown"),
        ("EOrder:Reduce only:No position exists", OrderRefused, "none"),
        ("EFunding:Max fee exceeded", FundingRefused, "none"),
        ("EEarnings:Busy:Another operation is in progress", EarnRefused, "none"),
        ("EBM:limit exceeded:CAL", AccountRestricted, "none"),
        ("EAPI:Invalid token", AuthenticationError, "none"),
        ("EAPI:Something new", Refused, "unknown"),
        ("EDatabase:Internal error", Refused, "unknown"),
        ("E", Refused, "unknown"),
        ("", Refused, "unknown"),
        (":::", Refused, "unknown"),
    ],
)
def test_the_longest_known_beginning_decides(code, cls, effect):
    """Variable tails and stray blanks do not hide what a string means; what is unknown stays a visible refusal."""
    error = error_from_codes([code], endpoint="AddOrder")
    assert type(error) is cls
    assert (error.codes, error.effect, error.endpoint) == ((code,), effect, "AddOrder")


@pytest.mark.parametrize("code", FACTS)
def test_every_row_finds_itself_with_any_tail_and_blanks(code):
    """No row shadows another, and Kraken's blanks after the colon change nothing."""
    assert fact(code) is FACTS[code]
    assert fact(code.replace(":", ": ")) is FACTS[code]
    assert fact(f"{code}:17") is FACTS[code]


def test_several_strings():
    """The first string decides the class, the gravest one the effect, and all are kept."""
    error = error_from_codes(["EOrder:Insufficient funds", "EGeneral:Internal error"])
    assert type(error) is InsufficientFunds
    assert error.effect == "unknown"
    assert error.codes == ("EOrder:Insufficient funds", "EGeneral:Internal error")


def test_no_string_at_all_is_still_an_error():
    """A refusal without a reason is a refusal with an open outcome."""
    assert error_from_codes([]).effect == "unknown"


@given(st.text())
def test_any_string_has_a_meaning(code):
    """No string Kraken may invent breaks the look-up, and normalising twice is normalising once."""
    assert fact(code) in {*FACTS.values(), UNMAPPED}
    assert normalise(normalise(code)) == normalise(code)


@given(st.lists(st.text()))
def test_severity_parts_warnings_from_errors(codes):
    """W is a warning, all else an error; nothing is lost and the order stays."""
    failures, warnings = split_codes(codes)
    assert all(code.startswith("W") for code in warnings)
    assert not any(code.startswith("W") for code in failures)
    assert sorted([*failures, *warnings]) == sorted(codes)


@pytest.mark.asyncio
async def test_an_unknown_outcome_is_resolved_by_its_resolver():
    """`resolve` asks whoever can look; without one it still cannot be told."""

    async def look() -> str:
        return "the order"

    error = OutcomeUnknown("no answer", endpoint="AddOrder")
    error.cl_ord_id = "grid-1"
    with pytest.raises(OutcomeUnknown, match="AddOrder: no answer") as caught:
        await error.resolve()
    assert caught.value.cl_ord_id == "grid-1"
    error.resolver = look
    assert await error.resolve() == "the order"


def test_an_unknown_outcome_is_pickled_without_its_resolver():
    """The order's id and deadline travel; the live connection behind the resolver does not."""
    error = OutcomeUnknown("no answer")
    error.cl_ord_id, error.deadline = "6d1b345e-2821-40e2-ad83-4ecb18a06876", datetime(2026, 1, 2, tzinfo=UTC)
    error.resolver = lambda: None
    twin = pickle.loads(pickle.dumps(error))
    assert (twin.cl_ord_id, twin.deadline, twin.resolver) == (error.cl_ord_id, error.deadline, None)


def test_transport_errors_share_one_root():
    """One except clause catches what the network does, another what Kraken says."""
    assert issubclass(NotSent, TransportError)
    assert issubclass(Unanswered, TransportError)
    assert not issubclass(TransportError, Refused)
