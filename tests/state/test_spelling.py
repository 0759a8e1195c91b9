"""How steps are spelt for the script: what it is told, and how its answers are read."""

import msgspec
import pytest

from krakenasync.state.port import (
    Adjust,
    Book,
    Booking,
    Enter,
    Entry,
    GiveBack,
    Leave,
    Limit,
    Nonce,
    Peek,
    Refuse,
    Send,
    Standing,
)
from krakenasync.state.recall import NOTHING, Recall
from krakenasync.state.spelling import key_of, owner_of, read, record_of, replies, spell

LIMIT = Limit(20.0, 0.5)
STEPS = {
    "book": Book("rest k", LIMIT, 2.0, 9.0, 3.0),
    "send": Send("rest k", LIMIT),
    "give_back": GiveBack("rest k", LIMIT, 2.0, 1_780_000_000_000_000),
    "adjust": Adjust("rest k", LIMIT, 1.0, 2.0, 3.0),
    "refuse": Refuse("rest k", LIMIT, 21.0, 0.5, 12.0),
    "peek": Peek("rest k", LIMIT),
}


@pytest.mark.parametrize("kind", STEPS)
def test_a_counters_step_is_spelt_as_it_is(kind):
    """Its record's number, what it is called, and all but its name."""
    question = msgspec.msgpack.decode(spell([Recall(7, 8, 9)], [1], [STEPS[kind]]))
    assert question == [[[7, 8, 9, 0.0, 0, 1.0, 0.0]], [[1, kind, [20.0, 0.5], *STEPS[kind][2:]]]]


@pytest.mark.parametrize(
    ("unit", "tick", "floor", "window"), [("ms", 1000, 1001, 500), ("us", 1, 1001, 500), ("ns", 1, 2, 0.5)]
)
def test_a_lanes_times_are_in_ticks_that_a_double_holds(unit, tick, floor, window):
    """The script counts in no finer ticks than microseconds; a floor is rounded up, never down."""
    wish = Enter("k", "me", 2.5, unit, 1001, 500)
    _memory, steps = msgspec.msgpack.decode(
        spell([NOTHING], [1] * 4, [wish, wish._replace(if_due=True), Leave("k", "me"), Nonce("k", unit, 1001)])
    )
    assert steps == [
        [1, "enter", "me", 2_500_000, unit, tick, floor, window],
        [1, "enter_if_due", "me", 2_500_000, unit, tick, floor, window],
        [1, "leave", "me"],
        [1, "nonce", unit, tick, floor],
    ]


NOW = 1_780_000_000_000_000


@pytest.mark.parametrize(
    ("step", "reply", "answer"),
    [
        (STEPS["book"], (1, 250_000, 5, NOW, 21.0, 0, 1, 0), Booking("rest k", LIMIT, 2.0, 0.25, 21.0, NOW + 250_000)),
        (STEPS["book"], (0, 9e6, 5, NOW, 20.0, 0, 1, 0), Booking("rest k", LIMIT, 0.0, 9.0, 20.0, NOW + 9_000_000)),
        (STEPS["send"], (1, 1_500_000, 5, NOW, 20.0, 0, 1, 0), 1.5),
        (STEPS["give_back"], (1, 0, 5, NOW, 20.0, 0, 1, 0), None),
        (STEPS["adjust"], (1, 0, 5, NOW, 4.0, 2_000_000, 0.8, 3), Standing(4.0, 2.0, 0.8, 3)),
        (STEPS["refuse"], (1, 0, 5, NOW, 4.0, 2_000_000, 0.8, 3), Standing(4.0, 2.0, 0.8, 3)),
        (STEPS["peek"], (1, 0, 5, NOW, 4.0, 0, 1, 0), Standing(4.0, 0.0)),
        (Enter("k", "me", 2.5, "ms"), (1_780_000_000_123, 0, 5, NOW), Entry(1_780_000_000_123, 0.0)),
        (Enter("k", "me", 2.5, "ns"), (NOW, 0, 5, NOW), Entry(NOW * 1000, 0.0)),
        (Enter("k", "me", 2.5, "ms"), (0, 500_000, 5, NOW), Entry(0, 0.5)),
        (Enter("k", "me", 2.5, "ms"), (0, -1, 0, NOW), Entry(0, -1.0)),
        (Nonce("k", "ns"), (NOW, 0, 5, NOW), NOW * 1000),
        (Leave("k", "me"), (0, 0, 5, NOW), None),
    ],
)
def test_an_answer_is_read(step, reply, answer):
    """Microseconds become seconds, a script's ticks the unit's own."""
    (found,) = replies(msgspec.msgpack.encode([reply]))
    assert read(step, found) == answer


def test_what_belongs_to_one_key_is_in_one_place_and_tells_nothing():
    """Counter and lane of a key have one hash tag; neither name nor key is in it."""
    counter, lane = Send("rest https://api.kraken.com abc", LIMIT), Leave("https://api.kraken.com abc", "me")
    assert owner_of(counter) == owner_of(lane) == "abc"
    keys = [key_of(record_of(step)) for step in (counter, lane)]
    tags = {key[key.index("{") : key.index("}") + 1] for key in keys}
    assert len(tags) == 1
    assert len(set(keys)) == 2
    assert "abc" not in "".join(keys)
    assert "kraken.com" not in "".join(keys)
