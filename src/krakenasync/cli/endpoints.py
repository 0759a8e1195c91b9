"""``krakenasync endpoints``: every call this version knows, with what it needs, costs and does."""

from __future__ import annotations

from krakenasync.cli.connection import ENVIRONMENT, Where
from krakenasync.cli.rendering import AS_TABLE, Output, Sheet, remark, show
from krakenasync.protocol.charges import Counter
from krakenasync.protocol.specs import Effect, Spec
from krakenasync.spot.catalog import ENDPOINTS

__all__ = ["endpoints"]

_COLUMNS = ("method", "Kraken's name", "permission", "cost", "effect")


def endpoints(
    search: str = "",
    /,
    *,
    where: Where = ENVIRONMENT,  # noqa: ARG001 - accepted by all commands; the list is the same everywhere
    output: Output = AS_TABLE,
) -> None:
    """List Kraken's calls: the client's method, Kraken's name, permission, cost and effect.

    Args:
        search: Only those with this word in a name or section.
        where: Makes no difference: the list is the same everywhere.
        output: Table, JSON or CSV.
    """
    rows = [_row(method, request.spec) for method, request in ENDPOINTS.items() if _fits(search, method, request.spec)]
    show(Sheet(f"Endpoints ({len(rows)})", _COLUMNS, rows), output)
    if not rows:
        remark(f"nothing has {search!r} in its name; without a word all are listed")


def _fits(search: str, method: str, spec: Spec) -> bool:
    return any(search.lower() in text.lower() for text in (method, spec.name, spec.section))


def _row(method: str, spec: Spec) -> tuple[str, ...]:
    return method, spec.name, _permission(spec), _cost(spec), _effect(spec)


def _effect(spec: Spec) -> str:
    """Say what it does to the account."""
    return f"{spec.effect.value}, with {spec.makes} {Effect.WRITE.value}" if spec.makes else spec.effect.value


def _permission(spec: Spec) -> str:
    """Say what the key needs."""
    if not spec.private:
        return "public"
    return (" and " if spec.need.every else " or ").join(spec.need.codes) or "any key"


def _cost(spec: Spec) -> str:
    """Say which counter rises, and by how much."""
    charge = spec.charge
    if charge.counter is Counter.ENGINE:
        return "engine, per pair"
    points = f"{charge.dear} (or {charge.points})" if charge.dear is not None else f"{charge.points}"
    where = {Counter.REST: "per key", Counter.PUBLIC: "per IP", Counter.PUBLIC_PAIR: "per IP and pair"}
    return f"{points} {where[charge.counter]}"
