"""The pytest plugin: a Kraken on a loopback port for any test, synchronous or asynchronous, on any event loop.

    async def test_my_bot(kraken_sandbox):
        kraken_sandbox.faults.add("Balance", "502")
        async with kraken_sandbox.client() as kraken:
            assert await kraken.balance()
        assert kraken_sandbox.stats.refusals() == 0

Its switches are those of `krakenasync.sandbox.SandboxConfig`. Set them for one test with a marker,
``@pytest.mark.kraken_sandbox(tier="pro", limits=False)``, or for a whole module or package by a fixture
`kraken_sandbox_config` of your own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
    from krakenasync.sandbox import SandboxConfig
    from krakenasync.testing.sandboxes import KrakenSandbox

__all__ = ["kraken_sandbox", "kraken_sandbox_config"]

# Everyone who installed the package loads this module in every pytest run: the fixtures load what is heavy.


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", "kraken_sandbox(**switches): how the sandbox of this test behaves")


@pytest.fixture
def kraken_sandbox_config(request: pytest.FixtureRequest) -> SandboxConfig:
    """The sandbox's settings: from the test's marker, else the defaults. Override it to choose for many tests."""
    try:
        from krakenasync.sandbox import SandboxConfig  # noqa: PLC0415 - see above
    except ModuleNotFoundError as missing:
        _say_what_to_install(missing)
    marker = request.node.get_closest_marker("kraken_sandbox")
    if marker is not None and marker.args:
        pytest.fail("kraken_sandbox takes its switches by name: kraken_sandbox(tier='pro')", pytrace=False)
    return SandboxConfig(**marker.kwargs) if marker else SandboxConfig()


@pytest.fixture
def kraken_sandbox(kraken_sandbox_config: SandboxConfig) -> Iterator[KrakenSandbox]:
    """A Kraken for one test: `base_url`, `api_key`, `api_secret`, `faults`, `stats`, `client()`."""
    try:
        from krakenasync.testing.sandboxes import serving_in_thread  # noqa: PLC0415 - see above
    except ModuleNotFoundError as missing:
        _say_what_to_install(missing)
    with serving_in_thread(kraken_sandbox_config) as running:
        yield running


def _say_what_to_install(missing: ModuleNotFoundError) -> NoReturn:
    if missing.name is None or missing.name.partition(".")[0] not in {"starlette", "uvicorn"}:
        raise missing
    pytest.fail(missing.msg, pytrace=False)
