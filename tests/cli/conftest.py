"""Someone at a terminal: their environment, their Kraken, their files."""

import io

import pytest

from krakenasync.clock import SYSTEM_CLOCK
from krakenasync.protocol.tiers import CounterSpec
from krakenasync.state.memory import MemoryState

NAMES = (
    "API_KEY",
    "API_SECRET",
    "API_KEY_FILE",
    "API_SECRET_FILE",
    "TIER",
    "BASE_URL",
    "NONCE_UNIT",
    "NONCE_WINDOW",
    "STATE",
    "PROFILE",
)


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    """A user without any settings, whose files lie in a folder of the test's own."""
    for name in NAMES:
        monkeypatch.delenv(f"KRAKEN_{name}", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture(autouse=True)
def hurry(monkeypatch):
    """Nobody waits for the counter of public calls: one a second is too slow for tests."""
    monkeypatch.setattr("krakenasync.client.limits.PUBLIC", CounterSpec(1000, 100_000))
    # Counters of a cap that is not Kraken's must not outlive the test in what the process shares.
    monkeypatch.setattr("krakenasync.state.memory.PROCESS", MemoryState(SYSTEM_CLOCK))


@pytest.fixture
def environment(monkeypatch, kraken_sandbox):
    """The environment of someone whose Kraken is the sandbox."""
    monkeypatch.setenv("KRAKEN_API_KEY", kraken_sandbox.api_key)
    monkeypatch.setenv("KRAKEN_API_SECRET", kraken_sandbox.api_secret)
    monkeypatch.setenv("KRAKEN_BASE_URL", kraken_sandbox.base_url)
    return kraken_sandbox


@pytest.fixture
def live(environment, monkeypatch):
    """The same, but the sandbox is taken for Kraken itself."""

    async def source(base_url):
        return "LIVE"

    monkeypatch.setattr("krakenasync.cli.connection._source", source)
    return environment


class Typed(io.StringIO):
    """What somebody types, at a terminal or through a pipe."""

    def __init__(self, text, *, terminal):
        super().__init__(text)
        self._terminal = terminal

    def isatty(self):
        return self._terminal


@pytest.fixture
def typed(monkeypatch):
    """Type something: `typed("y", terminal=True)`."""

    def type_(text, *, terminal=True):
        monkeypatch.setattr("sys.stdin", Typed(text, terminal=terminal))

    return type_
