"""Charts made of characters."""

import io
from decimal import Decimal

import pytest
from rich.console import Console

from krakenasync import BalanceSnapshot, ConfigurationError
from krakenasync.cli.inline import budget, candles, over_time
from krakenasync.plots import Level

pytest.importorskip("plotext", reason="the extra `plot` is not installed")
LEVELS = [Level(0.0, 0.0, 15.0), Level(1.0, 14.5, 15.0)]
SEEN = [BalanceSnapshot(at=n * 10**9, number=n, balances={"ZEUR": Decimal(n)}, changed={}) for n in (1, 2, 3)]


class Ascii(io.StringIO):
    encoding = "ascii"


@pytest.mark.parametrize("width", [20, 40, 200])
def test_it_fits_every_terminal(width):
    """A narrow terminal gets a small chart, a wide one no endless one."""
    console = Console(file=io.StringIO(), width=width, height=24)
    for drawn in (budget(console, LEVELS, "b"), over_time(console, SEEN, "o")):
        assert max(len(line) for line in drawn.plain.splitlines()[1:]) <= min(width, 100)


def test_a_terminal_of_ascii_gets_ascii():
    """Where the encoding has no frames, there are none."""
    drawn = budget(Console(file=Ascii(), width=60, height=20), LEVELS, "b").plain
    assert drawn.isascii()
    assert "cap" in drawn


def test_every_asset_has_its_own_chart():
    """Scales differ, so do charts."""
    seen = [BalanceSnapshot(at=1, number=1, balances={"ZEUR": Decimal(9), "BCH": Decimal(1)}, changed={})]
    drawn = over_time(Console(file=io.StringIO(), width=60, height=40), seen, "o").plain
    assert drawn.count("┌") == 2


def test_nothing_makes_no_chart():
    """There is no chart of nothing."""
    console = Console(file=io.StringIO())
    with pytest.raises(ConfigurationError, match="nothing to draw"):
        candles(console, [], "t")
