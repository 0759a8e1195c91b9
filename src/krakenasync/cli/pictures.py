"""The options that ask for a picture instead of a table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from krakenasync.cli.inline import require_inline
from krakenasync.cli.rendering import Output
from krakenasync.errors import InvalidArguments
from krakenasync.plots import require, writable

__all__ = ["NO_PICTURE", "Picture"]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture instead of a table."""

    plot: Annotated[Path | None, Parameter(name="--plot")] = None
    """Draw it into this file: FILE.png or FILE.svg. [extra: plot]"""

    chart: bool = False
    """Draw it on the terminal. [extra: plot]"""

    def __bool__(self) -> bool:
        """Whether one is asked for."""
        return self.chart or self.plot is not None

    def check(self, output: Output) -> None:
        """Make sure that it can be drawn, before Kraken is asked for anything.

        Raises:
            InvalidArguments: Both a chart and rows for programs are asked for.
            ConfigurationError: The extra is missing, or the file cannot be a picture or be written.
        """
        if self.chart and (output.json or output.csv):
            raise InvalidArguments("--chart and --json or --csv exclude each other", hint="--plot FILE goes with them")
        if self.plot is not None:
            writable(require(self.plot))
        if self.chart:
            require_inline()


NO_PICTURE = Picture()
