"""Problem details: Funding Beta's errors, in the form that clients have seen and with what may be missing of it."""

from typing import ClassVar

import msgspec
import pytest

from krakenasync.errors import (
    AuthenticationError,
    FundingRefused,
    InvalidArguments,
    InvalidKey,
    InvalidNonce,
    PermissionDenied,
    ProtocolError,
    RateLimitExceeded,
    Refused,
    ServiceUnavailable,
)
from krakenasync.protocol import wire
from krakenasync.protocol.problems import error_from_problem

TAG = "tag:kraken.com,2025:"
SEEN = {"type": f"{TAG}InvalidKey", "status": 401, "title": "API: Invalid key", "data": None, "source": "Gateway"}


def problem(status, **fields):
    return error_from_problem(status, msgspec.json.encode(fields), endpoint="FundingBeta/Fees")


def test_the_one_that_was_seen():
    """It is the error that the older calls tell by a string, told as one."""
    error = error_from_problem(401, msgspec.json.encode(SEEN), endpoint="FundingBeta/Fees")

    assert type(error) is InvalidKey
    assert (error.codes, error.effect, error.endpoint) == (("EAPI:Invalid key",), "none", "FundingBeta/Fees")


@pytest.mark.parametrize(
    ("status", "title", "detail", "kind", "code"),
    [
        (401, "API: Invalid nonce", None, InvalidNonce, "EAPI:Invalid nonce"),
        (429, "API: Rate limit exceeded", None, RateLimitExceeded, "EAPI:Rate limit exceeded"),
        (400, "General: Invalid arguments", "scope", InvalidArguments, "EGeneral:Invalid arguments:scope"),
        (400, "Funding: Max fee exceeded", None, FundingRefused, "EFunding:Max fee exceeded"),
        (500, "General: Internal error", None, ServiceUnavailable, "EGeneral:Internal error"),
    ],
)
def test_a_title_that_is_a_known_error(status, title, detail, kind, code):
    """It is Kraken's error string without the E."""
    error = problem(status, title=title, detail=detail)

    assert (type(error), error.codes) == (kind, (code,))
    assert error.effect == ("unknown" if kind is ServiceUnavailable else "none")


@pytest.mark.parametrize(
    ("status", "fields", "kind"),
    [
        (409, {"type": f"{TAG}TooManyDepositAddresses"}, FundingRefused),
        (409, {"error": "TooManyDepositAddresses"}, FundingRefused),
        (400, {"type": f"{TAG}InvalidKey", "title": "of tomorrow"}, InvalidKey),
        (401, {"title": "Who are you"}, AuthenticationError),
        (403, {"title": "No"}, PermissionDenied),
        (429, {"detail": "slow down"}, RateLimitExceeded),
        (400, {"type": f"{TAG}Novelty", "title": "Bad request", "detail": "limit is outside 1 to 500"}, Refused),
    ],
)
def test_others_go_by_their_type_and_then_by_their_status(status, fields, kind):
    """Whatever it is, below 500 nothing was done, and what Kraken said is told."""
    error = problem(status, **fields)

    assert (type(error), error.effect, error.retryable) == (kind, "none", kind.default_retryable)
    said = fields.get("type") or fields.get("error") or fields.get("title")
    assert error.codes == ((said,) if said else ())
    assert all(each in str(error) for key, each in fields.items() if key in {"title", "detail"})


def test_a_failure_of_kraken_s_own_leaves_the_outcome_open():
    """The withdrawal may have been begun."""
    error = problem(503, title="of tomorrow")

    assert (type(error), error.effect, error.status) == (ServiceUnavailable, "unknown", 503)


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[1]", b"{}", b'{"title": 1}', b'{"type": "", "title": null}', b"\xff"]
)
def test_what_is_no_problem(body):
    """It says nothing, so it is named by whoever asked."""
    assert error_from_problem(400, body, endpoint="x") is None


class Bare(msgspec.Struct):
    """An answer without the envelope."""

    enveloped: ClassVar = False


def test_an_answer_s_status_makes_it_a_problem():
    """Problems and envelopes alike are read with an error status; a page of the edge's is neither."""
    for body in (msgspec.json.encode(SEEN), b'{"error":["EAPI:Invalid key"]}'):
        with pytest.raises(InvalidKey):
            wire.decode(Bare, 401, body, endpoint="x")
    with pytest.raises(ServiceUnavailable, match="edge"):
        wire.decode(Bare, 502, b"<html>", endpoint="x")


def test_the_older_calls_know_no_problems():
    """What has a title there did not come from Kraken's application."""
    with pytest.raises(ProtocolError, match="envelope"):
        wire.decode(dict, 401, msgspec.json.encode(SEEN), endpoint="Balance")


@pytest.mark.parametrize(
    ("status", "effect"),
    [
        (400, "none"),
        (404, "none"),
        (409, "none"),
        (422, "none"),
        (408, "unknown"),
        (425, "unknown"),
        (499, "unknown"),
        (418, "unknown"),
    ],
)
def test_a_gateway_s_own_problem_may_hide_a_success(status, effect):
    """What it answers after it has passed a request on; but not where the type is Kraken's."""
    assert problem(status, title="Request timeout").effect == effect
    assert problem(status, type=f"{TAG}Something", title="No").effect == "none"
