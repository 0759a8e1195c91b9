"""The start of the command: an interruption while it is being loaded."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

HERE = Path(__file__).parents[1]
START = """
import os, signal, sys

class Interrupting:
    def find_spec(self, name, path, target=None):
        if name == "krakenasync.spot.earn":
            os.kill(os.getpid(), signal.SIGINT)

signal.signal(signal.SIGINT, signal.{handler})
sys.meta_path.insert(0, Interrupting())
sys.argv = ["krakenasync", "--version"]
from {module} import {function}
sys.exit({function}())
"""


def started(handler):
    """Start the command as its script does, with a Ctrl-C in the middle of the imports."""
    script = tomllib.loads((HERE / "pyproject.toml").read_text())["project"]["scripts"]["krakenasync"]
    module, function = script.split(":")
    code = START.format(handler=handler, module=module, function=function)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.skipif(sys.platform == "win32", reason="a process cannot send itself Ctrl-C there")
def test_an_interruption_while_loading_is_quiet():
    """130 and not a word, as at any later moment."""
    ended = started("default_int_handler")
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")


@pytest.mark.skipif(sys.platform == "win32", reason="a process cannot send itself Ctrl-C there")
def test_an_interruption_that_is_ignored_stays_ignored():
    """As behind nohup."""
    ended = started("SIG_IGN")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.strip()
