"""README and docs: every block of code runs, every command too, the made pages are fresh, and it all builds."""

import ast
import asyncio
import importlib.util
import inspect
import json
import re
import shlex
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import anyio
import httpx
import pytest

import krakenasync
from krakenasync.cli import main
from krakenasync.cli.app import _HELP
from krakenasync.cli.exits import Exit
from krakenasync.sandbox import SandboxConfig

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
ENDLESS = ("poll_balances", "poll_accounts")
"""What goes on until it is stopped; the test stops it after a moment."""
MOMENT, PATIENCE = 0.3, 20.0
ELSEWHERE = ("python3", ".venv/", "source", "krakenasync demo")
"""Commands that need a network, and the one that tests/cli/test_demo.py runs."""
OTHERS = {"--to", "--out", "--strict", "--collect-all"}
"""Options of the benchmarks, of mypy, of PyInstaller."""
NOTEBOOK = "jupyter"
"""The page whose blocks are cells of one notebook."""


def blocks(language):
    """Yield (page, number, code) of each block in a language."""
    for page in PAGES:
        found = [code for named, code in BLOCK.findall(page.read_text(encoding="utf-8")) if named == language]
        if page.stem == NOTEBOOK:
            found = ["\n".join(found)]
        for number, code in enumerate(found, 1):
            yield pytest.param(page, code, id=f"{page.stem}-{number}")


def made(name):
    """Load one of the scripts that make pages."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def kraken_sandbox_config():
    """What is shown is how to use it, not how long one waits."""
    return SandboxConfig(limits=False)


@pytest.fixture
def environment(kraken_sandbox, monkeypatch, tmp_path):
    """The environment of a reader whose Kraken is the sandbox, in an empty directory."""
    monkeypatch.setenv("KRAKEN_API_KEY", kraken_sandbox.api_key)
    monkeypatch.setenv("KRAKEN_API_SECRET", kraken_sandbox.api_secret)
    monkeypatch.setenv("KRAKEN_BASE_URL", kraken_sandbox.base_url)
    monkeypatch.setenv("KRAKEN_TIER", "pro")
    sandbox = kraken_sandbox.sandbox
    sandbox.add_key("alice", label="trading")
    sandbox.add_key("alice", label="reading")
    keys = {label: (key.api_key, key.api_secret) for label, key in sandbox.keys.items()}
    monkeypatch.chdir(tmp_path)
    (tmp_path / "keys.json").write_text(json.dumps(keys))
    return kraken_sandbox


@contextmanager
def extras_may_be_missing():
    """Skip what needs an extra that is not installed here."""
    try:
        yield
    except krakenasync.ConfigurationError as error:
        if "pip install 'krakenasync[" not in (error.hint or ""):
            raise
        pytest.skip(str(error))


async def cell(compiled, exchange):
    """Run code that awaits at its top level, with `kraken` an open client; stop what would never end."""
    endless = any(name in compiled.co_names for name in ENDLESS)
    with anyio.move_on_after(MOMENT if endless else PATIENCE) as scope:
        async with exchange.client() as kraken:
            await eval(compiled, {"kraken": kraken, "__name__": "cell"})
    assert scope.cancelled_caught is endless


@pytest.mark.parametrize(("page", "code"), [*blocks("python")])
def test_a_block_runs(page, code, environment, tmp_path):
    """Each block of Python does what it shows against a sandbox, without an error or a warning."""
    compiled = compile(code, page.name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    if "def test_" in code:
        (tmp_path / "pytest.ini").write_text("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
        (tmp_path / "test_shown.py").write_text(code)
        ended = subprocess.run([sys.executable, "-m", "pytest", "-q"], capture_output=True, text=True, check=False)
        assert f"{code.count('def test_')} passed" in ended.stdout, ended.stdout
        return
    with extras_may_be_missing():
        if compiled.co_flags & inspect.CO_COROUTINE:
            asyncio.run(cell(compiled, environment))
            assert environment.stats.requests
        else:
            exec(compiled, {"__name__": "block"})


def test_the_web_application_answers(environment):
    """The page about web frameworks shows an application that starts, answers and stops, with every digit."""
    shown = {}
    for _language, code in BLOCK.findall((DOCS / "how-to" / "fastapi.md").read_text(encoding="utf-8")):
        exec(code, shown)
    shown["app"].router.routes.append(shown["Route"]("/ticker", shown["ticker"]))

    async def visit():
        async with shown["lifespan"](shown["app"]) as state:

            async def with_state(scope, receive, send):
                await shown["app"]({**scope, "state": state}, receive, send)

            async with httpx.AsyncClient(transport=httpx.ASGITransport(with_state), base_url="http://app") as browser:
                return [(await browser.get(path)).json() for path in ("/balance", "/ticker")]

    balances, prices = asyncio.run(visit())
    assert balances["ZUSD"] == "250000.0000"
    assert isinstance(prices["XXBTZUSD"]["a"][0], str)


def commands():
    """Yield each command of the console blocks that needs no network."""
    for parameter in blocks("console"):
        page, code = parameter.values
        for line in code.splitlines():
            if not line.startswith(ELSEWHERE):
                yield pytest.param(line, id=f"{page.stem}: {line}")


@pytest.mark.parametrize("line", [*commands()])
def test_a_command_runs(line, environment, capsys):
    """Each krakenasync command that a page shows ends well and says something."""
    program, *words = shlex.split(line)
    assert program == "krakenasync"
    assert main(words) == 0
    shown = capsys.readouterr()
    assert shown.out or shown.err


@pytest.mark.parametrize("page", ["errors", "limits"])
def test_a_made_page_is_fresh(page):
    """Errors and limits are what the rules say; ``python docs/tables.py`` makes it so."""
    assert (DOCS / "reference" / f"{page}.md").read_text(encoding="utf-8") == getattr(made("tables"), page)()


def test_the_page_of_commands_is_fresh():
    """Commands, options and exit codes are those there are; ``python docs/commands.py`` makes it so."""
    page = made("commands")
    assert (DOCS / "reference" / "command-line.md").read_text(encoding="utf-8") == page.reference()
    assert set(page.EXITS) == set(Exit)
    for code in Exit:
        assert re.search(rf"\b{code.value} \w", _HELP), f"krakenasync --help does not name exit code {code.value}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_no_page_names_an_option_that_there_is_not(page):
    """An option that stands in a page, a table of commands or a sentence is one of a command's."""
    reference = (DOCS / "reference" / "command-line.md").read_text(encoding="utf-8")
    known = set(re.findall(r"--[a-z][a-z0-9-]+", reference)) | {"--help", "--version"} | OTHERS
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", page.read_text(encoding="utf-8")))
    assert named <= known, named - known


def test_every_error_has_cause_and_remedy():
    """Each public error has an entry of its own."""
    page = made("tables").errors()
    names = [name for name in krakenasync.__all__ if isinstance(getattr(krakenasync, name), type)]
    kinds = [name for name in names if issubclass(getattr(krakenasync, name), krakenasync.KrakenError)]
    assert len(kinds) > 30
    for name in set(kinds) - {"KrakenError"}:
        entry = re.search(rf"^#+ {name}\n\n(.+?)\n\n- Remedy: (.+)$", page, re.MULTILINE | re.DOTALL)
        assert entry, name


def test_it_builds(tmp_path):
    """Sphinx makes pages of it all, and no warning is let through."""
    pytest.importorskip("sphinx", reason="the extra `docs` is not installed")
    pytest.importorskip("myst_parser", reason="the extra `docs` is not installed")
    pytest.importorskip("furo", reason="the extra `docs` is not installed")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", str(DOCS), str(tmp_path)]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    assert "KrakenClient" in (tmp_path / "reference" / "client.html").read_text(encoding="utf-8")
