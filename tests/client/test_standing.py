"""How a key stands: its retry budget and its breaker."""

import pytest

from krakenasync.client.standing import Breaker, Budget, standing
from krakenasync.errors import (
    InvalidKey,
    InvalidNonce,
    InvalidSignature,
    PermissionDenied,
    TemporaryLockout,
)
from krakenasync.protocol.retries import RetryPolicy
from krakenasync.state.nonces import NonceSource
from krakenasync.testing import VirtualClock


def test_the_budget_is_earned_back():
    """Each success earns a fifth of a repetition, never more than the budget holds."""
    budget = Budget(RetryPolicy(budget=1.0, earn=0.2))
    assert budget.spend()
    assert not budget.spend()
    for _ in range(5):
        budget.succeeded()
    assert budget.left == pytest.approx(1.0)
    budget.succeeded()
    assert budget.left == 1.0


def test_one_success_earns_a_part_of_one_repetition_however_many_were_spent():
    """A storm is not over with the first answer; it is once all of the budget is back."""
    budget = Budget(RetryPolicy(budget=10.0, earn=0.2))
    for _ in range(5):
        budget.spend()
    budget.succeeded()
    assert budget.left == pytest.approx(5.2)
    assert budget.spent
    for _ in range(25):
        budget.succeeded()
    assert budget.left == 10.0
    assert not budget.spent


def test_the_breaker_raises_what_closed_it():
    """A closed road raises the class, the strings and the seconds that are left."""
    clock = VirtualClock()
    breaker = Breaker(clock)
    breaker.failed(TemporaryLockout("x", codes=["EGeneral:Temporary lockout"]))
    clock.advance(100)
    with pytest.raises(TemporaryLockout) as caught:
        breaker.check("Balance")
    assert caught.value.codes == ("EGeneral:Temporary lockout",)
    assert caught.value.retry_after == pytest.approx(800)
    assert caught.value.endpoint == "Balance"
    clock.advance(800)
    breaker.check("Balance")


def test_keys_and_signatures_count_together():
    """A wrong key and a wrong signature feed the same row."""
    breaker = Breaker(VirtualClock())
    for error in (InvalidKey("x"), InvalidSignature("x")):
        breaker.failed(error)
        breaker.check("Balance")
    breaker.failed(InvalidKey("x"))
    with pytest.raises(InvalidKey):
        breaker.check("Balance")
    breaker.succeeded()
    breaker.check("Balance")


def test_a_refusal_that_is_not_about_the_key_pauses_nothing():
    """A permission that the key lacks does not lock it out, however often it is asked for."""
    breaker = Breaker(VirtualClock())
    for _ in range(2 * Breaker.NONCES_IN_A_ROW):
        breaker.failed(PermissionDenied("x"))
        breaker.check("Balance")
    assert breaker.left == 0


def test_after_a_pause_it_takes_three_refused_keys_in_a_row_again():
    """Neither the first nor the second closes the road that has just opened."""
    clock = VirtualClock()
    breaker = Breaker(clock)
    for _ in range(3):
        breaker.failed(InvalidKey("x"))
    clock.advance(61)
    for _ in range(2):
        breaker.failed(InvalidKey("x"))
        breaker.check("Balance")
    breaker.failed(InvalidKey("x"))
    with pytest.raises(InvalidKey):
        breaker.check("Balance")


def test_no_time_is_left_of_a_pause_that_is_over():
    """Neither less than none once it has passed, nor any once Kraken has accepted the key."""
    clock = VirtualClock()
    breaker = Breaker(clock)
    breaker.failed(TemporaryLockout("x"))
    clock.advance(1000)
    assert breaker.left == 0
    breaker.failed(TemporaryLockout("x"))
    assert breaker.left == pytest.approx(900)
    breaker.succeeded()
    assert breaker.left == 0


def test_the_standing_of_a_key_is_one():
    """Clients of one key share budget and breaker; those without a key share nothing."""
    clock = VirtualClock()
    nonces = NonceSource("ms", clock)
    assert standing(nonces, RetryPolicy(), clock) is standing(nonces, RetryPolicy(), clock)
    assert standing(None, RetryPolicy(), clock) is not standing(None, RetryPolicy(), clock)


def test_nonces_that_were_refused_together_are_one_failure():
    """Of sixteen that a window lets fly at once none could know that the first would be refused."""
    clock = VirtualClock()
    breaker = Breaker(clock)
    for _round in range(9):
        clock.advance(1.0)
        sent = clock.monotonic()
        clock.advance(0.1)
        for _ in range(16):
            breaker.failed(InvalidNonce("x"), sent)
    assert breaker.reason is None
    clock.advance(1.0)
    assert breaker.left == 0
    breaker.failed(InvalidNonce("x"), clock.monotonic())
    assert breaker.left == pytest.approx(1)


def test_a_row_of_refused_nonces_closes_the_road_for_longer_each_time():
    """It may pass by itself, so one call is let through after a second, after two, four ..., a minute at most."""
    clock = VirtualClock()
    breaker = Breaker(clock)
    for _ in range(9):
        breaker.failed(InvalidNonce("x"), clock.monotonic())
        assert breaker.left == 0
    for pause in (1, 2, 4, 8, 16, 32, 60, 60):
        breaker.failed(InvalidNonce("x"), clock.monotonic())
        assert breaker.left == pytest.approx(pause)
        with pytest.raises(InvalidNonce):
            breaker.check("Balance")
        clock.advance(pause)
        breaker.check("Balance")
    breaker.succeeded()
    for left in (*[0] * 9, 1):
        breaker.failed(InvalidNonce("x"), clock.monotonic())
        assert breaker.left == pytest.approx(left)


def test_after_a_lockout_refused_nonces_are_counted_anew():
    """Those from before have had their pause: it takes ten in a row again."""
    clock = VirtualClock()
    breaker = Breaker(clock)
    for _ in range(9):
        breaker.failed(InvalidNonce("x"), clock.monotonic())
    breaker.failed(TemporaryLockout("x"))
    clock.advance(901)
    for _ in range(9):
        breaker.failed(InvalidNonce("x"), clock.monotonic())
        breaker.check("Balance")
    breaker.failed(InvalidNonce("x"), clock.monotonic())
    with pytest.raises(InvalidNonce):
        breaker.check("Balance")


def test_a_success_of_before_a_lockout_does_not_end_it():
    """It was under way when Kraken locked the key out, which lasts as long as calls go on; a later one ends it."""
    clock = VirtualClock()
    breaker = Breaker(clock)
    clock.advance(1)
    breaker.failed(TemporaryLockout("x"))
    breaker.succeeded(sent=0.5 + clock.monotonic() - 1)
    with pytest.raises(TemporaryLockout):
        breaker.check("Balance")
    clock.advance(901)
    breaker.succeeded(sent=clock.monotonic())
    assert breaker.reason is None
    assert not breaker.doubted


def test_a_success_of_before_a_pause_ends_any_other():
    """Kraken accepts the key: what it refused was something else."""
    clock = VirtualClock()
    breaker = Breaker(clock)
    for _ in range(3):
        breaker.failed(InvalidKey("x"))
    breaker.succeeded(sent=clock.monotonic() - 1)
    breaker.check("Balance")
    assert breaker.reason is None


def test_failures_that_were_under_way_do_not_shorten_a_lockout():
    """Three refused keys pause the calls for a minute; a lockout that has begun meanwhile lasts longer."""
    clock = VirtualClock()
    breaker = Breaker(clock)
    breaker.failed(TemporaryLockout("x"))
    clock.advance(1)
    for _ in range(3):
        breaker.failed(InvalidKey("x"), sent=0.0)
    assert breaker.left == pytest.approx(899)
    with pytest.raises(TemporaryLockout):
        breaker.check("Balance")
    clock.advance(900)
    for _ in range(3):
        breaker.failed(InvalidKey("x"))
    assert breaker.left == pytest.approx(60)


def test_a_success_of_the_moment_of_a_lockout_does_not_end_it():
    """Which came first cannot be told then."""
    clock = VirtualClock()
    breaker = Breaker(clock)
    breaker.failed(TemporaryLockout("x"))
    breaker.succeeded(sent=clock.monotonic())
    assert breaker.left == pytest.approx(900)
