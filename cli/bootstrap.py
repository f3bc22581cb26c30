"""The one place of the command line that knows adapters: migrations need the database, not the API."""

import asyncio
import os
from collections.abc import Callable

from adapters.postgres.migrate import FOLDER, load_migrations, migrate
from adapters.secret_settings import read_secret, shown_address

POSTGRES = "CHAMBERLOG_POSTGRES"


def migrate_database(dsn: str, on_step: Callable[[str], None]) -> list[str]:
    """Apply what is missing; names of the applied migrations, none the second time."""
    return asyncio.run(migrate(dsn, on_step))


def find_postgres(flag: str | None) -> str | None:
    """The DSN of the readings' database: the flag, else the environment or the file that it names; None without any.

    Raises:
        InvalidFieldError: names the variable, never the DSN: it cannot be read, or is none.
    """
    return read_secret(POSTGRES, {POSTGRES: flag} if flag else os.environ)


def rehearse_migration(dsn: str) -> str:
    """What `migrate_database` would do, without secrets; asks no server.

    Raises:
        MigrationError: the files of this release are not in order.
    """
    return f"{len(load_migrations(FOLDER))} migrations for PostgreSQL {shown_address(dsn)}"
