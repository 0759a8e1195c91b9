"""Load test for a store: several processes with several tasks each use one counter or one lane.

``python -m krakenasync.testing.hammer redis://127.0.0.1:6379/0`` tests a store of your own; tests and benchmarks use
the same code.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any, Final, NamedTuple

import anyio
import msgspec

from krakenasync.state.port import Limit, Store
from krakenasync.state.urls import open_store
from krakenasync.testing.conformance import peak
from krakenasync.testing.questions import book, enter, leave, send

__all__ = ["Outcome", "hammer", "jain"]

_RUN_UP: Final = 0.05
"""Seconds within which all processes have been told when to begin."""
_DEAR: Final = 0.25
"""The part of the calls that cost 2."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a run.

    Attributes:
        grants: Slots used.
        points: What they cost, by process.
        seconds: The time from the first slot to the last.
        peak: The counter's highest level, replayed from the store's own moments.
        used: The share of cap + decay * seconds that was used.
        waits: The mean wait in seconds of calls that cost 1 and 2.
        calls_per_grant: Questions to the store per slot; 0 if it does not count them.
    """

    grants: int
    points: tuple[float, ...]
    seconds: float
    peak: float
    used: float
    waits: tuple[float, float]
    calls_per_grant: float

    @property
    def fairness(self) -> float:
        """Jain's index over the processes: 1 is perfectly fair."""
        return jain(self.points)


class _Grant(NamedTuple):
    due: int
    cost: float
    waited: float


def jain(shares: Sequence[float]) -> float:
    """Jain's fairness index: (sum x)^2 / (n * sum x^2).

    Source: https://arxiv.org/abs/cs/9809099
    """
    squares = sum(share * share for share in shares)
    return sum(shares) ** 2 / (len(shares) * squares) if squares else 1.0


def hammer(
    url: str, limit: Limit, *, seconds: float = 3.0, processes: int = 4, tasks: int = 8, name: str = ""
) -> Outcome:
    """Have all tasks of all processes book slots as fast as they can, one in four at a cost of 2."""
    name = name or f"hammer {time.time_ns()}"
    how = {"url": url, "limit": limit, "name": name, "tasks": tasks, "seconds": seconds}
    with workers("book", how, processes) as found:
        reports = list(found)
    grants = [_Grant(*grant) for report in reports for grant in report["grants"]]
    moments = [grant.due for grant in grants]
    length = (max(moments) - min(moments)) / 1e6
    waits = [[grant.waited for grant in grants if grant.cost == cost] or [0.0] for cost in (1.0, 2.0)]
    return Outcome(
        grants=len(grants),
        points=tuple(sum(cost for _due, cost, _waited in report["grants"]) for report in reports),
        seconds=length,
        peak=peak([(grant.due, grant.cost) for grant in grants], limit.decay),
        used=sum(grant.cost for grant in grants) / (limit.cap + limit.decay * length),
        waits=(sum(waits[0]) / len(waits[0]), sum(waits[1]) / len(waits[1])),
        calls_per_grant=sum(report["calls"] for report in reports) / len(grants),
    )


@contextmanager
def workers(what: str, how: dict[str, Any], processes: int) -> Iterator[Iterator[Any]]:
    """Run processes that all begin at one moment; yield their reports as they come, and end them all."""
    command = [sys.executable, "-m", "krakenasync.testing.hammer", "--worker", what, json.dumps(how)]
    started = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603 - this module
        for _ in range(processes)
    ]
    try:
        for worker in started:
            _line(worker.stdout)
        begin = time.monotonic() + _RUN_UP
        for worker in started:
            _say(worker.stdin, begin)
        yield (json.loads(_line(worker.stdout)) for worker in started)
    finally:
        for worker in started:
            worker.kill()
            worker.communicate()


def _line(way: IO[str] | None) -> str:
    """Read a line from a worker; no output means that it has died."""
    found = way.readline() if way else ""
    if not found:
        raise RuntimeError("a worker ended early: see what it wrote to stderr")
    return found


def _say(way: IO[str] | None, begin: float) -> None:
    if way:
        way.write(f"{begin}\n")
        way.flush()


def _wait_for_the_others() -> None:
    """Report that this process is ready, and wait for the moment at which all begin."""
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    begin = float(sys.stdin.readline())
    time.sleep(max(0.0, begin - time.monotonic()))


async def _book(how: dict[str, Any]) -> dict[str, Any]:
    """One process's part of `hammer`."""
    store, limit = open_store(how["url"]), Limit(*how["limit"])
    await store.start()
    grants: list[_Grant] = []
    _wait_for_the_others()
    calls = getattr(store, "calls", 0)
    end = time.monotonic() + how["seconds"]
    async with anyio.create_task_group() as tasks:
        for number in range(how["tasks"]):
            tasks.start_soon(_slots, store, how["name"], limit, end, random.Random(number), grants)  # noqa: S311 - no secret
    calls = getattr(store, "calls", 0) - calls
    await store.aclose()
    return {"grants": grants, "calls": calls}


async def _slots(
    store: Store, name: str, limit: Limit, end: float, chance: random.Random, grants: list[_Grant]
) -> None:
    while time.monotonic() < end:
        asked = time.monotonic()
        slot = await book(store, name, limit, 2.0 if chance.random() < _DEAR else 1.0)
        put_off, wait = 0, slot.wait
        while wait:
            await anyio.sleep(wait)
            wait = await send(store, slot)
            put_off += round(wait * 1e6)
        grants.append(_Grant(slot.due + put_off, slot.cost, time.monotonic() - asked))


async def _pass(how: dict[str, Any]) -> dict[str, Any]:
    """Send nonces through the lane to a strict server that is 0-30 ms away; report how many it refused."""
    store = open_store(how["url"])
    await store.start()
    _wait_for_the_others()
    refused: list[int] = []
    done = time.monotonic()

    async def call(who: str, chance: random.Random) -> None:
        nonlocal done
        for _ in range(how["calls"]):
            nonce = await enter(store, how["name"], who, lease=how.get("lease", 10.0), unit="ms")
            try:
                await anyio.sleep(chance.uniform(0, how["jitter"]))
                async with await anyio.connect_tcp("127.0.0.1", how["port"]) as way:
                    await way.send(f"{nonce}\n".encode())
                    if await way.receive() != b"ok\n":
                        refused.append(nonce)
                await anyio.sleep(chance.uniform(0, how["jitter"]))
            finally:
                await leave(store, how["name"], who)
            done = time.monotonic()

    began = time.monotonic()
    async with anyio.create_task_group() as tasks:
        for number in range(how["tasks"]):
            tasks.start_soon(call, str(uuid.uuid4()), random.Random(number))  # noqa: S311 - no secret
    await store.aclose()
    return {"refused": refused, "seconds": done - began}


def main() -> None:
    """Test a store, or run as one of the worker processes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", help="the store, or with --worker what to do")
    parser.add_argument("how", nargs="?", help=argparse.SUPPRESS)
    parser.add_argument("--worker", dest="worker", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, default=3.0)
    options = parser.parse_args()
    if options.worker:
        report = anyio.run({"book": _book, "pass": _pass}[options.url], json.loads(options.how))
        sys.stdout.write(json.dumps(report) + "\n")
        return
    outcome = hammer(options.url, Limit(20.0, 50.0), seconds=options.seconds)
    sys.stdout.write(f"{outcome}\nfairness {outcome.fairness:.4f}\n")


if __name__ == "__main__":
    main()
