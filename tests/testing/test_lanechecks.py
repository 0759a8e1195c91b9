"""The checks of nonces and lanes can fail: each names what a wrong store does wrong."""

import anyio
import anyio.lowlevel
import pytest

from krakenasync.state.inprocess import InProcessStore
from krakenasync.state.port import Enter, Leave
from krakenasync.testing import lanechecks
from krakenasync.testing.pairs import close, pair


class Open(InProcessStore):
    """Lets everybody in, as if it were alone."""

    async def ask(self, *steps):
        alone = [step._replace(name=f"{step.name} {step.who}") if isinstance(step, Enter) else step for step in steps]
        return await super().ask(*alone)


class Stubborn(InProcessStore):
    """Nobody ever leaves."""

    async def ask(self, *steps):
        return await super().ask(*(step._replace(who="nobody") if isinstance(step, Leave) else step for step in steps))


class Eager(InProcessStore):
    """Lets in whoever's slot is not due, and ignores windows and floors."""

    async def ask(self, *steps):
        changed = [
            step._replace(if_due=False, window=0, floor=0) if isinstance(step, Enter) else step for step in steps
        ]
        return await super().ask(*changed)


class Careless(InProcessStore):
    """Forgets about callers that are gone before it has answered."""

    async def ask(self, *steps):
        answers = await super().ask(*steps)
        await anyio.lowlevel.checkpoint()
        return answers


WRONG = {
    Open: ["a_lane_holds_one_at_a_time_in_order"],
    Stubborn: ["who_gives_up_is_out_of_line", "a_lane_holds_one_at_a_time_in_order"],
    Eager: ["a_window_opens_the_lane_for_all", "steps_asked_together_are_one"],
    Careless: ["a_cancelled_question_leaves_nothing"],
}


@pytest.mark.parametrize(
    ("kind", "check"), [(kind, check) for kind, checks in WRONG.items() for check in checks], ids=str
)
def test_a_wrong_store_is_found_out(kind, check, monkeypatch):
    """Not by chance: by the check that is about it."""
    monkeypatch.setattr(lanechecks, "LATE", 0.1)
    store = kind()
    with pytest.raises((AssertionError, TimeoutError)):
        anyio.run(getattr(lanechecks, check), lambda: store)


def test_all_are_listed():
    """A check that nobody runs is none."""
    written = {
        name for name, found in vars(lanechecks).items() if getattr(found, "__module__", "") == lanechecks.__name__
    }
    assert {check.__name__ for check in lanechecks.LANES} == written


def test_a_pair_is_two_clients_that_are_started():
    """Both are let go of in the end."""
    seen = []

    class Watched(InProcessStore):
        async def start(self):
            seen.append("start")

        async def aclose(self):
            seen.append("close")

    async def main():
        await close(*await pair(Watched))

    anyio.run(main)
    assert seen == ["start", "start", "close", "close"]
