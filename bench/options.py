"""The command line of the bench."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.devices import CEILING
from bench.workloads import NORMAL_S, QUICK_S, SHAPES, Wish, Workload, workload
from collector.domain.chamber import INTERVAL_MS

DEFAULT_HOME = Path(".chamberlog/bench")
LONGEST_S = 86_400


@dataclass(frozen=True, slots=True)
class Plan:
    """What the person asked for.

    Attributes:
        workloads: in their order.
        home: directory of the stacks, one a workload.
        report: directory of the report.
    """

    workloads: Sequence[Workload]
    home: Path
    report: Path


def parse(argv: Sequence[str] | None) -> Plan:
    """Read the arguments; None = the process's own. Wrong ones end the process with 2 and a line that says why."""
    given = _parser().parse_args(argv)
    wish = Wish(given.quick, given.chambers, given.interval, given.seconds, given.workers)
    names = dict.fromkeys(given.workload or SHAPES)
    return Plan([workload(name, wish) for name in names], given.home, given.report or given.home / "report")


def _parser() -> argparse.ArgumentParser:
    about = "CPU, lateness, memory and bytes of a reading, on a real stack of its own on 127.0.0.1."
    parser = argparse.ArgumentParser(prog="python -m bench", description=about)
    length = f"windows of {QUICK_S:g} s instead of {NORMAL_S:g} s, and fewer chambers"
    parser.add_argument("--quick", action="store_true", help=length)
    parser.add_argument("--workload", action="append", choices=sorted(SHAPES), help="only this one; repeatable")
    parser.add_argument("--chambers", type=_chambers, help="of every workload")
    parser.add_argument("--interval", type=_interval, metavar="SECONDS", help="of every workload's chambers")
    parser.add_argument("--seconds", type=_seconds, help="length of the window")
    parser.add_argument("--workers", type=_workers, default=1, help="worker processes (default 1)")
    parser.add_argument("--home", type=Path, default=DEFAULT_HOME, help=f"where data is kept (default {DEFAULT_HOME})")
    parser.add_argument(
        "--report", type=Path, metavar="FOLDER", help="of bench.json and bench.md (default HOME/report)"
    )
    return parser


def _chambers(text: str) -> int:
    return _whole(text, 1, CEILING)


def _interval(text: str) -> int:
    return _whole(text, *(edge // 1000 for edge in INTERVAL_MS))


def _seconds(text: str) -> int:
    return _whole(text, 1, LONGEST_S)


def _workers(text: str) -> int:
    return _whole(text, 1, 64)


def _whole(text: str, low: int, high: int) -> int:
    if not text.isdecimal() or not low <= int(text) <= high:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {low} to {high}")
    return int(text)
