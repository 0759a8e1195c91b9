"""Every store does what the port promises, and a store that does not is found out."""

import anyio
import pytest

from krakenasync.clock import SYSTEM_CLOCK
from krakenasync.state.fallback import FallbackStore
from krakenasync.state.inprocess import InProcessStore
from krakenasync.state.port import Book, Booking, GiveBack, Limit
from krakenasync.state.redis import RedisStore
from krakenasync.state.sqlite import SqliteStore
from krakenasync.testing import conformance
from krakenasync.testing.hammer import hammer, jain, workers

each = pytest.mark.parametrize("check", conformance.CHECKS, ids=lambda check: check.__name__)


@each
def test_in_one_process(check):
    """The plainest store passes every check."""
    store = InProcessStore()
    anyio.run(check, lambda: store)


@each
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_in_a_file(check, backend, tmp_path):
    """Two clients of one SQLite file pass every check, on either event loop."""
    anyio.run(check, lambda: SqliteStore(tmp_path / "state.db"), backend=backend)


@each
def test_on_a_server(check, redis_url):
    """Two clients of one Redis server pass every check."""
    anyio.run(check, lambda: RedisStore(redis_url))


@each
def test_behind_a_fallback(check):
    """A store that answers is not changed by a fallback in front of it."""
    store = InProcessStore()
    anyio.run(check, lambda: FallbackStore(store, SYSTEM_CLOCK, 0.5))


class Forgetful(InProcessStore):
    """Charges nothing, blocks nobody, repeats nonces and lets everybody into the lane."""

    async def change(self, work):
        """Do the work on new records every time."""
        self._records.clear()
        return await super().change(work)


class Greedy(InProcessStore):
    """Gives slots back for ever and keeps everybody waiting."""

    async def ask(self, *steps):
        """Book as if the cap were lower, give back twenty times the cost, as if it were never due."""
        return await super().ask(*map(self.more, steps))

    @staticmethod
    def more(step):
        if isinstance(step, Book):
            return step._replace(limit=Limit(step.limit.cap / 2, step.limit.decay / 2), longest=step.longest + 1e6)
        if isinstance(step, GiveBack):
            return step._replace(cost=step.cost * 20, due=step.due + 10**9)
        return step


async def bounded(check, store):
    """Do not wait for what will never happen."""
    with anyio.fail_after(0.3):
        await check(lambda: store)


@pytest.mark.parametrize("kind", [Forgetful, Greedy])
def test_a_store_that_is_wrong_fails(kind):
    """The checks can fail: a store that forgets, or keeps too much, breaks most of what has to do with it."""
    failed = set()
    for check in conformance.CHECKS:
        store = kind()
        try:
            anyio.run(bounded, check, store)
        except (AssertionError, ExceptionGroup, TimeoutError):
            failed.add(check.__name__)
    assert len(failed) >= 5, failed


def test_peak_finds_a_counter_above_its_cap():
    """Three points within a moment stand at three; a second later one has decayed."""
    assert conformance.peak([(0, 2.0), (1_000_000, 1.0)], 1.0) == 2.0
    assert conformance.peak([(1_000_000, 1.0), (1_000_000, 2.0)], 1.0) == 3.0


def test_jains_index():
    """It is 1 when all have the same, 1/n when one has all."""
    assert jain([2.0, 2.0]) == 1
    assert jain([4.0, 0.0, 0.0, 0.0]) == 0.25


def test_a_booking_tells_whether_it_was_made():
    """Nothing is charged for a slot that is due too late."""
    assert not Booking("name", Limit(1.0, 1.0), 0.0, 9.0, 1.0, 0).made


@pytest.mark.parametrize("store_url", ["sqlite", "redis"], indirect=True)
def test_four_processes_share_a_counter(store_url):
    """Never above the cap, nothing left unused, every process its part, two questions per slot."""
    outcome = hammer(store_url, Limit(20.0, 200.0), seconds=2.0)
    assert outcome.peak <= 20 + 1e-6
    assert outcome.used >= 0.99
    assert outcome.fairness >= 0.99
    assert outcome.calls_per_grant <= 2.1
    assert outcome.waits[1] < 2 * outcome.waits[0] + 0.1


@pytest.mark.parametrize("store_url", ["sqlite", "redis"], indirect=True)
def test_four_processes_share_a_lane(store_url, strict_server):
    """No nonce is refused by a strict server, whatever time each call takes on its way."""
    how = {"url": store_url, "name": "lane of a test", "port": strict_server.port, "tasks": 8, "calls": 1}
    with workers("pass", how | {"jitter": 0.03}, 4) as reports:
        refused = [nonce for report in reports for nonce in report["refused"]]
    assert strict_server.seen == 4 * 8
    assert refused == []


@pytest.mark.parametrize("store_url", ["sqlite", "redis"], indirect=True)
def test_a_killed_process_does_not_keep_the_lane(store_url, strict_server):
    """Processes that were killed anywhere in lane or line leave it to those who come after."""
    how = {"url": store_url, "name": f"lane of the killed {store_url}", "port": strict_server.port, "jitter": 0.03}
    how |= {"tasks": 2, "lease": 0.3}
    with workers("pass", how | {"calls": 1000}, 2):
        assert strict_server.busy.wait(10)  # both are well under way, and are killed there
    with workers("pass", how | {"calls": 2}, 1) as reports:
        (report,) = reports
    assert report["refused"] == []
