"""Points held for one attempt by a client that shares its limits with other processes: its gates tell the store."""

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
        """Whether this call is not to be sent but goes back into line."""
        return super().overtaken or any(gate.stale(self._sent) for gate in self._gates)

    async def renewed(self) -> bool:
        """Have the store count an old grant from now on; False if it has no room for that, or Kraken has refused.

        Else a call that waits for its turn behind those of many processes would go back into line again and again.
        """
        if super().overtaken:
            return False
        room = [await gate.renewed(charged.cost, self._sent) for gate, charged in self._shared()]
        self._sent = self._gates[0].now()
        return all(room) and not super().overtaken

    def settle(self, *, refused: bool = False) -> None:
        """An answer came: the points begin to decay."""
        for gate, charged in self._shared():
            unused = gate.unused(charged.cost - charged.fixed, self._sent) if refused else 0.0
            gate.owe(min(charged.cost, gate.late(self._sent)) - unused)
        super().settle(refused=refused)

    def keep(self) -> None:
        """No answer came, but the request may still arrive: count it once more, as if it did now."""
        for gate, charged in self._shared():
            gate.owe(charged.cost)
        super().keep()

    def refused(self, error: RateLimitExceeded, wall: float) -> None:
        """Kraken refused for a count of its own: believe it, and have all others told."""
        known = [(gate, charged.cost, gate.bucket.caution) for gate, charged in self._shared()]
        super().refused(error, wall)
        for gate, cost, before in known:
            if gate.bucket.caution is not before:
                gate.learn(cost, self._sent)
            elif gate.owing:
                gate.owe(0.0)

    def release(self) -> None:
        """Have back what cannot have decayed, if nothing was sent."""
        for gate, charged in self._shared():
            gate.owe(-gate.unused(charged.cost, self._sent))
        super().release()

    def _shared(self) -> list[tuple[SharedGate, Charged]]:
        """The gates of the charges that are still open."""
        return list(zip(self._gates, self._charges, strict=False))

    def _ended(self, may_arrive_for: float | None = None) -> Sequence[Charged]:
        charges = super()._ended(may_arrive_for)
        for gate, _charged in zip(self._gates, charges, strict=False):
            gate.over()
        return charges

    @property
    def owing(self) -> bool:  # type: ignore[override] # nobody writes it
        """Whether the store has to be told of this attempt."""
        for gate in self._gates:  # noqa: SIM110 - a generator would cost as much as the rest
            if gate.owing:
                return True
        return False

    async def pay(self) -> None:
        """Have the store told what came of the attempt, without waiting for it."""
        if self._gates:
            await self._gates[0].tell()
