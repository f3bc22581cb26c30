"""Where the readings' database is, for the few commands that need it instead of the API."""

import os
from pathlib import Path
from typing import Annotated

import typer

from cli.exits import CommandError, Complaint, ExitCode
from cli.target import TargetFlags, home_directory, read_stack

PostgresFlag = Annotated[
    str | None, typer.Option("--postgres", help="DSN (CHAMBERLOG_POSTGRES, _FILE); else the local stack's.")
]


def wants_database(flag: str | None, target: TargetFlags) -> bool:
    """Whether a command that can do either is to go by the database.

    It is where --postgres says so, or CHAMBERLOG_POSTGRES does and nothing names an API.
    """
    if flag or target.api is not None or os.environ.get("CHAMBERLOG_API"):
        return bool(flag)
    return any(os.environ.get(name) for name in ("CHAMBERLOG_POSTGRES", "CHAMBERLOG_POSTGRES_FILE"))


def find_dsn(flag: str | None, home: Path | None) -> str:
    """The DSN: the flag, else the environment or the file that it names, else the local stack's.

    Raises:
        CommandError: AWAY, when there is none.
        InvalidFieldError: names the variable, never the DSN: it cannot be read, or is none.
    """
    from cli.bootstrap import find_postgres  # noqa: PLC0415 - other commands need no adapter

    directory = home_directory(home)
    dsn = find_postgres(flag) or read_stack(directory).get("postgres")
    if dsn:
        return str(dsn)
    remedy = "give --postgres, CHAMBERLOG_POSTGRES or CHAMBERLOG_POSTGRES_FILE, such as postgresql://user@host/name"
    raise CommandError(ExitCode.AWAY, Complaint("postgres", f"no address, and no stack runs in {directory}", remedy))
