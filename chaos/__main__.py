"""`python -m chaos`: one fault after another, the report, the end."""

import asyncio
import signal
import sys
import time
from collections.abc import Sequence

from chaos.options import Plan, listing, parse
from chaos.run import run_all
from collector.domain.errors import ChamberlogError
from stack.home import Home

BROKEN, INTERRUPTED = 1, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Try fault after fault; progress goes to standard error, the report to standard output.

    A second run in the same home throws the data of the first away.

    Args:
        argv: arguments without the program's name; None = the process's own.

    Returns:
        0; 1 when something is broken or could not be tried; 130 when interrupted, without a report.
    """
    plan = parse(argv)
    if plan.listed:
        sys.stdout.write(listing(plan.faults))
        return 0
    try:
        lock = Home(plan.home).claim()
        try:
            return asyncio.run(_run(plan))
        finally:
            lock.release()
    except ChamberlogError as error:
        sys.stderr.write(f"error: {error}\n")
        return BROKEN
    except (KeyboardInterrupt, asyncio.CancelledError):
        return INTERRUPTED


async def _run(plan: Plan) -> int:
    running = asyncio.current_task()
    assert running is not None
    for number in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, running.cancel)
    began_s = time.monotonic()

    def say(text: str) -> None:
        sys.stderr.write(f"{time.monotonic() - began_s:6.0f} s  {text}\n")
        sys.stderr.flush()

    return 0 if await run_all(plan, say) else BROKEN


if __name__ == "__main__":
    sys.exit(main())
