"""The sandbox on a real loopback port."""

import asyncio
import json
import socket

import httpx
import pytest

from krakenasync.sandbox import ExtraKey, Sandbox, SandboxConfig, run, serve, server
from krakenasync.sandbox.server import greeting


@pytest.mark.asyncio
async def test_it_answers_on_the_port_it_names_and_stops_cleanly():
    """While the block runs calls are answered; afterwards the port is closed."""
    async with serve(Sandbox()) as url, httpx.AsyncClient(base_url=url) as http:
        assert (await http.get("/0/public/SystemStatus")).json()["result"]["status"] == "online"
    async with httpx.AsyncClient(base_url=url) as http:
        with pytest.raises(httpx.ConnectError):
            await http.get("/0/public/Time")


@pytest.mark.asyncio
async def test_a_lost_answer_closes_the_connection():
    """Over a socket the caller sees the connection end without a whole answer, and can go on."""
    sandbox = Sandbox()
    sandbox.faults.add("Time", "answer-lost")
    async with serve(sandbox) as url, httpx.AsyncClient(base_url=url) as http:
        with pytest.raises(httpx.RemoteProtocolError):
            await http.get("/0/public/Time")
        assert (await http.get("/0/public/Time")).json()["error"] == []


@pytest.mark.asyncio
async def test_calls_in_flight_do_not_hold_the_end_up():
    """Leaving the block ends calls that are still waiting."""
    sandbox = Sandbox(SandboxConfig(latency=60))
    async with httpx.AsyncClient() as http:
        async with serve(sandbox) as url:
            call = asyncio.create_task(http.get(f"{url}/0/public/Time"))
            while not sandbox.stats.requests:  # noqa: ASYNC110 - the sandbox tells nobody when a call comes in
                await asyncio.sleep(0)
        response = await asyncio.wait_for(call, 1)
        assert response.status_code == 500


def test_answers_are_not_held_back_by_the_socket():
    """The socket names its protocol, without which asyncio leaves Nagle's delay on: 40 ms for every answer."""
    with server._listen(0) as listener:
        assert listener.proto == socket.IPPROTO_TCP


@pytest.mark.asyncio
async def test_a_taken_port_is_an_error():
    """Two sandboxes cannot share a port."""
    async with serve(Sandbox()) as url:
        with pytest.raises(OSError, match="in use"):
            async with serve(Sandbox(), int(url.rpartition(":")[2])):
                pass


def test_the_greeting_names_keys_for_people_and_programs():
    """One line per key and one of JSON; the caller's own secret is not repeated."""
    extra = ExtraKey(api_key="mine", api_secret="c2VjcmV0IG9mIG1pbmU=")
    sandbox = Sandbox(SandboxConfig(tier="pro", keys=(extra,)))
    *lines, last = greeting(sandbox, "http://127.0.0.1:1")
    assert lines[0] == "Kraken sandbox (pro) at http://127.0.0.1:1"
    assert len(lines) == 1 + len(sandbox.keys)
    facts = json.loads(last)
    assert facts["base_url"] == "http://127.0.0.1:1"
    assert facts["keys"][0]["api_secret"] == sandbox.keys["alice"].api_secret
    assert facts["keys"][-1] == {"account": "extra", "label": "extra", "api_key": "mine", "api_secret": None}
    assert "c2VjcmV0" not in "".join([*lines, last])


def test_running_ends_quietly_when_interrupted(capsys):
    """Ctrl+C is the way to stop it, not an error; until then it says where it is."""

    def say(line):
        lines.append(line)
        if line.startswith("{"):
            raise KeyboardInterrupt

    lines = []
    run(SandboxConfig(), say=say)
    assert lines[0].startswith("Kraken sandbox (starter) at http://127.0.0.1:")
    assert capsys.readouterr().out == ""
