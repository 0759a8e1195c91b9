"""The road that every call takes: limiter, lane, nonce, signature, network, answer.

See DESIGN.md for the picture; each step's rules live in `krakenasync.protocol`.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from krakenasync.client.config import Options
from krakenasync.client.credentials import Credentials
from krakenasync.client.events import Answered, Failed, Notifier, Sent, Waited
from krakenasync.client.frames import bare, told
from krakenasync.client.gates import Hold
from krakenasync.client.limits import Limits
from krakenasync.client.loops import PerLoop, check_cancelled, running_loop
from krakenasync.client.nonces import KeyLane, diagnosis
from krakenasync.client.queueing import Lane
from krakenasync.client.retrying import persist
from krakenasync.client.standing import standing
from krakenasync.client.traces import where_to_look
from krakenasync.client.transport import Delivery, Transport
from krakenasync.clock import Clock
from krakenasync.errors import (
    AuthenticationError,
    ConfigurationError,
    InvalidNonce,
    KrakenError,
    OrderRefused,
    OutcomeUnknown,
    ProtocolError,
    RateLimitExceeded,
    Unanswered,
)
from krakenasync.protocol import wire
from krakenasync.protocol.messages import Message, compose
from krakenasync.protocol.retries import RetryPolicy, outcome_unknown
from krakenasync.protocol.specs import Effect, Spec
from krakenasync.state.nonces import NonceSource

__all__ = ["Call", "Road"]

_READ: Final = Effect.READ  # up to Python 3.11, looking up an enum member costs as much as a call
_WORTH_TELLING: Final = 0.001
"""Seconds; shorter waits are not reported."""


class Call(msgspec.Struct, frozen=True):
    """One call, ready to go: its endpoint, its checked parameters, how its result is read."""

    spec: Spec
    params: Mapping[str, Any]
    read: Callable[[int, bytes], wire.Answer[Any]]
    late: Callable[[], Mapping[str, Any]] | None = None
    """Returns parameters that are made at the last moment, such as a deadline."""

    def lane(self, options: Options) -> Lane:
        """Return the call's priority in every queue."""
        if options.lane is not None:
            return options.lane
        # CancelOrder, CancelAll, CancelAllOrdersAfter, CancelOrderBatch: they make the account safer.
        return Lane.URGENT if self.spec.name.startswith("Cancel") else Lane.NORMAL


class Road:
    """The road to one exchange for one key (or none), shared by all views of a client."""

    def __init__(
        self,
        transport: Transport,
        limits: Limits,
        credentials: Credentials | None,
        nonces: NonceSource | None,
        *,
        nonce_window: int,
        policy: RetryPolicy,
        notify: Notifier,
        clock: Clock,
        lane: Callable[[NonceSource, int], KeyLane] = KeyLane,
    ) -> None:
        self.transport = transport
        self.limits = limits
        self.credentials = credentials
        self._nonces = nonces
        self._window = nonce_window
        self._notify = notify
        self._clock = clock
        self._lanes: PerLoop[KeyLane] = PerLoop()
        self._last_lane: tuple[object, KeyLane | None] = (None, None)  # loop and lane, replaced as a whole
        self._lane_of = lane
        self._breaker, self._budget = standing(nonces, policy, clock)
        self._chance = random.random

    @property
    def paused(self) -> bool:
        """Whether private calls pause because Kraken refused the key repeatedly."""
        return self._breaker.left > 0

    async def travel(self, call: Call, options: Options) -> wire.Answer[Any]:
        """Make the call, repeating it where that is safe.

        Raises:
            KrakenError: The last attempt failed; `OutcomeUnknown` for a write that may have been carried out.
        """
        spec = call.spec
        if spec.private and self.credentials is None:
            raise ConfigurationError(
                f"{spec.name} is private and this client has no API key",
                endpoint=spec.name,
                hint="pass api_key and api_secret, or set KRAKEN_API_KEY and KRAKEN_API_SECRET and use from_env()",
            )
        if spec.effect is not _READ:
            await check_cancelled()
        try:
            try:
                answer = await self._attempt(call, options, 1)
            except KrakenError as error:
                failure = error
            else:
                if self._budget.spent:
                    self._budget.succeeded()
                return answer
            try:
                return await persist(
                    functools.partial(self._attempt, call, options),
                    failure,
                    endpoint=spec.name,
                    effect=spec.effect,
                    policy=options.retry,
                    budget=self._budget,
                    clock=self._clock,
                    chance=self._chance,
                    notify=self._notify,
                )
            finally:
                del failure  # its traceback refers to this frame, which refers to it
        except KrakenError as error:
            error.endpoint = error.endpoint or spec.name
            if outcome_unknown(spec.effect, error) and not isinstance(error, OutcomeUnknown):
                raise _unknown(call, error) from error
            raise

    async def _attempt(self, call: Call, options: Options, number: int) -> wire.Answer[Any]:
        """Make one attempt."""
        spec, loop = call.spec, running_loop()
        if spec.private and self._breaker.reason is not None:
            self._breaker.check(spec.name)
        while True:
            hold = self.limits.acquire_nowait(spec, loop)
            waited = hold is None
            if hold is None:
                hold = await self._acquire(call, options, number)
            try:
                lane = self._lane(loop) if spec.private else self.transport.places()
                nonce = lane.begin_nowait(options.timeout)
                if nonce is None:
                    nonce, waited = await lane.begin(call.lane(options), options.timeout), True
                try:
                    # What was learnt while this call waited for its turn applies to it as well.
                    if waited and spec.private and self._breaker.reason is not None:
                        self._breaker.check(spec.name)
                    overtaken = waited and hold.overtaken
                    if not overtaken or await hold.renewed():
                        message = self._signed(call, str(nonce)) if spec.private else compose(spec, call.params)
                        try:
                            return await self._deliver(call, options, number, hold, message)
                        finally:
                            if hold.owing:
                                await hold.pay()
                finally:
                    if (ending := lane.end(nonce, unanswered=hold.unanswered)) is not None:
                        await ending
            finally:
                hold.release()

    async def _acquire(self, call: Call, options: Options, number: int) -> Hold:
        """Wait for the call's points, and report how long that took."""
        began = self._clock.monotonic()
        hold = await self.limits.acquire(call.spec, call.params, call.lane(options))
        waited = self._clock.monotonic() - began
        if waited > _WORTH_TELLING:
            try:
                self._notify(Waited(call.spec.name, number, waited, hold.counter))
            except BaseException:  # not an Exception: those of a hook are logged
                hold.release()
                raise
        return hold

    def _signed(self, call: Call, nonce: str) -> Message:
        """Compose and sign a private call; nothing is awaited between the nonce and the wire."""
        who = self.credentials
        if who is None:
            raise ConfigurationError(f"{call.spec.name} needs an API key")
        params = call.params if call.late is None else {**call.params, **call.late()}
        try:
            return compose(call.spec, params, key=who.api_key, secret=who.signer, nonce=nonce, otp=who.otp)
        except Exception as error:  # noqa: BLE001 - without its frames, whose locals include the secrets
            raise told(error)  # noqa: B904 - it is the same error

    async def _deliver(
        self, call: Call, options: Options, number: int, hold: Hold, message: Message
    ) -> wire.Answer[Any]:
        """Send, read the answer, and settle the points according to the outcome."""
        spec, delivery = call.spec, Delivery(message=message)
        curious = self._notify.curious
        if curious:
            self._notify(Sent(spec.name, number))
        sent, reply = self._clock.monotonic(), None
        try:
            reply = await self.transport.deliver(delivery, options.timeout)
            answer = call.read(reply.status, reply.body)
        except KrakenError as error:
            error.endpoint = error.endpoint or spec.name
            self._learn(error, hold, sent, left=delivery.left)
            self._notify(Failed(spec.name, number, self._clock.monotonic() - sent, error))
            if reply is not None:  # raised while reading: those frames have the whole answer, maybe a token
                bare(error)
                if isinstance(error, ProtocolError):
                    self.transport.distrust()
            raise
        except BaseException as gone:
            if delivery.left:
                hold.keep()
                if (doubt := _doubt(call, gone)) is not None:
                    self._notify(Failed(spec.name, number, self._clock.monotonic() - sent, doubt))
                    raise doubt from gone
            raise
        hold.settle()
        if spec.private:
            self._recognised(sent)
            self.limits.engine.learn(spec, call.params, answer.result, reply)
        if curious or answer.warnings:
            self._notify(Answered(spec.name, number, self._clock.monotonic() - sent, answer.warnings))
        return answer

    def _learn(self, error: KrakenError, hold: Hold, sent: float, *, left: bool) -> None:
        """Learn from a failed attempt what the next calls need to know."""
        if isinstance(error, RateLimitExceeded):
            self.limits.refused(hold, error, self._clock.wall_ns() / 1e9)
        elif isinstance(error, Unanswered) or (hold.of_engine and _may_be_charged(error)):
            hold.keep()
        elif left:
            hold.settle(refused=error.effect == "none")
        if isinstance(error, InvalidNonce) and self._nonces is not None:
            error.hint, error.never_accepted = diagnosis(self._nonces), not self._nonces.accepted
            self._nonces.refuse()
        if isinstance(error, AuthenticationError):
            self._breaker.failed(error, sent)
        elif isinstance(error, OrderRefused):
            self._recognised(sent)

    def _recognised(self, sent: float) -> None:
        """Record that Kraken recognised the key in a call that was sent then, whatever it answered."""
        if self._breaker.doubted:
            self._breaker.succeeded(sent)
            if self._nonces is not None:
                self._nonces.accept()

    def lane(self) -> KeyLane:
        """The key's lane on the running event loop."""
        return self._lane(running_loop())

    def _lane(self, loop: object) -> KeyLane:
        view = self._last_lane
        if view[0] is loop and view[1] is not None:
            return view[1]
        nonces = self._nonces
        if nonces is None:
            raise ConfigurationError("a private call needs an API key")
        lane = self._lanes.get((id(nonces),), lambda: self._lane_of(nonces, self._window))
        if lane.window != self._window:
            raise ConfigurationError(
                f"another client of this key has nonce_window={lane.window}, this one {self._window}",
                hint="all clients of one key share its lane: give them the window that is set on the key at Kraken",
            )
        self._last_lane = (loop, lane)
        return lane


def _doubt(call: Call, gone: BaseException) -> Unanswered | None:
    """Note on whatever ended a write in flight that it may have been carried out.

    Returns:
        The error to raise instead, unless the call was interrupted: the caller's transport or hook may have a bug.
    """
    if call.spec.effect is _READ:
        return None
    look = where_to_look(call.spec.name, call.params)
    gone.add_note(f"{call.spec.name} was under way and may have been carried out; {look}")
    if not isinstance(gone, Exception):
        return None
    return Unanswered(f"{type(gone).__name__} was raised before the answer was read", endpoint=call.spec.name)


def _may_be_charged(error: KrakenError) -> bool:
    """Whether the engine may yet carry out a call that was answered: on another try, or as another copy of it."""
    return error.effect == "unknown" or isinstance(error, InvalidNonce)


def _unknown(call: Call, error: KrakenError) -> OutcomeUnknown:
    """Turn a failure that hides the outcome of a write into an `OutcomeUnknown`."""
    unknown = OutcomeUnknown(
        f"it may or may not have been carried out: {error.message}",
        codes=error.codes,
        endpoint=call.spec.name,
        hint=where_to_look(call.spec.name, call.params),
    )
    unknown.attempts = error.attempts
    unknown.cl_ord_id = call.params.get("cl_ord_id")
    return unknown
