"""The command line of the bench."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.devices import CEILING
from bench.run import LOOK_S, PATIENCE_S
from bench.trials import Batch, chosen, names
from bench.workloads import NORMAL_S, QUICK_S, Wish
from collector.domain.chamber import INTERVAL_MS

DEFAULT_HOME = Path(".chamberlog/bench")
LONGEST_S = 86_400


@dataclass(frozen=True, slots=True)
class Plan:
    """What the person asked for.

    Attributes:
        batches: what is measured, in its order.
        home: directory of the stacks, one a trial.
        report: directory of the report.
        patience_s: how long each part waits for a quiet machine; one alone is compared with nothing.
        listed: the batches are only shown.
    """

    batches: Sequence[Batch]
    home: Path
    report: Path
    patience_s: float
    listed: bool


def parse(argv: Sequence[str] | None) -> Plan:
    """Read the arguments; None = the process's own. Wrong ones end the process with 2 and a line that says why."""
    parser = _parser()
    given = parser.parse_args(argv)
    wish = Wish(given.quick, given.chambers, given.interval, given.seconds, given.workers)
    wanted = chosen(wish, given.only or (), peers=not given.no_peers)
    if not wanted:
        parser.error("argument --only: with --no-peers nothing is left of it")
    patience_s = PATIENCE_S if len(wanted) > 1 else LOOK_S
    return Plan(wanted, given.home, given.report or given.home / "report", patience_s, given.list)


def listing(batches: Sequence[Batch]) -> str:
    """The trials, a line each; those with the same number run side by side."""
    lines = (f"{n:>3} {t.name:<20} {t.about}\n" for n, batch in enumerate(batches, 1) for t in batch)
    return "".join(lines)


def _parser() -> argparse.ArgumentParser:
    about = "What a reading costs, on real stacks on 127.0.0.1, beside the peers; one report."
    parser = argparse.ArgumentParser(prog="python -m bench", description=about)
    length = f"windows of {QUICK_S:g} s instead of {NORMAL_S:g} s, fewer chambers and fewer parts"
    only = "only this part, or this group of them (--list shows them); repeatable"
    parser.add_argument("--quick", action="store_true", help=length)
    parser.add_argument("--only", action="append", metavar="NAME", choices=list(names()), help=only)
    parser.add_argument("--no-peers", action="store_true", help="chamberlog alone")
    parser.add_argument("--list", action="store_true", help="show what the other arguments choose, and end")
    parser.add_argument("--chambers", type=_chambers, help="of every workload and peer")
    parser.add_argument("--interval", type=_interval, metavar="SECONDS", help="of every workload's and peer's chambers")
    parser.add_argument("--seconds", type=_seconds, help="length of the window")
    parser.add_argument("--workers", type=_workers, default=1, help="worker processes of a workload (default 1)")
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
