"""The bench and the trial by faults: programs of their own, run as they are."""

import signal
import subprocess
import sys

import typer

from cli.exits import ExitCode

HANDED_ON = (signal.SIGTERM, signal.SIGHUP)


def bench(context: typer.Context) -> None:
    """Measure what a reading costs; `chamberlog bench --help` lists its own options."""
    raise typer.Exit(run_module("bench", context.args))


def chaos(context: typer.Context) -> None:
    """Try what becomes of every slot under faults; `chamberlog chaos --help` lists its own options."""
    raise typer.Exit(run_module("chaos", context.args))


def run_module(module: str, arguments: list[str]) -> int:
    """Run it to its end, Ctrl-C included: it stops its servers itself.

    Returns:
        Its exit code; 4 for wrong arguments, which are 2 there.
    """
    # -P: a folder of that name where the person stands must not be taken for ours
    with subprocess.Popen([sys.executable, "-P", "-m", module, *arguments]) as running:  # noqa: S603 - ours
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to both
        ended = {number: signal.signal(number, lambda *_: running.terminate()) for number in HANDED_ON}
        try:
            code = running.wait()
        finally:
            for number, handler in {signal.SIGINT: before, **ended}.items():
                signal.signal(number, handler)
    if code < 0:
        return 128 - code
    return ExitCode.REFUSED if code == 2 else code
