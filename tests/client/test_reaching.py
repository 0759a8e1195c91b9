"""Connecting to a host of several addresses: who is tried when, and what is left behind."""

import asyncio
import gc
import socket

import pytest

from krakenasync.client.reaching import connected


class Addresses:
    """A loop's view of a host: each address answers or fails after some seconds, or (None) with the gate."""

    def __init__(self, **ways):
        self.ways, self.tried, self.closed, self.gate = ways, [], [], asyncio.Event()

    def play(self, monkeypatch):
        loop = asyncio.get_running_loop()

        async def getaddrinfo(_host, port, **_options):
            families = {True: socket.AF_INET6, False: socket.AF_INET}
            return [(families[name.startswith("six")], 1, 6, "", (name, port)) for name in self.ways]

        async def create_connection(make, address, _port, **_options):
            self.tried.append(address)
            seconds, answers = self.ways[address]
            await (self.gate.wait() if seconds is None else asyncio.sleep(seconds))
            if not answers:
                raise OSError(f"{address} refused")
            return Line(address, self), make()

        monkeypatch.setattr(loop, "getaddrinfo", getaddrinfo)
        monkeypatch.setattr(loop, "create_connection", create_connection)


class Line:
    """A transport that notes its end."""

    def __init__(self, address, world):
        self.address, self.world = address, world

    def abort(self):
        self.world.closed.append(self.address)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("ways", "tried"),
    [
        ({"six1": (0, True), "four1": (0, True)}, ["six1"]),
        ({"six1": (0, False), "six2": (0, True), "four1": (0, True)}, ["six1", "four1"]),
        ({"six1": (9, True), "six2": (0, True), "four1": (9, True)}, ["six1", "four1", "six2"]),
    ],
)
async def test_families_take_turns_and_the_next_does_not_wait_for_ever(monkeypatch, ways, tried):
    """After a failure at once, after silence a quarter of a second later; the others are given up."""
    monkeypatch.setattr("krakenasync.client.reaching._HEAD_START", 0.01)
    world = Addresses(**ways)
    world.play(monkeypatch)
    assert await connected(lambda: "protocol", "host", 1) == "protocol"
    assert world.tried == tried
    await asyncio.sleep(0)
    assert len(asyncio.all_tasks()) == 1


@pytest.mark.asyncio
async def test_if_none_answers_the_first_says_why(monkeypatch):
    """It is the system's first choice."""
    world = Addresses(six1=(0.01, False), four1=(0, False))
    world.play(monkeypatch)
    with pytest.raises(OSError, match="six1 refused"):
        await connected(lambda: "protocol", "host", 1)


@pytest.mark.asyncio
async def test_a_name_without_an_address_is_no_accident(monkeypatch):
    """The system's resolver says so with an error of its own; one that was put in its place may give an empty list."""
    Addresses().play(monkeypatch)
    with pytest.raises(OSError, match="no address"):
        await connected(lambda: "protocol", "host", 1)


@pytest.mark.asyncio
async def test_what_is_reached_beside_the_chosen_one_is_closed(monkeypatch):
    """Two may answer in the same step."""
    monkeypatch.setattr("krakenasync.client.reaching._HEAD_START", 0.0)
    world = Addresses(six1=(None, True), four1=(None, True))
    world.play(monkeypatch)
    task = asyncio.ensure_future(connected(lambda: "protocol", "host", 1))
    while len(world.tried) < 2:  # noqa: ASYNC110 - step by step, as the loop goes
        await asyncio.sleep(0)
    world.gate.set()
    await task
    await asyncio.sleep(0)
    assert world.closed == ["four1"]


@pytest.mark.asyncio
async def test_a_cancellation_in_any_step_leaves_no_socket_behind():
    """Without the garbage collector's help, which would find what nobody holds, and complain."""
    accepted = []

    class Peer(asyncio.Protocol):
        def connection_made(self, transport):
            accepted.append(transport)

    class Ours(asyncio.Protocol):
        def connection_made(self, transport):
            self.transport = transport

    loop = asyncio.get_running_loop()
    server = await loop.create_server(Peer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    gc.disable()
    try:
        for steps in range(25):
            task = asyncio.ensure_future(connected(Ours, "localhost", port))
            for _ in range(steps):
                await asyncio.sleep(0)
            if not task.cancel():
                task.result().transport.abort()
            await asyncio.gather(task, return_exceptions=True)
        async with asyncio.timeout(2):
            while not all(transport.is_closing() for transport in accepted):  # noqa: ASYNC110 - it is the peer who knows
                await asyncio.sleep(0.01)
    finally:
        gc.enable()
        server.close()
