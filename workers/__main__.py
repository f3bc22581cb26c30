"""`python -m workers`: poll Temporal until a signal ends it."""

import asyncio
import logging
import signal
import sys
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from collector.domain.errors import InvalidFieldError
from workers.bootstrap import Parts, collect_rarely, load_settings, make_runner, parts_of
from workers.chamber_worker import make_worker, warn_when_slots_are_few
from workers.failover import keep_turning, watch_over
from workers.settings import WorkerSettings

log = logging.getLogger("workers")
EXIT_SETTINGS = 2


def main() -> int:
    """Poll; 0 after a clean end (rounds are handed back), 2 when a setting is wrong."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        settings = load_settings()
        collect_rarely()
        with make_runner() as runner:
            runner.run(_run(settings))
    except InvalidFieldError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_SETTINGS
    return 0


async def _run(settings: WorkerSettings) -> None:
    stop, polls = asyncio.Event(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    work = asyncio.create_task(_poll(settings, stop, polls))
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait([work, stopped], return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if stop.is_set() and not polls.is_set():  # it still waits for Temporal
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        return
    await work


async def _poll(settings: WorkerSettings, stop: asyncio.Event, polls: asyncio.Event) -> None:
    async with parts_of(settings) as parts:
        await warn_when_slots_are_few(parts.client, settings)
        if parts.rounds is not None or settings.heartbeat_s is not None:
            parts.activities.beat_each(settings.heartbeat_s)
        worker = make_worker(parts.client, parts.activities, settings)
        turning = _beside(keep_turning(parts.activities), "turn")  # outermost: slots in hand end while it turns
        async with turning, worker, _watching(parts):
            polls.set()
            parts.readiness.set()
            log.info("polling; metrics at %s/metrics", parts.metrics_url)
            await stop.wait()
            parts.readiness.clear()
            log.info("stopping: slots in hand end, rounds are handed back")


@asynccontextmanager
async def _watching(parts: Parts) -> AsyncIterator[None]:
    """While the worker polls: the rounds of workers that are gone are taken over, where the server tells who lives."""
    if parts.rounds is None:
        yield
        return
    watching = watch_over(parts.rounds, parts.activities, parts.client.identity, time.monotonic)
    async with _beside(watching, "failover"):
        yield


@asynccontextmanager
async def _beside(work: Coroutine[Any, Any, None], name: str) -> AsyncIterator[None]:
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


if __name__ == "__main__":
    sys.exit(main())
