"""`python -m bench`: measure, write the report, end."""

import asyncio
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from bench.figures import Json, figures
from bench.machine import machine, versions
from bench.measure import Measurement, measure
from bench.options import Plan, parse
from bench.report import document, markdown, write_report
from bench.running import running_stack
from bench.settings import check_room, settings
from bench.workloads import Workload
from collector.domain.errors import ChamberlogError
from stack.home import Home

FAILED, INTERRUPTED = 1, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Measure each workload on a stack of its own; progress goes to standard error, the report to standard output too.

    A second run in the same home throws the data of the first away and replaces its report.

    Args:
        argv: arguments without the program's name; None = the process's own.

    Returns:
        0; 1 when something could not be measured, or a window is not clean; 130 when interrupted.
    """
    plan = parse(argv)
    try:
        lock = Home(plan.home).claim()
        try:
            return asyncio.run(_run(plan))
        finally:
            lock.release()
    except ChamberlogError as error:
        sys.stderr.write(f"error: {error}\n")
        return FAILED
    except (KeyboardInterrupt, asyncio.CancelledError):
        return INTERRUPTED


async def _run(plan: Plan) -> int:
    running = asyncio.current_task()
    assert running is not None
    for number in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, running.cancel)
    date, here, known = datetime.now(UTC).isoformat(timespec="seconds"), machine(), versions()
    found: list[Json] = []
    for chosen in plan.workloads:
        check_room(chosen)
        measurement = await _measure(chosen, plan.home)
        known |= {f"{server} server": version for server, version in measurement.servers.items()}
        found.append(figures(measurement, here.cores))
    report = document({"date": date, "machine": asdict(here), "versions": known, "settings": settings()}, found)
    files = write_report(plan.report, report)
    sys.stdout.write(markdown(report))
    sys.stderr.write(f"written: {files[0]} and {files[1]}\n")
    return 0 if report["clean"] else FAILED


async def _measure(chosen: Workload, home: Path) -> Measurement:
    began = time.monotonic()

    def say(text: str) -> None:
        sys.stderr.write(f"{chosen.name:<6} {time.monotonic() - began:6.1f} s  {text}\n")

    async with running_stack(home / chosen.name, chosen.chambers, chosen.workers, say) as stack:
        return await measure(chosen, stack, say)


if __name__ == "__main__":
    sys.exit(main())
