"""What goes wrong with a Redis server, in our words: what will never work is told from what may work later."""

import pytest
from redis import exceptions

from krakenasync.errors import ConfigurationError, StateUnavailable
from krakenasync.state.rediserrors import CrossSlot, connection_errors, failure, redis_errors, refusal


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (refusal("NOPERM User x has no permissions to run the 'evalsha' command"), ConfigurationError, "denies us"),
        (refusal("NOAUTH Authentication required."), ConfigurationError, "let us in"),
        (exceptions.AuthenticationError("invalid username-password pair"), ConfigurationError, "let us in"),
        (refusal("MOVED 3999 127.0.0.1:6381"), ConfigurationError, "one of a cluster"),
        (refusal("ERR DB index is out of range"), ConfigurationError, "database"),
        (refusal("ERR SELECT is not allowed in cluster mode"), ConfigurationError, "database"),
        (refusal("ERR unknown command 'EVALSHA'"), ConfigurationError, "no scripting"),
        (exceptions.InvalidResponse("Protocol Error: b'HTTP'"), ConfigurationError, "not a Redis server"),
        (refusal("OOM command not allowed when used memory > 'maxmemory'."), StateUnavailable, "refused: OOM"),
        (refusal("READONLY You can't write against a read only replica."), StateUnavailable, "refused: READONLY"),
        (refusal("LOADING Redis is loading the dataset in memory"), StateUnavailable, "refused: LOADING"),
        (exceptions.ConnectionError("Error 111 connecting"), StateUnavailable, "not answer: Error 111"),
        (TimeoutError(), StateUnavailable, "not answer: TimeoutError"),
    ],
)
def test_what_it_is_called(error, kind, words):
    """Each names the server, and says what to look at if it will never work."""
    found = failure(error, "10.0.0.1:6379")
    assert type(found) is kind
    assert "10.0.0.1:6379" in found.message
    assert words in found.message
    assert found.hint or kind is StateUnavailable
    assert found.effect == "none"


def test_records_in_two_places_are_no_failure():
    """The store asks one after the other then."""
    assert isinstance(failure(refusal("CROSSSLOT Keys in request don't hash to the same slot"), "here"), CrossSlot)


def test_a_forgotten_script_is_told_apart():
    """It is taught again, and nobody learns of it."""
    assert isinstance(refusal("NOSCRIPT No matching script."), exceptions.NoScriptError)


def test_what_is_caught():
    """Whatever a question may fail with; of that, a lost connection is worth another try."""
    assert issubclass(exceptions.ConnectionError, redis_errors())
    assert issubclass(exceptions.ConnectionError, connection_errors())
    assert issubclass(ConnectionResetError, connection_errors())
    assert issubclass(TimeoutError, redis_errors())
    assert not issubclass(TimeoutError, connection_errors())
