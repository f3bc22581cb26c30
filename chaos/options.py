"""The command line of the faults."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from chaos.faults import Fault, chosen, long_faults, short_faults
from chaos.fleet import INTERVALS_S, SLOW_S

DEFAULT_HOME = Path(".chamberlog/chaos")


@dataclass(frozen=True, slots=True)
class Plan:
    """What the person asked for.

    Attributes:
        faults: in their order.
        left_out: names of the same form that were not asked for.
        form: `long` or `short`.
        home: directory of the stack.
        json: file of the report as JSON, or None.
        report: page that the report fills, or None.
        listed: the faults are only shown.
        every_s: intervals of the fast chambers.
    """

    faults: Sequence[Fault]
    left_out: Sequence[str]
    form: str
    home: Path
    json: Path | None
    report: Path | None
    listed: bool
    every_s: Sequence[int] = INTERVALS_S


def parse(argv: Sequence[str] | None) -> Plan:
    """Read the arguments; None = the process's own. Wrong ones end the process with 2 and a line that says why."""
    parser = _parser()
    given = parser.parse_args(argv)
    faults = short_faults() if given.short else long_faults()
    only = [name for text in given.only for name in text.split(",") if name]
    unknown = [name for name in only if name not in {fault.name for fault in faults}]
    if unknown:
        parser.error(f"argument --only: there is no fault {unknown[0]!r} in this form; --list shows them")
    wanted = chosen(faults, only)
    left_out = [fault.name for fault in faults if fault not in wanted]
    form = "short" if given.short else "long"
    return Plan(wanted, left_out, form, given.home, given.json, given.report, given.list, given.every)


def listing(faults: Sequence[Fault]) -> str:
    """The faults, a line each, with about how long they take."""
    return "".join(f"{fault.name:<22} {fault.all_s:4.0f} s  {fault.about}\n" for fault in faults)


def _intervals(text: str) -> tuple[int, ...]:
    intervals = tuple(int(part) for part in text.split(",") if part.isdecimal())
    if not intervals or len(intervals) != len(text.split(",")) or not all(1 <= s < SLOW_S for s in intervals):
        raise argparse.ArgumentTypeError(f"{text!r} is not seconds from 1 to {SLOW_S - 1}, such as 2 or 1,2,5")
    return intervals


def _parser() -> argparse.ArgumentParser:
    about = "The real stack and simulated chambers under one fault after another; what became of every slot."
    parser = argparse.ArgumentParser(prog="python -m chaos", description=about)
    only = "only these faults; repeatable"
    parser.add_argument("--short", action="store_true", help="five faults in two minutes")
    parser.add_argument("--only", action="append", default=[], metavar="NAME[,NAME]", help=only)
    every = f"intervals of the chambers below a minute (default {','.join(map(str, INTERVALS_S))})"
    parser.add_argument("--every", type=_intervals, default=INTERVALS_S, metavar="SECONDS[,SECONDS]", help=every)
    parser.add_argument("--list", action="store_true", help="show what the other arguments choose, and end")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report as JSON")
    parser.add_argument("--report", type=Path, metavar="FILE", help="fill this page between its markers")
    parser.add_argument("--home", type=Path, default=DEFAULT_HOME, help=f"where data is kept (default {DEFAULT_HOME})")
    return parser
