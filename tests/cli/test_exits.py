"""Exit codes, and errors in words."""

import asyncio
import signal
import subprocess
import sys

import pytest

from krakenasync import errors
from krakenasync.cli.exits import Exit, carry_out, exit_for


def fails(error):
    def command():
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.InvalidKey("", codes=["EAPI:Invalid key"]), 1),
        (errors.InsufficientFunds("", codes=["EOrder:Insufficient funds"]), 1),
        (errors.InvalidArguments("", codes=["EGeneral:Invalid arguments"]), 1),
        (errors.InvalidArguments("volume is negative"), 2),
        (errors.ConfigurationError("unknown tier"), 2),
        (errors.NotSent("no route"), 3),
        (errors.Unanswered("reset"), 3),
        (errors.ServiceUnavailable("502"), 3),
        (errors.ProtocolError("HTML"), 3),
        (errors.StateUnavailable("the Redis server is away"), 3),
        (errors.RateLimitExceeded("", codes=["EAPI:Rate limit exceeded"]), 4),
        (errors.RateLimitTimeout("in 3 s"), 4),
        (errors.OutcomeUnknown("it may have been placed"), 5),
    ],
)
def test_each_kind_of_error_has_its_code(error, code):
    """The codes are those that scripts rely on."""
    assert exit_for(error) == code


@pytest.mark.parametrize(
    ("cause", "code"),
    [(errors.NotSent("no route"), 3), (errors.InvalidKey("", codes=["EAPI:Invalid key"]), 1), (None, 3)],
)
def test_an_order_that_was_not_placed_counts_as_what_kept_it(cause, code, capsys):
    """The code is that of the cause; that it is safe to try again is said."""
    error = errors.OrderNotPlaced("nothing was sent")
    error.__cause__ = cause
    assert carry_out(fails(error)) == code
    assert "safe to place it again" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (errors.UnknownOrder("no order x"), "krakenasync orders"),
        (errors.UnknownAsset("no pair x"), "call AssetPairs"),
        (errors.NotSent("no route"), "krakenasync doctor"),
        (errors.NotSent("refused", hint="is the address right?"), "is the address right? krakenasync doctor"),
        (errors.ProtocolError("an HTML page instead of an answer"), "--base-url"),
        (errors.ServiceUnavailable("EService:Unavailable"), "status.kraken.com"),
        (errors.InvalidNonce("EAPI:Invalid nonce"), "krakenasync doctor"),
        (errors.InvalidSignature("EAPI:Invalid signature"), "krakenasync doctor"),
        (errors.InsufficientFunds("EOrder:Insufficient funds"), "krakenasync balances"),
        (errors.OrdersLimitExceeded("EOrder:Orders limit exceeded"), "krakenasync limits"),
        (errors.DuplicateClientOrderId("EOrder:cl_ord_id in use"), "krakenasync orders"),
        (errors.MarketUnavailable("EService:Market in cancel_only mode"), "call SystemStatus"),
        (errors.DeadlineElapsed("EService:Deadline elapsed"), "krakenasync orders"),
        (errors.RateLimitExceeded("EAPI:Rate limit exceeded"), "--tier"),
    ],
)
def test_the_hint_names_the_command_that_helps(error, advice, capsys):
    """Hints speak of the command line, not of Python."""
    carry_out(fails(error))
    assert advice in capsys.readouterr().err


def test_an_error_is_one_line_and_a_hint(capsys):
    """No traceback: what happened, and what to do."""
    assert carry_out(fails(errors.InvalidKey("EAPI:Invalid key", endpoint="Balance"))) == Exit.REFUSED
    first, second = capsys.readouterr().err.strip().split("\n")
    assert first == "error: Balance: EAPI:Invalid key"
    assert second.startswith("hint: check KRAKEN_API_KEY")


def test_brackets_in_an_error_are_shown_as_they_are(capsys):
    """What a server says is not taken for markup."""
    carry_out(fails(errors.Refused("[bold]close[/bold][price]")))
    assert "[bold]close[/bold][price]" in capsys.readouterr().err


def test_an_interruption_is_quiet(capsys):
    """Ctrl-C ends with 130 and says nothing."""
    assert carry_out(fails(KeyboardInterrupt())) == Exit.INTERRUPTED
    assert capsys.readouterr().err == ""


def test_what_a_task_group_wraps_is_found():
    """An error out of a task group counts as itself."""
    assert carry_out(fails(ExceptionGroup("tasks", [errors.NotSent("no route")]))) == Exit.NETWORK


def test_a_bug_is_shown_whole():
    """What is no error of the library's is not hidden."""
    with pytest.raises(ZeroDivisionError):
        carry_out(fails(ZeroDivisionError()))
    with pytest.raises(ExceptionGroup):
        carry_out(fails(ExceptionGroup("tasks", [ZeroDivisionError()])))


def test_a_coroutine_is_awaited():
    """An asynchronous command is run to its end."""

    async def command():
        return 4

    assert carry_out(command) == 4


def test_an_interruption_names_what_was_under_way(capsys):
    """As one looks for it on the command line; else it is quiet."""

    def stopped():
        try:
            gone = asyncio.CancelledError()
            gone.add_note(
                "Withdraw was under way and may have been carried out; look at withdraw_status() and ledgers()"
            )
            raise gone
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None

    assert carry_out(stopped) == Exit.INTERRUPTED
    said = " ".join(capsys.readouterr().err.split())
    assert "interrupted: Withdraw was under way and may have been carried out" in said
    assert "look at krakenasync call WithdrawStatus and krakenasync call Ledgers" in said

    def quiet():
        raise KeyboardInterrupt

    assert carry_out(quiet) == Exit.INTERRUPTED
    assert capsys.readouterr().err == ""


STOPPED = """
import signal, sys
from krakenasync.cli import main
from krakenasync.client.road import Road

deliver = Road._deliver

async def stopped(self, call, *more):
    reply = await deliver(self, call, *more)
    if call.spec.name == "AddOrder":
        signal.raise_signal(signal.{name})
        await __import__("anyio").sleep(30)
    return reply

Road._deliver = stopped
sys.exit(main(["order", "buy", "XBTUSD", "0.01", "--price", "30000", "--yes"]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals there")
@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_whatever_stops_an_order_on_its_way_it_is_said_how_to_find_it(name, code, environment):
    """systemd, docker, timeout and a closed terminal are not less careful than Ctrl-C."""
    code_text = STOPPED.format(name=name)
    ended = subprocess.run([sys.executable, "-c", code_text], capture_output=True, text=True, check=False, timeout=60)
    (order,) = environment.sandbox.accounts["alice"].orders.values()
    assert ended.returncode == code
    assert f"look with: krakenasync orders show {order.cl_ord_id}" in " ".join(ended.stderr.split())


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals there")
def test_signals_are_as_before_afterwards():
    """And one that is ignored, as SIGHUP behind nohup, stays ignored."""
    before = signal.getsignal(signal.SIGTERM)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        seen = []
        carry_out(lambda: seen.extend(map(signal.getsignal, (signal.SIGTERM, signal.SIGHUP))))
        assert seen[0] not in {before, signal.SIG_DFL}
        assert seen[1] is signal.SIG_IGN
        assert signal.getsignal(signal.SIGTERM) is before
    finally:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
