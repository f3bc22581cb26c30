"""`python -m bench.peers`: measure one peer, or kill its worker; for whoever works on the peers."""

import argparse
import asyncio
import json
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Json
from bench.killing import DOWN_S, KILL, kill_chamberlog, kill_peer
from bench.options import DEFAULT_HOME
from bench.peers.kinds import PEERS
from bench.peers.measure import measure_peer
from bench.workloads import CHAMBERLOG, QUICK_S, Workload
from collector.domain.errors import ChamberlogError

FAILED, INTERRUPTED = 1, 130


@dataclass(frozen=True, slots=True)
class Order:
    """What the person asked for.

    Attributes:
        system: a peer, or `chamberlog`, which can only be killed here.
        workload: its fleet.
        kill: its worker is killed instead of measured.
        down_s: how long the worker stays down then.
        folder: where its data is kept.
    """

    system: str
    workload: Workload
    kill: bool
    down_s: float
    folder: Path


def parse(argv: Sequence[str] | None) -> Order:
    """Read the arguments; None = the process's own. Wrong ones end the process with 2 and a line that says why."""
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description="One peer; JSON on standard output.")
    parser.add_argument("--peer", required=True, choices=[*PEERS, CHAMBERLOG], help="which")
    parser.add_argument("--chambers", type=_positive, default=KILL.chambers, help="(default %(default)s)")
    parser.add_argument("--interval", type=_positive, default=KILL.interval_s, help="in seconds (default %(default)s)")
    parser.add_argument("--seconds", type=_positive, default=int(QUICK_S), help="the window (default %(default)s)")
    parser.add_argument("--kill", action="store_true", help="kill its worker and count what it lost")
    parser.add_argument(
        "--down", type=_positive, default=int(DOWN_S), help="seconds, with --kill (default %(default)s)"
    )
    parser.add_argument("--home", type=Path, default=DEFAULT_HOME, help="where data is kept (default %(default)s)")
    given = parser.parse_args(argv)
    if given.peer == CHAMBERLOG and not given.kill:
        parser.error("--peer chamberlog goes with --kill; `python -m bench` measures it")
    fleet = Workload("kill" if given.kill else "peer", given.chambers, given.interval, given.seconds)
    return Order(given.peer, fleet, given.kill, given.down, given.home / f"{fleet.name}-{given.peer}")


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out the order; progress goes to standard error, one JSON object to standard output.

    Returns:
        0; 1 when nothing could be measured; 130 when interrupted.
    """
    order = parse(argv)
    try:
        found = asyncio.run(_carry_out(order))
    except ChamberlogError as error:
        sys.stderr.write(f"error: {error}\n")
        return FAILED
    except (KeyboardInterrupt, asyncio.CancelledError):
        return INTERRUPTED
    sys.stdout.write(json.dumps(found, indent=1) + "\n")
    return 0


async def _carry_out(order: Order) -> Json:
    running, began = asyncio.current_task(), time.monotonic()
    assert running is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)

    def say(text: str) -> None:
        sys.stderr.write(f"{order.system:<10} {time.monotonic() - began:6.1f} s  {text}\n")

    if not order.kill:
        return await measure_peer(order.system, order.workload, order.folder, say)
    if order.system == CHAMBERLOG:
        return await kill_chamberlog(order.workload, order.folder, say, order.down_s)
    return await kill_peer(order.system, order.workload, order.folder, say, order.down_s)


def _positive(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
