"""`python -m fuzz`: mutate, judge, say what was found."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from fuzz.cases import SEED, Cases
from fuzz.corpus import RECORDINGS, corpus
from fuzz.run import Summary, described, run, run_all

COUNT = 1_000_000
FOUND = 1


def main(argv: Sequence[str] | None = None) -> int:
    """Judge many mutated answers; progress goes to standard error, the summary to standard output.

    Returns:
        0; 1 when a case must not be. The same seed makes the same cases.
    """
    given = _parser().parse_args(argv)
    if given.case is not None:
        summary = run(Cases(corpus(given.recordings), given.seed), [given.case])
    else:
        summary = run_all(given.seed, given.count, given.processes, given.recordings, _say)
    sys.stdout.write(_told(summary, given.seed))
    return FOUND if summary.findings else 0


def _told(summary: Summary, seed: int) -> str:
    lines = [f"{count:>10,}  {outcome}" for outcome, count in summary.outcomes.most_common()]
    findings = [line for finding in summary.findings for line in ("", *described(finding, seed))]
    return "\n".join([f"seed {seed}, {summary.outcomes.total():,} mutated answers", *lines, *findings]) + "\n"


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def _parser() -> argparse.ArgumentParser:
    about = "Mutated answers through the mapping: no foreign exception, no hang, no wrong number that is good."
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=about)
    parser.add_argument("--count", type=int, default=COUNT, help=f"how many (default {COUNT:,})")
    parser.add_argument("--seed", type=int, default=SEED, help=f"of the cases (default {SEED})")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="at once (default: all cores)")
    parser.add_argument("--case", type=int, help="only this one")
    folder = "more answers: recordings of devices, which do not belong to the project"
    parser.add_argument("--recordings", type=Path, default=RECORDINGS, metavar="FOLDER", help=folder)
    return parser


if __name__ == "__main__":
    sys.exit(main())
