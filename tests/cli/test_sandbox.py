"""``krakenasync sandbox``."""

import json
import signal
import socket
import subprocess
import sys

import pytest

from krakenasync import InvalidKey, KrakenClient
from krakenasync.cli import main


@pytest.mark.asyncio
async def test_it_serves_the_keys_it_prints_until_ctrl_c():
    """The last line tells programs where it is; a key of one's own works; Ctrl-C ends it quietly."""
    words = ["sandbox", "--api-key", "mine", "--api-secret", "c2VjcmV0", "--seed", "3", "--no-limits"]
    process = subprocess.Popen(  # noqa: ASYNC220 - a server in the background
        [sys.executable, "-W", "error", "-m", "krakenasync", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    lines = iter(process.stdout.readline, "")
    facts = json.loads(next(line for line in lines if line.startswith("{")))
    alice = facts["keys"][0]
    async with KrakenClient(alice["api_key"], alice["api_secret"], base_url=facts["base_url"]) as kraken:
        assert await kraken.balance()
    async with KrakenClient("mine", "c2VjcmV0", base_url=facts["base_url"]) as kraken:
        assert await kraken.balance()
    async with KrakenClient("yours", "c2VjcmV0", base_url=facts["base_url"]) as kraken:
        with pytest.raises(InvalidKey):
            await kraken.balance()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (0, "", "")


def test_a_taken_port_is_explained(capsys):
    """The port of another program is an error with a way out, not a traceback."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        assert main(["sandbox", "--port", str(other.getsockname()[1])]) == 2
    assert "choose another one" in capsys.readouterr().err
