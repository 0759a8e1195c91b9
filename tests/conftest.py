"""What every test shares: deterministic property tests, real Redis servers, and a look at all an error could tell."""

import itertools
import os
import shutil
import signal
import socket
import subprocess
import time
import traceback
from pathlib import Path

import pytest
from hypothesis import settings
from rich.pretty import pretty_repr

settings.register_profile("deterministic", derandomize=True, deadline=None, database=None)
settings.load_profile("deterministic")

URL = "KRAKENASYNC_TEST_REDIS"
REASON = f"needs a Redis server: set {URL}=redis://127.0.0.1:6379/0, or install redis-server or valkey-server"
PROGRAM = shutil.which("redis-server") or shutil.which("valkey-server")


@pytest.fixture(scope="session", autouse=True)
def _interruptions():
    """Programs that tests start can be interrupted, also where a shell in the background has had SIGINT ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def missing(reason):
    """Skip, but not where nothing may be missing."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def is_a_tests(place):
    return Path(place[0].f_code.co_filename).is_relative_to(Path(__file__).parent)


def everything(error):
    """Yield all that some tool might show of an error and what led to it: words, notes, and every frame's locals.

    Suppressed contexts count, for some tools look at them all the same; frames of the test that called do not.
    """
    pending, seen = [error], set()
    while pending:
        each = pending.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        yield f"{each!r} {each} {getattr(each, '__notes__', '')} {vars(each)}"
        for frame, _line in itertools.dropwhile(is_a_tests, traceback.walk_tb(each.__traceback__)):
            for name, value in frame.f_locals.items():
                yield f"{frame.f_code.co_qualname}: {name} = {value!r} {pretty_repr(value)}"
        pending += (each.__cause__, each.__context__, *getattr(each, "exceptions", ()))


@pytest.fixture(scope="session")
def all_told():
    """A function that gives all texts a tool might show with an error: ``all_told(error)``."""
    return lambda error: list(everything(error))


class Server:
    """A redis-server (or valkey-server) of a test's own, on loopback, that can be killed and started again."""

    def __init__(self, *options):
        self.port = 65_535
        while self.port + 10_000 > 65_535:  # a cluster's server takes the port 10,000 above as well
            with socket.create_server(("127.0.0.1", 0)) as free:
                self.port = free.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.options = options
        self.start()

    def start(self):
        command = [PROGRAM, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", *self.options]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        for _ in range(500):
            try:
                return socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.01)
        raise RuntimeError(f"{PROGRAM} does not answer")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def own_redis():
    """A function that starts a server with the given options; all are killed in the end."""
    if PROGRAM is None:
        missing(REASON)
    servers = []

    def start(*options):
        servers.append(Server(*options))
        return servers[-1]

    yield start
    for server in servers:
        server.kill()


@pytest.fixture(scope="session")
def redis_url():
    """The URL of a server shared by all tests, which use names of their own."""
    if url := os.environ.get(URL):
        yield url
        return
    if PROGRAM is None:
        missing(REASON)
    server = Server()
    yield server.url
    server.kill()
