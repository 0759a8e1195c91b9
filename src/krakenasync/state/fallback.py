"""Continuing with a share of the limits while a shared store is away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, TypeAlias

from krakenasync.clock import Clock
from krakenasync.errors import ConfigurationError, StateUnavailable
from krakenasync.state.inprocess import InProcessStore
from krakenasync.state.lines import NOT_DUE
from krakenasync.state.port import Adjust, Book, Enter, GiveBack, Leave, Limit, Nonce, Refuse, Step, Store
from krakenasync.state.records import is_due

__all__ = ["FallbackStore"]

_HERE: Final = "here: "
"""Marks what was booked in this process: it must not be given back to the store."""
_MOST: Final = 64
"""The most departures that are reported late; the leases end the others' turns."""
_AGAIN: Final = 1.0
"""Seconds after which a store that was away is asked again."""
_NO_COUNTER: Final = (Nonce, Enter, Leave, type(None))
_Charged: TypeAlias = dict[str, tuple[Limit, list[tuple[float, float]]]]
"""By counter: its limit, and of each charge when it is due and the points."""


class FallbackStore(Store):
    """Asks a store; while that is away, counts in this process with a share of each limit.

    All clients of a key together stay within its limits if their shares add up to at most 1. Nonces then come from
    this process's calendar, and calls of several processes may overtake each other: some may be refused for their
    nonce and repeated.

    Args:
        store: The shared store.
        clock: The source of time.
        share: This process's part of every limit meanwhile.
    """

    def __init__(self, store: Store, clock: Clock, share: float) -> None:
        if not 0 < share <= 1:
            hint = "this process's part of the limits: above 0, at most 1"
            raise ConfigurationError(f"share={share} is not valid", hint=hint)
        self.store = store
        self._clock = clock
        self._share = share
        self._local = InProcessStore(clock)
        self._started = False
        self._away_until = float("-inf")
        self._lined_up: set[str] = set()  # callers let into the lane or the line here
        self._leaving: list[Step] = []  # to be reported to the store once it is back
        self._begun: set[str] = set()  # counters asked about here since the store went away
        self._charged: _Charged = {}

    @property
    def away(self) -> bool:
        """Whether the store did not answer when it was last asked."""
        return self._clock.monotonic() < self._away_until

    async def start(self) -> None:
        """Start the store; one that does not answer now is started once it does.

        Raises:
            ConfigurationError: The store cannot be used.
        """
        try:
            await self._start_there()
        except StateUnavailable:
            self._gone()

    async def _start_there(self) -> None:
        if not self._started:
            await self.store.start()
            self._started = True

    async def ask(self, *steps: Step) -> list[Any]:
        """Answer the steps: what began here ends here, all else is for the store, unless it is away."""
        here = [step.name.startswith(_HERE) or getattr(step, "who", "") in self._lined_up for step in steps]
        found = iter(await self._ask_here([step for step, ours in zip(steps, here, strict=True) if ours]))
        answers = [next(found) if ours else None for ours in here]
        places = [place for place, ours in enumerate(here) if not ours]
        if not all(is_due(steps[place], answers[place]) for place, ours in enumerate(here) if ours):
            for place in places:
                step = steps[place]
                if isinstance(step, Enter) and step.if_due:
                    answers[place] = NOT_DUE
            places = [place for place in places if answers[place] is None]
        if places:
            there = await self._ask_there([steps[place] for place in places])
            for place, answer in zip(places, there, strict=True):
                answers[place] = answer
        return answers

    async def _ask_there(self, steps: list[Step]) -> list[Any]:
        """Ask the store, or answer here if it is away.

        Raises:
            ConfigurationError: The store cannot be used; it was away when it was first to be started.
        """
        if not self.away:
            leaving, self._leaving = self._leaving, []
            charged, self._charged = self._charged, {}
            late = [*leaving, *self._full(charged)]
            try:
                await self._start_there()
                answers = (await self.store.ask(*late, *steps))[len(late) :]
            except BaseException as error:
                self._keep(leaving, charged)
                if not isinstance(error, StateUnavailable):
                    raise
                self._gone()
            else:
                self._begun.clear()
                return answers
        self._leaving += [step for step in steps if isinstance(step, Leave)][: _MOST - len(self._leaving)]
        await self._begin_full(steps)
        return await self._ask_here(steps)

    def _keep(self, leaving: list[Step], charged: _Charged) -> None:
        """Keep what the store was not told, before what other questions have added meanwhile."""
        self._leaving = [*leaving, *self._leaving][:_MOST]
        for name, (limit, points) in charged.items():
            _limit, later = self._charged.get(name, (limit, []))
            self._charged[name] = limit, [*points, *later]

    async def _begin_full(self, steps: list[Step]) -> None:
        """Set counters to full when first asked about since the store went away, so that there is no burst."""
        parts = [part for part in map(self._part, steps) if not isinstance(part, _NO_COUNTER)]
        fresh = {part.name: part.limit for part in parts if part.name not in self._begun}
        self._begun |= fresh.keys()
        await self._local.ask(*(Adjust(name, limit, floor=limit.cap) for name, limit in fresh.items()))

    async def _ask_here(self, steps: list[Step]) -> list[Any]:
        """Answer by this process's share; what was booked at the store and is given back is lost."""
        answered = [self._part(step) for step in steps]
        found = iter(await self._local.ask(*(step for step in answered if step is not None)))
        answers: list[Any] = [None if step is None else next(found) for step in answered]
        for step, answer in zip(steps, answers, strict=True):
            if isinstance(step, Enter) and answer is not NOT_DUE:
                self._lined_up.add(step.who)
            elif isinstance(step, Leave):
                self._lined_up.discard(step.who)
            elif isinstance(step, Book) and not step.name.startswith(_HERE):
                self._charge(step, answer.cost, answer.wait)
            elif isinstance(step, Adjust) and not step.name.startswith(_HERE):
                self._charge(step, step.delta, 0.0)
        return answers

    def _charge(self, step: Book | Adjust, points: float, wait: float) -> None:
        """Remember what the store will not know."""
        if points > 0:
            now = self._clock.monotonic()
            _limit, before = self._charged.get(step.name, (step.limit, []))
            recent = [(due, cost) for due, cost in before if due > now - _AGAIN]
            self._charged[step.name] = step.limit, [*recent, (now + wait, points)]

    def _full(self, charged: _Charged) -> Iterator[Step]:
        """Yield the steps that set counters charged here to full at the store, which has let them decay meanwhile.

        Added to that is what is still to be sent, or was when another process may already have been back at the store.
        """
        since = self._clock.monotonic() - _AGAIN
        for name, (limit, points) in charged.items():
            yield Adjust(name, limit, floor=limit.cap)
            yield Adjust(name, limit, sum(cost for due, cost in points if due > since))

    def _part(self, step: Step) -> Step | None:
        """Return what to ask here instead, with our share of the limits; the most expensive call must still fit."""
        if isinstance(step, (Nonce, Enter, Leave)) or step.name.startswith(_HERE):
            return step
        if isinstance(step, GiveBack):
            return None
        part = Limit(step.limit.cap * self._share, step.limit.decay * self._share)
        name = _HERE + step.name
        if isinstance(step, Book):
            part = part._replace(cap=max(part.cap, step.cost))
            return step._replace(name=name, limit=part, initial=0.0)
        if isinstance(step, Refuse):
            return step._replace(name=name, limit=part, floor=part.cap, most=min(step.most, part.cap))
        if isinstance(step, Adjust):
            return step._replace(name=name, limit=part, floor=min(step.floor, part.cap))
        return step._replace(name=name, limit=part)

    def _gone(self) -> None:
        self._away_until = self._clock.monotonic() + _AGAIN

    async def called(self, name: str, who: str, longest: float) -> None:
        """Sleep until the caller is called up, at the store or here, wherever it is in line."""
        if who not in self._lined_up and not self.away:
            try:
                return await self.store.called(name, who, longest)
            except StateUnavailable:
                self._gone()
        return await self._local.called(name, who, longest)

    async def aclose(self) -> None:
        """Close the store."""
        await self.store.aclose()

    def __repr__(self) -> str:
        return f"<FallbackStore {self.store!r}{' is away' if self.away else ''}>"
