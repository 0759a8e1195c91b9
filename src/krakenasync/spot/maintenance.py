"""When Kraken will be down, and what is currently wrong with it.

Source: https://docs.kraken.com/api-reference/market-data/get-maintenance-schedule
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import msgspec

from krakenasync.protocol.requests import Request
from krakenasync.protocol.specs import Spec, public_call

__all__ = ["Incident", "Maintenance", "MaintenanceSchedule", "NextStep", "Schedule"]


class Maintenance(msgspec.Struct, frozen=True, kw_only=True):
    """A window of maintenance to come, and how to prepare for it.

    Attributes:
        time_to_start_s: Seconds until it begins.
        phase: How near it is: ``announced``, ``reminder_24h``, ``approaching_30m``, ``imminent_5m``,
            ``final_warning_30s``.
        affected_services: ``spot_rest``, ``spot_ws``, ``spot_fix``, ``spot_trading``, the same for futures, ``all``.
        order_submission: Whether orders are accepted in this phase: ``allowed``, ...
        recommended_action: ``continue``, ``reduce_activity``, ``cancel_open_orders``, ``stop_new_orders``,
            ``disconnect_and_wait``.
        cancel_before_utc: The time by which orders that are not to stay should be cancelled.
        source_url: Its page on Kraken's status site.
    """

    event_id: int
    title: str = ""
    expected_start_utc: datetime
    expected_end_utc: datetime | None = None
    time_to_start_s: int | None = None
    phase: str = ""
    affected_services: list[str] = []
    order_submission: str = ""
    recommended_action: str = ""
    cancel_before_utc: datetime | None = None
    source_url: str | None = None


class NextStep(msgspec.Struct, frozen=True, kw_only=True):
    """What Kraken expects to happen next in an incident.

    Attributes:
        applies_to: The services.
        type: ``expected_restart``, ...
    """

    type: str
    applies_to: list[str] = []
    expected_at_utc: datetime | None = None


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is wrong and not yet resolved.

    Attributes:
        incident_status: ``investigating``, ``identified``, ``monitoring``.
        impact: ``critical``, ...
        affected_services: As in `Maintenance`.
        source_url: Its page on Kraken's status site.
    """

    event_id: int
    title: str = ""
    incident_status: str = ""
    impact: str = ""
    affected_services: list[str] = []
    started_at_utc: datetime | None = None
    next_steps: list[NextStep] = []
    source_url: str | None = None


class Schedule(msgspec.Struct, frozen=True):
    """The windows of maintenance of the next seven days, soonest first."""

    events: list[Maintenance] = []


class MaintenanceSchedule(Request[Schedule], frozen=True, kw_only=True):
    """The windows of maintenance of the next seven days; `SystemStatus` has those of three, and what is wrong now."""

    spec: ClassVar[Spec] = public_call(
        "MaintenanceSchedule", "market", "/api-reference/market-data/get-maintenance-schedule"
    )
