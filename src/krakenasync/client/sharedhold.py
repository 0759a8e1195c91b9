"""Points held for one attempt by a client that shares its limits with other processes, through a store."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from krakenasync.client.gates import Charged, Hold
from krakenasync.client.sharedgate import SharedGate
from krakenasync.errors import RateLimitExceeded

__all__ = ["SharedHold"]


class SharedHold(Hold):
    """Points held for one attempt, here and in the store."""

    _gates: list[SharedGate] = msgspec.field(default_factory=list)

    def __post_init__(self) -> None:
        self._gates = [charged.gate for charged in self._charges if isinstance(charged.gate, SharedGate)]

    @property
    def overtaken(self) -> bool:
        """Whether this call has to go back into line instead of being sent."""
        return super().overtaken or any(gate.stale(self._sent) for gate in self._gates)

    async def renewed(self) -> bool:
        """Have the store count an old grant from now on; return False if it has no room, or Kraken has refused.

        Otherwise a call that waits for its turn behind many processes would go back into line again and again.
        """
        if super().overtaken:
            return False
        room = [await gate.renewed(charged.cost, self._sent) for gate, charged in self._shared()]
        self._sent = self._gates[0].now()
        return all(room) and not super().overtaken

    def settle(self, *, refused: bool = False) -> None:
        """Let the points begin to decay, because an answer came."""
        for gate, charged in self._shared():
            unused = gate.unused(charged.cost - charged.fixed, self._sent) if refused else 0.0
            gate.owe(min(charged.cost, gate.late(self._sent)) - unused)
        super().settle(refused=refused)

    def keep(self) -> None:
        """Count the request once more, as if it arrived now: no answer came, but it may still arrive."""
        for gate, charged in self._shared():
            gate.owe(charged.cost)
        super().keep()

    def refused(self, error: RateLimitExceeded, wall: float) -> None:
        """Accept that one of Kraken's own counters was full, and have that reported to the others."""
        known = [(gate, charged.cost, gate.bucket.caution) for gate, charged in self._shared()]
        super().refused(error, wall)
        for gate, cost, before in known:
            if gate.bucket.caution is not before:
                gate.learn(cost, self._sent)
            elif gate.owing:
                gate.owe(0.0)

    def release(self) -> None:
        """Take back what cannot have decayed, if nothing was sent."""
        for gate, charged in self._shared():
            gate.owe(-gate.unused(charged.cost, self._sent))
        super().release()

    def _shared(self) -> list[tuple[SharedGate, Charged]]:
        """Return the gates of the charges that are still open."""
        return list(zip(self._gates, self._charges, strict=False))

    def _ended(self, may_arrive_for: float | None = None) -> Sequence[Charged]:
        charges = super()._ended(may_arrive_for)
        for gate, _charged in zip(self._gates, charges, strict=False):
            gate.over()
        return charges

    @property
    def owing(self) -> bool:  # type: ignore[override] # never written
        """Whether this attempt has to be reported to the store."""
        for gate in self._gates:  # noqa: SIM110 - a generator would cost as much as the rest
            if gate.owing:
                return True
        return False

    async def pay(self) -> None:
        """Have the outcome of the attempt reported to the store, without waiting for that."""
        if self._gates:
            await self._gates[0].tell()
