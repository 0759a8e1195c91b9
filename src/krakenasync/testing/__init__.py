"""For tests, yours and ours: a clock that jumps instead of waiting, and a sandbox as a pytest fixture.

The fixture `kraken_sandbox` comes with the installed package: see `krakenasync.testing.plugin`.
"""

from krakenasync.testing.clock import VirtualClock, VirtualEventLoop, run

__all__ = ["VirtualClock", "VirtualEventLoop", "run"]
