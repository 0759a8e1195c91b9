"""Writes docs/reference/errors.md and limits.md: ``python docs/tables.py``. A test checks that they are current."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from krakenasync.errors import KrakenError
from krakenasync.protocol.charges import EngineAction
from krakenasync.protocol.refusals import FACTS
from krakenasync.protocol.tiers import PUBLIC, REST_STEP, Tier
from krakenasync.spot.catalog import ENDPOINTS

HERE: Final = Path(__file__).parent / "reference"
MADE: Final = "<!-- Made by docs/tables.py: change what it reads and run it again. -->"
DISAGREEMENTS: Final = """\
## Where Kraken's pages disagree

History calls cost less on one page than on another; the client counts the higher cost unless
`LimitsConfig(dear_history=False)` is set. Kraken says that the counter is reduced "every couple of seconds", but not
whether in steps or steadily; the client fits both, see
[why the limiter is never refused](../explanation/limiter.md). None of this was measured against the live exchange.
"""


def _said(action: EngineAction) -> str:
    return "amend to less" if action is EngineAction.REDUCE else action.name.lower()


def errors() -> str:
    """Return the page of errors: the tree with cause and remedy, then Kraken's strings."""
    return "\n".join(
        [
            f"# Errors\n\n{MADE}\n",
            "Every error is a `krakenasync.KrakenError`. It has `.codes` (Kraken's own strings), `.endpoint`,",
            '`.effect` (`"none"`: nothing was done; `"unknown"`: perhaps it was), `.retryable`, `.hint` (what to do),',
            "`.retry_after` (seconds, if known) and `.attempts`. A read may be repeated, unless the key was refused; a",
            "write without looking first only if the error is retryable and without effect. The client itself repeats",
            "reads that failed in a way that passes, and writes that were not sent or were refused before they reached",
            "the matching engine; what moves money it never repeats. Repetitions draw on a budget of the key, so that",
            "an outage does not become a storm of calls.\n",
            "## The tree\n",
            *_entries(KrakenError, 3),
            "## Kraken's strings\n",
            "The longest matching prefix decides. A string in no table is `Refused`, its effect unknown (after a",
            "write: `OutcomeUnknown`).\n",
            "| Kraken says | raised as | effect on a write |",
            "|---|---|---|",
            *(
                f"| `{text}` | [`{known.error.__name__}`](#{known.error.__name__.lower()}) | {known.effect} |"
                for text, known in sorted(FACTS.items())
            ),
            "",
        ]
    )


def _entries(error: type[KrakenError], level: int) -> Iterator[str]:
    """Yield an entry for each error below one, in the order of the source."""
    for kind in error.__subclasses__():
        if kind.__module__ == KrakenError.__module__ and kind.__bases__[0] is error:
            yield _entry(kind, level)
            yield from _entries(kind, min(level + 1, 5))


def _entry(kind: type[KrakenError], level: int) -> str:
    """Return the entry of one error."""
    cause = inspect.cleandoc(kind.__doc__ or "").partition("\nAttributes:")[0].strip()
    said = sorted(text for text, known in FACTS.items() if known.error is kind)
    lines = [
        f"{'#' * level} {kind.__name__}\n",
        f"{cause}\n",
        f"- Remedy: {remedy(kind)}",
        f"- Retryable: {'yes' if kind.default_retryable else 'no'}; effect: {_effect(kind)}",
    ]
    if said:
        lines.append(f"- Kraken says: {', '.join(f'`{text}`' for text in said)}")
    return "\n".join([*lines, ""])


def _effect(kind: type[KrakenError]) -> str:
    """Say what is known of a write's outcome: by the class, and by those of its strings that say otherwise."""
    odd = [
        f"`{text}`"
        for text, known in sorted(FACTS.items())
        if known.error is kind and known.effect != kind.default_effect
    ]
    other = "unknown" if kind.default_effect == "none" else "none"
    return f"{kind.default_effect}; {other} for {', '.join(odd)}" if odd else kind.default_effect


def remedy(kind: type[KrakenError]) -> str:
    """Say what to do about an error: its own hint or what follows from its kind, then the hints of single strings."""
    special = [
        f"for `{text}`: {known.hint}" for text, known in sorted(FACTS.items()) if known.error is kind and known.hint
    ]
    return "; ".join([_general_remedy(kind), *special])


def _general_remedy(kind: type[KrakenError]) -> str:
    if kind.default_hint:
        return kind.default_hint
    if kind.default_effect == "unknown":
        return "after a write, look before you repeat it: it may have been carried out"
    if kind.default_retryable:
        return "wait and try again; what it could safely repeat, the client has already repeated"
    return "read `.hint` and `.codes`, change the call; the same one will fail again"


def limits() -> str:
    """Return the page of limits, from the rules that client and sandbox obey."""
    return "\n".join(
        [
            f"# Limits\n\n{MADE}\n",
            "## The counter of private calls\n",
            "One for each API key. A call raises it by its cost; time lowers it.\n",
            "| tier | cap | points a second | calls in the long run |",
            "|---|---|---|---|",
            *(
                f"| {_name(tier)} | {tier.rest.cap} | {tier.rest.decay:g} | one in {1 / tier.rest.decay:.1f} s |"
                for tier in Tier
            ),
            "\nMost calls cost 1. These cost more:\n",
            "| call | points |",
            "|---|---|",
            *(
                f"| `{method}` | {request.spec.charge.dear} (or {request.spec.charge.points}) |"
                for method, request in ENDPOINTS.items()
                if request.spec.charge.dear is not None
            ),
            f"\nKraken may lower the counter in steps of about {REST_STEP} seconds.",
            "Source: <https://docs.kraken.com/exchange/guides/rest/ratelimits>\n",
            "## The matching engine's counter\n",
            "One for each account and pair. Placing an order costs a point; changing a young order costs more.\n",
            "| tier | cap | points a second | open orders a pair |",
            "|---|---|---|---|",
            *(f"| {_name(tier)} | {tier.engine.cap} | {tier.engine.decay:g} | {tier.open_orders} |" for tier in Tier),
            "",
            "| action | always | and for an order's age |",
            "|---|---|---|",
            *(f"| {_said(action)} | {action.value[0]} | {_ages(action.value[1])} |" for action in EngineAction),
            "\nAn amend to less than the filled volume cancels the rest and costs as much as a cancel. The filled",
            "volume is not known when it is sent, so an amend to less is counted at the higher of the two costs.\n",
            "Sources: <https://docs.kraken.com/exchange/guides/general/ratelimits>,",
            "<https://docs.kraken.com/api/docs/guides/spot-amends>\n",
            "## Public calls\n",
            f"About {PUBLIC.decay:g} a second for each IP address, for `ohlc` and `trades` also for each pair.",
            "Source: <https://support.kraken.com/articles/206548367-what-are-the-api-rate-limits->\n",
            DISAGREEMENTS,
        ]
    )


def _name(tier: Tier) -> str:
    return tier.name.capitalize()


def _ages(ages: tuple[tuple[int, int], ...]) -> str:
    return ", ".join(f"below {seconds} s: {points}" for seconds, points in ages) or "nothing"


if __name__ == "__main__":
    (HERE / "errors.md").write_text(errors(), encoding="utf-8")
    (HERE / "limits.md").write_text(limits(), encoding="utf-8")
