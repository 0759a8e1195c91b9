"""Every script of faults up to a depth, played through the machine: never two orders, never a wrong report."""

from typing import NamedTuple

import pytest

from krakenasync.protocol import placement as machine
from krakenasync.protocol.placement import (
    Absent,
    Done,
    Found,
    GaveUp,
    Glance,
    Late,
    Look,
    NotPlaced,
    Placed,
    Plan,
    Refused,
    Rejected,
    Send,
    Stranger,
    Suspect,
    Taken,
    Unknown,
    Unseen,
    Wait,
)

# Times are milliseconds here; the machine does not mind.
LIFETIME = 5000
PLAN = Plan(margin=2000, pause=1000)
SHOWN_BY = PLAN.margin + PLAN.pause
"""After its deadline every order must show by then: what the machine relies on."""
FOREVER = 10**9

# What befalls a request: (its arrivals, in milliseconds after its sending or, with "+" and "-", about its deadline;
# what is heard of it).
FATES = {
    "answered": ((0,), "answer"),
    "request lost": ((), "nothing"),
    "answer lost": ((0,), "nothing"),
    "502 before": ((), "nothing"),
    "502 after": ((0,), "nothing"),
    "Busy before": ((), "nothing"),
    "Busy after": ((0,), "nothing"),
    "Deadline elapsed": ((), "nothing"),
    "Deadline elapsed, placed all the same": (("+0",), "nothing"),
    "arrives with the deadline": (("-1",), "nothing"),
    "arrives after the deadline": (("+1",), "nothing"),
    "arrives, and a copy of it after the deadline": ((0, "+1"), "nothing"),
    "refused": ((), "refusal"),
    "deadline refused": ((), "late"),
}
# What becomes of an order that is placed: milliseconds until it closes.
LIVES = {"rests": FOREVER, "fills at once": 0, "closes while it is looked for": LIFETIME + PLAN.margin}


class Lag(NamedTuple):
    """Milliseconds after its deadline for which an order does not show yet as open, and as closed."""

    opened: int = -LIFETIME
    closed: int = -LIFETIME


LAGS = (Lag(), Lag(SHOWN_BY, SHOWN_BY), Lag(closed=SHOWN_BY), Lag(opened=SHOWN_BY))


class Order(NamedTuple):
    """An order that the engine took."""

    opened: int
    closes: int
    deadline: int
    lag: Lag = Lag()


class World(NamedTuple):
    """All there is: the true time, the orders, and how many looks may still fail."""

    now: int = 0
    orders: tuple[Order, ...] = ()
    failures: int = 2
    script: tuple[str, ...] = ()

    def open_at(self, moment):
        """Tell whether an order with the id is open then."""
        return any(order.opened <= moment < order.closes for order in self.orders)

    def shows(self, *, closed):
        """Look at one of the two lists, now."""
        for order in self.orders:
            if closed and order.closes <= self.now >= order.deadline + order.lag.closed:
                return True
            if not closed and order.opened <= self.now < order.closes and self.now >= order.deadline + order.lag.opened:
                return True
        return False

    def after(self, event, **changes):
        """Return the world after something happened."""
        return self._replace(script=(*self.script, event), **changes)


class WrongError(AssertionError):
    """The machine did harm or told a falsehood."""


class Sweep:
    """Plays every script; a subclass breaks one of the machine's rules."""

    plan = PLAN

    def __init__(self, *, offset=0, lags=LAGS):
        self.offset = offset  # how far our bound lags behind Kraken's clock: up to the second it is cut down to
        self.lags = lags
        self.scripts = 0
        self.ends = {}

    # The rules under test
    sent = staticmethod(machine.sent)
    glanced = staticmethod(machine.glanced)
    looked = staticmethod(machine.looked)
    sees_closed = True
    unique = True

    def explore(self, step, world):
        """Do what the machine says, in every way that can turn out."""
        match step:
            case Send():
                for outcome, turned in self.sends(world):
                    self.explore(self.sent(self.plan, step, outcome), turned)
            case Glance():
                for sight, turned in self.looks(world, with_closed=False):
                    self.explore(self.glanced(self.plan, step, sight), turned)
            case Look():
                for sight, turned in self.looks(world, with_closed=self.sees_closed):
                    self.explore(self.looked(self.plan, step, sight, turned.now - self.offset), turned)
            case Wait():
                self.explore(machine.waited(step), world._replace(now=max(world.now, step.until + self.offset)))
            case _:
                self.end(step, world)

    def sends(self, world):
        """Every outcome of a send."""
        deadline = world.now - self.offset + 500 + LIFETIME
        for fate, (arrivals, heard) in FATES.items():
            turned = world.after(fate)
            times = [world.now + at if isinstance(at, int) else deadline + int(at) for at in arrivals]
            in_time = [at for at in times if at <= deadline]  # the engine takes nothing later
            if heard in {"refusal", "late"}:
                yield (Refused() if heard == "refusal" else Late()), turned
            elif not in_time:
                yield Unknown(deadline), turned
            elif self.unique and world.open_at(in_time[0]):
                yield (Taken() if heard == "answer" else Unknown(deadline)), turned
            else:
                yield from self.placements(turned, in_time[0], deadline, heard)

    def placements(self, world, at, deadline, heard):
        """Every kind of order that a request may become."""
        for life, lasts in LIVES.items():
            for lag in self.lags if heard == "nothing" else self.lags[:1]:
                order = Order(at, at + lasts, deadline, lag)
                placed = world.after(life, orders=(*world.orders, order))
                yield (Placed() if heard == "answer" else Unknown(deadline)), placed

    def looks(self, world, *, with_closed):
        """Every way a look can go."""
        seen = world.shows(closed=False) or (with_closed and world.shows(closed=True))
        yield (Found() if seen else Absent()), world
        if world.failures:
            yield Unseen(), world.after("look fails", failures=world.failures - 1)

    def end(self, step, world):
        """Judge a report."""
        self.scripts += 1
        self.ends[type(step).__name__] = self.ends.get(type(step).__name__, 0) + 1
        exist = len(world.orders)
        made = sum(order.opened >= 0 for order in world.orders)
        if exist > 1:
            raise WrongError(f"{exist} orders after {world.script}")
        if (isinstance(step, Done) and not exist) or (isinstance(step, Rejected | NotPlaced) and made):
            raise WrongError(f"{step} with {exist} orders after {world.script}")
        if isinstance(step, GaveUp):
            self.gave_up(step, world)

    def gave_up(self, step, world):
        """With so few looks that fail it can always be told."""
        raise WrongError(f"{step} after {world.script}")

    def run(self, world=World()):  # noqa: B008 - a tuple
        """Explore from the beginning."""
        self.explore(machine.begin(), world)
        return self


@pytest.mark.parametrize("offset", [0, 500, 1000])
def test_every_script_of_three_sends_and_two_failed_looks_ends_with_one_order_or_none_and_says_which(offset):
    """Over a hundred thousand scripts: no duplicate, no wrong report, no needless doubt."""
    sweep = Sweep(offset=offset).run()
    assert sweep.scripts > 100_000
    assert {"Done", "Rejected", "NotPlaced"} == set(sweep.ends)


class Doubtful(Sweep):
    """Allows the machine to give up, and remembers after what."""

    def gave_up(self, step, world):
        assert world.script.count("look fails") > self.plan.looks - self.plan.absences


def test_it_gives_up_only_when_too_many_looks_failed():
    """With every look free to fail, doubt comes of nothing but failed looks, and is never a wrong report."""
    sweep = Doubtful(lags=LAGS[:2])
    sweep.plan = Plan(margin=2000, pause=1000, sends=1)
    sweep.run(World(failures=7))
    assert sweep.ends["GaveUp"] > 0


def test_an_order_that_rests_under_the_id_already_is_taken_for_ours_and_stays_alone():
    """A repeated run with a journalled id finds what the first one left, whatever happens to its requests."""
    resting = Order(-60_000, FOREVER, -55_000)
    sweep = Sweep().run(World(orders=(resting,)))
    assert "NotPlaced" not in sweep.ends
    with pytest.raises(WrongError):
        # The same world, were the id a new one each time.
        NewIdAfterTaken().run(World(orders=(resting,)))


class BeforeTheDeadline(Sweep):
    plan = Plan(margin=-LIFETIME, pause=1000)


class OpenOnly(Sweep):
    sees_closed = False


class OneAbsence(Sweep):
    plan = Plan(margin=2000, pause=1000, absences=1)


class Blind(Sweep):
    @staticmethod
    def sent(plan, step, outcome):
        blind = isinstance(outcome, Unknown) and step.number < plan.sends
        return Send(step.number + 1) if blind else machine.sent(plan, step, outcome)


class TrustsTheGlance(Sweep):
    @staticmethod
    def glanced(plan, step, sight):
        hasty = isinstance(sight, Absent) and step.number < plan.sends
        return Send(step.number + 1) if hasty else machine.glanced(plan, step, sight)


class CountsFailedLooks(Sweep):
    @staticmethod
    def looked(plan, step, sight, now):
        return machine.looked(plan, step, Absent() if isinstance(sight, Unseen) else sight, now)


class NewIdAfterTaken(Sweep):
    unique = False


WRONG_RULES = [BeforeTheDeadline, OpenOnly, OneAbsence, Blind, TrustsTheGlance, CountsFailedLooks]


@pytest.mark.parametrize("wrong", WRONG_RULES)
def test_the_sweep_catches_a_wrong_rule(wrong):
    """Each rule of the machine is needed: without it some script makes a second order or a false report."""
    with pytest.raises(WrongError):
        wrong().run()


def test_an_id_in_use_is_no_refusal_but_an_order_to_be_found():
    """At once, without waiting for a deadline: the engine has spoken."""
    assert machine.sent(PLAN, Send(1), Taken()) == Look(1, taken=True)


def test_orders_may_show_late_by_the_margin_and_one_pause_but_no_later():
    """The bound that the machine states is exact: a millisecond more, and a hidden order is doubled."""
    Sweep(lags=(Lag(SHOWN_BY, SHOWN_BY),)).run()
    with pytest.raises(WrongError):
        Sweep(lags=(Lag(SHOWN_BY + 1, SHOWN_BY + 1),)).run()


def test_a_clock_ahead_of_kraken_s_by_more_than_the_bound_is_caught():
    """That our time is never ahead of Kraken's is needed, too."""
    with pytest.raises(WrongError):
        Sweep(offset=-3000).run()


def test_it_is_sent_again_after_a_third_look_only():
    """One that was filled just now may be in neither list: two looks are enough to deny it, not to send it again."""
    assert machine.looked(PLAN, Look(1, looks=1, absences=1), Absent(), 0) == Wait(2000, Look(1, 2, 2))
    assert machine.looked(PLAN, Look(1, looks=2, absences=2), Absent(), 0) == Send(2)
    assert machine.looked(PLAN, Look(3, looks=1, absences=1), Absent(), 0) == NotPlaced()


def test_a_second_order_is_not_sent_when_the_caller_does_not_want_it():
    """Without resubmission an order that is certainly absent is reported so."""
    plan = Plan(resubmit=False)
    assert machine.looked(plan, Look(1, absences=1), Absent(), 0) == NotPlaced()
    assert machine.sent(plan, Send(1), Late()) == Rejected()


def test_the_last_send_is_not_followed_by_another():
    """Out of sends, absence is the end."""
    assert machine.looked(Plan(), Look(3, absences=1), Absent(), 0) == NotPlaced()
    assert machine.sent(Plan(), Send(3), Late()) == Rejected()
    assert machine.sent(Plan(), Send(2), Late()) == Send(3)


@pytest.mark.parametrize("sight", [Suspect(), Unseen(), Stranger()])
def test_a_look_that_proves_nothing_counts_as_a_look_and_not_as_an_absence(sight):
    """A failed look after an absence leaves the absence standing, and adds none."""
    after = machine.looked(PLAN, Look(1, looks=1, absences=1), sight, 0)
    assert after == Wait(2000, Look(1, looks=2, absences=1))
    assert machine.looked(PLAN, Look(1, looks=5, absences=1), sight, 0) == GaveUp(1)


def test_an_id_that_is_taken_is_never_taken_for_absent():
    """Kraken has said that there is an order: that no look finds it only leaves doubt, also when resumed."""
    step = Look(1, taken=True)
    for _ in range(PLAN.looks - 1):
        waiting = machine.looked(PLAN, step, Absent(), 0)
        step = machine.waited(waiting)
    end = machine.looked(PLAN, step, Absent(), 0)
    assert end == GaveUp(1, taken=True)
    assert machine.resume(PLAN, end, 0).then.taken


@pytest.mark.parametrize("taken", [False, True])
def test_a_search_that_is_resumed_waits_until_an_order_in_time_must_show(taken):
    """The doubt may be older than the deadline; a look made before that has passed, or right after, denies nothing."""
    assert machine.resume(PLAN, GaveUp(2, taken=taken), 5000) == Wait(5000 + PLAN.margin, Look(2, taken=taken))


def test_another_order_under_our_id_means_that_ours_was_refused():
    """Only once Kraken has refused ours for it; before that, it proves nothing."""
    assert machine.looked(PLAN, Look(1, taken=True), Stranger(), 0) == Rejected()
    assert isinstance(machine.looked(PLAN, Look(1), Stranger(), 0), Wait)


def test_pauses_double():
    """Six looks are spread over half a minute."""
    step, waits, now = Look(1), [], 0
    while isinstance(after := machine.looked(PLAN, step, Unseen(), now), Wait):
        waits.append(after.until - now)
        now, step = after.until, after.then
    assert waits == [1000, 2000, 4000, 8000, 16000]
