"""Polling Temporal for as long as the process is to, and its clock is right."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from temporalio.worker import Worker

from workers.bootstrap import Parts
from workers.failover import watch_over

log = logging.getLogger(__name__)
STOPPING = "it is stopping"


async def poll(parts: Parts, make: Callable[[], Worker], stop: asyncio.Event, polls: asyncio.Event) -> None:
    """Poll until `stop`. While the clock is wrong the process stays, takes no rounds, and `/readyz` says why.

    Args:
        parts: of the process.
        make: a worker that is not polling yet; a new one after each rest.
        stop: set from outside.
        polls: set as soon as it polls for the first time.
    """
    wrong = await parts.clock_watch.first_look()
    while not stop.is_set():
        if wrong:
            _refuse(parts, wrong)
            await _unless(stop, parts.clock_watch.until_right())
        wrong = "" if stop.is_set() else await _poll_once(parts, make(), stop, polls)


async def _poll_once(parts: Parts, worker: Worker, stop: asyncio.Event, polls: asyncio.Event) -> str:
    """Until `stop`, or until the clock is wrong: the answer says how."""
    async with worker, _watching(parts):
        polls.set()
        parts.readiness.set()
        log.info("polling; metrics at %s/metrics", parts.metrics_url)
        wrong = await _unless(stop, parts.clock_watch.until_wrong()) or ""
        parts.readiness.clear(wrong or STOPPING)
        log.info("stopping: slots in hand end, rounds are handed back")
    return wrong


def _refuse(parts: Parts, wrong: str) -> None:
    parts.readiness.clear(wrong)
    log.error("%s: this worker takes no rounds until that is right (is its time service on?)", wrong)


async def _unless(stop: asyncio.Event, work: Coroutine[Any, Any, str | None]) -> str | None:
    """What the work returns, or None as soon as `stop` is set."""
    working, stopped = asyncio.create_task(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([working, stopped], return_when=asyncio.FIRST_COMPLETED)
        return None if stopped.done() else await working
    finally:
        working.cancel()
        stopped.cancel()
        await asyncio.gather(working, stopped, return_exceptions=True)


@asynccontextmanager
async def _watching(parts: Parts) -> AsyncIterator[None]:
    """While the worker polls: the rounds of workers that are gone are taken over, where the server tells who lives."""
    if parts.rounds is None:
        yield
        return
    watching = watch_over(
        parts.rounds, parts.activities, parts.client.identity, lambda: parts.clock.monotonic_ms() / 1000
    )
    async with beside(watching, "failover"):
        yield


@asynccontextmanager
async def beside(work: Coroutine[Any, Any, None], name: str) -> AsyncIterator[None]:
    """Run endless work beside the block; that it ended by a defect is said at once."""
    task = asyncio.create_task(work, name=name)
    task.add_done_callback(_say_defect)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _say_defect(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("%s ended by a defect; restart this worker", task.get_name(), exc_info=error)
