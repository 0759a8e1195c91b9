"""What a client remembers of a store's answers."""

from krakenasync.state.recall import NOTHING, Memory
from krakenasync.testing import VirtualClock


def test_nothing_is_remembered_of_a_record_never_seen():
    """The first question carries no claim."""
    assert Memory(VirtualClock()).recall("counter") == NOTHING


def test_a_level_is_remembered_as_it_must_have_decayed():
    """Counted from when the question was put, so that it is never remembered as too high."""
    clock = VirtualClock()
    memory = Memory(clock)
    asked = memory.now()
    clock.advance(0.5)
    memory.note("counter", asked, seq=3, seen=1000, level=4.0, decay=2.0, blocked=2_000_000, pace=0.8, margin=3.0)
    clock.advance(0.5)
    recall = memory.recall("counter")
    assert recall == (3, 1000, 1_000_000, 2.0, 1_000_000, 0.8, 3.0)


def test_an_answer_overtaken_by_a_newer_one_is_not_taken():
    """Answers may come in another order than the store gave them."""
    memory = Memory(VirtualClock())
    memory.note("counter", 0.0, seq=5, seen=1, level=4.0)
    memory.note("counter", 0.0, seq=4, seen=1, level=1.0)
    assert memory.recall("counter").level == 4.0
