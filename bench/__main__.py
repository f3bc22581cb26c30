"""`python -m bench`: measure, write the report, end."""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from bench.machine import machine, versions
from bench.markdown import markdown
from bench.options import Plan, listing, parse
from bench.report import document, write_report
from bench.run import run_all
from bench.settings import settings
from stack.scratch import run_claimed

FAILED = 1


def main(argv: Sequence[str] | None = None) -> int:
    """Measure part after part; progress goes to standard error, the report to standard output too.

    A second run in the same home throws the data of the first away and replaces its report.

    Args:
        argv: arguments without the program's name; None = the process's own.

    Returns:
        0; 1 when something could not be measured, or a window is not clean; 130 when interrupted. A missed target
        changes nothing: the machine decides it too.
    """
    plan = parse(argv)
    if plan.listed:
        sys.stdout.write(listing(plan.batches))
        return 0
    return run_claimed(plan.home, lambda: _run(plan))


async def _run(plan: Plan) -> int:
    date = datetime.now(UTC).isoformat(timespec="seconds")
    facts = {"date": date, "machine": asdict(machine()), "versions": versions(), "settings": settings()}
    results = await run_all(plan.batches, plan.home, sys.stderr.write, plan.patience_s)
    report = document(facts, results)
    files = write_report(plan.report, report)
    sys.stdout.write(markdown(report))
    sys.stderr.write(f"written: {files[0]} and {files[1]}\n")
    return 0 if report["clean"] and not report["failed"] else FAILED


if __name__ == "__main__":
    sys.exit(main())
