"""Pictures made of characters, for the terminal (plotext, extra `plot`): candles, balances over time, the call budget.

plotext 5 keeps one figure for the whole process; each function here starts it afresh.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from krakenasync.client.polling import BalanceSnapshot
from krakenasync.errors import ConfigurationError
from krakenasync.plots import Level, require_any

__all__ = ["budget", "candles", "over_time", "require_inline"]

_WIDEST, _HIGHEST, _LOWEST = 100, 20, 7
_MARGIN: Final = 16
"""Columns that the scale and the frame may take."""
_PLAIN: Final = str.maketrans(dict.fromkeys("┌┐└┘┬┴├┤┼", "+") | {"─": "-", "│": "|", "█": "#"})
"""For terminals that can show only ASCII."""


def require_inline() -> None:
    """Make sure that a chart can be drawn, before Kraken is asked for the data.

    Raises:
        ConfigurationError: plotext is not installed.
    """
    _plotext()


def candles(console: Console, found: Sequence[Any], title: str) -> Text:
    """Draw as many of the newest candles as fit, one per column."""
    require_any(found)
    shown = found[-max(2, _width(console) - _MARGIN) :]
    drawing = _begin(console, f"{title}, the newest {len(shown)} of {len(found)}")
    columns = ("open", "high", "low", "close")
    drawing.candlestick(
        list(range(len(shown))), {name.title(): [float(getattr(each, name)) for each in shown] for name in columns}
    )
    ends = sorted({0, len(shown) - 1})
    drawing.xticks(ends, [f"{shown[place].time:%m-%d %H:%M}" for place in ends])
    return _ended(console, drawing)


def over_time(console: Console, snapshots: Sequence[BalanceSnapshot], title: str) -> Text:
    """Draw each asset's balance over time, one chart per asset, because their scales differ."""
    require_any(snapshots)
    assets = sorted({asset for each in snapshots for asset in each.balances})
    begin = snapshots[0].at
    seconds = [(each.at - begin) / 1e9 for each in snapshots]
    charts = [Text(f"{title}, seconds since {datetime.fromtimestamp(begin / 1e9, UTC):%H:%M:%S} UTC")]
    height = max(_LOWEST, (console.height - 2) // max(1, len(assets)))
    for asset in assets:
        amounts = [float(each.balances.get(asset, 0)) for each in snapshots]
        charts.append(_lines(console, asset, seconds, {asset: amounts}, height=min(height, _HIGHEST)))
    return Text("\n").join(charts)


def budget(console: Console, levels: Sequence[Level], title: str) -> Text:
    """Draw a counter's level against its cap over time."""
    require_any(levels)
    lines = {"level": [each.points for each in levels], "cap": [each.cap for each in levels]}
    return _lines(console, title, [each.at for each in levels], lines, bottom=0.0)


def _lines(
    console: Console,
    title: str,
    times: Sequence[float],
    lines: Mapping[str, Sequence[float]],
    *,
    height: int = _HIGHEST,
    bottom: float | None = None,
) -> Text:
    """Draw lines over seconds; with a bottom, the scale begins there and leaves room above the highest."""
    drawing = _begin(console, title, height)
    markers = ("braille", "hd") if _rich(console) else ("*", "-")
    for marker, (name, values) in zip(markers, lines.items(), strict=False):
        drawing.plot(list(times), list(values), marker=marker, label=name if len(lines) > 1 else None)
    if bottom is not None:
        drawing.ylim(bottom, 1.2 * max(max(values) for values in lines.values()))
        drawing.xlabel("seconds")
    return _ended(console, drawing)


def _plotext() -> Any:
    try:
        return importlib.import_module("plotext")
    except ModuleNotFoundError:
        raise ConfigurationError("charts need plotext", hint="pip install 'krakenasync[plot]'") from None


def _width(console: Console) -> int:
    return min(console.width, _WIDEST)


def _rich(console: Console) -> bool:
    """Whether the terminal has more characters than ASCII."""
    return console.encoding.lower().startswith("utf")


def _begin(console: Console, title: str, height: int = _HIGHEST) -> Any:
    drawing = _plotext()
    drawing.clear_figure()
    drawing.limit_size(False, False)  # the console decides the size: plotext would ask a terminal that may not exist
    drawing.plot_size(_width(console), max(_LOWEST, min(height, console.height - 2)))
    drawing.theme("clear")
    drawing.title(title)
    return drawing


def _ended(console: Console, drawing: Any) -> Text:
    """Return the figure; the console decides whether its colours are shown."""
    drawn = Text.from_ansi(drawing.build().rstrip("\n"), no_wrap=True, overflow="crop")
    if not _rich(console):
        drawn.plain = drawn.plain.translate(_PLAIN)
    return drawn
