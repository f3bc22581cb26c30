"""What the chambers wrote into Temporal's histories."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import GetSystemInfoRequest
from temporalio.client import Client

from collector.domain.timerange import TimeRange
from collector.wire import workflow_id

AT_ONCE = 8
ENDED = EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED


@dataclass(frozen=True, slots=True)
class HistoryCount:
    """Of all chambers together.

    Attributes:
        events: history events of the range.
        activities: how many of them are the end of an activity: rounds, and drained backlogs.
    """

    events: int
    activities: int


async def count_events(client: Client, chambers: Sequence[str], span: TimeRange) -> HistoryCount:
    """Count the events whose time is in the range; read when the range is over, so that it costs the range nothing.

    Args:
        client: connected.
        chambers: their ids.
        span: instants.
    """
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(chamber: str) -> list[HistoryEvent]:
        async with gate:
            return await _events(client, chamber, span)

    found = [event for events in await asyncio.gather(*(one(c) for c in chambers)) for event in events]
    return HistoryCount(len(found), sum(event.event_type == ENDED for event in found))


async def server_version(client: Client) -> str:
    """Of the Temporal server."""
    return (await client.workflow_service.get_system_info(GetSystemInfoRequest())).server_version


async def _events(client: Client, chamber: str, span: TimeRange) -> list[HistoryEvent]:
    """Of all runs that reach into the range, the newest first."""
    found: list[HistoryEvent] = []
    run_id: str | None = None
    while True:
        handle = client.get_workflow_handle(workflow_id(chamber), run_id=run_id)
        events = [event async for event in handle.fetch_history_events()]
        found += [event for event in events if span.from_ms <= _ms(event) < span.to_ms]
        run_id = events[0].workflow_execution_started_event_attributes.continued_execution_run_id
        if not run_id or _ms(events[0]) < span.from_ms:
            return found


def _ms(event: HistoryEvent) -> int:
    return event.event_time.ToMilliseconds()
