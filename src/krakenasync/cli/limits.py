"""``krakenasync limits``: the call counters and their levels."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from krakenasync.cli.connection import ENVIRONMENT, Connection, Where, connect
from krakenasync.cli.inline import budget
from krakenasync.cli.pictures import NO_PICTURE, Picture
from krakenasync.cli.rendering import AS_TABLE, Output, Sheet, remark, screen, show
from krakenasync.errors import InvalidArguments
from krakenasync.plots import Budget, plot_budget
from krakenasync.protocol.tiers import CounterSpec, Tier

__all__ = ["limits"]

_COLUMNS = ("counter", "level", "held", "cap", "decay/s", "free in s", "blocked s", "refusals")


async def limits(
    *,
    calls: Annotated[int, Parameter(validator=Number(gte=0, lte=1000))] = 0,
    picture: Picture = NO_PICTURE,
    where: Where = ENVIRONMENT,
    output: Output = AS_TABLE,
) -> None:
    """Show the call counters: how full they are, at what level Kraken refuses, how fast they empty.

    A command shows only its own calls, even with a shared state: Kraken does not reveal the level of its counters.

    Args:
        calls: First ask for the balance this many times, to see the counter rise and fall; needs a key.
        picture: The level against its cap over time, instead of a table; needs --calls.
        where: Kraken or a sandbox, and with which key.
        output: Table, JSON or CSV.
    """
    if picture and not calls:
        raise InvalidArguments("there is no call to draw", hint="add --calls 20: it asks for the balance 20 times")
    picture.check(output)
    async with connect(where, private=bool(calls)) as connection:
        recorded = Budget()
        recorded.watch(connection.client.limits)
        for _ in range(calls):
            await connection.client.balance()
            recorded.note()
        _draw(recorded, picture, connection)
        if picture and not (output.json or output.csv):
            return
        found, tier = connection.client.limits.snapshot(), connection.client.tier
    rows: list[tuple[str, ...]] = [
        (
            name,
            f"{each.level:.2f}",
            f"{each.held:.2f}",
            f"{each.cap:g}",
            f"{each.decay:g}",
            f"{max(0.0, each.level + each.held) / each.decay:.1f}",
            f"{each.blocked_for:.1f}",
            str(each.refusals),
        )
        for name, each in found.items()
    ]
    rows = [*([] if "rest" in found else [_unused("rest", tier.rest)]), *rows, _unused("engine, per pair", tier.engine)]
    title = f"Counters of a {tier.name.lower()} account - {connection.source}"
    show(Sheet(title, _COLUMNS, rows, right=frozenset(_COLUMNS[1:])), output)
    remark(f"open orders per pair: {tier.open_orders}; another tier: --tier {'|'.join(t.name.lower() for t in Tier)}")


def _draw(recorded: Budget, picture: Picture, connection: Connection) -> None:
    """Draw the counter's level over the calls."""
    title = f"Call budget, {connection.client.tier.name.lower()} - {connection.source}"
    if picture.plot is not None:
        plot_budget(picture.plot, recorded.levels, title)
        remark(f"{picture.plot} is written")
    if picture.chart:
        screen().print(budget(screen(), recorded.levels, title))


def _unused(name: str, spec: CounterSpec) -> tuple[str, ...]:
    return name, "0.00", "0.00", f"{spec.cap:g}", f"{spec.decay_hundredths / 100:g}", "0.0", "0.0", "0"
