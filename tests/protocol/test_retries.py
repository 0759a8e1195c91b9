"""What follows a failed attempt: every known error, for a read, a write and a movement of funds."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krakenasync.errors import (
    ConfigurationError,
    InvalidArguments,
    InvalidNonce,
    KrakenError,
    NotSent,
    OrderNotPlaced,
    OutcomeUnknown,
    ProtocolError,
    RateLimitExceeded,
    RateLimitTimeout,
    ServiceUnavailable,
    Throttled,
    Unanswered,
)
from krakenasync.protocol.refusals import FACTS, error_from_codes
from krakenasync.protocol.retries import Reconcile, Retry, RetryPolicy, Stop, backoff, decide
from krakenasync.protocol.specs import Effect

POLICY = RetryPolicy()
READ, WRITE, FUNDS = Effect.READ, Effect.WRITE, Effect.FUNDS

NOW = Retry(0.0, spends=True)  # with a fresh nonce
GATED = Retry(0.0, spends=False)  # the limiter holds it back
PAUSE = Retry(0.125, spends=True)  # half of the first pause
STOP = Stop()
LOOK = Reconcile()

# What each kind of failure means for (a read, a write, a movement of funds).
NOTHING_TO_GAIN = (STOP, STOP, STOP)
WAITS_ITS_TURN = (GATED, GATED, STOP)
ORDER_WOULD_BE_LATE = (GATED, STOP, STOP)
SIGNED_ANEW = (NOW, NOW, STOP)
MAYBE_DONE = (PAUSE, LOOK, LOOK)
MAYBE_DONE_NOT_WORTH_ASKING = (STOP, LOOK, LOOK)
NEVER_LEFT = (PAUSE, PAUSE, STOP)

# Every row of Kraken's error pages, and those seen in the wild:
# https://docs.kraken.com/api/docs/guides/spot-errors, https://docs.kraken.com/exchange/guides/general/errors
TABLE = {
    "EAPI:Invalid key": NOTHING_TO_GAIN,
    "EAPI:Invalid signature": NOTHING_TO_GAIN,
    "EAPI:Invalid nonce": SIGNED_ANEW,
    "EAPI:Rate limit exceeded": WAITS_ITS_TURN,
    "EAPI:Feature disabled": NOTHING_TO_GAIN,
    "EAPI:Bad request": NOTHING_TO_GAIN,
    "EAPI:Invalid token": NOTHING_TO_GAIN,
    "EAuth:Account temporary disabled": NOTHING_TO_GAIN,
    "EAuth:Account unconfirmed": NOTHING_TO_GAIN,
    "EAuth:Rate limit exceeded": WAITS_ITS_TURN,
    "EAuth:Too many requests": WAITS_ITS_TURN,
    "EAuth:Failed": NOTHING_TO_GAIN,
    "EAccount:Invalid permissions": NOTHING_TO_GAIN,
    "EGeneral:Permission denied": NOTHING_TO_GAIN,
    "EGeneral:Temporary lockout": NOTHING_TO_GAIN,
    "EGeneral:Too many requests": WAITS_ITS_TURN,
    "EGeneral:Invalid arguments": NOTHING_TO_GAIN,
    "EGeneral: Invalid arguments:ordertype": NOTHING_TO_GAIN,
    "EGeneral:Invalid arguments:Index unavailable": NOTHING_TO_GAIN,
    "EGeneral:Invalid arguments:cl_ord_id": NOTHING_TO_GAIN,
    "EGeneral:Invalid arguments:cl_ord_id not unique": NOTHING_TO_GAIN,
    "EGeneral:Unknown method": NOTHING_TO_GAIN,
    "EGeneral:Bad data": NOTHING_TO_GAIN,
    "EGeneral:Internal error": MAYBE_DONE,
    "EGeneral:Internal error:42": MAYBE_DONE,
    "EGeneral:Timeout": MAYBE_DONE,
    "EService:Unavailable": MAYBE_DONE,
    "EService:Busy": MAYBE_DONE,
    "EService:Deadline elapsed": MAYBE_DONE_NOT_WORTH_ASKING,
    "EService: Throttled: 1788471234": WAITS_ITS_TURN,
    "EService:Throttled:1788471234": WAITS_ITS_TURN,
    "EService:Market in cancel_only mode": NOTHING_TO_GAIN,
    "EService:Market in post_only mode": NOTHING_TO_GAIN,
    "EService:Market in limit_only mode": NOTHING_TO_GAIN,
    "EOrder:Rate limit exceeded": ORDER_WOULD_BE_LATE,
    "EOrder:Domain rate limit exceeded": ORDER_WOULD_BE_LATE,
    "EOrder:Orders limit exceeded": NOTHING_TO_GAIN,
    "EOrder:Scheduled orders limit exceeded": NOTHING_TO_GAIN,
    "EOrder:Positions limit exceeded": NOTHING_TO_GAIN,
    "EOrder:Insufficient funds": NOTHING_TO_GAIN,
    "EOrder:Insufficient margin": NOTHING_TO_GAIN,
    "EOrder:Margin allowance exceeded": NOTHING_TO_GAIN,
    "EOrder:Margin level too low": NOTHING_TO_GAIN,
    "EOrder:Margin position size exceeded": NOTHING_TO_GAIN,
    "EOrder:Cannot open position": NOTHING_TO_GAIN,
    "EOrder:Cannot open opposing position": NOTHING_TO_GAIN,
    "EOrder:Order minimum not met": NOTHING_TO_GAIN,
    "EOrder:Cost minimum not met": NOTHING_TO_GAIN,
    "EOrder:Tick size check failed": NOTHING_TO_GAIN,
    "EOrder:Invalid price": NOTHING_TO_GAIN,
    "EOrder:Reduce only:No position exists": NOTHING_TO_GAIN,
    "EOrder:Reduce only:Position is closed": MAYBE_DONE_NOT_WORTH_ASKING,
    "EOrder:Reduce only:Non-PC": NOTHING_TO_GAIN,
    "EOrder:Post only order": NOTHING_TO_GAIN,
    "EOrder:Unknown order": NOTHING_TO_GAIN,
    "EOrder:Invalid order": NOTHING_TO_GAIN,
    "EOrder:Unknown position": NOTHING_TO_GAIN,
    "ETrade:Invalid request": NOTHING_TO_GAIN,
    "ETrade:Locked": NOTHING_TO_GAIN,
    "EQuery:Unknown asset": NOTHING_TO_GAIN,
    "EQuery:Unknown asset pair": NOTHING_TO_GAIN,
    "EBM:limit exceeded:CAL": NOTHING_TO_GAIN,
    "EFunding:Max fee exceeded": NOTHING_TO_GAIN,
    "EFunding:Unknown withdraw key": NOTHING_TO_GAIN,
    "EFunding:No funds": NOTHING_TO_GAIN,
    "EFunding:Insufficient funds": NOTHING_TO_GAIN,
    "EFunding:Unknown asset": NOTHING_TO_GAIN,
    "EFunding:Too many addresses": NOTHING_TO_GAIN,
    "EEarnings:Busy": NOTHING_TO_GAIN,
    "EEarnings:Below min:0.1": NOTHING_TO_GAIN,
    "EEarnings:Permission denied": NOTHING_TO_GAIN,
    "EExport:Not ready": NOTHING_TO_GAIN,
    "ESession:Invalid session": NOTHING_TO_GAIN,
    "EDatabase:Internal error": MAYBE_DONE_NOT_WORTH_ASKING,
    "ENever:Seen before": MAYBE_DONE_NOT_WORTH_ASKING,
}

effects = st.sampled_from(Effect)
codes = st.sampled_from([*TABLE, *FACTS]) | st.text(max_size=20)
known = st.lists(codes, min_size=1, max_size=3).map(error_from_codes)
local = st.sampled_from([NotSent("x"), Unanswered("x"), ServiceUnavailable("x", effect="unknown"), ProtocolError("x")])
failures = known | local
policies = st.builds(
    RetryPolicy, attempts=st.integers(1, 8), base=st.floats(0, 5), longest=st.floats(0, 60), total=st.just(60.0)
)


def verdicts(failure: KrakenError) -> tuple[object, ...]:
    """Decide about a first attempt for all three effects."""
    return tuple(decide(effect, failure, 1, POLICY, chance=0.5, nonce_refusals=1) for effect in (READ, WRITE, FUNDS))


@pytest.mark.parametrize("code", TABLE)
def test_every_error_string(code):
    """Reads go again, writes only if nothing was done, funds never; an open outcome is looked into."""
    assert verdicts(error_from_codes([code])) == TABLE[code]


def test_the_table_is_whole():
    """Every string that the error table knows by more than its category is decided above."""
    assert {code for code in FACTS if ":" in code} - set(TABLE) == {"EBM:limit exceeded", "EService:Throttled"}


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (NotSent("no route"), NEVER_LEFT),
        (Unanswered("reset"), MAYBE_DONE),
        (ServiceUnavailable("HTTP 520", effect="unknown"), MAYBE_DONE),
        (ProtocolError("truncated", effect="unknown", retryable=True), MAYBE_DONE),
        (ProtocolError("redirect", effect="none", retryable=False), NOTHING_TO_GAIN),
        (RateLimitExceeded("HTTP 429"), WAITS_ITS_TURN),
        (RateLimitTimeout("too long"), NOTHING_TO_GAIN),
        (ConfigurationError("no secret"), NOTHING_TO_GAIN),
        (InvalidArguments("a float"), NOTHING_TO_GAIN),
        (OrderNotPlaced("gone"), NOTHING_TO_GAIN),
        (OutcomeUnknown("open"), MAYBE_DONE_NOT_WORTH_ASKING),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, KrakenError) else "",
)
def test_failures_without_a_string(failure, expected):
    """What the network and the client itself report is decided by the same two questions."""
    assert verdicts(failure) == expected


@given(st.sampled_from([WRITE, FUNDS]), failures, st.integers(1, 10), st.floats(0, 1), st.integers(0, 5))
def test_an_open_outcome_is_never_repeated(effect, failure, attempt, chance, refusals):
    """A write or a movement of funds that may have happened leads to a look, always, and nothing else does."""
    verdict = decide(effect, failure, attempt, POLICY, chance=chance, nonce_refusals=refusals)
    assert isinstance(verdict, Reconcile) == (failure.effect == "unknown")


@given(failures, st.integers(1, 10), st.floats(0, 1), st.integers(0, 5))
def test_funds_are_never_repeated(failure, attempt, chance, refusals):
    """A call that moves money is made once; whether it is made again is for its caller to say."""
    verdict = decide(FUNDS, failure, attempt, POLICY, chance=chance, nonce_refusals=refusals)
    assert not isinstance(verdict, Retry)


@given(failures, st.integers(1, 10), st.floats(0, 1), st.integers(0, 5))
def test_a_read_never_needs_a_look(failure, attempt, chance, refusals):
    """A read changes nothing, so there is nothing to reconcile."""
    verdict = decide(READ, failure, attempt, POLICY, chance=chance, nonce_refusals=refusals)
    assert not isinstance(verdict, Reconcile)


@given(effects, policies)
def test_a_refused_nonce_is_signed_anew_three_times_at_the_most(effect, policy):
    """The fourth refusal, or the last attempt, is reported; a movement of funds reports the first.

    It is signed at once, then after a pause that doubles: what refuses two in a row may pass by itself.
    """
    refusals, pauses = 0, []
    while True:
        refusals += 1
        verdict = decide(effect, InvalidNonce("x"), refusals, policy, chance=1.0, nonce_refusals=refusals)
        if verdict == STOP:
            break
        pauses.append(verdict.wait)
    assert pauses == [0.0, *[min(policy.longest, policy.base * factor) for factor in (1, 2)]][: refusals - 1]
    assert refusals == (1 if effect is FUNDS else min(policy.attempts, 1 + policy.nonce_tries)) <= 4


@pytest.mark.parametrize("effect", [READ, WRITE])
def test_a_key_that_pauses_for_refused_nonces_is_waited_for_if_the_pause_ends_soon(effect):
    """Within two seconds; whether to wait for a longer one is for the caller to say."""
    pauses = (0.0, 1.0, 2.0, 2.1, 60.0)
    failures = [InvalidNonce("x", retry_after=left) for left in pauses]
    verdicts = [decide(effect, failure, 1, POLICY, chance=0.5, nonce_refusals=1) for failure in failures]
    assert verdicts == [Retry(0.0), Retry(1.0), Retry(2.0), STOP, STOP]


def test_the_pause_after_any_number_of_refused_nonces_is_a_number():
    """Whoever allows thousands of tries waits for the longest pause between them."""
    patient = RetryPolicy(attempts=9999, nonce_tries=9999)
    assert decide(READ, InvalidNonce("x"), 5000, patient, chance=0.5, nonce_refusals=5000) == Retry(10.0)


@given(effects, st.lists(failures, min_size=20, max_size=20), policies)
def test_every_call_comes_to_an_end(effect, sequence, policy):
    """However failures mix, a call is sent at most `attempts` times."""
    refusals = 0
    for attempt, failure in enumerate(sequence, start=1):
        refusals += isinstance(failure, InvalidNonce)
        verdict = decide(effect, failure, attempt, policy, chance=0.5, nonce_refusals=refusals)
        if not isinstance(verdict, Retry):
            break
    assert attempt <= policy.attempts


@given(
    st.sampled_from(
        [error_from_codes(["EService:Busy"]), NotSent("x"), error_from_codes(["EGeneral:Too many requests"])]
    )
)
def test_the_last_attempt_is_the_last(failure):
    """No repetition is begun once `attempts` are used up."""
    assert isinstance(decide(READ, failure, POLICY.attempts - 1, POLICY, chance=0.5), Retry)
    assert decide(READ, failure, POLICY.attempts, POLICY, chance=0.5) == STOP


@given(st.integers(1, 5000), policies, st.floats(0, 1))
def test_pauses_stay_within_bounds(attempt, policy, chance):
    """A drawn pause lies between nothing and the smaller of the doubled base and the longest, for any attempt."""
    pause = backoff(attempt, policy, chance, None)
    assert 0 <= pause <= policy.longest
    assert pause <= policy.base * 2.0 ** min(attempt - 1, 100)


def test_pauses_double_up_to_the_longest():
    """With chance at its highest the pauses are 0.25, 0.5, 1, 2, 4, 8 and then 10 seconds."""
    assert [backoff(attempt, POLICY, 1.0, None) for attempt in range(1, 9)] == [0.25, 0.5, 1, 2, 4, 8, 10, 10]
    assert backoff(3, POLICY, 0.0, None) == 0.0


@given(st.integers(1, 20), policies, st.floats(0, 1), st.floats(0, 1e4))
def test_the_server_s_hint_is_the_floor(attempt, policy, chance, hint):
    """A pause is never shorter than the server asked for, and otherwise as drawn."""
    pause = backoff(attempt, policy, chance, hint)
    assert pause == max(hint, backoff(attempt, policy, chance, None)) < inf


def test_decide_heeds_the_hint():
    """The failure's own retry_after reaches the pause."""
    failure = error_from_codes(["EService:Busy"])
    failure.retry_after = 7.0
    assert decide(READ, failure, 1, POLICY, chance=1.0) == Retry(7.0)


@pytest.mark.parametrize("effect", [READ, WRITE])
def test_a_full_counter_is_waited_for_as_long_as_the_limiter_says(effect):
    """A cancel does not wait for room by itself; and such a wait takes nothing from the retry budget."""
    assert decide(effect, Throttled("x", retry_after=7.0), 1, POLICY, chance=0.5) == Retry(7.0, spends=False)
