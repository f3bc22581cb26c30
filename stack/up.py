"""`chamberlog up`: the whole stack in one command."""

import asyncio
import json
import signal
import sys

from rich.console import Console

from stack.display import Display
from stack.errors import StackError
from stack.home import Home
from stack.layout import make_layout
from stack.ports import PortBook
from stack.run import StackRun, UpOptions

__all__ = ["UpOptions", "run_up"]


def run_up(options: UpOptions) -> int:
    """Start the stack, collect until Ctrl-C (SIGINT, SIGTERM) or for the time asked for, stop it cleanly.

    Data, ports, passwords and the API key are kept in `options.home`: a second run goes on with the same chambers.
    Progress goes to standard error; the account of a run with an end is the last line of standard output.

    Args:
        options: what to start.

    Returns:
        0; 1 when the directory is in use, a part did not start or stayed down, or slots are unaccounted; 2 when
        slots are overdue.
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
            return asyncio.run(_run(options, home, book, display))
    finally:
        book.close()
        lock.release()


async def _run(options: UpOptions, home: Home, book: PortBook, display: Display) -> int:
    try:
        layout = make_layout(home, book, options.workers)
    except StackError as error:
        display.note(f"error: {error}", "red")
        return 1
    run = StackRun(options, layout, display)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, run.interrupt)
    code = await run.run()
    if run.account is not None:
        if options.as_json:
            sys.stdout.write(json.dumps(run.account.document()) + "\n")
            sys.stdout.flush()
        else:
            Console().print(run.account.table())
    return code
