"""Pictures in a file, PNG or SVG by its suffix (extra `plot`): candles, balances over time, the call budget.

Amounts become floats here and nowhere else: a picture does not need the last digit.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from krakenasync.client.events import Event
from krakenasync.client.polling import BalanceSnapshot
from krakenasync.client.snapshots import CounterSnapshot
from krakenasync.clock import SYSTEM_CLOCK, Clock
from krakenasync.errors import ConfigurationError

__all__ = [
    "Budget",
    "Level",
    "Panel",
    "bars",
    "plot_balances",
    "plot_budget",
    "plot_candles",
    "require",
    "require_any",
    "writable",
]

ENDINGS: Final = (".png", ".svg")
UP, DOWN, LINE, LIMIT = "#2a9d6f", "#c8553d", "#5b3fd6", "#888888"
WIDTH, HEIGHT, ROW = 9.0, 4.5, 0.28


class Level(msgspec.Struct, frozen=True):
    """A counter at one moment.

    Attributes:
        at: Seconds since the record began.
        points: Points on the counter, including those held.
        cap: Points at which Kraken refuses.
    """

    at: float
    points: float
    cap: float


class Budget:
    """Records a counter's level at every event: ``hooks=[budget]``, then ``budget.watch(kraken.limits)``.

    Args:
        counter: Which one, such as ``"rest"`` or ``"engine:XBTUSD"``.
        clock: The source of time.
    """

    def __init__(self, counter: str = "rest", *, clock: Clock = SYSTEM_CLOCK) -> None:
        self.levels: list[Level] = []
        self._counter = counter
        self._clock = clock
        self._began = clock.monotonic()
        self._snapshot: Callable[[], Mapping[str, CounterSnapshot]] | None = None

    def watch(self, limits: Any) -> None:
        """Set whose counters these are: ``kraken.limits``."""
        self._snapshot = limits.snapshot
        self.note()

    def __call__(self, _event: Event) -> None:
        """Record the level now."""
        self.note()

    def note(self) -> None:
        """Record the level now, also between events."""
        found = self._snapshot().get(self._counter) if self._snapshot else None
        if found is not None:
            at = self._clock.monotonic() - self._began
            self.levels.append(Level(at, found.level + found.held, found.cap))


def require(path: Path | str) -> Path:
    """Make sure that a picture can be made there; call this before asking Kraken for the data.

    Raises:
        ConfigurationError: matplotlib is not installed, or the suffix is not a picture's.
    """
    target = Path(path)
    if target.suffix.lower() not in ENDINGS:
        raise ConfigurationError(f"{target.name!r} is not a picture", hint=f"end it with {' or '.join(ENDINGS)}")
    try:
        importlib.import_module("matplotlib")
    except ModuleNotFoundError:
        raise ConfigurationError("pictures need matplotlib", hint="pip install 'krakenasync[plot]'") from None
    return target


def writable(path: Path) -> Path:
    """Make sure that a file can be written, and leave it as it was.

    Raises:
        ConfigurationError: The file cannot be written.
    """
    there = path.exists()
    try:
        with path.open("ab"):
            pass
        if not there:
            path.unlink()
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be written: {error.strerror}", hint="does its folder exist, and is it yours?"
        ) from None
    return path


def plot_candles(path: Path | str, candles: Sequence[Any], title: str) -> None:
    """Draw candles: anything with `time`, `open`, `high`, `low` and `close`.

    Raises:
        ConfigurationError: There is nothing to draw, or it cannot be drawn.
    """
    require_any(candles)
    figure, axes = _sheet(path, title)
    places = range(len(candles))
    colours = [UP if candle.close >= candle.open else DOWN for candle in candles]
    lows, highs = [float(each.low) for each in candles], [float(each.high) for each in candles]
    axes.vlines(places, lows, highs, colors=colours, linewidth=0.8)
    bodies = [float(abs(each.close - each.open)) for each in candles]
    feet = [float(min(each.open, each.close)) for each in candles]
    axes.bar(places, bodies, bottom=feet, color=colours, width=0.7)
    shown = range(0, len(candles), max(1, len(candles) // 6))
    axes.set_xticks(list(shown), [f"{candles[place].time:%Y-%m-%d %H:%M}" for place in shown], fontsize=7)
    _save(figure, path)


def plot_balances(path: Path | str, snapshots: Iterable[BalanceSnapshot], title: str = "Balances") -> None:
    """Draw each asset's balance over time, one panel per asset, because their scales differ.

    Raises:
        ConfigurationError: There is nothing to draw, or it cannot be drawn.
    """
    seen = [snapshot for snapshot in snapshots if snapshot.error is None]
    assets = sorted({asset for snapshot in seen for asset in snapshot.balances})
    require_any(assets)
    figure, panels = _sheet(path, title, panels=len(assets))
    times = [datetime.fromtimestamp(snapshot.at / 1e9, UTC) for snapshot in seen]
    for axes, asset in zip(panels, assets, strict=True):
        axes.step(times, [float(each.balances.get(asset, 0)) for each in seen], where="post", color=LINE)
        axes.set_ylabel(asset)
    figure.autofmt_xdate()
    _save(figure, path)


def plot_budget(path: Path | str, levels: Sequence[Level], title: str = "Call budget") -> None:
    """Draw a counter's level against its cap.

    Raises:
        ConfigurationError: There is nothing to draw, or it cannot be drawn.
    """
    require_any(levels)
    figure, axes = _sheet(path, title)
    times = [level.at for level in levels]
    axes.plot(
        times, [level.points for level in levels], color=LINE, marker=".", linewidth=0.6, label="level at each event"
    )
    axes.plot(times, [level.cap for level in levels], color=LIMIT, linestyle="--", label="cap")
    axes.set_xlabel("seconds")
    axes.set_ylabel("points")
    axes.set_ylim(bottom=0)
    axes.legend(loc="lower right")
    _save(figure, path)


class Panel(msgspec.Struct, frozen=True):
    """A column of bars.

    Attributes:
        name: The title above it.
        values: One per bar; `labels` are written at the ends of the bars.
    """

    name: str
    values: Sequence[float]
    labels: Sequence[str]


def bars(path: Path | str, title: str, rows: Sequence[str], panels: Sequence[Panel]) -> None:
    """Draw bars: panels next to each other, each with a bar for every row.

    Raises:
        ConfigurationError: There is nothing to draw, or it cannot be drawn.
    """
    require_any(panels)
    figure, columns = _sheet(path, title, across=len(panels), height=1.8 + ROW * len(rows))
    for axes, panel in zip(columns, panels, strict=True):
        drawn = axes.barh(range(len(rows)), panel.values, color=LINE)
        axes.bar_label(drawn, panel.labels, padding=2, fontsize=7)
        axes.set_title(panel.name, fontsize=9)
        axes.set_yticks(range(len(rows)), rows)
        longest = max(map(len, panel.labels), default=0)
        axes.margins(x=0.05 + longest * len(panels) / 60)  # room for the labels, which are beyond the bars
    columns[0].invert_yaxis()
    _save(figure, path)


def require_any(values: Any) -> None:
    """Make sure that there is something to draw.

    Raises:
        ConfigurationError: There is nothing to draw.
    """
    if not values:
        raise ConfigurationError("there is nothing to draw")


def _sheet(
    path: Path | str, title: str, *, panels: int = 0, across: int = 0, height: float = HEIGHT
) -> tuple[Any, Any]:
    """Make an empty figure: with one panel, or a sequence of them below or next to each other."""
    require(path)
    # The figure alone, without pyplot: no window, no state of the process.
    figure = importlib.import_module("matplotlib.figure").Figure(
        figsize=(WIDTH, max(height, 1.6 * panels)), layout="constrained"
    )
    figure.suptitle(title, fontsize=10)
    if panels:
        return figure, figure.subplots(panels, 1, sharex=True, squeeze=False)[:, 0]
    if across:
        return figure, figure.subplots(1, across, sharey=True, squeeze=False)[0]
    return figure, figure.subplots()


def _save(figure: Any, path: Path | str) -> None:
    """Write the file; the same picture gives the same bytes at any time."""
    target = Path(path)
    metadata = {"Date": None} if target.suffix.lower() == ".svg" else None
    with importlib.import_module("matplotlib").rc_context({"svg.hashsalt": "krakenasync", "svg.fonttype": "none"}):
        try:
            figure.savefig(target, metadata=metadata)
        except OSError as error:
            raise ConfigurationError(f"{target} cannot be written: {error.strerror}") from error
