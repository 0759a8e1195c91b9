"""What every test shares: property tests that search alike on every machine and every run, and real Redis servers."""

import os
import shutil
import signal
import socket
import subprocess
import time

import pytest
from hypothesis import settings

settings.register_profile("deterministic", derandomize=True, deadline=None, database=None)
settings.load_profile("deterministic")

URL = "KRAKENASYNC_TEST_REDIS"
REASON = f"needs a Redis server: set {URL}=redis://127.0.0.1:6379/0, or install redis-server or valkey-server"
PROGRAM = shutil.which("redis-server") or shutil.which("valkey-server")


def missing(reason):
    """Skip, but not where nothing may be missing."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


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
