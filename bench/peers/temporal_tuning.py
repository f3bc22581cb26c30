"""What both Temporal peers share: the worker's tuning, and enrolling side by side."""

import asyncio
from collections.abc import Awaitable, Iterable, Mapping
from datetime import timedelta

from temporalio.common import RetryPolicy

TASK_QUEUE = "peer"
RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30))
HEADROOM = 100
ENROLLED_AT_ONCE = 8
STICKY = timedelta(seconds=2)
"""As chamberlog's own worker: workflows of a killed one wait so long for it."""


def tuning(chambers: int) -> Mapping[str, int]:
    """Room for every chamber at once, so that nothing waits for a slot of the worker."""
    return {
        "max_cached_workflows": chambers + HEADROOM,
        "max_concurrent_workflow_tasks": 100,
        "max_concurrent_activities": chambers + HEADROOM,
        "connections": 10,
    }


async def all_at_once(works: Iterable[Awaitable[None]]) -> None:
    """Await all, some at a time."""
    gate = asyncio.Semaphore(ENROLLED_AT_ONCE)

    async def one(work: Awaitable[None]) -> None:
        async with gate:
            await work

    await asyncio.gather(*(one(work) for work in works))
