"""What a store does to a counter and to a lane, as pure functions."""

from hypothesis import given
from hypothesis import strategies as st

from krakenasync.state import records
from krakenasync.state.port import Limit
from krakenasync.state.recall import NOTHING, Recall
from krakenasync.state.records import Counter, Line
from krakenasync.testing.conformance import peak

SECOND = 1_000_000


@given(
    asked=st.lists(
        st.tuples(st.integers(0, 3 * SECOND), st.sampled_from([1.0, 2.0, 4.0]), st.booleans()), min_size=1, max_size=40
    ),
    decay=st.sampled_from([0.33, 1.0, 50.0]),
)
def test_slots_never_pass_the_cap_whatever_is_given_back(asked, decay):
    """However callers come and give up, the calls that are sent fit Kraken's counter at every moment."""
    limit, counter, now, slots = Limit(4.0, decay), None, 0, []
    for pause, cost, gives_up in asked:
        now += pause
        counter, answer = records.book(counter, now, limit, NOTHING, cost=cost, headroom=0.0, longest=1e9, initial=0.0)
        due = now + answer.wait
        if gives_up:
            now += pause // 2
            counter, _answer = records.give_back(counter, now, limit, NOTHING, cost=cost, due=due)
        else:
            slots.append((due, cost))
    assert peak(slots, decay) <= limit.cap + 1e-4


def test_what_a_client_remembers_better_counts():
    """A counter that has lost changes is taken for full, and its block is put up again."""
    lost = Counter(0.0, 10 * SECOND, 0, 2)
    recall = Recall(seq=9, seen=9 * SECOND, elapsed=SECOND, level=1.0, blocked=SECOND)
    counter, answer = records.send(lost, 10 * SECOND, Limit(4.0, 1.0), recall)
    assert (counter.level, counter.seq, answer.wait) == (4.0, 10, SECOND)


def test_a_lease_outlasts_a_clock_that_steps():
    """Whoever is under way keeps the lane for its time, whichever way the store's clock went."""
    how = {"who": "heir", "lease": 5 * SECOND, "unit": "ms", "stamp": 0, "floor": 0}
    line, _entry = records.enter(None, 100 * SECOND, NOTHING, **how | {"who": "holder"})
    line, entry = records.enter(line, 90 * SECOND, NOTHING, **how)
    assert entry == (0, 5 * SECOND)
    recall = Recall(seq=line.seq, seen=90 * SECOND, elapsed=SECOND)
    _line, entry = records.enter(line, 121 * SECOND, recall, **how)
    assert entry.nonce == 0
    assert 0 < entry.wait <= 5 * SECOND


def test_the_next_in_line_has_to_take_the_lane_up():
    """A lane that was handed to a dead caller goes to the one behind him a second later."""
    how = {"lease": 5 * SECOND, "unit": "ms", "stamp": 0, "floor": 0}
    line = None
    for who in ("holder", "dead", "alive"):
        line, _entry = records.enter(line, 0, NOTHING, who=who, **how)
    line, heir = records.leave(line, SECOND, who="holder")
    assert heir == "dead"
    line, entry = records.enter(line, SECOND, NOTHING, who="alive", **how)
    assert entry.nonce == 0
    _line, entry = records.enter(line, 2 * SECOND, NOTHING, who="alive", **how)
    assert entry.nonce > 0


def test_leaving_twice_does_no_harm():
    """Whoever has lost the lane cannot take it from its heir."""
    line = Line(holder="heir", until=SECOND, at=0)
    line, told = records.leave(line, 0, who="late")
    assert (line.holder, told) == ("heir", "")
