"""Things that belong to one event loop."""

import asyncio
import gc

from krakenasync.client.loops import PerLoop, forget_closed, is_closed, running_loop
from krakenasync.testing import run


class Thing:
    pass


def test_one_thing_for_all_on_a_loop():
    """Everyone who asks on one loop with one key gets the same thing, also through different views."""

    async def main(_clock):
        one, other = PerLoop(), PerLoop()
        assert one.get(("a",), Thing) is other.get(("a",), Thing) is one.get(("a",), Thing)
        assert one.get(("b",), Thing) is not one.get(("a",), Thing)
        assert other.find(("b",)) is one.get(("b",), Thing)
        assert other.find(("c",)) is None

    run(main)


def test_a_view_keeps_all_it_has_used():
    """A second thing does not make a view forget the first."""

    async def main(_clock):
        view, made = PerLoop(), []

        def make():
            made.append(1)
            return Thing()

        for _ in range(3):
            view.get(("a",), make)
            view.get(("b",), make)
            gc.collect()
        assert len(made) == 2

    run(main)


def test_another_loop_has_its_own():
    """What belongs to one loop is not given to the next."""
    view, found = PerLoop(), []

    async def main(_clock):
        found.append(view.get(("a",), Thing))
        assert running_loop() is running_loop()

    run(main)
    run(main)
    assert found[0] is not found[1]


def test_what_belongs_to_a_loop_that_is_over_is_let_go_of():
    """A closed loop's things go, a live one's stay; of trio's nobody can tell."""
    live, over = asyncio.new_event_loop(), asyncio.new_event_loop()
    over.close()
    assert (is_closed(live), is_closed(over), is_closed(Thing())) == (False, True, False)
    things = {live: 1, over: 2, "trio's": 3}
    forget_closed(things)
    assert things == {live: 1, "trio's": 3}
    live.close()
