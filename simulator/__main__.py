"""`python -m simulator`: a fleet of simulated devices until SIGTERM or SIGINT."""

import argparse
import asyncio
import contextlib
import ipaddress
import logging
import resource
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from collector.domain.errors import InvalidFieldError
from simulator.bootstrap import SERVICE, start_logging
from simulator.dialects import USUAL, named
from simulator.fleet import DEVICES_CEILING, FleetPlan, SimulatedFleet, rehearse
from simulator.listener import HOST
from simulator.replay import CurveError

PORT_CEILING = 65_535
log = logging.getLogger("simulator")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a fleet until SIGTERM or SIGINT.

    Args:
        argv: arguments without the program's name; None = the process's own.

    Returns:
        0 after a clean stop, 1 when the fleet could not start, with one line on standard error that says why.
    """
    plan, check = _plan(argv)
    _raise_file_limit()
    with contextlib.suppress(KeyboardInterrupt):
        try:
            start_logging(SERVICE)
            if check:
                sys.stdout.write(f"simulate: settings are fine: {rehearse(plan)}\n")
            else:
                asyncio.run(_run(plan))
        except (CurveError, InvalidFieldError) as error:
            return _failed(str(error))
        except OSError as error:
            return _failed(f"{error.filename}: {error.strerror}" if error.filename else error.strerror or str(error))
    return 0


async def _run(plan: FleetPlan) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    async with SimulatedFleet(plan) as fleet:
        log.info("%d devices listen, control at %s", len(fleet.devices), fleet.control_url)
        await stopped.wait()


def _plan(argv: Sequence[str] | None) -> tuple[FleetPlan, bool]:
    parser = _parser()
    given = vars(parser.parse_args(argv))
    check = bool(given.pop("check"))
    plan = FleetPlan(**given)
    if plan.port_base + plan.devices > PORT_CEILING + 1:
        parser.error(f"--port-base {plan.port_base} leaves no room for {plan.devices} devices up to {PORT_CEILING}")
    return plan, check


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulator", description="Simulated devices on real sockets.")
    parser.add_argument("--devices", type=_count, default=12, help="how many, 1 to 5000 (default 12)")
    parser.add_argument("--host", type=_address, default=HOST, help=f"IPv4 address to listen on (default {HOST})")
    parser.add_argument("--control-port", type=_port, default=0, help="0 = as before, else any free one")
    parser.add_argument("--port-base", type=_port, default=0, help="port of the first device; 0 as above")
    parser.add_argument("--log", type=Path, help="JSON lines of what was served, appended")
    parser.add_argument("--devices-file", type=Path, help="written with all addresses once all devices listen")
    parser.add_argument("--series", type=Path, help="CSV recording to replay instead of the curves that ship")
    parser.add_argument("--speed", type=_speed, default=1.0, help="curve seconds per second (default 1)")
    parser.add_argument(
        "--dialects", type=_dialects, default=USUAL, help="all, or names with commas (default airgradient,generic-json)"
    )
    parser.add_argument("--password", help="devices that can be locked want it")
    parser.add_argument("--secrets", type=Path, help="folder for what their chambers' secret_ref leads to")
    parser.add_argument("--check", action="store_true", help="only say whether it could run")
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= DEVICES_CEILING:
        raise argparse.ArgumentTypeError(f"{text!r} is not 1 to {DEVICES_CEILING}")
    return int(text)


def _dialects(text: str) -> tuple[str, ...]:
    try:
        return named(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _address(text: str) -> str:
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not an IPv4 address, such as {HOST} or 0.0.0.0") from None


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > PORT_CEILING:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port, 0 to {PORT_CEILING}")
    return int(text)


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed <= 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is not a speed above 0, such as 1 or 60")
    return speed


def _raise_file_limit() -> None:
    """Two files per device: its port and its client."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 3 * DEVICES_CEILING
    if soft != resource.RLIM_INFINITY and soft < wanted:
        ceiling = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (ceiling, hard))


def _failed(why: str) -> int:
    _say(f"the simulator cannot start: {why}")
    return 1


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
