"""``krakenasync limits``: the counters, and how they stand."""

from __future__ import annotations

from krakenasync.cli.connection import ENVIRONMENT, Where, connect
from krakenasync.cli.rendering import AS_TABLE, Output, Sheet, remark, show
from krakenasync.protocol.tiers import CounterSpec, Tier

__all__ = ["limits"]

_COLUMNS = ("counter", "level", "held", "cap", "decay/s", "free again in", "blocked for", "refusals")


async def limits(*, where: Where = ENVIRONMENT, output: Output = AS_TABLE) -> None:
    """Show the call counters: how full they are, at what level Kraken refuses, how fast they empty.

    A command counts its own calls only: Kraken tells nobody how its counters stand.

    Args:
        where: Whose.
        output: In which form.
    """
    async with connect(where, private=False) as connection:
        found, tier = connection.client.limits.snapshot(), connection.client.tier
    rows: list[tuple[str, ...]] = [
        (
            name,
            f"{each.level:.2f}",
            f"{each.held:.2f}",
            f"{each.cap:g}",
            f"{each.decay:g}",
            f"{max(0.0, each.level + each.held) / each.decay:.1f} s",
            f"{each.blocked_for:.1f} s",
            str(each.refusals),
        )
        for name, each in found.items()
    ]
    rows = [*([] if "rest" in found else [_unused("rest", tier.rest)]), *rows, _unused("engine, per pair", tier.engine)]
    title = f"Counters of a {tier.name.lower()} account - {connection.source}"
    show(Sheet(title, _COLUMNS, rows, right=frozenset(_COLUMNS[1:])), output)
    remark(f"open orders per pair: {tier.open_orders}; another tier: --tier {'|'.join(t.name.lower() for t in Tier)}")


def _unused(name: str, spec: CounterSpec) -> tuple[str, ...]:
    return name, "0.00", "0.00", f"{spec.cap:g}", f"{spec.decay_hundredths / 100:g}", "0.0 s", "0.0 s", "0"
