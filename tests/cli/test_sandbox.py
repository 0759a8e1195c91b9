"""``krakenasync sandbox``: every switch of the sandbox, from outside."""

import inspect

import msgspec
import pytest

from krakenasync.cli import main
from krakenasync.cli import sandbox as command
from krakenasync.sandbox import SandboxConfig

SWITCHES = {
    "tier": "pro",
    "seed": 7,
    "limits": False,
    "step": 2.0,
    "history_cost": 2,
    "refused_counts": True,
    "strict": False,
    "public_burst": 3,
    "latency": 0.25,
    "jitter": 0.5,
    "nonce_window": 100,
    "lockout_after": 3,
    "lockout_seconds": 60.0,
    "most_at_once": 4,
    "presence_validates": True,
    "open_order_lag": 1.5,
    "speed": 10.0,
}
OFF = {"limits": "--no-limits", "strict": "--lax"}


@pytest.fixture
def started(monkeypatch):
    """The sandboxes that would have run."""
    found = []
    monkeypatch.setattr(command, "run", lambda config, _port: found.append(config))
    return found


@pytest.mark.parametrize("name", SWITCHES)
def test_a_switch_reaches_the_sandbox(name, started):
    """All others stay as they are without the command."""
    value = SWITCHES[name]
    option = OFF.get(name, f"--{name.replace('_', '-')}")

    assert main(["sandbox", option] if isinstance(value, bool) else ["sandbox", option, str(value)]) == 0

    assert started == [SandboxConfig(**{name: value})]
    assert started != [SandboxConfig()]


def test_every_switch_has_an_option():
    """So that other programs' clients can be tried with it as well; `keys` by the halves of one."""
    fields = {field.name for field in msgspec.structs.fields(SandboxConfig)}

    assert fields - {"keys"} == SWITCHES.keys() <= inspect.signature(command.sandbox).parameters.keys()


@pytest.mark.parametrize(
    "wrong", [["--speed", "0"], ["--public-burst", "0"], ["--step", "-1"], ["--history-cost", "3"]]
)
def test_a_switch_that_cannot_be_is_refused(wrong, started, capsys):
    """With a line, not a traceback."""
    assert main(["sandbox", *wrong]) == 2
    assert (started, capsys.readouterr().err.count("error:")) == ([], 1)
