"""A worker whose wall clock is wrong: `python -m chaos.clock_worker --ahead-ms MS`."""

import argparse
import sys
from collections.abc import Sequence

from chaos.wrong_clock import WrongClock
from workers.__main__ import main as work


def main(argv: Sequence[str] | None = None) -> int:
    """Run the worker; its environment, its signals and its exit codes are those of `python -m workers`."""
    parser = argparse.ArgumentParser(prog="python -m chaos.clock_worker", description="A worker with a wrong clock.")
    parser.add_argument("--ahead-ms", type=int, required=True, help="how far its wall clock is ahead; below 0: behind")
    return work(clock=WrongClock(parser.parse_args(argv).ahead_ms))


if __name__ == "__main__":
    sys.exit(main())
