"""The authz service, which Envoy asks whether a request may pass; and the keys that its word is signed by."""

import os
from pathlib import Path
from typing import Annotated

import typer

from cli.commands.processes import CheckFlag
from cli.exits import CommandError, Complaint, ExitCode
from cli.output import say

# Each command imports what it needs when it runs.
# ruff: noqa: PLC0415

group = typer.Typer(
    invoke_without_command=True,
    help="Run the authz service, which the gateway asks, against the servers that the environment names.",
)


@group.callback()
def run(context: typer.Context, *, check: CheckFlag = False) -> None:
    """Run the authz service, which the gateway asks, against the servers that the environment names."""
    if context.invoked_subcommand is not None:
        return
    from gateway.__main__ import main

    raise typer.Exit(ExitCode.REFUSED if main(check=check) else ExitCode.FINE)


@group.command("new-key")
def new_key(
    private: Annotated[Path, typer.Argument(help="File for the private key: it must not be there yet.")],
) -> None:
    """Make a pair of keys: the authz service's private one into the file; the API's public one is printed.

    Again makes another pair, in another file.
    """
    from cli.bootstrap import new_assertion_keys

    pair = new_assertion_keys()
    try:
        descriptor = os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(pair.private)
    except FileExistsError:
        complaint = Complaint("private", f"{private} is there already", "name another file: no key is replaced")
        raise CommandError(ExitCode.CONFLICT, complaint) from None
    except OSError as error:
        complaint = Complaint("private", f"{private} cannot be written: {error.strerror}", "name a file that can be")
        raise CommandError(ExitCode.REFUSED, complaint) from None
    print(pair.public, end="")
    say(
        f"authz: CHAMBERLOG_ASSERTION_KEY_FILE={private}; API: what is printed, where CHAMBERLOG_ASSERTION_KEYS_FILE is"
    )
