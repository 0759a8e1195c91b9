"""What can be set on a client, checked when it is set."""

import functools
from decimal import Decimal

import pytest

from krakenasync import ConfigurationError, KrakenClient, RetryPolicy
from krakenasync.client.config import Changes, Options, checked_hooks, checked_limits, checked_name, has_methods
from krakenasync.client.limits import LimitsConfig
from krakenasync.clock import SYSTEM_CLOCK
from krakenasync.protocol.tiers import CounterSpec

NAN = float("nan")


@pytest.mark.parametrize("initial", [NAN, -1, float("inf"), 10**400, True, None, Decimal(1), [5]], ids=range(8))
def test_a_counter_starts_somewhere(initial):
    """At a word, or at points that it can have."""
    with pytest.raises(ConfigurationError, match=r"limits: initial=.*empty, full, or points"):
        checked_limits(LimitsConfig(initial=initial))


@pytest.mark.parametrize("name", ["rest", "engine", "public"])
@pytest.mark.parametrize(
    "spec", [5, {}, *(CounterSpec(*pair) for pair in ((0, 100), (15, 0), (-1, 1), (NAN, 1), ("5", 1), (True, 1)))]
)
def test_a_counter_lets_something_through(name, spec):
    """One that never does would have every call wait for ever."""
    with pytest.raises(ConfigurationError, match=f"limits: {name}=.*a CounterSpec"):
        checked_limits(LimitsConfig(**{name: spec}))


def test_the_dear_figures_are_a_switch():
    """Text that says no would be read as yes."""
    with pytest.raises(ConfigurationError, match="dear_history='no'"):
        checked_limits(LimitsConfig(dear_history="no"))


@pytest.mark.parametrize(
    "config", [LimitsConfig(), LimitsConfig(initial=7.5), LimitsConfig(initial="full", rest=CounterSpec(10**9, 10**9))]
)
def test_limits_that_can_work_pass(config):
    """As they are; None stands for the usual ones."""
    assert checked_limits(config) is config
    assert checked_limits(None) == LimitsConfig()


@pytest.mark.parametrize("name", ["base", "longest", "total", "budget", "earn"])
@pytest.mark.parametrize("value", [NAN, -1, "1", None, True, 10**400], ids=range(6))
def test_a_policy_that_cannot_be_followed(name, value):
    """Its figures are numbers, 0 or more."""
    with pytest.raises(ConfigurationError, match=f"retry: {name}="):
        Options(retry=RetryPolicy(**{name: value}))


@pytest.mark.parametrize("attempts", [0, -(10**5000), "3", None, True, 1.5], ids=range(6))
def test_a_call_is_sent_at_least_once(attempts):
    """However the number is given."""
    with pytest.raises(ConfigurationError, match="max_attempts="):
        Options(retry=RetryPolicy(attempts=attempts))


@pytest.mark.parametrize("name", ["timeout", "max_age"])
@pytest.mark.parametrize("value", [10**400, NAN, -1, "3", True, False], ids=range(6))
def test_seconds_are_a_number_that_ends(name, value):
    """Also not one that no float holds."""
    with pytest.raises(ConfigurationError, match=f"{name}=.* is not valid"):
        Options(**{name: value})


@pytest.mark.parametrize("tries", [-1, "3", None, True, 1.5], ids=range(5))
def test_a_nonce_is_tried_again_a_whole_number_of_times(tries):
    """Or not at all."""
    assert Options(retry=RetryPolicy(nonce_tries=0)).retry.nonce_tries == 0
    with pytest.raises(ConfigurationError, match="nonce_tries="):
        Options(retry=RetryPolicy(nonce_tries=tries))


@pytest.mark.parametrize("unit", ["min", 5, [1], None])
@pytest.mark.parametrize("key", [{}, {"api_key": "key", "api_secret": "c2VjcmV0"}])
def test_a_nonce_has_a_unit_that_there_is(key, unit):
    """Looked at without a key as well, for it may come later from the environment."""
    with pytest.raises(ConfigurationError, match="unknown nonce_unit"):
        KrakenClient(**key, nonce_unit=unit)


def test_attempts_need_a_policy_to_be_put_in():
    """What is given beside them is looked at first."""
    with pytest.raises(ConfigurationError, match="retry must be a RetryPolicy, not int"):
        Options().changed(max_attempts=3, retry=5)
    assert Options().changed(max_attempts=3, retry=RetryPolicy(base=1)).retry == RetryPolicy(attempts=3, base=1)


def test_hooks_are_kept_from_an_iterator_too():
    """They are gone through once for the check, and asked at every event."""
    assert checked_hooks(iter([print, len])) == (print, len)


async def told(_event):
    """A hook that would have to be awaited."""


class Told:
    async def __call__(self, _event):
        """The same as an object."""


@pytest.mark.parametrize("hook", [told, Told(), functools.partial(told)])
def test_a_hook_that_would_never_run_is_refused(hook):
    """Hooks are called, not awaited."""
    with pytest.raises(ConfigurationError, match="is asynchronous and would never run"):
        checked_hooks([print, hook])


def test_what_passes():
    """What is left out, and what has all it is used by."""
    assert checked_name("account", None) is checked_name("account", "") is None
    assert checked_name("account", "alice & bob") == "alice & bob"
    has_methods("clock", SYSTEM_CLOCK, "monotonic", "wall_ns", what="a Clock")
    with pytest.raises(ConfigurationError, match=r"clock is of type int .a Clock"):
        has_methods("clock", 5, "monotonic", what="a Clock")


def test_what_type_checkers_see_of_the_options_is_what_there_is():
    """One more option has to be named to them as well."""
    assert set(Changes.__annotations__) == {"max_attempts", *Options.__struct_fields__}
