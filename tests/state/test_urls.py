"""A store from one line."""

from pathlib import Path

import pytest

from krakenasync.errors import ConfigurationError
from krakenasync.state.fallback import FallbackStore
from krakenasync.state.redis import RedisStore
from krakenasync.state.sqlite import SqliteStore
from krakenasync.state.urls import open_store


def test_a_file_is_named_as_everywhere():
    """Three slashes for a path from here, four for one from the root; escapes are read."""
    assert open_store("sqlite:///state.db").path == Path.cwd() / "state.db"
    assert open_store("sqlite:////var/lib/my%20bot.db").path == Path("/var/lib/my bot.db")
    assert isinstance(open_store("sqlite:///state.db"), SqliteStore)


@pytest.mark.parametrize("url", ["redis://127.0.0.1:6379/0", "rediss://host/1", "valkey://host:6379/0"])
def test_a_server_is_named_as_everywhere(url):
    """Redis and Valkey, plain and with TLS."""
    assert isinstance(open_store(url), RedisStore)


def test_a_fallback_is_asked_for_in_the_url():
    """The part of the limits is stated."""
    assert isinstance(open_store("sqlite:///state.db?on_state_failure=local&share=0.25"), FallbackStore)
    assert isinstance(open_store("sqlite:///state.db?on_state_failure=raise&"), SqliteStore)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "state.db",
        "postgres://host/db",
        "sqlite://state.db",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:///file::memory:",
        "sqlite:///state.db?mode=ro",
        "sqlite:////tmp/?.db",
        "sqlite:////tmp/a#b.db",
        "sqlite:////tmp/a%00b.db",
        "sqlite:////tmp/\ud800.db",
        "redis:///0",
        "redis://host:port/0",
        "redis://host:99999/0",
        "redis://host/0?no_such_option=1",
        "redis://host/zero",
        "redis://host/0?on_state_failure=ignore",
        "redis://host/0?on_state_failure=local",
        "redis://host/0?on_state_failure=local&share=half",
        "redis://host/0?on_state_failure=local&share=2",
        "redis://host/0?share=0.5",
        "redis://[host/0",
    ],
)
def test_a_url_that_cannot_work_is_refused(url):
    """At once, with what would work instead."""
    with pytest.raises(ConfigurationError) as failure:
        open_store(url)
    assert failure.value.hint


@pytest.mark.parametrize("user", ["", "bot", "unix"])
@pytest.mark.parametrize(
    "password", ["SECRET", "SECRET/x=", "1/SECRET+x=", "SECRET#1", "1#SECRET", "SECRET?1", "1?SECRET"]
)
@pytest.mark.parametrize("rest", ["host:port/0", "host:6379/zero", "host:6379/0?nothing"])
def test_the_error_does_not_hold_the_password(user, password, rest):
    """A URL may hold a password, and one that is not escaped may seem to be a port, a path, an option or a fragment."""
    with pytest.raises(ConfigurationError) as failure:
        open_store(f"redis://{user}:{password}@{rest}")
    assert "SECRET" not in repr(failure.value) + str(failure.value)


@pytest.mark.parametrize("password", ["SECRET/x=", "SECRET#1", "SECRET?1"])
def test_nor_does_that_of_the_store_itself(password):
    """Redis-py would repeat what it takes for the port."""
    with pytest.raises(ConfigurationError, match="%2F") as failure:
        RedisStore(f"redis://bot:{password}@host:6379/0")
    assert "SECRET" not in repr(failure.value) + str(failure.value)
