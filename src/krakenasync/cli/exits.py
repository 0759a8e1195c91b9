"""How a command ends: the exit codes, and errors in words."""

from __future__ import annotations

import asyncio
import inspect
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from types import FrameType
from typing import Any, Final

from krakenasync.archive.journal import FULL
from krakenasync.cli.rendering import remark, to_nowhere
from krakenasync.errors import (
    AuthenticationError,
    ConfigurationError,
    DeadlineElapsed,
    DuplicateClientOrderId,
    InsufficientFunds,
    InvalidArguments,
    KrakenError,
    MarketUnavailable,
    OrderNotPlaced,
    OrdersLimitExceeded,
    OutcomeUnknown,
    ProtocolError,
    RateLimitExceeded,
    RateLimitTimeout,
    ServiceUnavailable,
    StateUnavailable,
    TransportError,
    UnknownAsset,
    UnknownOrder,
)
from krakenasync.spot.catalog import ENDPOINTS

__all__ = ["Exit", "carry_out", "complain", "exit_for"]

_BY_SIGNAL: Final = 128
"""Added to the number of a signal: how shells report that a signal ended a command."""
_METHOD: Final = re.compile(r"(\w+)\(([^)]*)\)")
"""How notes refer to a call: as a method of the client."""


class Exit(IntEnum):
    """The exit codes. Scripts rely on them: add, never change."""

    OK = 0
    REFUSED = 1
    """Kraken understood and said no."""
    USAGE = 2
    """The command line or the settings are not valid; nothing was sent."""
    NETWORK = 3
    """No answer, or one that is not Kraken's."""
    RATE_LIMITED = 4
    """A counter is full, or the wait for it would outlast the deadline."""
    OUTCOME_UNKNOWN = 5
    """Something may or may not have been carried out: look before you repeat it."""
    UNWRITTEN = 6
    """The call was carried out, but its result could not be written, as on a full disk."""
    INTERRUPTED = 130


# The first match decides, so special cases come before general ones.
_EXITS: tuple[tuple[type[KrakenError], Exit], ...] = (
    (OutcomeUnknown, Exit.OUTCOME_UNKNOWN),
    (RateLimitExceeded, Exit.RATE_LIMITED),
    (RateLimitTimeout, Exit.RATE_LIMITED),
    (ConfigurationError, Exit.USAGE),
    (TransportError, Exit.NETWORK),
    (ServiceUnavailable, Exit.NETWORK),
    (ProtocolError, Exit.NETWORK),
    (StateUnavailable, Exit.NETWORK),
)


def exit_for(error: KrakenError) -> Exit:
    """Return the exit code of an error."""
    if isinstance(error, InvalidArguments) and not error.codes:
        return Exit.USAGE  # raised by us, before anything was sent
    if isinstance(error, OrderNotPlaced):
        return exit_for(error.__cause__) if isinstance(error.__cause__, KrakenError) else Exit.NETWORK
    return next((code for kind, code in _EXITS if isinstance(error, kind)), Exit.REFUSED)


def carry_out(command: Callable[[], Any]) -> int:
    """Run a command, awaiting it if it is asynchronous, and return its exit code.

    Errors of the library become one line and a hint; an interruption and a reader that went away end it quietly, unless
    something was under way that may have been carried out.
    """
    with _stopped_as_by_ctrl_c() as signals:
        try:
            outcome = command()
            if inspect.iscoroutine(outcome):
                outcome = asyncio.run(outcome)
            sys.stdout.flush()
        except (KrakenError, OSError, UnicodeError, KeyboardInterrupt, BaseExceptionGroup) as raised:
            ended = _ended(raised)
            return _BY_SIGNAL + signals[0] if signals and ended == Exit.INTERRUPTED else ended
    return int(outcome or Exit.OK)


@contextmanager
def _stopped_as_by_ctrl_c() -> Iterator[list[int]]:
    """Let the signals that stop services and shells end a command as Ctrl-C does, reporting what was under way.

    Yields:
        The numbers of the signals that came.
    """
    came: list[int] = []

    def pass_on(number: int, _frame: FrameType | None) -> None:
        came.append(number)
        signal.raise_signal(signal.SIGINT)

    here = threading.current_thread() is threading.main_thread()
    taken: list[signal.Signals] = []
    if here and signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not ignored, as under nohup
        named = (getattr(signal, name, None) for name in ("SIGTERM", "SIGHUP"))  # not all of them on Windows
        taken = [each for each in named if each is not None and signal.getsignal(each) is signal.SIG_DFL]
    for each in taken:
        signal.signal(each, pass_on)
    try:
        yield came
    finally:
        for each in taken:
            signal.signal(each, signal.SIG_DFL)


def _ended(raised: BaseException) -> int:
    """Report what stopped a command, unless that is normal, and return the exit code."""
    error = _innermost(raised)
    if isinstance(error, KeyboardInterrupt):
        for note in _notes(error):
            remark(f"interrupted: {_METHOD.sub(_as_command, note)}", style="bold red")
        return Exit.INTERRUPTED
    if isinstance(error, OSError) and (isinstance(error, BrokenPipeError) or error.errno in FULL):
        to_nowhere(sys.stdout)
        if isinstance(error, BrokenPipeError):
            return Exit.OK
        remark(f"error: the result cannot be written: {error.strerror}", style="bold red")
        remark("hint: is the disk full? the call itself was carried out; a history resumes where it stopped")
        return Exit.UNWRITTEN
    if isinstance(error, UnicodeError):  # which contains the text itself, maybe a secret
        remark("error: an argument or what was typed or piped in is not UTF-8 text", style="bold red")
        return Exit.USAGE
    if isinstance(error, KrakenError):
        complain(error)
        return exit_for(error)
    raise raised


def _innermost(raised: BaseException) -> BaseException:
    """Return the exception inside the groups that task groups wrap it in."""
    while isinstance(raised, BaseExceptionGroup):
        raised = raised.exceptions[0]
    return raised


def _notes(error: BaseException) -> Iterator[str]:
    """Yield what was noted on an interruption, or on the cancellation it began as: what was under way."""
    seen: BaseException | None = error
    while isinstance(seen, (KeyboardInterrupt, asyncio.CancelledError)):
        yield from getattr(seen, "__notes__", ())
        seen = seen.__context__


def _as_command(found: re.Match[str]) -> str:
    """Write a call as it would be made on the command line."""
    request = ENDPOINTS.get(found[1])
    return found[0] if request is None else f"krakenasync call {request.spec.name} {found[2]}".rstrip()


def complain(error: KrakenError) -> None:
    """Print an error on one line, and what to do about it on another."""
    said = error.said
    subject = f"{error.endpoint}: " if error.endpoint and not said.startswith(error.endpoint) else ""
    remark(f"error: {subject}{said}", style="bold red")
    if hint := _advice(error):
        remark(f"hint: {hint}")


# For errors to which the library gives no hint, or only a general one that is about Python.
_ADVICE: tuple[tuple[type[KrakenError], str], ...] = (
    (OrderNotPlaced, "there is no order: it is safe to place it again"),
    (DuplicateClientOrderId, "an open order has this cl_ord_id: krakenasync orders lists them"),
    (InsufficientFunds, "krakenasync balances shows what is there; open orders reserve a part of it"),
    (OrdersLimitExceeded, "krakenasync orders lists the open ones, krakenasync limits says how many a pair may have"),
    (MarketUnavailable, "krakenasync call SystemStatus, and the pair's status in call AssetPairs, show when it opens"),
    (RateLimitExceeded, "another program uses the key, or the account's tier is lower than --tier: wait a minute"),
    (DeadlineElapsed, "look before you repeat it: krakenasync orders, krakenasync orders closed"),
    (UnknownAsset, "krakenasync call AssetPairs lists the pairs, krakenasync call Assets the assets"),
    (UnknownOrder, "krakenasync orders lists the open ones, krakenasync orders closed the others"),
    (AuthenticationError, "krakenasync doctor finds out more"),
    (TransportError, "is the network up? krakenasync doctor finds out more"),
    (ProtocolError, "is that Kraken's address (--base-url, KRAKEN_BASE_URL)? krakenasync doctor finds out more"),
    (ServiceUnavailable, "Kraken is down or busy: see https://status.kraken.com; try again later"),
)


def _advice(error: KrakenError) -> str | None:
    """Return what to do about an error, in terms of the command line."""
    if isinstance(error, OutcomeUnknown) and error.cl_ord_id:
        return f"look before you repeat it: krakenasync orders show {error.cl_ord_id}"
    if isinstance(error, (AuthenticationError, TransportError)) and error.hint:
        return f"{error.hint}{'' if error.hint.endswith('?') else ';'} krakenasync doctor finds out more"
    ours = next((advice for kind, advice in _ADVICE if isinstance(error, kind)), None)
    return ours if ours and error.hint in {None, error.default_hint} else error.hint
