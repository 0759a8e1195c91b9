"""The checks of counters can fail: each names what a wrong store does wrong."""

import anyio
import pytest

from krakenasync.state.inprocess import InProcessStore
from krakenasync.state.port import Adjust, Book, GiveBack, Limit
from krakenasync.testing import counterchecks
from krakenasync.testing.pairs import bounded


class Changed(InProcessStore):
    """Asks something else than it is asked."""

    def __init__(self, change):
        super().__init__()
        self.change_step = change

    async def ask(self, *steps):
        return await super().ask(*map(self.change_step, steps))


def halved(step):
    """Half the cap, half the pace, no end of patience."""
    if isinstance(step, Book):
        return step._replace(limit=Limit(step.limit.cap / 2, step.limit.decay / 2), longest=step.longest + 1e6)
    return step


def generous(step):
    """Twenty times the cost comes back, however late."""
    return step._replace(cost=step.cost * 20, due=step.due + 10**9) if isinstance(step, GiveBack) else step


def deaf(step):
    """First levels and blocks are not heard of."""
    if isinstance(step, Book):
        return step._replace(initial=0.0)
    return step._replace(block=0.0, delta=0.0) if isinstance(step, Adjust) else step


WRONG = {
    halved: [
        "a_slot_within_the_cap_is_due_at_once",
        "beyond_the_cap_the_wait_is_what_has_to_decay",
        "a_wait_that_is_too_long_books_nothing",
        "many_at_once_never_pass_the_cap",
    ],
    generous: ["a_slot_given_back_late_has_decayed"],
    deaf: [
        "a_counter_never_seen_begins_where_it_is_told",
        "a_refusal_puts_all_booked_callers_off",
        "a_block_is_never_made_shorter",
        "a_level_is_corrected",
        "looking_changes_nothing",
    ],
}


@pytest.mark.parametrize(
    ("change", "check"), [(change, check) for change, checks in WRONG.items() for check in checks], ids=str
)
def test_a_wrong_store_is_found_out(change, check):
    """Not by chance: by the check that is about it."""
    store = Changed(change)
    with pytest.raises((AssertionError, TimeoutError)):
        anyio.run(bounded(getattr(counterchecks, check)), lambda: store)


def test_all_are_listed():
    """A check that nobody runs is none."""
    written = {
        name
        for name, found in vars(counterchecks).items()
        if getattr(found, "__module__", "") == counterchecks.__name__
    }
    assert {check.__name__ for check in counterchecks.COUNTERS} == written - {"peak"}
