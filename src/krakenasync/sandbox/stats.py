"""What the sandbox has seen, for tests and benchmarks to ask."""

from __future__ import annotations

from collections import Counter

__all__ = ["Stats"]


class Stats:
    """Calls counted by endpoint, and refusals by endpoint and by Kraken's string.

    Attributes:
        requests: Calls that came in, by endpoint.
        refused: Calls answered with an error, by (endpoint, string).
        faults: Faults played, by (endpoint, fault).
    """

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        self.refused: Counter[tuple[str, str]] = Counter()
        self.faults: Counter[tuple[str, str]] = Counter()

    def refusals(self, code: str = "", *, endpoint: str | None = None) -> int:
        """Count the refusals whose string starts with `code`.

        Args:
            code: One of Kraken's strings or its beginning; empty for all.
            endpoint: Only those of one endpoint.
        """
        return sum(
            times
            for (name, refused), times in self.refused.items()
            if refused.startswith(code) and endpoint in (None, name)
        )

    def reset(self) -> None:
        """Start counting again from zero."""
        self.requests.clear()
        self.refused.clear()
        self.faults.clear()

    def __repr__(self) -> str:
        return f"Stats({self.requests.total()} requests, {self.refused.total()} refused, {self.faults.total()} faults)"
