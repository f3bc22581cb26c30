"""`python -m workers`: poll Temporal until a signal ends it."""

import asyncio
import logging
import signal
import sys

from collector.domain.errors import InvalidFieldError
from workers.bootstrap import load_settings, make_runner, parts_of
from workers.chamber_worker import make_worker, warn_when_slots_are_few
from workers.settings import WorkerSettings

log = logging.getLogger("workers")
EXIT_SETTINGS = 2


def main() -> int:
    """Poll; 0 after a clean end (rounds are handed back), 2 when a setting is wrong."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        settings = load_settings()
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
        async with make_worker(parts.client, parts.activities, settings):
            polls.set()
            parts.readiness.set()
            log.info("polling; metrics at %s/metrics", parts.metrics_url)
            await stop.wait()
            parts.readiness.clear()
            log.info("stopping: slots in hand end, rounds are handed back")


if __name__ == "__main__":
    sys.exit(main())
