"""The dead man's switch: Kraken cancels all orders unless it hears from us in time.

Source: https://docs.kraken.com/api/docs/rest-api/cancel-all-orders-after (advises a call every 15 to 30 seconds with a
timeout of 60; fires once, even across an outage of the exchange)
"""

from __future__ import annotations

import itertools
import logging
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final

import anyio

from krakenasync.client.frames import at_any_time
from krakenasync.client.gates import GRACE
from krakenasync.errors import InvalidArguments, KrakenError, OutcomeUnknown
from krakenasync.protocol.bounds import LONGEST_SWITCH
from krakenasync.protocol.quoting import quoted
from krakenasync.spot.changes import CancelsAt

__all__ = ["DeadManSwitch", "dead_man_switch"]

LOG: Final = logging.getLogger("krakenasync")

_SHORTEST: Final = 10
_RENEWALS: Final = 3
"""Renewals within one timeout: one may fail, and there is time for another."""
_TRIES: Final = 3
_PAUSE: Final = 1.0
"""Seconds between two tries to arm the switch or to turn it off, unless the error names more."""
_PATIENCE: Final = 10.0
"""Seconds within which the switch has to be armed."""
_PERSISTENCE: Final = 60.0
"""Seconds for which turning it off is tried, unless it fires before."""

SetTimer = Callable[[int], Awaitable[CancelsAt]]
"""Calls CancelAllOrdersAfter with this many seconds."""


class DeadManSwitch:
    """The switch while it is armed.

    Attributes:
        timeout: Seconds after the last renewal until Kraken cancels everything.
        fires_at: When that would be, by Kraken's clock.
        renewals: How often it was renewed.
        fired_at: When Kraken cancelled all orders because no renewal came in time; known once the timer is next set or
            turned off. None if it did not fire, or if that is uncertain.
        error: Why the last renewal failed, or None.
    """

    def __init__(self, timeout: int) -> None:
        self.timeout = timeout
        self.fires_at: datetime | None = None
        self.fired_at: datetime | None = None
        self.renewals = 0
        self.error: KrakenError | TimeoutError | None = None
        self.holds_until = -math.inf
        """The time before which it certainly does not fire, on anyio's clock."""
        self._unsure = False
        self._stray = -math.inf

    def strayed(self, sent: float, error: KrakenError | TimeoutError) -> None:
        """Record a call that got no answer: it may still arrive and set the timer."""
        if not isinstance(error, KrakenError) or error.effect == "unknown":
            self._unsure, self._stray = True, sent

    @property
    def quiet_at(self) -> float:
        """The time from which no earlier setting can arrive any more, on anyio's clock."""
        return self._stray + GRACE

    def renewed(self, answer: CancelsAt, sent: float) -> None:
        """Record that the timer was set by a call sent at that time; it may have fired before.

        Whether it did is uncertain if an earlier call got no answer: that call may have arrived in time.
        """
        if self.fires_at is not None and answer.current_time >= self.fires_at:
            self.fired_at = self.fired_at if self._unsure else self.fires_at
            how = "may have fired" if self._unsure else "has fired"
            LOG.warning("the dead man's switch %s at %s, and Kraken cancelled all orders", how, self.fires_at)
        self.fires_at, self.holds_until = answer.trigger_time, sent + self.timeout
        self.error, self._unsure = None, False

    def failed(self, error: KrakenError | TimeoutError) -> None:
        """Record that a renewal failed, or went unanswered."""
        LOG.warning("the dead man's switch could not be renewed: %s", str(error) or "no answer in time")
        self.error = error

    @at_any_time
    def __repr__(self) -> str:
        return f"<DeadManSwitch {self.timeout} s, {self.renewals} renewals>"


@asynccontextmanager
async def dead_man_switch(
    cancel_all_orders_after: SetTimer,
    timeout: int,  # noqa: ASYNC109 - Kraken's, not ours
) -> AsyncIterator[DeadManSwitch]:
    """Keep the switch from firing while the block runs.

    When the block ends normally, the switch is turned off; that is tried for up to a minute, or until it fires. If a
    renewal went unanswered shortly before, it is turned off again some seconds later, when that one can no longer
    arrive. When the block ends with an exception or a cancellation, the switch is left armed, and Kraken cancels all
    orders of the account once the timeout is over.

    Args:
        cancel_all_orders_after: Sets Kraken's timer; 0 turns it off.
        timeout: Seconds, 10 to 86,399.

    Raises:
        InvalidArguments: `timeout` is not whole seconds within the bounds.
        KrakenError: The switch could not be armed, and the block is not entered; or it could not be turned off. After
            an `OutcomeUnknown` it may be armed.
    """
    if isinstance(timeout, bool) or not isinstance(timeout, int) or not _SHORTEST <= timeout <= LONGEST_SWITCH:
        raise InvalidArguments(
            f"timeout={quoted(timeout)} is not valid",
            hint=f"whole seconds, {_SHORTEST} to {LONGEST_SWITCH}; Kraken advises 60",
        )
    switch = DeadManSwitch(timeout)
    armed = anyio.current_time()
    await _insist(switch, cancel_all_orders_after, timeout)
    failure: BaseException | None = None
    under_way = anyio.Lock()
    # Not the group's own scope, in which the caller's block runs: up to Python 3.12, a failed asyncio.TaskGroup leaves
    # its task marked as cancelled, and a cancellation of ours would then pass for one from outside.
    renewing = anyio.CancelScope()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_renew, renewing, switch, cancel_all_orders_after, armed, under_way)
        try:
            yield switch
        except (anyio.get_cancelled_exc_class(), GeneratorExit):
            raise
        except BaseException as error:  # noqa: BLE001 - whatever ended the block; the task group would wrap it
            failure = error
        else:
            # With a nonce window a renewal that is under way could arrive after the 0 and arm the switch again.
            await under_way.acquire()
        renewing.cancel()
    if failure is not None:
        raise failure
    quiet_at = switch.quiet_at
    await _insist(switch, cancel_all_orders_after, 0)
    if anyio.current_time() < quiet_at:  # a renewal without an answer may be carried out after the 0
        await anyio.sleep_until(quiet_at)
        await _insist(switch, cancel_all_orders_after, 0)


async def _insist(
    switch: DeadManSwitch,
    cancel_all_orders_after: SetTimer,
    timeout: int,  # noqa: ASYNC109 - see above
) -> None:
    """Set the timer, again if Kraken was busy or an answer was lost: doing it twice does no harm.

    Turning it off is tried until it fires: leaving it armed would cancel orders that are to stay.
    """
    began = anyio.current_time()
    patient_until = began + _PATIENCE
    insisting_until = min(switch.holds_until, began + _PERSISTENCE) if timeout == 0 else -math.inf
    for number in itertools.count(1):
        sent = anyio.current_time()
        try:
            answer = await cancel_all_orders_after(timeout)
        except KrakenError as error:
            again = anyio.current_time() + max(_PAUSE, error.retry_after or 0.0)
            in_time = again <= insisting_until or (number < _TRIES and again <= patient_until)
            if not in_time or not (error.retryable or isinstance(error, OutcomeUnknown)):
                raise
            switch.strayed(sent, error)
        else:
            switch.renewed(answer, sent)
            return
        await anyio.sleep_until(again)


async def _renew(
    scope: anyio.CancelScope,
    switch: DeadManSwitch,
    cancel_all_orders_after: SetTimer,
    began: float,
    under_way: anyio.Lock,
) -> None:
    """Renew the timer repeatedly, and sooner after a failure. No try may take up the time of the next one."""
    pause = switch.timeout / _RENEWALS
    with scope:
        while True:
            await anyio.sleep_until(began + (pause if switch.error is None else pause / _RENEWALS))
            began = anyio.current_time()
            try:
                async with under_way:
                    with anyio.fail_after(pause):
                        answer = await cancel_all_orders_after(switch.timeout)
            except (KrakenError, TimeoutError) as error:
                switch.failed(error)
                switch.strayed(began, error)
            else:
                switch.renewed(answer, began)
                switch.renewals += 1
