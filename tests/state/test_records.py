"""What a store does to a counter and to a lane, as pure functions."""

from hypothesis import given
from hypothesis import strategies as st

from krakenasync.state.caution import SLOWER, Caution, after_refusal, margin_at
from krakenasync.state.port import Book, GiveBack, Limit, Refuse, Send
from krakenasync.state.recall import NOTHING, Recall
from krakenasync.state.records import Counter, answer
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
        counter, slot = answer(Book("counter", limit, cost), counter, now, NOTHING)
        if gives_up:
            now += pause // 2
            counter, _none = answer(GiveBack("counter", limit, cost, slot.due), counter, now, NOTHING)
        else:
            slots.append((slot.due, cost))
    assert peak(slots, decay) <= limit.cap + 1e-4


def test_what_a_client_remembers_better_counts():
    """A counter that has lost changes is taken for full, and its block is put up again."""
    lost = Counter(0.0, 10 * SECOND, 0, 2)
    recall = Recall(seq=9, seen=9 * SECOND, elapsed=SECOND, level=1.0, blocked=SECOND)
    counter, wait = answer(Send("counter", Limit(4.0, 1.0)), lost, 10 * SECOND, recall)
    assert (counter.level, counter.seq, wait) == (4.0, 10, 1.0)


def test_a_refusal_is_learnt_once_by_the_rule_of_caution():
    """The pause, the pace and the margin are those of `after_refusal`; a call sent before belongs to the episode."""
    limit, now = Limit(16.0, 1.0), 100 * SECOND
    refuse = Refuse("counter", limit, 21.0, ago=0.5, most=12.0)
    counter, standing = answer(refuse, None, now, NOTHING)
    first = after_refusal(Caution(), 100.0, sent=99.5, most=12.0)
    assert counter.caution == first
    assert standing == (21.0, 5.0, SLOWER, 0.0)
    counter, standing = answer(refuse, counter, now + SECOND // 4, NOTHING)
    assert counter.caution == first
    counter, standing = answer(refuse, counter, now + 10 * SECOND, NOTHING)
    second = after_refusal(first, 110.0, sent=109.5, most=12.0)
    assert counter.caution == second
    assert standing.blocked_for == 10.0
    assert standing.margin == margin_at(second, 110.0) == 3.0


def test_slots_are_booked_at_the_slower_pace_and_below_the_margin():
    """After two refusals a slot is due when what is over the cap less the margin has drained at the slower pace."""
    limit = Limit(16.0, 1.0)
    counter = Counter(16.0, 0, 0, 1, Caution(0.0, 0.5, 3.0, 5.0, 0.0, 2))
    _counter, slot = answer(Book("counter", limit, 1.0), counter, 0, NOTHING)
    assert slot.wait == 4.0 / 0.5


def test_a_pace_outlasts_a_store_that_lost_it():
    """A client that remembers the slower pace has it put up again."""
    recall = Recall(seq=9, seen=SECOND, elapsed=SECOND, pace=0.8, margin=3.0)
    counter, _wait = answer(Send("counter", Limit(4.0, 1.0)), None, 2 * SECOND, recall)
    assert (counter.caution.pace, counter.caution.margin) == (0.8, 3.0)
