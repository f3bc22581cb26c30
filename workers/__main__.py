"""`python -m workers`: poll Temporal until a signal ends it."""

import asyncio
import logging
import signal
import sys

from collector.domain.errors import InvalidFieldError
from collector.ports import Clock
from workers.bootstrap import SERVICE, collect_rarely, load_settings, make_runner, parts_of, rehearse, start_logging
from workers.chamber_worker import make_worker, warn_when_slots_are_few
from workers.failover import keep_turning
from workers.polling import beside, poll
from workers.settings import WorkerSettings
from workflows.chamber import ChamberWorkflow

log = logging.getLogger("workers")
EXIT_SETTINGS = 2


def main(chamber: type[ChamberWorkflow] = ChamberWorkflow, clock: Clock | None = None, *, check: bool = False) -> int:
    """Poll; 0 after a clean end (rounds are handed back), 2 when a setting is wrong.

    Args:
        chamber: see `make_worker`.
        clock: see `parts_of`.
        check: only say on standard output what would run; asks no server.
    """
    try:
        start_logging(SERVICE)
        settings = load_settings()
        with make_runner() as runner:
            if check:
                sys.stdout.write(f"worker: settings are fine: {runner.run(rehearse(settings))}\n")
            else:
                collect_rarely()
                runner.run(_run(settings, chamber, clock))
    except InvalidFieldError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_SETTINGS
    return 0


async def _run(settings: WorkerSettings, chamber: type[ChamberWorkflow], clock: Clock | None) -> None:
    stop, polls = asyncio.Event(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    work = asyncio.create_task(_poll(settings, chamber, clock, stop, polls))
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait([work, stopped], return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if stop.is_set() and not polls.is_set():  # it still waits for Temporal, or for its clock
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        return
    await work


async def _poll(
    settings: WorkerSettings,
    chamber: type[ChamberWorkflow],
    clock: Clock | None,
    stop: asyncio.Event,
    polls: asyncio.Event,
) -> None:
    async with parts_of(settings, clock) as parts:
        await warn_when_slots_are_few(parts.client, settings)
        if parts.rounds is not None or settings.heartbeat_s is not None:
            parts.activities.beat_each(settings.heartbeat_s)
        turning = keep_turning(parts.activities, parts.readiness.turned)
        async with beside(turning, "turn"):  # outermost: slots in hand end while it turns
            await poll(
                parts, lambda: make_worker(parts.client, parts.activities, settings, chamber, parts.upkeep), stop, polls
            )


if __name__ == "__main__":
    sys.exit(main())
