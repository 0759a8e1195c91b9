"""Where one event loop talks to a store: what can wait goes with the next question, or at once if there is none.

After a call its lane has to be left and its points may have to be corrected. No caller waits for either: both are noted
here. If another call asks a question at that moment, the notes go with it; otherwise they are sent on their own, before
anything else happens on the loop. The answer to the caller is never delayed.

What cannot be reported because the store is away is reported later: leaving a lane and refusals unchanged, points only
if they raise the counter, because it is not known whether the question arrived.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final, NamedTuple, Protocol

import anyio
from anyio.lowlevel import current_token

from krakenasync.errors import ConfigurationError, StateUnavailable
from krakenasync.state.port import Leave, Step, Store

__all__ = ["Debtor", "Desk", "Report", "running_loop"]

LOG: Final = logging.getLogger("krakenasync")

_MOST: Final = 64
"""The most departures that are reported late; the leases end the others' turns."""


class Report(NamedTuple):
    """What a debtor has to report.

    Attributes:
        at: When it was handed over, on the steady clock: its steps say how long ago something was.
    """

    at: float
    steps: list[Step]


class Debtor(Protocol):
    """Has something to report to the store about a counter."""

    def owed(self) -> Report:
        """Hand over what is to be reported."""
        ...

    def unpaid(self, report: Report) -> None:
        """Take back what could not be reported, as far as reporting it twice does no harm."""
        ...


class Opened(Protocol):
    """Returns the store, checked before its first use."""

    async def __call__(self) -> Store:
        """Return the store."""
        ...


class Desk:
    """Asks a store, and reports to it what was noted meanwhile.

    Args:
        opened: Returns the store.
        inherit: Has this desk take over from those whose event loop has ended.
    """

    def __init__(self, opened: Opened, inherit: Callable[[Desk], None] = lambda _desk: None) -> None:
        self._opened = opened
        self._inherit = inherit
        self._store: Store | None = None
        self._debtors: dict[Debtor, None] = {}
        self._leaving: list[Step] = []
        self._sending: set[asyncio.Task[None]] = set()
        self._due = False
        try:
            self._loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None  # trio: there nothing runs that is not waited for

    async def ask(self, *steps: Step) -> list[Any]:
        """Ask the store, after reporting to it what was noted.

        Raises:
            StateUnavailable: The store does not answer.
        """
        store = self._store
        if store is None:
            store = self._store = await self._opened()
        if not self._debtors and not self._leaving:
            return await store.ask(*steps) if steps else []
        owed = [(debtor, debtor.owed()) for debtor in self._debtors]
        leaving, self._leaving = self._leaving, []
        self._debtors.clear()
        told = [step for _debtor, report in owed for step in report.steps] + leaving
        if not told and not steps:
            return []
        try:
            return (await store.ask(*told, *steps))[len(told) :]
        except BaseException:
            self._leaving = [*leaving, *self._leaving][:_MOST]
            for debtor, report in owed:
                debtor.unpaid(report)
            raise

    @property
    def over(self) -> bool:
        """Whether the event loop is closed, so that nothing more can be sent from here."""
        return self._loop is not None and self._loop.is_closed()

    def take_over(self, other: Desk) -> None:
        """Take over what another desk had no time to send: ``asyncio.run`` ends once the caller has its answer."""
        self._leaving = [*other._leaving, *self._leaving][:_MOST]
        self._debtors.update(other._debtors)

    async def called(self, name: str, who: str, longest: float) -> None:
        """Sleep until called up, after sending what a closed event loop of ours has left unsent."""
        self._inherit(self)
        if self._leaving or self._debtors:
            await self._tell()
        await (await self._opened()).called(name, who, longest)

    def owe(self, debtor: Debtor) -> None:
        """Note that a debtor has something to report."""
        self._debtors[debtor] = None

    def leave(self, name: str, who: str) -> None:
        """Note that a lane was left."""
        self._leaving.append(Leave(name, who))

    def tell(self) -> Awaitable[None] | None:
        """Have what was noted reported; return what has to be awaited for that, if anything."""
        if self._loop is None:
            return self._tell_now()
        if not self._due:
            self._due = True
            self._loop.call_soon(self._send_off)
        return None

    async def _tell_now(self) -> None:
        with anyio.CancelScope(shield=True):
            await self._tell()

    def _send_off(self) -> None:
        """Send what has not gone with a question meanwhile."""
        self._due = False
        if self._loop is not None and (self._leaving or self._debtors):
            task = self._loop.create_task(self._tell())
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def _tell(self) -> None:
        try:
            await self.ask()
        except (StateUnavailable, ConfigurationError) as error:
            LOG.warning("a lane or a counter is not shared just now, the store is told later: %s", error)

    async def drain(self) -> None:
        """Wait until everything that was noted has been reported."""
        if self._loop is None:
            await self._tell_now()
        self._send_off()
        while self._sending:
            await asyncio.wait(self._sending)


def running_loop() -> object:
    """Return the event loop itself, which can be compared: anyio wraps it again for every caller."""
    try:
        return asyncio.get_running_loop()  # thirty times as fast as asking anyio, for every call
    except RuntimeError:
        return current_token().native_token
