"""`python -m cli`, and the entry point of the `chamberlog` script."""

import os
import sys
import traceback
from collections.abc import Sequence

import typer
from typer.main import get_command

from cli.app import app
from cli.exits import CommandError, Complaint, ExitCode
from cli.output import show_complaints
from collector.domain.errors import AwayError, ChamberlogError, ConflictError, InvalidFieldError, NotFoundError
from stack.errors import AlreadyRunningError, StackError

CORE_CODES: tuple[tuple[type[ChamberlogError], ExitCode], ...] = (
    (AlreadyRunningError, ExitCode.CONFLICT),
    (StackError, ExitCode.AWAY),
    (NotFoundError, ExitCode.NOT_FOUND),
    (ConflictError, ExitCode.CONFLICT),
    (AwayError, ExitCode.AWAY),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and answer its exit code (see `cli.exits.ExitCode`).

    Args:
        argv: arguments without the program's name; None takes the process's.
    """
    _never_fail_on_output()
    try:
        code = _run(argv)
    except SystemExit as stop:
        if not isinstance(stop.__context__, BrokenPipeError):
            raise
        _drop_output()  # typer ends with 1, which means something else here
        return ExitCode.UNREAD
    return code if _delivered() else code or ExitCode.UNREAD


def _run(argv: Sequence[str] | None) -> int:
    try:
        result = get_command(app).main(args=argv, prog_name="chamberlog", standalone_mode=False)
        return int(result) if isinstance(result, int) else ExitCode.FINE
    except (CommandError, ChamberlogError) as error:
        failure = _as_command_error(error)
    except typer.TyperException as error:
        failure = CommandError(ExitCode.REFUSED, Complaint("usage", error.format_message(), _usage_remedy(error)))
    except typer.Abort:
        return ExitCode.INTERRUPTED
    except Exception:  # noqa: BLE001 - exit 1 means unaccounted slots; a fault of ours must not look like it
        traceback.print_exc()
        return ExitCode.FAULT
    show_complaints(failure.complaints)
    return failure.code


def _delivered() -> bool:
    """Whether everything was handed on to who reads it."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _drop_output()
        return False
    return True


def _drop_output() -> None:
    """Nobody reads it: Python would complain at its end."""
    if sys.__stdout__ is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno())


def _as_command_error(error: CommandError | ChamberlogError) -> CommandError:
    if isinstance(error, CommandError):
        return error
    if isinstance(error, InvalidFieldError):
        return CommandError(ExitCode.REFUSED, Complaint(error.field, error.problem, error.remedy))
    code = next((code for kind, code in CORE_CODES if isinstance(error, kind)), ExitCode.REFUSED)
    field = "stack" if isinstance(error, StackError) else "chamberlog"
    return CommandError(code, Complaint(field, str(error), str(getattr(error, "remedy", ""))))


def _usage_remedy(error: typer.TyperException) -> str:
    context = getattr(error, "ctx", None)
    return f"see `{getattr(context, 'command_path', 'chamberlog')} --help`"


def _never_fail_on_output() -> None:
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")  # a terminal without UTF-8 shows `?` for what it lacks


if __name__ == "__main__":
    sys.exit(main())
