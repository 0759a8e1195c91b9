"""The pytest plugin: a sandbox for any test."""

import subprocess
import sys

import anyio
import pytest

from krakenasync import InvalidKey, KrakenClient, Tier
from krakenasync.testing import plugin

pytest_plugins = ["pytester"]


@pytest.mark.asyncio
async def test_the_fixture_serves_a_client_on_asyncio(kraken_sandbox):
    """An async test gets balances over a real socket."""
    async with kraken_sandbox.client() as kraken:
        assert (await kraken.balance())["ZUSD"] > 0
    assert kraken_sandbox.stats.requests["Balance"] == 1


def test_the_fixture_serves_a_client_on_trio(kraken_sandbox):
    """The server's loop is its own, so the test's may be another library's."""

    async def main():
        async with kraken_sandbox.client("bob") as kraken:
            return await kraken.balance()

    assert anyio.run(main, backend="trio")["ADA"] > 0


@pytest.mark.asyncio
async def test_address_and_key_are_all_one_needs(kraken_sandbox):
    """base_url, api_key and api_secret make a client without any help of ours."""
    async with KrakenClient(
        kraken_sandbox.api_key, kraken_sandbox.api_secret, base_url=kraken_sandbox.base_url
    ) as kraken:
        assert await kraken.balance()


@pytest.mark.asyncio
async def test_faults_are_scripted(kraken_sandbox):
    """A fault ordered from the test's thread is met by the next call."""
    kraken_sandbox.faults.add("Balance", "EAPI:Invalid key")
    async with kraken_sandbox.client() as kraken:
        with pytest.raises(InvalidKey):
            await kraken.balance()
        assert await kraken.balance()
    assert kraken_sandbox.stats.faults["Balance", "EAPI:Invalid key"] == 1


@pytest.mark.kraken_sandbox(tier="pro", seed=7)
def test_the_marker_sets_switches(kraken_sandbox):
    """What the marker says is how the sandbox behaves, and how its clients count."""
    assert kraken_sandbox.sandbox.config.seed == 7
    assert kraken_sandbox.client().tier is Tier.PRO


@pytest.mark.kraken_sandbox(limits=False)
@pytest.mark.asyncio
async def test_without_limits_nobody_waits(kraken_sandbox):
    """Forty calls, far above any cap, pass at once when the sandbox does not count."""
    async with kraken_sandbox.client() as kraken:
        with anyio.fail_after(3):
            for _ in range(20):
                await kraken.balance()
                await kraken.server_time()


@pytest.mark.asyncio
async def test_clients_of_many_accounts_share_their_connections(kraken_sandbox):
    """`clients` opens one transport for all labels."""
    async with kraken_sandbox.clients("alice", "bob") as clients:
        assert list(clients) == ["alice", "bob"]
        assert len({id(each._road.transport) for each in clients.values()}) == 1
        assert (await clients["alice"].balance()) != (await clients["bob"].balance())


def test_an_overridden_config_wins(pytester):
    """A user's own kraken_sandbox_config decides for all tests below it."""
    pytester.makepyfile(
        """
        import pytest
        from krakenasync.sandbox import SandboxConfig

        @pytest.fixture
        def kraken_sandbox_config():
            return SandboxConfig(seed=42)

        def test_it(kraken_sandbox):
            assert kraken_sandbox.sandbox.config.seed == 42
        """
    )
    pytester.runpytest_inprocess("-p", "no:asyncio", "-W", "error").assert_outcomes(passed=1)


def test_a_missing_extra_is_named(pytester, monkeypatch):
    """Without starlette the fixture says what to install, in one line."""
    for name in [each for each in sys.modules if each.startswith(("krakenasync.sandbox", "krakenasync.testing.sand"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "starlette.types", None)
    pytester.makepyfile("def test_it(kraken_sandbox): ...")
    result = pytester.runpytest_inprocess("-p", "no:asyncio")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*pip install 'krakenasync?sandbox?'*"])


def test_switches_without_names_are_refused(pytester):
    """Else a test would run on another sandbox than was meant."""
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.kraken_sandbox("pro")
        def test_it(kraken_sandbox): ...
        """
    )
    result = pytester.runpytest_inprocess("-p", "no:asyncio")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*takes its switches by name: kraken_sandbox(tier='pro')*"])


@pytest.mark.parametrize("line", ["from krakenasync.testing import serving", "import krakenasync.sandbox"])
def test_a_missing_extra_is_named_wherever_it_is_needed(line):
    """The tutorial's first line as well."""
    code = f"import sys; sys.modules['starlette.types'] = None; {line}"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (
        "the sandbox needs starlette.types, which is not installed: pip install 'krakenasync[sandbox]'" in ended.stderr
    )


def test_another_missing_module_is_not_explained_away():
    """Only what the extra would bring is answered with the extra."""
    with pytest.raises(ModuleNotFoundError, match="elsewhere"):
        plugin._say_what_to_install(ModuleNotFoundError("No module named 'elsewhere'", name="elsewhere"))


def test_loading_the_plugin_loads_no_server():
    """A pytest run that never asks for the sandbox does not pay for it."""
    code = "import sys, krakenasync.testing.plugin; print([m for m in ('starlette', 'uvicorn') if m in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"
