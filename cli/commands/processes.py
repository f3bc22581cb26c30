"""The processes: the whole local stack, or one part of it; and the database's migrations."""

from typing import Annotated

import typer

from cli.database import PostgresFlag, find_dsn
from cli.exits import ExitCode
from cli.output import print_json, say
from cli.session import HomeFlag
from cli.target import home_directory
from cli.times import parse_duration_ms
from collector.domain.errors import InvalidFieldError

CHAMBERS = 12
"""Of the simulated fleet, unless more dialects are asked for: then one of each."""
CheckFlag = Annotated[bool, typer.Option("--check", help="Only say whether it could run; asks no server.")]

# Each command imports its process when it runs: `chamberlog --help` would otherwise load all of them.
# ruff: noqa: PLC0415


def up(
    *,
    duration: Annotated[str | None, typer.Option("--for", help="Stop after this long, such as 60s.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object as the last line of output.")] = False,
    no_simulator: Annotated[bool, typer.Option("--no-simulator", help="No simulated fleet.")] = False,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Worker processes.")] = 1,
    chambers: Annotated[int | None, typer.Option("--chambers", min=1, help="Simulated chambers (12).")] = None,
    dialects: Annotated[
        str | None, typer.Option("--dialects", help="Of the simulated devices: all, or names with commas.")
    ] = None,
    no_envoy: Annotated[bool, typer.Option("--no-envoy", help="No gateway and no egress proxy.")] = False,
    telemetry: Annotated[bool, typer.Option("--telemetry", help="Keep traces, metrics and logs by OTLP.")] = False,
    home: HomeFlag = None,
) -> None:
    """Start the whole local stack with a simulated fleet; Ctrl-C stops it, its data stays."""
    from stack.up import UpOptions, run_up

    seconds = None if duration is None else parse_duration_ms("for", duration) / 1000
    names = () if dialects is None else _dialects(dialects)
    options = UpOptions(
        home=home_directory(home),
        for_s=seconds,
        as_json=as_json,
        simulator=not no_simulator,
        workers=workers,
        chambers=chambers or max(CHAMBERS, len(names)),
        dialects=names,
        envoy=not no_envoy,
        telemetry=telemetry,
    )
    raise typer.Exit(run_up(options))


def env(home: HomeFlag = None) -> None:
    """Print shell exports of the running local stack: eval "$(chamberlog env)"."""
    from stack.environment import exports

    print(exports(home_directory(home)), end="")


def worker(*, check: CheckFlag = False) -> None:
    """Run a worker against the servers that the environment names."""
    from workers.__main__ import main

    raise typer.Exit(_as_exit_code(main(check=check)))


def api(*, check: CheckFlag = False) -> None:
    """Run the API against the servers that the environment names."""
    from api.__main__ import main

    raise typer.Exit(_as_exit_code(main(check=check)))


def simulate(context: typer.Context) -> None:
    """Run simulated devices; `chamberlog simulate --help` lists its own options."""
    from simulator.__main__ import main

    try:
        code = main(list(context.args))
    except SystemExit as stop:  # argparse ends by itself
        code = int(bool(stop.code))
    raise typer.Exit(_as_exit_code(code))


def migrate(
    *,
    postgres: PostgresFlag = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")] = False,
    check: CheckFlag = False,
    home: HomeFlag = None,
) -> None:
    """Bring the database's schema up to date. The second run finds nothing to do."""
    from cli.bootstrap import migrate_database, rehearse_migration

    dsn = find_dsn(postgres, home)
    if check:
        print(f"migrate: settings are fine: {rehearse_migration(dsn)}")
        return
    applied = migrate_database(dsn, lambda step: say(f"migrating: {step}"))
    if as_json:
        print_json({"applied": applied})
    else:
        say(f"{len(applied)} migrations applied" if applied else "the schema is up to date")


def _dialects(text: str) -> tuple[str, ...]:
    from simulator.dialects import named

    try:
        return named(text)
    except ValueError as error:
        problem, _, remedy = str(error).partition("; ")
        raise InvalidFieldError("dialects", problem, remedy) from None


def _as_exit_code(code: int) -> ExitCode:
    """Processes end with 1 or 2 when they cannot start, which here would mean unaccounted or overdue slots."""
    return ExitCode.REFUSED if code else ExitCode.FINE
