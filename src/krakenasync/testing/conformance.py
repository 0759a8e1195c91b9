"""What every store of shared counters, nonces and lanes has to do, as checks to run on your own store.

    @pytest.mark.parametrize("check", conformance.CHECKS, ids=lambda check: check.__name__)
    def test_my_store(check, tmp_path):
        anyio.run(check, lambda: MyStore(tmp_path / "state"))

Each check makes two clients of one state, as two processes would, and uses names of its own, so that one server is
enough for all of them. They take real time, but only milliseconds.
"""

from __future__ import annotations

from typing import Final

from krakenasync.testing.counterchecks import COUNTERS, peak
from krakenasync.testing.lanechecks import LANES
from krakenasync.testing.pairs import Check, Make, bounded

__all__ = ["CHECKS", "Check", "Make", "peak"]

CHECKS: Final[tuple[Check, ...]] = tuple(map(bounded, (*COUNTERS, *LANES)))
"""All checks; each is a coroutine function that takes a function which makes a client of the state."""
