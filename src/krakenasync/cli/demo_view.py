"""What the demo shows: the accounts with their budgets while it runs, the tally when it ends."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from krakenasync.cli.rendering import amount, moment
from krakenasync.client.events import Answered, Event, Sent
from krakenasync.client.limits import Limits
from krakenasync.client.polling import BalanceSnapshot
from krakenasync.client.snapshots import CounterSnapshot
from krakenasync.protocol.tiers import Tier
from krakenasync.sandbox import Stats

__all__ = ["NARROWEST", "Account", "Calls", "Tally", "as_line", "as_record", "as_table", "summarise"]


class Calls:
    """A hook that counts what is sent and what is answered."""

    def __init__(self) -> None:
        self.sent = 0
        self.answered = 0

    def __call__(self, event: Event) -> None:
        """Count an event."""
        self.sent += isinstance(event, Sent)
        self.answered += isinstance(event, Answered)


@dataclass
class Account:
    """One polled account.

    Attributes:
        limits: The limiter of its client.
        seen: Its last snapshot.
        moved: The last change of each asset.
    """

    name: str
    tier: Tier
    limits: Limits
    seen: BalanceSnapshot | None = None
    moved: dict[str, Decimal] = field(default_factory=dict)

    def take(self, snapshot: BalanceSnapshot) -> None:
        """Record a new snapshot."""
        self.seen = snapshot
        self.moved |= snapshot.changed

    @property
    def budget(self) -> CounterSnapshot:
        """Its counter of private calls."""
        return self.limits.snapshot().rest

    @property
    def polls(self) -> int:
        """How often its balances were asked for and answered."""
        return self.seen.number if self.seen else 0


@dataclass(frozen=True)
class Tally:
    """The result of a run. Refusals are counted by the sandbox, which knows nothing of the client.

    Attributes:
        seconds: How long it took.
        sent: Calls that were sent, trades included.
        answered: Those that were answered.
        refusals: Those that the exchange refused, for whatever reason.
        invalid_nonces: Those that it refused for their nonce.
        rate_limited: Those that it refused for a full counter.
        share: The part of the allowance that was used: points spent of what the tiers' caps and decays allow.
    """

    seconds: float
    sent: int
    answered: int
    refusals: int
    invalid_nonces: int
    rate_limited: int
    share: float

    @property
    def promise_kept(self) -> bool:
        """Whether nothing was refused."""
        return not self.refusals

    def record(self) -> dict[str, Any]:
        """Return the tally for programs."""
        return {
            "type": "summary",
            "seconds": round(self.seconds, 3),
            "calls": self.sent,
            "answered": self.answered,
            "refusals": self.refusals,
            "rate_limited": self.rate_limited,
            "invalid_nonces": self.invalid_nonces,
            "allowance_used": round(self.share, 4),
        }

    def text(self) -> Text:
        """Return the tally for people."""
        cut_off = self.sent - self.answered - self.refusals
        late = f" ({cut_off} under way when time was up)" if cut_off else ""
        return Text(
            f"{self.sent} calls in {self.seconds:.1f} s, {self.answered} answered{late}\n"
            f"{self.refusals} refused ({self.rate_limited} for the rate, {self.invalid_nonces} for their nonce)\n"
            f"{self.share:.0%} of the allowance used",
            style="bold green" if self.promise_kept else "bold red",
        )


def summarise(accounts: Iterable[Account], calls: Calls, stats: Stats, seconds: float) -> Tally:
    """Add up what the accounts spent, what the client counted and what the sandbox saw."""
    accounts = list(accounts)
    allowed = sum(account.tier.rest.cap + account.tier.rest.decay * seconds for account in accounts)
    return Tally(
        seconds=seconds,
        sent=calls.sent,
        answered=calls.answered,
        refusals=stats.refusals(),
        invalid_nonces=stats.refusals("EAPI:Invalid nonce"),
        rate_limited=stats.refusals("EAPI:Rate limit exceeded"),
        share=sum(account.polls for account in accounts) / allowed,
    )


_WIDE: Final = 108
NARROWEST: Final = 78
"""The widths of a terminal on which all columns of the table fit, and on which the most important ones fit."""


def as_table(accounts: Iterable[Account], url: str, refusals: int, width: int) -> Table:
    """Lay the accounts out: what they own, what moved, how much of the budget is used.

    Args:
        accounts: In the order of the rows.
        url: Of the sandbox.
        refusals: How many there were.
        width: Columns of the terminal; a narrow one gets no counts.
    """
    table = Table(title=f"SANDBOX at {url} - {refusals} refused", title_justify="left", show_lines=True)
    wide = width >= _WIDE
    for column in ("account", "asset", "balance", "last change", "budget", *(("polls", "in line") if wide else ())):
        left = column in {"account", "asset", "budget"}
        table.add_column(column, justify="left" if left else "right", no_wrap=not left)
    for account in accounts:
        assets = sorted(account.seen.balances) if account.seen else []
        budget = account.budget
        used = budget.level + budget.held
        bar = Table.grid()
        bar.add_row(ProgressBar(total=budget.cap, completed=used, width=16 if wide else 12))
        bar.add_row(f"{used:.1f} of {budget.cap:g},{' ' if wide else chr(10)}-{budget.decay:g}/s")
        counts = (str(account.polls), str(budget.waiting)) if wide else ()
        table.add_row(
            f"{account.name}\n{account.tier.name.lower()}",
            "\n".join(assets),
            "\n".join(amount(account.seen.balances[asset]) for asset in assets) if account.seen else "",
            Text("\n").join(_movement(account.moved.get(asset)) for asset in assets),
            bar,
            *counts,
        )
    return table


def _movement(change: Decimal | None) -> Text:
    if change is None:
        return Text()
    return Text(amount(change, signed=True), style="green" if change > 0 else "red")


def as_line(account: Account, snapshot: BalanceSnapshot) -> str | None:
    """Put a snapshot into one line; None if it brings nothing new."""
    if snapshot.error is not None:
        news = f"no answer: {snapshot.error}"
    elif snapshot.number == 1:
        news = "  ".join(f"{asset} {amount(value)}" for asset, value in sorted(snapshot.balances.items()))
    elif snapshot.changed:
        news = "  ".join(f"{asset} {amount(value, signed=True)}" for asset, value in sorted(snapshot.changed.items()))
    else:
        return None
    budget = account.budget
    used = f"{budget.level + budget.held:4.1f} of {budget.cap:g}"
    return f"{moment(snapshot.at)}  {account.name:<6} {account.tier.name.lower():<12} {used:<11} {news}"


def as_record(account: Account, snapshot: BalanceSnapshot) -> dict[str, Any]:
    """Return a snapshot for programs."""
    budget = account.budget
    return {
        "type": "balances",
        "at": moment(snapshot.at),
        "account": account.name,
        "tier": account.tier.name.lower(),
        "number": snapshot.number,
        "balances": {asset: amount(value) for asset, value in snapshot.balances.items()},
        "changed": {asset: amount(value) for asset, value in snapshot.changed.items()},
        "error": str(snapshot.error) if snapshot.error else None,
        "budget_used": round(budget.level + budget.held, 3),
        "budget_cap": budget.cap,
        "waiting": budget.waiting,
    }
