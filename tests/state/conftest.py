"""Real servers for the stores' tests."""

import os
import shutil
import signal
import socket
import socketserver
import subprocess
import threading
import time

import pytest

URL = "KRAKENASYNC_TEST_REDIS"
REASON = f"needs a Redis server: set {URL}=redis://127.0.0.1:6379/0, or install redis-server"


def missing(reason):
    """Skip, but not where nothing may be missing."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


class Server:
    """A redis-server of a test's own, on loopback, that can be killed and started again."""

    def __init__(self, *options):
        self.port = 65_535
        while self.port + 10_000 > 65_535:  # a cluster's server takes the port 10,000 above as well
            with socket.create_server(("127.0.0.1", 0)) as free:
                self.port = free.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.options = options
        self.start()

    def start(self):
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", *self.options]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        for _ in range(500):
            try:
                return socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.01)
        raise RuntimeError("redis-server does not answer")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def own_redis():
    """A function that starts a server with the given options; all are killed in the end."""
    if not shutil.which("redis-server"):
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
    if not shutil.which("redis-server"):
        missing(REASON)
    server = Server()
    yield server.url
    server.kill()


@pytest.fixture
def store_url(request, tmp_path):
    """The URL of a store of the kind asked for."""
    return f"sqlite:///{tmp_path / 'state.db'}" if request.param == "sqlite" else request.getfixturevalue("redis_url")


class StrictServer(socketserver.ThreadingTCPServer):
    """Answers "no" to every nonce that is not above the last one."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), None)
        self.port = self.server_address[1]
        self.last = self.seen = 0
        self.lock = threading.Lock()
        self.busy = threading.Event()

    def finish_request(self, request, client_address):
        nonce = int(request.makefile().readline() or 0)
        with self.lock:
            self.seen += 1
            if self.seen == 5:
                self.busy.set()
            rises = nonce > self.last
            self.last = max(self.last, nonce)
        request.sendall(b"ok\n" if rises else b"no\n")


@pytest.fixture
def strict_server():
    """A server as strict about nonces as Kraken, in a thread."""
    with StrictServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()
