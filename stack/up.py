"""`chamberlog up`: the whole stack in one command."""

import asyncio
import json
import signal
import sys
import time

from rich.console import Console

from stack.account import Account
from stack.display import Display
from stack.edge import edge_is_there
from stack.errors import StackError
from stack.home import Home
from stack.layout import make_layout
from stack.ports import PortBook
from stack.run import StackRun, UpOptions

INTERRUPTED = 130
LEFTOVERS_S = 45.0
"""Above the longest grace of a part; what still runs then is a server, and its launcher ends it."""

__all__ = ["UpOptions", "run_up"]


def run_up(options: UpOptions) -> int:
    """Start the stack, collect until Ctrl-C (SIGINT, SIGTERM) or for the time asked for, stop it cleanly.

    Data, ports, passwords and the API key are kept in `options.home`: a second run goes on with the same chambers.
    Progress goes to standard error; the account of a run with an end is the last line of standard output.

    Args:
        options: what to start.

    Returns:
        0; 1 when the directory is in use, a part did not start or stayed down, or slots are unaccounted; 2 when
        slots are overdue; 130 when interrupted before anything was started.
    """
    home = Home(options.home)
    try:
        lock = home.claim()
    except StackError as error:
        Console(stderr=True).print(f"error: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        return 1
    book = PortBook(home.ports_file)
    try:
        with Display() as display:
            code, account = asyncio.run(_run(options, home, book, display))
    except KeyboardInterrupt:  # before anything was started
        return INTERRUPTED
    finally:
        book.close()
        lock.release()
    if account is not None:
        _print_account(account, as_json=options.as_json)
    return code


async def _run(options: UpOptions, home: Home, book: PortBook, display: Display) -> tuple[int, Account | None]:
    await _await_leftovers(home, display)
    edge = options.envoy and edge_is_there()
    if options.envoy and not edge:
        display.note("there is no Envoy for this platform: the API is served directly, devices are called directly")
    try:
        layout = make_layout(home, book, options.workers, edge=edge, telemetry=options.telemetry)
    except StackError as error:
        display.note(f"error: {error}", "red")
        return 1, None
    run = StackRun(options, layout, display)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, run.interrupt)
    return await run.run(), run.account


async def _await_leftovers(home: Home, display: Display) -> None:
    """Programs of a killed `up` end by themselves; while they run their ports are taken, and ports shall stay."""
    give_up = time.monotonic() + LEFTOVERS_S
    while (left := home.leftovers()) and time.monotonic() < give_up:
        display.status(f"waiting until {len(left)} programs of the last run have ended")
        await asyncio.sleep(0.1)
    home.remove_stack()


def _print_account(account: Account, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(account.document()) + "\n")
        sys.stdout.flush()
    else:
        Console().print(account.table())
