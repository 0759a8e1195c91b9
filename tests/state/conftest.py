"""What the stores' tests have in common: a store of either kind, and a server as strict about nonces as Kraken."""

import socketserver
import threading

import pytest


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
