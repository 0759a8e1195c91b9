"""The examples run, against the sandbox, and stay short."""

import asyncio
import csv
import importlib.util
import json
import os
import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import anyio
import pytest

from krakenasync.sandbox import SandboxConfig

FOLDER = Path(__file__).parent.parent / "examples"
EXAMPLES = sorted(FOLDER.glob("*.py"))


def example(name):
    """Load an example without running it."""
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def kraken_sandbox_config():
    """An exchange that counts nothing: how long one waits is not the question here."""
    return SandboxConfig(limits=False)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_short(path):
    """Under sixty lines, with a sentence on what it does and how to start it."""
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 60
    assert f"python examples/{path.name}" in text


@pytest.mark.parametrize("name", ["balance_poller", "history_export"])
def test_an_example_without_its_word_says_how_to_start_it(name):
    """Its own words, and no traceback."""
    ended = subprocess.run(
        [sys.executable, FOLDER / f"{name}.py"], capture_output=True, text=True, check=False, timeout=60
    )
    assert ended.returncode == 1
    assert f"python examples/{name}.py" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="a process cannot be sent Ctrl-C there")
@pytest.mark.parametrize("name", ["balance_poller", "escrow", "ladder"])
def test_an_example_that_goes_on_is_stopped_by_an_interruption(name, kraken_sandbox, tmp_path):
    """It ends well, and without a traceback."""
    key = kraken_sandbox.key()
    (tmp_path / "keys.json").write_text(json.dumps({"alice": [key.api_key, key.api_secret]}), encoding="utf-8")
    halves = {"KRAKEN_API_KEY": key.api_key, "KRAKEN_API_SECRET": key.api_secret}
    words = ["keys.json"] if name == "balance_poller" else []
    with subprocess.Popen(
        [sys.executable, "-u", FOLDER / f"{name}.py", *words],
        cwd=tmp_path,
        env={**os.environ, "KRAKEN_BASE_URL": kraken_sandbox.base_url, **halves},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as running:
        assert running.stdout is not None
        try:
            assert running.stdout.readline()
            running.send_signal(signal.SIGINT)
            said, _nothing = running.communicate(timeout=30)
        finally:
            running.kill()
    assert running.returncode == 0
    assert "Traceback" not in said


def test_every_example_is_run_below():
    """A new example needs a test of its own."""
    assert {path.stem for path in EXAMPLES} == {"balance_poller", "escrow", "history_export", "ladder"}


def test_the_poller_shows_all_accounts(kraken_sandbox, monkeypatch, capsys):
    """It reports the balances of each account."""
    keys = {name: (key.api_key, key.api_secret) for name, key in kraken_sandbox.sandbox.keys.items()}
    monkeypatch.setenv("KRAKEN_BASE_URL", kraken_sandbox.base_url)

    shown = ""

    async def until_all_are_shown():
        nonlocal shown
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(example("balance_poller").main, keys)
            while not all(f"{name}: " in shown for name in keys):
                await anyio.sleep(0.01)
                shown += capsys.readouterr().out
            tasks.cancel_scope.cancel()

    assert len(keys) > 1
    asyncio.run(asyncio.wait_for(until_all_are_shown(), 30))


@pytest.mark.asyncio
async def test_the_escrow_tells_of_changes_and_of_what_is_missing(kraken_sandbox, capsys):
    """BCH that is not there is alerted at once, EUR that goes away when it goes."""
    async with kraken_sandbox.client() as kraken, anyio.create_task_group() as tasks:
        owed = {"ZEUR": Decimal(40_000), "BCH": Decimal(5)}
        tasks.start_soon(example("escrow").watch, kraken, owed, 0.02)
        while kraken_sandbox.stats.requests["Balance"] < 1:  # noqa: ASYNC110 - the sandbox counts in a thread of its own
            await anyio.sleep(0.01)
        await kraken.add_order(pair="XBTEUR", type="buy", ordertype="market", volume="0.01")
        seen = kraken_sandbox.stats.requests["Balance"]
        while kraken_sandbox.stats.requests["Balance"] < seen + 3:  # noqa: ASYNC110 - the sandbox counts in a thread of its own
            await anyio.sleep(0.01)
        tasks.cancel_scope.cancel()
    told = capsys.readouterr().err
    assert "ALERT BCH stands at 0, 5 short of 5" in told
    assert "ALERT ZEUR -" in told
    assert "short of 40000" in told


@pytest.mark.asyncio
async def test_the_ladder_goes_up_and_comes_down(kraken_sandbox, capsys):
    """Every rung is placed and cancelled, and the switch is off in the end."""
    async with kraken_sandbox.client() as kraken:
        await example("ladder").hold(kraken, seconds=0.0, rungs=3)
        assert not (await kraken.open_orders()).open
    shown = capsys.readouterr().out
    assert shown.count(": buy 0.001 at ") == 3
    assert shown.count(": canceled, 0.00000000 filled") == 3
    assert kraken_sandbox.stats.requests["CancelAllOrdersAfter"] >= 2


@pytest.mark.asyncio
async def test_the_export_writes_three_files(kraken_sandbox, tmp_path, capsys):
    """Ledgers, trades and closed orders, each row once however often it runs."""
    async with kraken_sandbox.client() as kraken:
        for _ in range(3):
            await kraken.add_order(pair="XBTUSD", type="buy", ordertype="market", volume="0.001")
            assert await example("history_export").export(kraken, tmp_path)
    for kind, rows in {"ledgers": 6, "trades": 3, "closed-orders": 3}.items():
        with (tmp_path / f"{kind}.csv").open(newline="") as lines:
            assert len({row["id"] for row in csv.DictReader(lines)}) == rows
    assert "ledgers: 2 new, 6 in all" in capsys.readouterr().out
