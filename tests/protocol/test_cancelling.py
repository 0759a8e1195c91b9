"""Cancelling until the end is known: every script of faults, played through the machine."""

from typing import NamedTuple

import pytest

from krakenasync.protocol import cancelling as machine
from krakenasync.protocol import placement
from krakenasync.protocol.cancelling import (
    Acknowledged,
    Cancel,
    Denied,
    Earlier,
    Ended,
    GaveUp,
    Gone,
    Look,
    Missing,
    NoSuchOrder,
    Over,
    Pause,
    Plan,
    Rejected,
    Resting,
    Unclear,
    Unseen,
)
from krakenasync.protocol.tiers import Tier

PLAN = Plan()


class World(NamedTuple):
    """The order's state, and how much may still go wrong."""

    state: str  # "open", "ended" or "never"
    failures: int = 3
    lags: int = 0
    earlier: bool = False  # an earlier order has the same client's id
    before: bool = False  # ours had ended before it was first cancelled
    script: tuple[str, ...] = ()

    def after(self, event, **changes):
        """Return the world after something happened."""
        return self._replace(script=(*self.script, event), **changes)


def cancellations(world):
    """Every way a cancellation can turn out."""
    if world.state == "open":
        yield Acknowledged(), world.after("cancelled", state="ended")
        yield Gone(), world.after("filled before the cancellation", state="ended", before=not world.script)
    else:
        yield Gone(), world
    if world.failures:
        yield Unclear(), world.after("cancellation lost", failures=world.failures - 1)
        ended = "ended" if world.state == "open" else world.state
        yield Unclear(), world.after("answer lost", failures=world.failures - 1, state=ended)


def looks(world):
    """Every way a look can turn out."""
    if world.lags:
        sight = Earlier() if world.earlier else Missing()
        yield sight, world.after("does not show yet", lags=world.lags - 1)
    else:
        ended = Earlier() if world.before else Ended()
        never = Earlier() if world.earlier else Missing()
        yield {"open": Resting(), "ended": ended, "never": never}[world.state], world.after("shows what is")
    if world.failures:
        yield Unseen(), world.after("look fails", failures=world.failures - 1)


def explore(step, world, plan=PLAN, rules=machine):
    """Yield every end with the world it was reached in."""
    match step:
        case Cancel():
            for outcome, turned in cancellations(world):
                yield from explore(rules.cancelled(step, outcome), turned, plan, rules)
        case Look():
            for sight, turned in looks(world):
                yield from explore(rules.looked(plan, step, sight), turned, plan, rules)
        case Pause():
            yield from explore(step.then, world, plan, rules)
        case _:
            yield step, world


@pytest.mark.parametrize("state", ["open", "ended", "never"])
@pytest.mark.parametrize("lags", [0, 1, 2])
def test_every_script_ends_with_the_truth(state, lags):
    """An order that was there is over and seen to be; one that never was is reported so, and nothing else."""
    ends = list(explore(machine.begin(PLAN), World(state, lags=lags)))
    assert len(ends) >= 10
    for end, world in ends:
        assert end == (NoSuchOrder() if state == "never" else Over()), world.script
        assert world.state != "open"


@pytest.mark.parametrize("before", [False, True])
@pytest.mark.parametrize("state", ["open", "ended", "never"])
@pytest.mark.parametrize("lags", [0, 1])
def test_the_end_of_an_earlier_order_is_not_taken_for_that_of_ours(state, lags, before):
    """One that had the same client's id before, and shows while ours does not yet."""
    world = World(state, lags=lags, earlier=True, before=before and state == "ended")
    ends = list(explore(machine.begin(PLAN), world))
    assert len(ends) >= 10
    for end, turned in ends:
        assert end == Over(), turned.script
        assert turned.state != "open"
        assert turned.script[-1] == "shows what is" or state == "never", turned.script


class BelievesAtOnce:
    """Takes the first that has the id for ours."""

    cancelled = staticmethod(machine.cancelled)

    @staticmethod
    def looked(plan, step, sight):
        return machine.looked(plan, step, Ended() if isinstance(sight, Earlier) else sight)


def test_the_scripts_catch_who_believes_at_once():
    """Such a rule tells of the earlier order's end while ours is open."""
    ends = list(explore(machine.begin(PLAN), World("open", lags=1, earlier=True), PLAN, BelievesAtOnce))
    assert any(turned.state == "open" for _end, turned in ends)
    assert any(turned.state == "ended" and turned.script[-1] != "shows what is" for _end, turned in ends)


@pytest.mark.parametrize("step", [machine.cancelled(Cancel(), Acknowledged()), Look(4, exists=True)])
def test_an_order_that_kraken_has_agreed_to_cancel_is_believed_to_be_one_that_seems_earlier_after_three_looks(step):
    """It has ended, and shows by then; so what seemed to have ended before was dated oddly."""
    looks = 1
    while isinstance(after := machine.looked(PLAN, step, Earlier()), Pause):
        step, looks = after.then, looks + 1
    assert (after, looks) == (Over(), 3)


def test_an_earlier_order_is_believed_once_no_cancellation_is_left():
    """Kraken has never said clearly whether it knows such an open order; the looks after the last attempt decide."""
    step, cancels = machine.begin(PLAN), 0
    while step != Over():
        match step:
            case Cancel():
                step, cancels = machine.cancelled(step, Unclear()), cancels + 1
            case Look():
                step = machine.looked(PLAN, step, Earlier())
            case _:
                step = step.then
    assert cancels == PLAN.cancels


def test_a_plan_that_only_looks_denies_no_order():
    """That it shows nowhere proves nothing while Kraken has not said that it knows no such order."""
    plan = Plan(cancels=0)
    step = machine.begin(plan)
    while isinstance(after := machine.looked(plan, step, Missing()), Pause):
        step = after.then
    assert after == GaveUp()


@pytest.mark.parametrize(("unclear", "looks"), [(False, 2), (True, 3)])
def test_a_lost_answer_is_one_look_more_before_an_earlier_order_is_believed(unclear, looks):
    """It may have ended the order that does not show yet."""
    step, made = machine.cancelled(Cancel(), Unclear() if unclear else Gone()), 1
    if unclear:
        step = machine.cancelled(Cancel(step), Gone())
    while isinstance(after := machine.looked(PLAN, step, Earlier()), Pause):
        step, made = after.then, made + 1
    assert (after, made) == (Over(), looks)


def test_a_plan_that_only_looks_believes_in_an_earlier_order_after_three_looks():
    """By then a later one would have shown."""
    plan = Plan(cancels=0)
    step, looks = machine.begin(plan), 1
    while isinstance(after := machine.looked(plan, step, Earlier()), Pause):
        step, looks = after.then, looks + 1
    assert (after, looks) == (Over(), 3)


class LooksOnce:
    """Takes a failed look for a missing order."""

    cancelled = staticmethod(machine.cancelled)

    @staticmethod
    def looked(plan, step, sight):
        return machine.looked(plan, step, Missing() if isinstance(sight, Unseen) else sight)


class CancelsOnce:
    """Does not repeat a cancellation."""

    cancelled = staticmethod(machine.cancelled)

    @staticmethod
    def looked(plan, step, sight):
        after = machine.looked(plan, step, sight)
        return Pause(1, after.then.so_far) if isinstance(after, Pause) and isinstance(after.then, Cancel) else after


@pytest.mark.parametrize("wrong", [LooksOnce, CancelsOnce])
def test_the_scripts_catch_a_wrong_rule(wrong):
    """Without either rule some order stays open, or an existing one is denied."""
    ends = explore(machine.begin(PLAN), World("open", lags=2), PLAN, wrong)
    assert any(not isinstance(end, Over) for end, _world in ends)


def test_an_order_that_was_acknowledged_or_seen_is_never_denied():
    """That no look shows it leaves doubt; and so does "Unknown order", for it may have ended since."""
    for step in (Look(exists=True), Look(exists=True, gone=True), machine.cancelled(Cancel(), Acknowledged())):
        for _ in range(PLAN.looks - 1):
            step = machine.looked(PLAN, step, Missing()).then  # noqa: PLW2901 - the machine's next step
        assert machine.looked(PLAN, step, Missing()) == GaveUp()


def test_an_order_is_not_denied_before_kraken_has_said_that_it_knows_none():
    """While no cancellation is answered it may be too young to show: it is cancelled again, and in the end doubted."""
    step = machine.begin(PLAN)
    for number in range(PLAN.looks):
        if isinstance(step, Cancel):
            step = machine.cancelled(step, Unclear())
        assert step.cancels == min(number + 1, PLAN.cancels)
        after = machine.looked(PLAN, step, Missing())
        step = after.then if isinstance(after, Pause) else after
    assert step == GaveUp()


def test_what_kraken_has_said_is_remembered():
    """Later cancellations without an answer take nothing of it back."""
    assert machine.cancelled(Cancel(Look(1, 1, 1, gone=True)), Unclear()).gone
    assert machine.cancelled(Cancel(Look(1, 1, 1, exists=True)), Unclear()).exists


def test_looks_that_deny_an_order_take_longer_than_it_may_take_to_show():
    """Two seconds, as a placement allows; the first three looks are over sooner."""
    step, seconds = machine.cancelled(Cancel(), Gone()), 0.0
    while isinstance(after := machine.looked(PLAN, step, Missing()), Pause):
        step, seconds = after.then, seconds + after.seconds
    assert after == NoSuchOrder()
    assert seconds * 1e9 > placement.Plan().margin


def test_it_takes_so_many_absences_to_deny_an_order_and_no_more():
    """Each further look would cost points of the counter and tell nothing new."""
    assert isinstance(machine.looked(PLAN, Look(1, 1, PLAN.absences - 2, gone=True), Missing()), Pause)
    assert machine.looked(PLAN, Look(1, 2, PLAN.absences - 1, gone=True), Missing()) == NoSuchOrder()


def test_a_refusal_ends_it():
    """A key without the permission will not have it a second later."""
    assert machine.cancelled(Cancel(), Denied()) == Rejected()


def test_what_kraken_agreed_to_cancel_has_a_moment_to_show_it():
    """Lists lag by up to two seconds: the look after three decides whether it is cancelled again."""
    step, seconds, looks = machine.cancelled(Cancel(), Acknowledged()), 0.0, []
    while isinstance(step, Look):
        looks.append(seconds)
        after = machine.looked(PLAN, step, Resting())
        step, seconds = after.then, seconds + after.seconds
    assert isinstance(step, Cancel)
    assert looks == pytest.approx([0.0, PLAN.pause, 3 * PLAN.pause])
    assert seconds == looks[-1]
    assert isinstance(machine.looked(PLAN, machine.cancelled(Cancel(), Unclear()), Resting()).then, Cancel)


@pytest.mark.parametrize("outcome", [Unclear(), Gone()])
def test_a_cancellation_that_was_not_accepted_is_not_repeated_without_a_pause(outcome):
    """Only after one that was accepted have the looks, which showed the order as open, taken time enough."""
    after = machine.looked(PLAN, machine.cancelled(Cancel(), outcome), Resting())
    known = {"gone": isinstance(outcome, Gone), "unclear": isinstance(outcome, Unclear)}
    assert after == Pause(PLAN.pause, Cancel(Look(1, 1, 0, exists=True, **known)))


def test_a_look_that_failed_is_followed_by_another_and_not_by_a_cancellation():
    """It has shown nothing that would have to be cancelled again."""
    assert machine.looked(PLAN, Look(1), Unseen()) == Pause(PLAN.pause, Look(1, 1))


def test_a_resting_order_is_cancelled_again_so_often_and_then_only_watched():
    """Out of cancellations, the looks that are left may still see it end."""
    again = machine.looked(PLAN, Look(3), Resting())
    assert isinstance(again.then, Cancel)
    assert machine.looked(PLAN, Look(4), Resting()).then == Look(4, 1, 0, exists=True)


def test_a_plan_without_cancellations_only_looks():
    """That is what resolving means."""
    plan = Plan(cancels=0, looks=2)
    assert machine.begin(plan) == Look(unclear=True)
    assert machine.begin(plan, exists=True) == Look(exists=True, unclear=True)
    assert [end for end, _ in explore(machine.begin(plan), World("open", failures=0), plan)] == [GaveUp()]


def test_pauses_double_up_to_the_longest():
    """Ten looks are spread over about a minute."""
    pauses = [machine.looked(PLAN, Look(looks=looks), Unseen()).seconds for looks in range(PLAN.looks - 1)]
    assert pauses == [1.2, 2.4, 4.8, 8, 8, 8, 8, 8, 8]


def test_an_order_has_time_to_show_before_it_counts_as_never_there():
    """As long as one that is placed, and within what a starter's counter holds: five points a look."""
    pauses = [machine.looked(PLAN, Look(looks=looks), Unseen()).seconds for looks in range(PLAN.absences - 1)]
    assert sum(pauses) * placement.SECOND > placement.Plan().margin + placement.Plan().pause
    assert 5 * PLAN.absences <= Tier.STARTER.rest.cap
