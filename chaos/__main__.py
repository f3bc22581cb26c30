"""`python -m chaos`: one fault after another, the report, the end."""

import sys
import time
from collections.abc import Sequence

from chaos.options import Plan, listing, parse
from chaos.run import run_all
from stack.scratch import run_claimed

BROKEN = 1


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
    return run_claimed(plan.home, lambda: _run(plan))


async def _run(plan: Plan) -> int:
    began_s = time.monotonic()

    def say(text: str) -> None:
        sys.stderr.write(f"{time.monotonic() - began_s:6.0f} s  {text}\n")
        sys.stderr.flush()

    return 0 if await run_all(plan, say) else BROKEN


if __name__ == "__main__":
    sys.exit(main())
