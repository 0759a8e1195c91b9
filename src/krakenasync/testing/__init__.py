"""For tests, yours and ours: a clock that jumps instead of waiting, and a sandbox as a pytest fixture.

The fixture `kraken_sandbox` comes with the installed package: see `krakenasync.testing.plugin`. Anything that uses a
sandbox is loaded on first use and needs the extra: ``pip install 'krakenasync[sandbox]'``.
"""

from typing import TYPE_CHECKING, Any

from krakenasync.testing.clock import VirtualClock, VirtualEventLoop, run

if TYPE_CHECKING:
    from krakenasync.testing.sandboxes import KrakenSandbox, in_process, serving, serving_in_thread

__all__ = [
    "KrakenSandbox",
    "VirtualClock",
    "VirtualEventLoop",
    "in_process",
    "run",
    "serving",
    "serving_in_thread",
]


def __getattr__(name: str) -> Any:
    """Load names that use a sandbox when they are first used."""
    if name in __all__:
        from krakenasync.testing import sandboxes  # noqa: PLC0415 - starlette and uvicorn only for those who use them

        return getattr(sandboxes, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
