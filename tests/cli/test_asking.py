"""The question before something real."""

import signal

import pytest

from krakenasync import ConfigurationError
from krakenasync.cli.asking import agreed, secretly


def test_a_sandbox_is_never_asked_about(typed):
    """Play money needs no question, also where nobody is there."""
    typed("", terminal=False)
    assert agreed("buy?", "SANDBOX", yes=False)


def test_nobody_there_is_an_error(typed):
    """Without a terminal and without --yes nothing real is done."""
    typed("y\n", terminal=False)
    with pytest.raises(ConfigurationError, match="no terminal to ask") as refused:
        agreed("buy?", "LIVE", yes=False)
    assert "--yes" in str(refused.value.hint)


def test_ctrl_c_works_during_the_question_and_as_before_afterwards(typed, monkeypatch):
    """While the question stands an interruption ends it at once; then the former handler is back."""
    before = signal.getsignal(signal.SIGINT)
    seen = []
    monkeypatch.setattr(
        "krakenasync.cli.asking._ask", lambda *_: (seen.append(signal.getsignal(signal.SIGINT)), "y")[1]
    )
    monkeypatch.setattr("signal.default_int_handler", object.__new__(type("Handler", (), {"__call__": print})))
    typed("")
    assert agreed("buy?", "LIVE", yes=False)
    assert seen == [signal.default_int_handler]
    assert signal.getsignal(signal.SIGINT) is before


def test_a_pipe_that_ends_gives_nothing(typed):
    """The end of input is no secret."""
    typed("", terminal=False)
    assert secretly("API key") == ""
